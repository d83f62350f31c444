/** Takes over a complete text of Dify in place of the streamed one, and says how a display follows. */
import { hasUnopenedReasoning, SPLIT_REASONING, splitReasoning } from '../../text/reasoning';
import type { SplitState, TextAndReasoning } from '../../text/reasoning';
import type { TextDelta } from '../types';

/** The text of a run, as far as it is known. */
export interface TextParts {
	/** Text so far, as displayed. */
	text: string;
	/** Text of `reasoning_chunk` events. */
	reasoning: string;
	/** Reasoning found in the text. */
	textReasoning: string;
	/**
	 * The end of the text that may be the beginning of a secret. This is the first stage: all that a run keeps is masked, also
	 * the texts that Dify says at the end.
	 */
	heldText: string;
	/** What the second stage knows, which splits reasoning off the masked text. A chat has them in another order, as it reads calls. */
	split: SplitState;
}

/** Sets the text to a complete one of Dify, without its thinking. A text of blanks or thinking alone changes nothing. */
export function adoptText(run: TextParts, completeText: string): TextDelta[] {
	const { text, reasoning } = splitComplete(run, completeText);
	if (text.trim() === '') {
		if (run.text === '') run.textReasoning ||= reasoning;
		return [];
	}
	const previousText = run.text;
	run.split = SPLIT_REASONING.start;
	run.heldText = '';
	run.text = text;
	run.textReasoning = reasoning || run.textReasoning;
	const rest = findRest({ shownText: previousText, completeText: text });
	if (rest === '') return [];
	return [rest === undefined ? { type: 'restate', text } : { type: 'append', text: rest }];
}

/** Splits the thinking off as in the stream, which may have had it in events of its own. */
function splitComplete(run: TextParts, completeText: string): TextAndReasoning {
	const split = splitReasoning(completeText);
	if (split.reasoning !== '' || !hasUnopenedReasoning(split.text)) return split;
	const unopened = splitReasoning(completeText, true);
	const known = (run.reasoning || run.textReasoning).trim();
	return known === '' || known === unopened.reasoning.trim() ? unopened : split;
}

/** Removes thinking that the text ends but did not begin, because the prompt of the model began it. */
export function removeUnopenedReasoning(run: TextParts): TextDelta[] {
	if (run.reasoning || run.textReasoning || !hasUnopenedReasoning(run.text)) return [];
	const { text, reasoning } = splitReasoning(run.text, true);
	run.text = text;
	run.textReasoning = reasoning;
	return [{ type: 'replace', text, reason: 'unopened_thinking' }];
}

/**
 * Blanks, and the signature in the URL of a file: Dify signs anew each time it writes the URL
 * (docs/protocols/dify.md 3.9).
 */
const INSIGNIFICANT = /\s+|timestamp=\d+&nonce=\w+&sign=[\w%.=-]+/g;

/** A text, and what may be a part of it. */
interface TextPart {
	part: string;
	completeText: string;
}

/** A text, and what was shown before. */
interface ShownText {
	shownText: string;
	completeText: string;
}

/** Whether a part is a beginning of the complete text, and not all of it. */
export function isBeginning({ part, completeText }: TextPart): boolean {
	const rest = findRest({ shownText: part, completeText });
	return rest !== undefined && rest.trim() !== '';
}

/**
 * What the display lacks of the complete text.
 *
 * @returns undefined if the complete text does not begin with the shown one; blanks and signatures do not count
 */
function findRest({ shownText, completeText }: ShownText): string | undefined {
	const shownLength = shownText.replace(INSIGNIFICANT, '').length;
	if (shownLength === 0) return completeText;
	const significant = completeText.replace(INSIGNIFICANT, '');
	if (!significant.startsWith(shownText.replace(INSIGNIFICANT, ''))) return undefined;
	const rest = completeText.slice(findPosition(completeText, shownLength));
	if (rest.trim() === '') return '';
	const blanks = shownText.slice(shownText.trimEnd().length);
	return blanks !== '' && rest.startsWith(blanks) ? rest.slice(blanks.length) : rest;
}

/** The position after so many significant characters. */
function findPosition(text: string, count: number): number {
	let remaining = count;
	let position = 0;
	for (const match of text.matchAll(INSIGNIFICANT)) {
		const length = match.index - position;
		if (remaining <= length) break;
		remaining -= length;
		position = match.index + match[0].length;
	}
	return position + remaining;
}
