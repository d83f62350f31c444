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
import type { RejectionReason } from './types';

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

/** One way to read a text. */
interface Spelling {
	/** What of it is compared. */
	compact: string;
	text: string;
}

/** @param texts of users, and those of which nobody knows who wrote them */
export function createQuotationCheck(texts: readonly string[]): QuotationCheck {
	const length = texts.reduce((sum, text) => sum + text.length, 0);
	let spellings: readonly Spelling[] | undefined;
	function* read(): Generator<undefined, readonly Spelling[]> {
		const all: Spelling[] = [];
		for (const text of new Set(texts)) {
			const compacts = new Set<string>();
			for (const spelling of yield* decodeInSteps(text))
				compacts.add(yield* compactInSteps(spelling));
			for (const compact of compacts) all.push({ compact, text });
		}
		return all;
	}
	function* prepare() {
		if (length > STEP_LENGTH && length <= MAX_LENGTH) spellings ??= yield* read();
	}
	const check = (source: string): QuotationReason | undefined => {
		if (length > MAX_LENGTH) return 'notCompared';
		spellings ??= finish(read());
		const wanted = finish(compactInSteps(source));
		const isQuoted = spellings.some(
			({ compact, text }) =>
				compact.includes(wanted) && (beginsWord(compact, wanted) || beginsWordIn(text, wanted)),
		);
		return isQuoted ? 'quotation' : undefined;
	};
	return Object.assign(check, { prepare });
}

/** Whether no part of a longer name precedes a call at one of its places, as far as a compact text shows it. */
function beginsWord(compact: string, wanted: string, gaps?: ReadonlySet<number>): boolean {
	if (!WORD.test(wanted)) return true;
	for (let at = compact.indexOf(wanted); at >= 0; at = compact.indexOf(wanted, at + 1))
		if (!WORD.test(compact.charAt(at - 1)) || gaps?.has(at) === true) return true;
	return false;
}

/** The same by the blanks of a text. A long one is not read again: then the call does not run. */
function beginsWordIn(text: string, wanted: string): boolean {
	return (
		text.length > STEP_LENGTH ||
		[...finish(decodeInSteps(text))].some((spelling) =>
			beginsWord(finish(compactInSteps(spelling)), wanted, findGaps(spelling)),
		)
	);
}

const WORD = /^\w/;

/** Indexes in the compact text before which something was left out. */
function findGaps(spelling: string): ReadonlySet<number> {
	const gaps = new Set<number>();
	let omitted = 0;
	for (const { 0: gap, index } of spelling.matchAll(NOT_COMPARED)) {
		gaps.add(index - omitted);
		omitted += gap.length;
	}
	return gaps;
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

/** What of a text is compared. */
function* compactInSteps(text: string): Generator<undefined, string> {
	const parts: string[] = [];
	for (let at = 0; at < text.length; at += STEP_LENGTH) {
		if (at > 0) yield;
		const part = text.slice(at, at + STEP_LENGTH);
		parts.push(part.replace(NOT_COMPARED, '').replace(QUOTATION_MARK, '"'));
	}
	return parts.join('');
}
