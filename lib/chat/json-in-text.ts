import { canonicalJson, exactJson, type ExactJson, parseJson } from '../json';

/** JSON in an answer. */
export interface FoundJson extends ExactJson {
	/** The JSON as the model wrote it. */
	json: string;
}

/** How many code blocks and how many brackets in a text are tried as JSON, and how many values are checked. */
const MAX_TRIED = 100;
const MAX_CHECKED = 10;
/** How many characters are read for it: the brackets of a broken answer may all stay open to its end. */
const MAX_READ = 2_000_000;

/**
 * Finds the fitting JSON in a model's text. Unconstrained models put it into a code block or between sentences, next to
 * examples and drafts. Tried in this order: the whole text, code blocks, JSON between sentences. Several different fits
 * at one stage are ambiguous, and count as a fault.
 *
 * @param faultsOf the faults of a value; empty where it fits
 * @returns the JSON that fits, or the faults: an empty list where there is no JSON at all
 */
export function fittingJson(
	text: string,
	faultsOf: (value: unknown) => string[],
): FoundJson | { faults: string[] } {
	const check = new JsonCheck(faultsOf);
	for (const candidates of [wholeText(text), blocksIn(text), structuresIn(text)]) {
		const fitting = check.fitting(candidates);
		const [first, ...more] = fitting;
		if (more.length > 0)
			return { faults: [`There are ${fitting.length} different answers, and one is wanted`] };
		if (first !== undefined) return first;
	}
	return { faults: check.faults };
}

/** Checks pieces of a text, but not more than `MAX_CHECKED`. */
class JsonCheck {
	/** The faults of the first value that does not fit. */
	faults: string[] = [];
	private checked = 0;

	constructor(private readonly faultsOf: (value: unknown) => string[]) {}

	/** The pieces that fit, without those with the same value. */
	fitting(candidates: Iterable<string>): FoundJson[] {
		const fitting: Array<FoundJson & { parsed: unknown }> = [];
		for (const json of candidates) {
			const parsed = parseJson(json);
			if (parsed === undefined || !this.fits(parsed)) continue;
			fitting.push({ json, parsed, ...exactJson(json, parsed) });
		}
		// Most answers have one value, which is compared with nothing.
		if (fitting.length < 2) return fitting;
		return [...new Map(fitting.map((one) => [canonicalJson(one.parsed), one])).values()];
	}

	private fits(value: unknown): boolean {
		if (this.checked >= MAX_CHECKED) return false;
		this.checked++;
		const faults = this.faultsOf(value);
		if (this.faults.length === 0) this.faults = faults;
		return faults.length === 0;
	}
}

function wholeText(text: string): string[] {
	return [text.trim().replace(/^\uFEFF/, '')];
}

function blocksIn(text: string): string[] {
	return text
		.split('```')
		.filter((_part, index) => index % 2 === 1)
		.slice(0, MAX_TRIED)
		.map((block) => block.replace(/^[^\n]*\n/, '').trim());
}

/** Complete objects and lists in a text, without those inside other ones. */
function* structuresIn(text: string): Generator<string> {
	let starts = 0;
	let read = 0;
	for (let at = 0; at < text.length && starts < MAX_TRIED && read < MAX_READ; at++) {
		if (!/[{[]/.test(text[at]!)) continue;
		starts++;
		const rest = text.slice(at);
		const end = endOfJson(rest);
		read += end ?? rest.length;
		const json = rest.slice(0, end ?? 0);
		if (parseJson(json) === undefined) continue;
		yield json;
		at += json.length - 1;
	}
}

/** Behind the bracket that closes the first one of a text; undefined where none does. */
function endOfJson(text: string): number | undefined {
	let depth = 0;
	for (const { 0: token, index } of text.matchAll(/"(?:[^"\\]|\\.)*"|[[\]{}]/gs)) {
		if (token === '{' || token === '[') depth++;
		if (token === '}' || token === ']') depth--;
		if (depth === 0 && !token.startsWith('"')) return index + 1;
	}
	return undefined;
}
