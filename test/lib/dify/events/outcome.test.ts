import { createRun, resultByEvents, reduce } from '../../../../lib/dify/events';
import { SAMPLES, type Script } from '../../../servers/dify';
import { CHATFLOW, ENV, IDS, lines, playScript, playText, said } from '../play';

describe('what the events mean', () => {
	test('case 51: a chatflow, with the usage of message_end', () => {
		expect(playScript(CHATFLOW, SAMPLES.chatflow)).toMatchObject({
			closed: true,
			result: {
				...IDS,
				workflowRunId: 'r',
				status: 'succeeded',
				text: 'Hello',
				usage: { total_tokens: 20 },
				workflow: {
					runId: 'r',
					workflowId: 'w',
					status: 'succeeded',
					outputs: { answer: 'Hello', files: [] },
					elapsedTime: 1.5,
					totalTokens: 20,
					totalSteps: 3,
					finishedAt: 1705398422,
					nodes: [
						{
							id: 'e1',
							nodeId: 'n1',
							type: 'start',
							title: 'Start',
							status: 'succeeded',
							elapsedTime: 0.01,
						},
					],
				},
			},
		});
	});

	test('thoughts that did not come in pieces are those that the end of the answer tells', () => {
		const thoughts = (pieces: string[], stored: unknown) => {
			const state = createRun();
			for (const reasoning of pieces)
				reduce(state, { event: 'reasoning_chunk', ...ENV, data: { reasoning } });
			reduce(state, { event: 'message_end', ...ENV, metadata: { reasoning: stored } });
			return resultByEvents(state, 'cancelled').reasoning;
		};
		expect(thoughts([], { first: 'One.', second: 'Two.' })).toBe('One.\n\nTwo.');
		expect(thoughts(['Piece.'], { first: 'One.' })).toBe('Piece.');
		for (const odd of [undefined, null, {}, 'text', { first: null, second: 3 }])
			expect(thoughts([], odd)).toBe('');
	});

	const failing: Script = {
		steps: [
			{ node: { id: 'n1' } },
			...said('par'),
			{ node: { id: 'n2', status: 'failed', error: 'no key' } },
		],
		fail: 'no key',
	};

	test('case 54: a chatflow failure is a failure although message_end came', () => {
		const played = playScript(CHATFLOW, failing);
		expect(played).toMatchObject({
			result: { status: 'failed', text: 'par', error: { message: 'no key' } },
		});
	});

	test.each([
		[
			{ code: 'completion_request_error', status: 400, message: '429 from OpenAI' },
			'429 from OpenAI',
		],
		[{ message: 'query is required', status: 500 }, 'query is required'],
		[{ message: '', status: 500 }, 'Dify reported an error without a text (status 500)'],
		[
			{ code: 'completion_request_error', status: 400, message: null },
			'Dify reported an error without a text (code completion_request_error, status 400)',
		],
		[{}, 'Dify reported an error without a text'],
	] as Array<[{ code?: string; status?: number; message?: string | null }, string]>)(
		'case 56: error %j has a text',
		(own, message) => {
			const played = playText(
				lines({ event: 'message', ...ENV, answer: 'x' }, { event: 'error', ...own }),
			);
			expect(played.closed).toBe(true);
			expect(played.result).toMatchObject({ ...IDS, status: 'failed', text: 'x' });
			expect(played.result.error).toEqual({
				cause: 'errorEvent',
				code: own.code,
				status: own.status,
				message,
			});
		},
	);

	test('case 56: an empty error takes the text of the failed run or node', () => {
		const node = {
			event: 'node_finished',
			...ENV,
			data: { id: 'e', status: 'failed', error: 'bad header' },
		};
		expect(
			playText(lines(node, { event: 'error', message: '', status: 500 })).result.error?.message,
		).toBe('bad header');
	});

	test('case 58: text before an error is kept, never a success', () => {
		const script: Script = {
			steps: [...said('half '), { error: { status: 500, message: 'gone' } }],
		};
		expect(playScript('chat', script).result).toMatchObject({
			status: 'failed',
			text: 'half ',
			error: { message: 'gone' },
		});
	});

	test('a chatflow of Dify 1.14.2 that is stopped before its first token: "Aborted: User requested stop"', () => {
		const data = {
			id: 'r',
			workflow_id: 'w',
			status: 'failed',
			outputs: {},
			error: 'Aborted: User requested stop',
		};
		const started = { event: 'workflow_started', ...ENV, workflow_run_id: 'r', data: { id: 'r' } };
		const text = lines(started, { event: 'workflow_finished', ...ENV, workflow_run_id: 'r', data });
		const { result } = playText(text);
		expect(result).toMatchObject({
			status: 'stopped',
			error: undefined,
			workflow: { status: 'stopped' },
		});
		expect(result.warnings).toEqual([expect.stringContaining('Somebody or a time limit')]);
	});

	test.each(['1.12', '1.14'])('output moderation of a chatflow is told as that (%s)', (version) => {
		const data = {
			id: 'r',
			status: 'stopped',
			outputs: {},
			error: 'Stopped by output moderation.',
		};
		const replaced = {
			event: 'message_replace',
			...ENV,
			answer: 'Refused.',
			reason: 'output_moderation',
		};
		const { result } = playText(
			lines(
				{ event: 'workflow_started', ...ENV, data: { id: 'r' } },
				{ event: 'message', ...ENV, answer: 'bad words' },
				replaced,
				{ event: 'workflow_finished', ...ENV, data },
				...(version === '1.12' ? [{ event: 'message_end', ...ENV, metadata: {} }] : []),
			),
		);
		expect(result).toMatchObject({ status: 'stopped', text: 'Refused.' });
		expect(result.warnings).toEqual([expect.stringContaining('output moderation')]);
	});

	test('a closing event that names its message by "id" only: without it, the answer could not be rated', () => {
		const { message_id: messageId, ...envelope } = ENV;
		const { result } = playText(
			lines(
				{ event: 'message', ...envelope, answer: 'a' },
				{ event: 'message_end', ...envelope, id: messageId, metadata: {} },
			),
		);
		expect(result).toMatchObject({ status: 'succeeded', messageId });
	});

	test('cancelling and limits: a failure before the end, no effect after it', () => {
		const state = createRun();
		reduce(state, { event: 'message', ...ENV, answer: 'x' });
		expect(resultByEvents(state, 'cancelled').error).toEqual({
			cause: 'cancelled',
			message: 'The run was cancelled',
		});
		expect(resultByEvents(state, 'idle', 'no data for 60 s').error).toEqual({
			cause: 'idle',
			message: 'A time limit ran out: no data for 60 s',
		});
		reduce(state, { event: 'message_end', ...ENV });
		expect(resultByEvents(state, 'cancelled')).toMatchObject({
			status: 'succeeded',
			text: 'x',
			error: undefined,
		});
	});

	test('a workflow status that nobody knows is a failure that names it', () => {
		const end = {
			event: 'workflow_finished',
			workflow_run_id: 'r',
			task_id: 't',
			data: { id: 'r', status: 'exploded' },
		};
		expect(playText(lines(end)).result.error?.message).toBe(
			'The workflow run ended with the unknown status "exploded"',
		);
	});
});

describe('how a run came out', () => {
	const stateOf = (...events: object[]) => {
		const state = createRun();
		for (const event of events) reduce(state, { ...ENV, ...event });
		return state;
	};
	const started = { event: 'workflow_started', workflow_run_id: 'r', data: { id: 'r' } };
	const ended = (status: string, more: object = {}) => ({
		event: 'workflow_finished',
		workflow_run_id: 'r',
		data: { id: 'r', status, ...more },
	});
	const piece = { event: 'message', answer: 'a' };
	const end = { event: 'message_end', metadata: {} };

	test.each([
		[
			'eof',
			'endedEarly',
			'The stream ended early: Dify closed it before the result was complete: why',
		],
		[
			'closed',
			'endedEarly',
			'The stream ended early: the connection was closed before the result was complete: why',
		],
		['cancelled', 'cancelled', 'The run was cancelled: why'],
		['idle', 'idle', 'A time limit ran out: why'],
		['queued', 'queued', 'A time limit ran out: why'],
	] as const)('without its end, and read until "%s", it failed (%s)', (reason, cause, message) => {
		expect(resultByEvents(stateOf(piece), reason, 'why')).toMatchObject({
			...IDS,
			status: 'failed',
			text: 'a',
			error: { cause, message },
		});
	});

	test('a stream in which only pings came was closed before the run began', () => {
		expect(resultByEvents(createRun(), 'eof').error?.cause).toBe('queued');
		// Something that could not be read did come.
		const state = createRun();
		reduce(state, 'no event');
		expect(resultByEvents(state, 'eof').error?.cause).toBe('endedEarly');
	});

	test('given up after the end of the workflow, it is whole; the end of a chat says nothing of a stop', () => {
		const whole = stateOf(started, piece, ended('succeeded'), end);
		const chat = stateOf(piece, end);
		for (const state of [whole, chat]) state.abandoned = true;
		expect(resultByEvents(whole, 'cancelled')).toMatchObject({
			status: 'succeeded',
			error: undefined,
		});
		expect(resultByEvents(chat, 'cancelled')).toMatchObject({
			status: 'failed',
			error: { cause: 'cancelled' },
		});
	});

	test('a workflow that failed without a word takes the error of its node, or says that there is no reason', () => {
		const node = {
			event: 'node_finished',
			workflow_run_id: 'r',
			data: { id: 'e', status: 'failed', error: ' key? ' },
		};
		expect(
			resultByEvents(stateOf(started, node, ended('failed', { error: ' ' }), end), 'eof').error,
		).toEqual({
			cause: 'runFailed',
			message: 'key?',
		});
		expect(resultByEvents(stateOf(started, ended('failed'), end), 'eof').error?.message).toBe(
			'The workflow run failed, and Dify gave no reason',
		);
	});

	test('what should be known of a success is a warning', () => {
		const warnings = (...events: object[]) => resultByEvents(stateOf(...events), 'eof').warnings;
		const retried = {
			event: 'node_retry',
			data: { id: 'n', title: 'Ask', status: 'retry', retry_index: 2 },
		};
		expect(warnings(started, retried, ended('stopped'), end)[0]).toContain(
			'"Ask" of the workflow was tried again 2',
		);
		expect(warnings(started, ended('partial-succeeded', { exceptions_count: 2 }), end)).toEqual([
			'2 node(s) of the workflow failed and were handled by their error branch.',
		]);
		expect(warnings(started, piece, ended('stopped'), end)).toEqual([
			expect.stringContaining('Somebody') as string,
		]);
		expect(
			warnings(
				started,
				{ event: 'message_replace', answer: 'No.', reason: 'output_moderation' },
				ended('stopped'),
				end,
			),
		).toEqual([expect.stringContaining('output moderation of the app stopped the run') as string]);
	});
});
