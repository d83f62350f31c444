/** The thinking that models write before a transcript. Pure. */
import { splitReasoning } from '../text/reasoning';
import { CLOSING_TAG } from '../text/thinking-tags';

/** Gemma's end of thinking, of which a server may remove the beginning. */
const GEMMA_END = '<channel|>';

const ENDS_WITH_THINKING = new RegExp(`(?:${CLOSING_TAG}|<channel\\|>)\\s*$`);

/**
 * Removes the thinking before a transcript: models that answer with speech and text may think.
 *
 * @returns the response as it is, if its thinking has no end
 */
export function stripReasoning(response: string): string {
	const { text } = splitReasoning(response, true);
	const isCutOff = text.trim() === '' && !ENDS_WITH_THINKING.test(response);
	return isCutOff ? response : stripUnopened(text);
}

/** A sentence that mentions the mark has a blank before it; a model may also end its text with it. */
function stripUnopened(text: string): string {
	const at = text.indexOf(GEMMA_END);
	if (at < 0 || text[at - 1] === ' ') return text;
	const rest = text.slice(at + GEMMA_END.length);
	return rest.trim() === '' ? text.slice(0, at) : rest;
}
