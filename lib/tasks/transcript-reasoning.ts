/** The thinking that models write before a transcript. Pure. */
import { splitReasoning } from '../text/reasoning';

/**
 * Removes the thinking before a transcript: models that answer with speech and text may think.
 *
 * @returns the response as it is, if its thinking has no end
 */
export function stripReasoning(response: string): string {
	const { text } = splitReasoning(response, true);
	const isCutOff = text.trim() === '' && !/<\/think>\s*$/.test(response);
	return isCutOff ? response : text;
}
