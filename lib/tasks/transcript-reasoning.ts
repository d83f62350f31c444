/** The thinking that models write before a transcript. Pure. */
import { splitReasoning } from '../text/reasoning';

/** Characters that are compared on either side of the end of thinking. */
const MAX_COMPARED = 100;

/** The end of thinking in a channel whose start is in the prompt (Gemma 4). It counts only at one of these places. */
const CHANNEL_END = /<channel\|>/;

/** Behind the name of the channel. */
const CHANNEL_NAME = /^\s*thought\s*\n/;

/** Behind a sentence or a line, or at the beginning. */
const SENTENCE_END = /(?:^|[.!?。！？…][ \t]*|\n[ \t]*)$/;

/** Not in the middle of a sentence, whose rest would follow. */
const SENTENCE_REST = /^(?:["'`”’»,;:)]|[ \t]+\p{Ll})/u;

/**
 * Removes the thinking before a transcript: models that answer with speech and text may think.
 *
 * @returns the response as it is, if its thinking has no end
 */
export function stripReasoning(response: string): string {
	const { text } = splitReasoning(response, true);
	if (text === response) return stripChannel(response);
	const isCutOff = text.trim() === '' && !/<\/think>\s*$/.test(response);
	return isCutOff ? response : text;
}

function stripChannel(response: string): string {
	const end = CHANNEL_END.exec(response);
	if (!end) return response;
	const before = response.slice(0, end.index);
	const after = response.slice(end.index + end[0].length);
	const isEnd =
		(CHANNEL_NAME.test(before) || SENTENCE_END.test(before.slice(-MAX_COMPARED))) &&
		!SENTENCE_REST.test(after.slice(0, MAX_COMPARED));
	return isEnd && after.trim() ? after : response;
}
