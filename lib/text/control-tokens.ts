/** Breaks up marks in texts of users, tools and files, so that templates and parsers treat them as text. */
import { isRecord } from '../values/records';
import { ZERO_WIDTH_SPACE } from '../values/safe-text';
import { toAlternatives } from './mark-patterns';
import { EXACT_FORMS, getMarks, TAG_FORMS } from './marks';

/** The name of such a tag may have any case, because parsers ignore it. `<s>` and `<AI>` are too short for that. */
const TAG = /^<\/?[\w-]{3,}(?:>|=| name=)$/;

const MARK_TEXTS = getMarks();

const EXACT_MARKS = toPattern(
	EXACT_FORMS,
	MARK_TEXTS.filter((mark) => !TAG.test(mark)),
	'g',
);

const TAG_MARKS = toPattern(
	TAG_FORMS,
	MARK_TEXTS.filter((mark) => TAG.test(mark)),
	'gi',
);

/**
 * Matches the beginnings of marks. What follows is only looked at, so that a mark within another one is found as well.
 *
 * @param marks Those that have one of the forms are omitted.
 */
function toPattern(forms: typeof EXACT_FORMS, marks: readonly string[], flags: string): RegExp {
	const formSources = forms.map(({ start, rest }) => `${start.source}(?=${rest.source})`);
	const form = new RegExp(`^(?:${formSources.join('|')})`, flags.replace('g', ''));
	const others = marks.filter((mark) => !form.test(mark));
	const markSources = [...new Set(others.map((mark) => mark[0]!))].map((first) => {
		const rests = others.filter((mark) => mark[0] === first).map((mark) => mark.slice(1));
		return `${toAlternatives([first])}(?=${toAlternatives(rests)})`;
	});
	return new RegExp([...formSources, ...markSources].join('|'), flags);
}

/**
 * Inserts an invisible character into every mark of a text. Each character is read a limited number of times, and a
 * broken text stays as it is.
 */
export function breakControlTokens(text: string): string {
	return text.replace(EXACT_MARKS, breakStart).replace(TAG_MARKS, breakStart);
}

function breakStart(start: string) {
	return start + ZERO_WIDTH_SPACE;
}

/** The same for all names and texts in a value. */
export function breakControlTokensDeep(value: unknown): unknown {
	if (typeof value === 'string') return breakControlTokens(value);
	if (Array.isArray(value)) return value.map(breakControlTokensDeep);
	if (!isRecord(value)) return value;
	return Object.fromEntries(
		Object.entries(value).map(([name, field]) => [
			breakControlTokens(name),
			breakControlTokensDeep(field),
		]),
	);
}
