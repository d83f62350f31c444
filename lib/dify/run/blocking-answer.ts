import { createRun, finish, reduce } from '../events';
import { recordOf, isRecord, nonEmptyText } from '../../values';
import type { RunHints, RunResult } from '../types';

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
		const result = finish(state, 'eof');
		return {
			...result,
			error: { cause: 'notFinished', message: 'Dify answered without a result' },
		};
	}
	return finish(state, 'eof');
}
