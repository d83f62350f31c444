import type { EventStream } from '../../http/types';
import { exactJson, keptAsText } from '../../json';
import { isRecord, nonEmptyText, recordOf, type JsonRecord } from '../../values';
import type { DifyClient } from '../client';
import { answerError, runError } from '../errors/failure';
import { createRun, resultByEvents, reduce } from '../events';
import { isOtherConversation } from '../ids';
import type { RunHints, RunResult } from '../types';
import { show, withWarning } from './endings';
import type { RunListeners } from './observe';

/**
 * Reads an answer in place of a stream: some proxies and old versions send a blocking answer, or an error with status
 * 200.
 *
 * @throws {ServerError}
 */
export async function readBlockingAnswer(
	{ connection }: DifyClient,
	{ url, status, headers }: EventStream,
	text: string,
	options: RunListeners & { onlyConversation?: string },
): Promise<RunResult> {
	const { value: body, large } = exactJson(text);
	options.onEvent?.(body ?? text);
	if (!isRecord(body) || isErrorEnvelope(body))
		throw answerError(connection, { url, status, headers, text, json: body }, 'POST');
	let result = keptAsText(large).reduce(withWarning, resultOfBlocking(body, options.hints));
	if (isOtherConversation(result.conversationId, options.onlyConversation))
		result = { ...result, ...OTHER_CONVERSATION };
	if (result.status === 'failed') throw runError(connection, result, { url, headers });
	if (result.text !== '') await show(options, [{ type: 'append', text: result.text }]);
	return result;
}

const OTHER_CONVERSATION: Pick<RunResult, 'status' | 'error'> = {
	status: 'failed',
	error: {
		cause: 'otherConversation',
		message: 'Dify did not continue the conversation, but answered in a new one',
	},
};

function isErrorEnvelope(body: JsonRecord): boolean {
	if (typeof body.answer === 'string' || isRecord(body.data)) return false;
	return (
		nonEmptyText(body.code) !== undefined ||
		nonEmptyText(body.message) !== undefined ||
		body.error !== undefined
	);
}

/**
 * Reads the JSON body of a blocking run, which some proxies and old versions also answer to a request for a stream. A
 * failed workflow run comes with HTTP 200, and a run handed over to another worker with a 2xx without a result: both
 * are failures here (docs/protocols/dify.md 2.1.4, 2.4).
 */
export function resultOfBlocking(body: unknown, hints: RunHints = {}): RunResult {
	const state = createRun({ ...hints, wantAudio: false });
	const answer = recordOf(body);
	const data = recordOf(answer.data);
	const ids = {
		task_id: answer.task_id,
		conversation_id: answer.conversation_id,
		message_id: answer.message_id,
		workflow_run_id: answer.workflow_run_id,
		created_at: answer.created_at,
	};
	if (typeof answer.answer === 'string')
		reduce(state, { ...ids, event: 'message', answer: answer.answer });
	if (answer.event === 'workflow_paused' || data.status === 'paused') {
		reduce(state, {
			...ids,
			event: 'workflow_paused',
			data: { workflow_run_id: answer.workflow_run_id, ...data },
		});
	} else if (typeof answer.answer === 'string') {
		reduce(state, { ...ids, event: 'message_end', metadata: answer.metadata });
	} else if (isRecord(answer.data) && nonEmptyText(data.status) !== undefined) {
		reduce(state, { ...ids, event: 'workflow_finished', data });
	} else {
		reduce(state, { ...ids, event: 'ping' });
		const result = resultByEvents(state, 'eof');
		return {
			...result,
			error: { cause: 'notFinished', message: 'Dify answered without a result' },
		};
	}
	return resultByEvents(state, 'eof');
}
