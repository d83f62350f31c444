/** A whole response in place of a stream: what Dify calls blocking (docs/protocols/dify.md 2.1.4, 2.4). */
import { asNonEmptyString, asRecord, isRecord } from '../../values/records';
import type { JsonRecord } from '../../values/records';

/**
 * The events that say the same as the first event of a response.
 *
 * @param event as received
 * @returns the event alone, unless it has all of a response: no event of a stream has the mode of the app, and each has a name
 */
export function toEvents(event: unknown): unknown[] {
	if (!isRecord(event)) return [event];
	if (isWholeMessage(event)) return [event, { ...event, event: 'message_end' }];
	return isWholeRun(event) ? [{ ...event, event: getEndEvent(event) }] : [event];
}

function isWholeMessage({ event, mode, answer, metadata }: JsonRecord) {
	const hasMode = asNonEmptyString(mode) !== undefined;
	return event === 'message' && hasMode && typeof answer === 'string' && isRecord(metadata);
}

function isWholeRun({ event, workflow_run_id: runId, data }: JsonRecord) {
	const status = asNonEmptyString(asRecord(data).status) ?? 'running';
	return event === undefined && asNonEmptyString(runId) !== undefined && status !== 'running';
}

function getEndEvent({ data }: JsonRecord) {
	return asRecord(data).status === 'paused' ? 'workflow_paused' : 'workflow_finished';
}
