/**
 * How much text a request may have. n8n waits while a text is prepared, and no model reads more: what is longer is an error
 * before anything is sent, or, as the result of a tool, cut.
 */
import { MAX_TEXT_BYTES } from '../task-limits';
import { formatBytes } from '../values/size';
import { createInputError } from './create-error';

/** No character of UTF-16 has more bytes in UTF-8. */
const MAX_BYTES_PER_CHARACTER = 3;

/** For a text that is too long. */
export const LONG_TEXT_SUGGESTION = 'Shorten the text, or split it over several items.';

/** @returns what is wrong with a text that is too long, as the end of a sentence; undefined if it may be sent */
export function findLengthProblem(text: string): string | undefined {
	if (text.length * MAX_BYTES_PER_CHARACTER <= MAX_TEXT_BYTES) return undefined;
	return describeExcess(Buffer.byteLength(text));
}

/** The same for a text of so many bytes. */
export function describeExcess(
	bytes: number,
	maxBytes: number = MAX_TEXT_BYTES,
): string | undefined {
	if (bytes <= maxBytes) return undefined;
	return `has ${formatBytes(bytes)} of text, more than the maximum of ${maxBytes / 1024 / 1024} MB`;
}

/**
 * @param subject - What has the text, as the beginning of a sentence: `The input "name"`.
 * @throws {ServerError} of type `invalidInput` for a text that is too long
 */
export function assertTextLength(text: string, subject: string): void {
	const problem = findLengthProblem(text);
	if (problem !== undefined) throw createInputError(`${subject} ${problem}`, LONG_TEXT_SUGGESTION);
}

/** The beginning of a text that has as many bytes as a text may have, without half of a character at its end. */
export function cutText(text: string): string {
	const bytes = Buffer.from(text.slice(0, MAX_TEXT_BYTES)).subarray(0, MAX_TEXT_BYTES);
	return bytes.toString().replace(/\uFFFD{1,3}$/, '');
}
