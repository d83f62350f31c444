/** The text of a run at its end: what Dify says then wins over what it streamed (docs/protocols/dify.md 3.9). */
import type { TextDelta } from '../types';
import { adoptText, isBeginning, removeUnopenedReasoning } from './adopt-text';
import type { RunState } from './run-state';
import { flushText } from './run-state';

/**
 * Ends the text of a run: what was held back is added, and the closing text may win.
 *
 * The closing text of a succeeded run wins wherever it differs from the streamed one. Replaced responses, and what
 * failed and stopped runs streamed, stay; so does the text of a run with handled errors, if all of it was streamed. The
 * record of a stopped run only completes what a broken stream lacks.
 *
 * @returns the last changes of its display.
 */
export function finalizeText(run: RunState): TextDelta[] {
	const deltas = [...flushText(run), ...removeUnopenedReasoning(run)];
	const { closingText } = run;
	return closingText !== undefined && winsOverStreamed(run, closingText)
		? [...deltas, ...adoptText(run, closingText.text)]
		: deltas;
}

function winsOverStreamed(
	run: RunState,
	{ text, status, mayBeOlder, isMessage }: Closing,
): boolean {
	if (run.error !== undefined || run.isReplaced || run.reportedEnd?.status !== status) return false;
	if (mayBeOlder && isBeginning({ part: text, completeText: run.text })) return false;
	if (isMessage === true) return true;
	switch (status) {
		case 'succeeded':
			return true;
		case 'partial-succeeded':
			return !hasAllText(run);
		case 'stopped':
			return run.mayLackText && isBeginning({ part: run.text, completeText: text });
		default:
			return false;
	}
}

type Closing = NonNullable<RunState['closingText']>;

/** The deltas of a workflow are only a preview of its outputs (docs/protocols/dify.md 3.3, `text_chunk`). */
function hasAllText({ conversationId, mayLackText, text }: RunState) {
	return conversationId !== undefined && !mayLackText && text !== '';
}
