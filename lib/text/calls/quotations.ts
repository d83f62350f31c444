/**
 * Detects quotations: calls in the text of a response that stand, as the model wrote them, in a text of a user or of somebody
 * whom nobody knows. They do not run, because the model may only be repeating what a user, a file or a tool wrote. Spaces,
 * line breaks, kinds of quotation marks and backslashes do not count, and a text counts as it is, with the escapes of JSON
 * undone, and with its entities decoded. The name of a tool within a longer one is another name. A call that the model
 * composes from what it read is no quotation.
 */
import { decodeEntitiesInSteps } from '../../values/html-entities';
import { getOwn } from '../../values/own-properties';
import { replaceInSteps } from '../../values/replace-in-steps';
import type { RejectionReason } from '../../rejected-call';

/** Characters. Longer requests, which few contexts hold, are not compared. */
const MAX_LENGTH = 2_000_000;
/** Characters that are read in some milliseconds. */
const STEP_LENGTH = 100_000;

/** Why a call does not run: the request contains it, or is too large to say so. */
export type QuotationReason = Extract<RejectionReason, 'quotation' | 'notCompared'>;

/** Compares calls with the texts of a request. */
export interface QuotationCheck {
	/**
	 * @param source the call as the model wrote it, without the marks around it
	 * @returns undefined if no text contains it
	 */
	(source: string): QuotationReason | undefined;
	/** Reads long texts, between whose parts other work may run. Without it, the first check reads all of them at once. */
	prepare?(): Generator<undefined, void>;
}

/** What of a text is compared. */
interface Compact {
	text: string;
	/** Indexes in it, ascending, before which something was left out in front of a word. */
	gaps: readonly number[];
}

/** @param texts of users, and those of which nobody knows who wrote them */
export function createQuotationCheck(texts: readonly string[]): QuotationCheck {
	const length = texts.reduce((sum, text) => sum + text.length, 0);
	let compacts: readonly Compact[] | undefined;
	function* read(): Generator<undefined, readonly Compact[]> {
		const all: Compact[] = [];
		for (const text of new Set(texts))
			for (const spelling of yield* decodeInSteps(text)) all.push(yield* compactInSteps(spelling));
		return all;
	}
	function* prepare() {
		if (length > STEP_LENGTH && length <= MAX_LENGTH) compacts ??= yield* read();
	}
	const check = (source: string): QuotationReason | undefined => {
		if (length > MAX_LENGTH) return 'notCompared';
		compacts ??= finish(read());
		const { text: wanted } = finish(compactInSteps(source));
		return compacts.some((compact) => contains(compact, wanted)) ? 'quotation' : undefined;
	};
	return Object.assign(check, { prepare });
}

/** Whether a text contains a call, at a place where no part of a longer name precedes it. */
function contains({ text, gaps }: Compact, wanted: string): boolean {
	const isWord = WORD.test(wanted);
	for (let at = text.indexOf(wanted); at >= 0; at = text.indexOf(wanted, at + 1))
		if (!isWord || !WORD.test(text.charAt(at - 1)) || isAmong(gaps, at)) return true;
	return false;
}

const WORD = /^\w/;

/** @param ascending numbers in their order */
function isAmong(ascending: readonly number[], wanted: number): boolean {
	let [from, to] = [0, ascending.length];
	while (from < to) {
		const middle = (from + to) >> 1;
		if (ascending[middle]! < wanted) from = middle + 1;
		else to = middle;
	}
	return ascending[from] === wanted;
}

/** The result of work in steps, at once. */
function finish<T>(steps: Generator<undefined, T>): T {
	for (;;) {
		const step = steps.next();
		if (step.done === true) return step.value;
	}
}

/** A text as it is, with the escapes of JSON undone once and twice, and each with its entities decoded. */
function* decodeInSteps(text: string): Generator<undefined, ReadonlySet<string>> {
	const once = yield* decodeJsonEscapes(text);
	const spellings = [text, once, yield* decodeJsonEscapes(once)];
	for (const spelling of [...spellings]) spellings.push(yield* decodeEntitiesInSteps(spelling));
	return new Set(spellings);
}

const JSON_ESCAPES: Readonly<Record<string, string>> = {
	b: '\b',
	f: '\f',
	n: '\n',
	r: '\r',
	t: '\t',
};

const JSON_ESCAPE = /\\(?:u([\da-f]{4})|(["\\/bfnrt]))/gi;

function* decodeJsonEscapes(text: string): Generator<undefined, string> {
	return yield* replaceInSteps(text, JSON_ESCAPE, ([, hex, letter = '']) =>
		hex === undefined
			? (getOwn(JSON_ESCAPES, letter) ?? letter)
			: String.fromCharCode(parseInt(hex, 16)),
	);
}

/** Backslashes and blanks, also those without a width: turn tokens are broken by one. */
const NOT_COMPARED = /[\\\s\u00AD\u180E\u200B-\u200F\u2060]+/g;
const QUOTATION_MARK = /['`´‘’‚‛“”„‟‹›«»＂＇]/g;

function* compactInSteps(text: string): Generator<undefined, Compact> {
	const parts: string[] = [];
	const gaps: number[] = [];
	let length = 0;
	for (let start = 0; start < text.length; start += STEP_LENGTH) {
		if (start > 0) yield;
		let omitted = 0;
		const part = text.slice(start, start + STEP_LENGTH);
		const compact = part.replace(NOT_COMPARED, (gap: string, at: number) => {
			if (WORD.test(text.charAt(start + at + gap.length))) gaps.push(length + at - omitted);
			omitted += gap.length;
			return '';
		});
		parts.push(compact.replace(QUOTATION_MARK, '"'));
		length += compact.length;
	}
	return { text: parts.join(''), gaps };
}
