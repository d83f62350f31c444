/** Thinking that a server sends in a field of its own, without the tags that some leave in it. */
import type { Stage } from '../stage';
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

/** What is known of such a field. */
export interface FieldState {
	readonly hasStarted: boolean;
	/** Text that may be a tag: the beginning of the field, or an end tag and the blanks after it. */
	readonly pending: string;
}

/**
 * Reads the deltas of such a field. vLLM leaves the tags of the thinking in it (seen: 0.32.0): the one at its beginning,
 * and the one at its end, which would go back to the model. A tag within the thinking is text.
 */
export const READ_REASONING_FIELD: Stage<string, string, FieldState> = {
	start: { hasStarted: false, pending: '' },

	step(state, delta) {
		const received = state.pending + delta;
		if (!state.hasStarted && mayBeStart(received)) return ['', { ...state, pending: received }];
		const text = state.hasStarted ? received : received.replace(START, '');
		const length = text.length - getUndecidedLength(text);
		return [text.slice(0, length), { hasStarted: true, pending: text.slice(length) }];
	},

	end({ hasStarted, pending }) {
		return (hasStarted ? pending : pending.replace(START, '')).replace(END_AT_END, '');
	},
};

function mayBeStart(text: string): boolean {
	const trimmed = text.trimStart();
	return trimmed === '' || PARTIAL_OPENING_TAG.test(trimmed);
}

/** Characters at the end of a text that are an end tag with blanks, or may become one. */
function getUndecidedLength(text: string): number {
	const end = END_AT_END.exec(text.slice(-MAX_END_LENGTH));
	return end === null ? getPartialClosingTagLength(text) : end[0].length;
}
