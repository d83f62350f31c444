/** Thinking that a server sends in a field of its own, without the tags that some leave in it. */
import { toAlternatives } from './mark-patterns';
import { THINKING_TAGS, toEndTag } from './thinking-tags';
import { createPartialMarkFinder } from './partial-marks';

const END_TAGS = THINKING_TAGS.map(toEndTag);
const START = new RegExp(String.raw`^\s*(?:${toAlternatives(THINKING_TAGS)})`);
const END = new RegExp(toAlternatives(END_TAGS));
const getPartialEndTagLength = createPartialMarkFinder(END_TAGS);

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

const END_AT_END = new RegExp(String.raw`(?:${toAlternatives(END_TAGS)})\s*$`);

function mayBeStart(text: string): boolean {
	const trimmed = text.trimStart();
	return THINKING_TAGS.some((tag) => tag.length > trimmed.length && tag.startsWith(trimmed));
}

/** Characters at the end of a text that are an end tag with blanks, or may become one. */
function getUndecidedLength(text: string): number {
	const end = text.trimEnd();
	const tag = END_TAGS.find((mark) => end.endsWith(mark));
	if (tag !== undefined) return text.length - end.length + tag.length;
	return END.test(text.slice(-1)) ? 0 : getPartialEndTagLength(text);
}
