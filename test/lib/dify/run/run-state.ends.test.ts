/** Runs that Dify ends itself: at a limit, without naming who stopped them, or with a text of its own. */
import { createRunError } from '../../../../lib/dify/run/run-error';
import { EVENT_IDS, playEvents } from '../play-events';

const RUN = { ...EVENT_IDS, workflow_run_id: 'r' };
const started = { event: 'workflow_started', ...RUN, data: { id: 'r' } };
const text = (answer: string) => ({ event: 'message', ...RUN, answer });
const finished = (data: object) => ({
	event: 'workflow_finished',
	...RUN,
	data: { id: 'r', outputs: {}, ...data },
});
const END = { event: 'message_end', ...RUN, metadata: {} };
const CONTEXT = { url: 'http://dify/v1/workflows/run', service: 'dify', secrets: [] } as const;

const STEPS = 'Aborted: Maximum execution steps exceeded: 501 > 500';
const TIME = 'Aborted: Maximum execution time exceeded: 1200.61s > 1200s';

describe('a limit that ended a run is a failure, whatever its status is', () => {
	test.each([
		['stopped', finished({ status: 'stopped', error: STEPS }), STEPS],
		['failed', finished({ status: 'failed', error: STEPS }), STEPS],
		['stopped at the time limit', finished({ status: 'stopped', error: TIME }), TIME],
		[
			'without "Aborted"',
			finished({ status: 'stopped', error: 'Maximum execution time exceeded: 9.1s > 9s' }),
			'Maximum execution time exceeded: 9.1s > 9s',
		],
		[
			'an error event',
			{ event: 'error', ...RUN, status: 400, message: `Run failed: ${STEPS}` },
			`Run failed: ${STEPS}`,
		],
	])('%s', (_case, event, message) => {
		const { result } = playEvents(started, text('Half'), event, END);
		expect(result).toMatchObject({ status: 'failed', text: 'Half', error: { message } });
		const error = createRunError({ ...result, error: result.error! }, CONTEXT);
		expect(error).toMatchObject({ type: 'runFailed', message, partialText: 'Half' });
	});
});

describe('the hint of a stopped run names only who is known to have stopped it', () => {
	test.each([
		['Stopped by user.', /by a user or by a Dify timeout.*"Stopped by user\."/],
		['Aborted: User requested stop', /by a user or by a Dify timeout/],
		[undefined, /by a user or by a Dify timeout, so the response may be incomplete\.$/],
		['resume attempts exhausted', /^The run was stopped, so .*"resume attempts exhausted"/],
		['Aborted: App task was stopped', /^The run was stopped, so .*"Aborted: App task/],
		[
			'Aborted: Client response stream closed before app execution completed',
			/^The run was stopped, so .*stream closed/,
		],
	])('%s', (error, hint) => {
		const { result } = playEvents(started, finished({ status: 'stopped', error }), END);
		expect(result.status).toBe('stopped');
		expect(result.warnings).toEqual([expect.stringMatching(hint)]);
	});
});

describe('the stored text of a run that Dify ended takes away nothing that was streamed', () => {
	const replace = (answer: string, reason: string) => ({
		event: 'message_replace',
		task_id: 't',
		answer,
		reason,
	});
	const REASONS = ['workflow_handoff_terminal', 'workflow_resumption_terminal'];
	const STOPPED = finished({ status: 'stopped', error: 'resume attempts exhausted' });

	test.each(
		REASONS.flatMap((reason) => [
			[reason, '', 'Start. End.'],
			[reason, ' \n', 'Start. End.'],
			[reason, 'Start.', 'Start. End.'],
			[reason, 'Start. End. More', 'Start. End. More'],
			[reason, 'Another text', 'Another text'],
		]),
	)('%s: "%s"', (reason, answer, expected) => {
		const { result, displayedText } = playEvents(
			started,
			text('Start. '),
			text('End.'),
			replace(answer!, reason!),
			END,
			STOPPED,
		);
		expect([result.text, displayedText]).toEqual([expected, expected]);
	});

	test('an empty text of the moderation takes it away', () => {
		const { result } = playEvents(started, text('x'), replace('', 'output_moderation'), END);
		expect(result.text).toBe('');
	});
});
