/** Thinking that a server sends in a field of its own, without the tags that some leave in it. */
import {
	CLOSING_TAG,
	getPartialClosingTagLength,
	OPENING_TAG,
	PARTIAL_OPENING_TAG,
} from './thinking-tags';

const START = new RegExp(String.raw`^\s*${OPENING_TAG}`);
const END_AT_END = new RegExp(String.raw`${CLOSING_TAG}\s*$`);
/** Longest tag, with blanks after it. */
const MAX_END_LENGTH = 200;

/**
 * Reads the deltas of such a field. vLLM leaves the tags of the thinking in it (seen: 0.32.0): the one at its beginning,
 * and the one at its end, which would go back to the model. A tag within the thinking is text.
 */
export class ReasoningField {
	private hasStarted = false;
	/** Text that may be a tag: the beginning of the field, or an end tag and the blanks after it. */
	private pending = '';

	/** @returns the thinking that is known to be text now */
	push(delta: string): string {
		this.pending += delta;
		if (!this.hasStarted) {
			if (mayBeStart(this.pending)) return '';
			this.hasStarted = true;
			this.pending = this.pending.replace(START, '');
		}
		const length = this.pending.length - getUndecidedLength(this.pending);
		const text = this.pending.slice(0, length);
		this.pending = this.pending.slice(length);
		return text;
	}

	/** @returns the thinking that was not decided before its end */
	end(): string {
		const rest = this.hasStarted ? this.pending : this.pending.replace(START, '');
		this.pending = '';
		return rest.replace(END_AT_END, '');
	}
}

function mayBeStart(text: string): boolean {
	const trimmed = text.trimStart();
	return trimmed === '' || PARTIAL_OPENING_TAG.test(trimmed);
}

/** Characters at the end of a text that are an end tag with blanks, or may become one. */
function getUndecidedLength(text: string): number {
	const end = END_AT_END.exec(text.slice(-MAX_END_LENGTH));
	return end === null ? getPartialClosingTagLength(text) : end[0].length;
}
