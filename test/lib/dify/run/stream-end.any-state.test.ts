/** How the events of a run ended, by what had arrived, the error of the stream, and the record of the run. */
import { createDifyError } from '../../../../lib/dify/create-error';
import { createRunState } from '../../../../lib/dify/run/run-state';
import type { RunState } from '../../../../lib/dify/run/run-state';
import {
	getStreamEnd,
	hasReceivedNothing,
	isRecoverable,
} from '../../../../lib/dify/run/stream-end';
import { expectApproved, joinPlaces } from '../../../support/approved/approved-table';
import { combine } from '../../../support/approved/outcome';
import path from 'node:path';

/** What arrived, as the state of the run has it. */
const STATES: Readonly<Record<string, Partial<RunState>>> = {
	nothing: {},
	'a task': { taskId: 't' },
	'a text': { text: 'One' },
	'a message': { messageId: 'm', conversationId: 'c' },
	'a thought': { thoughts: [{ id: 'x' }] as never, messageId: 'm', conversationId: 'c' },
	'a thought without a message': { thoughts: [{ id: 'x' }] as never, conversationId: 'c' },
	'a run': { workflowRunId: 'r', taskId: 't' },
	'the end of a message': { hasMessageEnd: true, messageId: 'm' },
	'the end of a message, followed': { hasMessageEnd: true, mayLackText: true },
	'a reported success': { reportedEnd: { status: 'succeeded' } as never },
	'a reported failure': { reportedEnd: { status: 'failed' } as never },
	'lines that are no events': { invalidEvents: 1 },
};
/** States that are also played with too much text. */
const EXCEEDED = ['a text', 'a reported success'];
const ERRORS = {
	'no error': undefined,
	silence: createDifyError('idleTimeout'),
	'no first event': createDifyError('firstTokenTimeout'),
	'too long': createDifyError('totalTimeout'),
	lost: createDifyError('connectionLost'),
	'a status': createDifyError('serverError', { status: 500 }),
} as const;

test('each state with each error', () => {
	const outcomes = combine({
		state: Object.keys(STATES),
		isExceeded: [false, true],
		error: Object.keys(ERRORS) as Array<keyof typeof ERRORS>,
		hasRecord: [false, true],
	})
		.filter(({ state, isExceeded }) => !isExceeded || EXCEEDED.includes(state))
		.map(({ state, isExceeded, error, hasRecord }) => {
			const run = Object.assign(createRunState({}), STATES[state]);
			if (isExceeded) Object.defineProperty(run.textCount, 'isExceeded', { value: true });
			const record = hasRecord ? ({ runId: 'r' } as never) : undefined;
			const { type, ...rest } = getStreamEnd(run, ERRORS[error], record);
			const missing = 'missing' in rest && rest.missing !== undefined ? ` ${rest.missing}` : '';
			const cause = 'error' in rest ? ` ${rest.error?.type}` : '';
			return {
				subject: `${state}${isExceeded ? ', too much text' : ''}${hasRecord ? ', a record' : ''}`,
				place: error,
				outcome: type + missing + cause,
			};
		});
	const known = Object.entries(STATES).map(([name, state]) => {
		const run = Object.assign(createRunState({}), state);
		return {
			input: `${name}: what can be done`,
			outcome: `${hasReceivedNothing(run) ? 'only pings' : 'something'}, ${isRecoverable(run) ? 'recoverable' : 'lost'}`,
		};
	});
	expectApproved(
		path.join(__dirname, 'stream-end.any-state.approved.txt'),
		[...joinPlaces(outcomes), ...known],
		'A run counts as ended only if Dify said so',
	);
});
