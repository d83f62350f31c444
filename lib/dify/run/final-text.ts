/** The text of a run at its end: what Dify says then wins over what it streamed (docs/protocols/dify.md 3.9). */
import type { TextDelta } from '../types';
import { adoptText, isBeginning, removeUnopenedReasoning } from './closing-text';
import type { RunState } from './run-state';
import { flushText } from './run-state';

/**
 * Sets the final text of a run that ended, and returns the last changes of its display.
 *
 * The closing text of a succeeded run wins wherever it differs from the streamed one. Replaced responses, and what
 * failed and stopped runs streamed, stay. A run with handled errors keeps what was streamed from its first event on.
 */
export function settleText(run: RunState): TextDelta[] {
	const deltas = [...flushText(run), ...removeUnopenedReasoning(run)];
	return isClosingValid(run) ? [...deltas, ...adoptText(run, run.closing?.text ?? '')] : deltas;
}

function isClosingValid({
	closing,
	end,
	error,
	isReplaced,
	mayLackText,
	conversationId,
	...run
}: RunState) {
	const hasEnded = end?.status === 'succeeded' || end?.status === 'partial-succeeded';
	if (closing === undefined || !hasEnded || error !== undefined || isReplaced) return false;
	// The deltas of a workflow are a preview of its outputs (docs/protocols/dify.md 3.3, `text_chunk`).
	const isComplete = conversationId !== undefined && !mayLackText && run.text !== '';
	if (isComplete && (end.status !== 'succeeded' || !closing.isSucceeded)) return false;
	return !closing.mayBeOlder || !isBeginning(run.text, closing.text);
}
