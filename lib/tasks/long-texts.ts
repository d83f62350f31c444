/** Texts that are too long for a model: what the error says about them, and how they are truncated. */
import type { ServerError } from '../errors/server-error';
import { isExplainedRejection } from '../exchange/explain-rejection';
import { asFiniteNumber } from '../values/numbers';

/** A text of a task. */
export interface IndexedText {
	/** From 0, among all texts of the task. Errors name the text by it. */
	index: number;
	text: string;
}

/** Token counts in the error about a text that is too long. Servers report one, both or none. */
export interface TokenSizes {
	/** Maximum tokens of one text. */
	limit?: number;
	/** Tokens of the rejected text. */
	tokens?: number;
}

/** Undefined if the error is about something else. */
export function parseTokenSizes({ type, facts }: ServerError): TokenSizes | undefined {
	if (type !== 'promptTooLong') return undefined;
	return { tokens: asFiniteNumber(facts.n_prompt_tokens), limit: asFiniteNumber(facts.n_ctx) };
}

/** The words for a text in its error. */
export interface LongTextWords {
	/** Also part of the option "Long Texts" or "Long Documents". */
	noun: 'Text' | 'Document';
	/** Continues the sentence "Text 3 …". */
	problem: string;
}

/** The error of a text that is too long; undefined if the error is about something else. */
export function explainTooLong(
	error: ServerError,
	{ index, text }: IndexedText,
	{ noun, problem }: LongTextWords,
): ServerError | undefined {
	const tokenSizes = parseTokenSizes(error);
	if (!tokenSizes) return undefined;
	const { tokens, limit } = tokenSizes;
	const limitText = limit === undefined ? '' : `, which is limited to ${limit} tokens`;
	const sizeText = tokens === undefined ? '' : ` (${tokens} tokens were sent)`;
	return error.copyWith({
		title: `${noun} ${index + 1} ${problem}`,
		detail: `${noun} ${index + 1} ("${excerpt(text)}") ${problem}${limitText}${sizeText}`,
		suggestion: `Split documents into smaller chunks, or set the option Long ${noun}s to Truncate.`,
		facts: { index, ...tokenSizes },
	});
}

/** The error of a text with too many characters for the server, with its number; undefined if it is about something else. */
export function numberLongText(
	error: ServerError,
	{ index, text }: IndexedText,
	noun: LongTextWords['noun'],
): ServerError | undefined {
	const subject = `The ${noun.toLowerCase()} is`;
	if (!isExplainedRejection(error) || !error.message.startsWith(subject)) return undefined;
	const problem = error.message.slice(subject.length);
	return error.copyWith({
		title: `${noun} ${index + 1} is${problem}`,
		detail: `${noun} ${index + 1} ("${excerpt(text)}") is${problem}`,
		facts: { ...error.facts, index },
	});
}

/** Share of the limit to use, since tokens are estimated from characters. */
const MARGIN = 0.9;

/** Beginning of a text that should fit; half of it if the sizes are unknown. Never splits a character. */
export function truncateToLimit(text: string, { limit, tokens }: TokenSizes): string {
	const isMeasured = limit !== undefined && tokens !== undefined && tokens > limit;
	const share = isMeasured ? (limit / tokens) * MARGIN : 0.5;
	return text.slice(0, Math.floor(text.length * share)).replace(/[\uD800-\uDBFF]$/, '');
}

const EXCERPT_LENGTH = 80;

/** Beginning of a text, for errors. */
export function excerpt(text: string): string {
	return text.length <= EXCERPT_LENGTH ? text : `${text.slice(0, EXCERPT_LENGTH)}…`;
}
