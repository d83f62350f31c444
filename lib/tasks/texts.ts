/** The texts of a task: how errors and hints name them. */
import type { ServerError } from '../errors/server-error';
import { minOf, maxOf } from '../values/numbers';
import { omitUndefined } from '../values/records';

/** A text of a task. */
export interface IndexedText {
	/** From 0, among all texts of the task. Errors name the text by it. */
	index: number;
	text: string;
}

/** A text of which the server accepted only the beginning. */
export interface TruncatedText {
	/** That of the text. */
	index: number;
	/** Characters that were accepted. */
	keptLength: number;
	/** Characters of the whole text. */
	length: number;
}

/** What users call a text of a task. Also part of the option "Long Texts" or "Long Documents". */
export type TextNoun = 'Text' | 'Document';

/** The error of a text that the server refuses alone while it accepts others, with its number. */
export function nameRefusedText(
	error: ServerError,
	{ index }: IndexedText,
	noun: TextNoun,
): ServerError {
	return error.withField(`${noun} ${index + 1}`, [{ label: noun }]).copyWith({
		facts: omitUndefined({ index, tokens: error.facts.n_prompt_tokens, limit: error.facts.n_ctx }),
	});
}

const EXCERPT_LENGTH = 80;

/** Beginning of a text, for errors. */
export function excerpt(text: string): string {
	return text.length <= EXCERPT_LENGTH ? text : `${text.slice(0, EXCERPT_LENGTH)}…`;
}

/** The hint about texts that were truncated; none if there are none. */
export function getTruncationHints(
	truncatedTexts: readonly TruncatedText[],
	{ count, noun }: { count: number; noun: TextNoun },
): string[] {
	const [first] = truncatedTexts;
	if (first === undefined) return [];
	const kept = truncatedTexts.map(({ keptLength }) => keptLength);
	const [min, max] = [minOf(kept), maxOf(kept)].map((length) => length.toLocaleString('en-US'));
	const name = noun.toLowerCase();
	const subject =
		truncatedTexts.length === 1
			? `${noun} ${first.index + 1} of ${count} was truncated: the server accepted its`
			: `${truncatedTexts.length} of ${count} ${name}s were truncated: the server accepted their`;
	const lengths = min === max ? max : `${min} to ${max}`;
	return [`${subject} first ${lengths} characters, and refused more.`];
}
