import { DifyClient } from '../../../../lib/dify/client';
import { RUN_ROUTES, startRun, stopRun } from '../../../../lib/dify/run/run';
import { appKey, type Json, type Reply, type Step } from '../../../servers/dify';
import { calls, clientOf, failureOf, say, startApp, startSim, UNKNOWN_ID } from '../client';
import type { DifyAppMode } from '../../../../lib/dify/types';
import { ask, waitFor } from '../ask';
import { playText, said } from '../play';
import { screen, startTalk } from '../talk';

describe('runs of other apps', () => {
	test('Streaming of completion and workflow: read by the same reader, in whatever pieces it comes', async () => {
		const sim = await startSim({ stream: { bytesPerWrite: 7, crlf: true } });
		expect(
			await startRun(
				clientOf(sim, 'completion'),
				RUN_ROUTES.completion,
				{ inputs: {}, query: 'hi' },
				'u1',
			),
		).toMatchObject({ status: 'succeeded', text: 'You said: hi' });
		expect(
			await startRun(clientOf(sim, 'workflow'), RUN_ROUTES.workflow, { inputs: {} }, 'u1'),
		).toMatchObject({
			status: 'succeeded',
			text: 'You said: ',
		});
		expect(sim.runs.map(({ responseMode }) => responseMode)).toEqual(['streaming', 'streaming']);
	});

	test('Workflow result: partial success is one, failure is none, and nothing is polled', async () => {
		const reply = ({ inputs }: { inputs: Json }): Reply => ({
			steps: said('x'),
			...(inputs.fail === true ? { fail: 'boom' } : { exceptions: 1 }),
		});
		const sim = await startApp({
			mode: 'workflow',
			reply,
			form: [{ kind: 'checkbox', variable: 'fail' }],
		});
		const run = async (fail: boolean) =>
			await startRun(clientOf(sim, 'workflow'), RUN_ROUTES.workflow, { inputs: { fail } }, 'u1');
		expect(await run(false)).toMatchObject({ status: 'partial-succeeded', text: 'x' });
		expect((await failureOf(run(true))).serverText).toContain('boom');
		expect(sim.requests.map(({ path }) => path)).toEqual(['/workflows/run', '/workflows/run']);
	});
});

describe('a message', () => {
	const chatModes: DifyAppMode[] = ['chat', 'agent-chat', 'agent', 'advanced-chat'];

	test('case 23: the app of another type is told', async () => {
		const sim = await startSim({});
		expect(await failureOf(say(clientOf(sim, 'completion')))).toMatchObject({
			code: 'not_chat_app',
			kind: 'wrongAppType',
		});
		expect(
			await failureOf(startRun(clientOf(sim), RUN_ROUTES.completion, { inputs: {} }, 'u1')),
		).toMatchObject({
			code: 'app_unavailable',
			kind: 'appUnavailable',
		});
		expect(
			await failureOf(startRun(clientOf(sim), RUN_ROUTES.workflow, { inputs: {} }, 'u1')),
		).toMatchObject({
			code: 'not_workflow_app',
			kind: 'wrongAppType',
		});
	});

	test('case 24: agents, which refuse blocking, answer', async () => {
		const sim = await startSim({});
		for (const mode of chatModes.filter((each) => each.startsWith('agent')))
			expect((await say(clientOf(sim, mode))).result.text).toBe('You said: hi');
	});

	test("case 25: a bad key of the model provider is not called a bad key of Dify's", async () => {
		const sim = await startApp({
			mode: 'chat',
			reply: () => ({
				steps: [],
				refuse: {
					status: 400,
					code: 'completion_request_error',
					message: '[openai] Error: 401 Incorrect API key provided',
				},
			}),
		});
		const failed = await failureOf(say(clientOf(sim)));
		expect(failed).toMatchObject({ kind: 'modelProvider', code: 'completion_request_error' });
		expect(failed.kind).not.toBe('unauthorized');
		expect(failed.serverText).toContain('[openai] Error: 401');
		expect(failed.remedy).toContain('The key of the "Dify API" credential is fine');
	});

	test('case 26: too many at once is waited for, a used-up quota is not', async () => {
		let finish = () => {};
		const sim = await startApp({
			mode: 'chat',
			maxActive: 1,
			reply: () => ({
				steps: [{ wait: new Promise<void>((resolve) => (finish = resolve)) }, { text: 'done' }],
			}),
		});
		const client = clientOf(sim);
		// Of another program.
		const first = fetch(`${sim.url}/chat-messages`, {
			method: 'POST',
			headers: { authorization: `Bearer ${appKey('chat')}`, 'content-type': 'application/json' },
			body: JSON.stringify({ inputs: {}, query: 'hi', user: 'u2', response_mode: 'streaming' }),
		});
		await waitFor(() => sim.runs.length === 1);
		const refused = await failureOf(say(client));
		expect(refused).toMatchObject({
			kind: 'tooManyRequests',
			retryable: true,
			status: 400,
		});

		const second = say(client, {}, { retries: 1000, retryPauseMs: 10 });
		await waitFor(() => calls(sim, '/chat-messages') > 3);
		finish();
		await waitFor(() => sim.runs.length === 2);
		finish();
		expect(await (await first).text()).toContain('done');
		expect((await second).result.text).toBe('done');
		expect(sim.runs).toHaveLength(2);

		const empty = await startApp({ mode: 'chat', quota: 0 });
		expect(
			await failureOf(say(clientOf(empty), {}, { retries: 8, retryPauseMs: 1 })),
		).toMatchObject({
			code: 'rate_limit_error',
			kind: 'quota',
			retryable: false,
		});
		expect(empty.requests).toHaveLength(1);
	});

	test('case 26: the wait for a busy app ends with the execution', async () => {
		let finish = () => {};
		const sim = await startApp({
			mode: 'chat',
			maxActive: 1,
			reply: () => ({
				steps: [{ wait: new Promise<void>((resolve) => (finish = resolve)) }, { text: 'done' }],
			}),
		});
		const controller = new AbortController();
		const first = say(clientOf(sim));
		await waitFor(() => sim.runs.length === 1);
		const second = failureOf(
			say(clientOf(sim).withSignal(controller.signal), {}, { retries: 9, retryPauseMs: 60_000 }),
		);
		await waitFor(() => sim.requests.some(({ status }) => status !== undefined && status >= 400));
		controller.abort();
		expect(await second).toMatchObject({ kind: 'cancelled' });
		finish();
		await first;
	});

	test('case 29: what is sent is JSON, says so, and is an object', async () => {
		const sim = await startSim({});
		await say(clientOf(sim));
		expect(sim.requests[0]!.headers['content-type']).toBe('application/json');
		expect(sim.requests[0]!.headers['content-length']).toBe(
			String(Buffer.byteLength(sim.requests[0]!.body)),
		);
		sim.fail({
			status: 415,
			body: '{"code":"unsupported_media_type","message":"Did not attempt to load JSON data","status":415}',
			contentType: 'application/json',
		});
		expect(await failureOf(say(clientOf(sim)))).toMatchObject({
			status: 415,
			kind: 'requestFormat',
		});
	});

	test('the app in states in which it cannot answer', async () => {
		for (const [spec, kind] of [
			[{ mode: 'chat', configured: false }, 'appUnavailable'],
			[{ mode: 'chat', workspace: 'archived' }, 'appUnusable'],
			[{ mode: 'chat', status: 'abnormal' }, 'appUnusable'],
		] as const) {
			const sim = await startApp(spec);
			expect(await failureOf(say(clientOf(sim)))).toMatchObject({ kind: kind });
		}
		const flow = await startApp({ mode: 'advanced-chat', published: false });
		expect(await failureOf(say(clientOf(flow, 'advanced-chat')))).toMatchObject({
			kind: 'notPublished',
		});
	});
});

test('a connection that breaks before any answer is not answered by sending again', async () => {
	const sim = await startSim();
	sim.fail({ how: 'reset' });
	const failed = await failureOf(say(clientOf(sim), {}, { retries: 5, retryPauseMs: 1 }));
	expect(failed.kind).toBe('closedBeforeAnswer');
	expect(sim.requests).toHaveLength(1);
});

describe('workflow and completion apps as far as the client goes', () => {
	test('case 64: a failed run is a failure', async () => {
		const sim = await startApp({
			mode: 'workflow',
			reply: () => ({ steps: [{ text: 'par' }], fail: 'boom' }),
		});
		const failed = await failureOf(
			startRun(clientOf(sim, 'workflow'), RUN_ROUTES.workflow, { inputs: {} }, 'u1'),
		);
		expect(failed).toMatchObject({
			kind: 'runFailed',
			facts: { workflowRunId: sim.runs[0]!.workflowRunId },
		});
		expect(failed.serverText).toContain('boom');
	});

	test('cases 65 and 67: outputs win, a partial success is one with a warning', async () => {
		const sim = await startApp({
			mode: 'workflow',
			reply: () => ({ steps: [{ text: 'draft' }], outputs: { text: 'final' }, exceptions: 1 }),
		});
		const result = await startRun(
			clientOf(sim, 'workflow'),
			RUN_ROUTES.workflow,
			{ inputs: {} },
			'u1',
		);
		expect(result).toMatchObject({
			status: 'partial-succeeded',
			text: 'final',
			warnings: [expect.any(String)],
		});
	});

	test('case 67: the end without workflow_finished keeps the run id', async () => {
		const sim = await startApp(
			{ mode: 'workflow', reply: () => ({ steps: [{ text: 'a' }, { text: 'b' }] }) },
			{ stream: { cut: { events: 2, how: 'eof' } } },
		);
		const failed = await failureOf(
			startRun(clientOf(sim, 'workflow'), RUN_ROUTES.workflow, { inputs: {} }, 'u1'),
		);
		expect(failed).toMatchObject({
			kind: 'streamEndedEarly',
			partialText: 'a',
			facts: { workflowRunId: sim.runs[0]!.workflowRunId },
		});
	});

	test('cases 66 and 68: a run that is not there', async () => {
		const sim = await startSim({});
		const client = clientOf(sim, 'workflow');
		const asked = client.get(`/workflows/run/${UNKNOWN_ID}`);

		expect(await failureOf(asked)).toMatchObject({ status: 404, kind: 'runNotFound' });
		expect(
			await failureOf(client.get(`/workflow/${UNKNOWN_ID}/events`, { user: 'u1' })),
		).toMatchObject({
			status: 404,
			kind: 'runNotFound',
		});
	});

	test.each(['workflow', 'advanced-chat'] as const)(
		'case 68: the replay of a finished run of %s gives its result, to its user only',
		async (mode) => {
			const sim = await startSim({});
			const route = mode === 'workflow' ? RUN_ROUTES.workflow : RUN_ROUTES.chat;
			const live = await startRun(
				clientOf(sim, mode),
				route,
				{ inputs: {}, ...(mode === 'workflow' ? {} : { query: 'hi' }) },
				'u1',
			);
			const replay = async (user: string) =>
				await ask(sim, 'GET', `/workflow/${live.workflowRunId}/events?user=${user}`, { mode });

			const { result } = playText((await replay('u1')).text);
			expect(result).toMatchObject({
				status: 'succeeded',
				text: live.text,
				workflowRunId: live.workflowRunId,
				workflow: { outputs: live.workflow!.outputs },
			});
			expect((await replay('u2')).status).toBe(404);
		},
	);

	test('case 69: a stop names the user and sends a body; Dify says yes to any task', async () => {
		const sim = await startApp({
			mode: 'workflow',
			reply: () => ({ steps: [{ text: 'a' }, { wait: 60_000 }] }),
		});
		const client = clientOf(sim, 'workflow');
		const running = startRun(client, RUN_ROUTES.workflow, { inputs: {} }, 'u1');
		await waitFor(() => (sim.runs[0]?.events.length ?? 0) >= 2);
		expect(await stopRun(client, RUN_ROUTES.workflow, sim.runs[0]!.taskId, 'u1')).toBe(true);
		expect((await running).status).toBe('stopped');
		expect(await stopRun(client, RUN_ROUTES.workflow, 'no such task', 'u1')).toBe(true);
		expect(sim.requests.at(-1)).toMatchObject({
			path: '/workflows/tasks/no%20such%20task/stop',
			json: { user: 'u1' },
		});
		expect(await failureOf(client.send('POST', '/workflows/tasks/x/stop', {}))).toMatchObject({
			status: 400,
			kind: 'missingUser',
		});
	});

	test('a text generator answers, and has no conversation', async () => {
		const sim = await startSim({});
		const result = await startRun(
			clientOf(sim, 'completion'),
			RUN_ROUTES.completion,
			{ inputs: {}, query: 'hi' },
			'u1',
		);
		expect(result).toMatchObject({
			status: 'succeeded',
			text: 'You said: hi',
			conversationId: undefined,
		});
	});
});

test('a JSON answer in place of the stream is an error, and nothing is sent again', async () => {
	const sim = await startSim();
	sim.fail({
		status: 202,
		body: '{"task_id":"t","workflow_run_id":"r"}',
		contentType: 'application/json',
	});
	const failed = await failureOf(say(clientOf(sim), {}, { retries: 3, retryPauseMs: 1 }));
	expect(failed).toMatchObject({ kind: 'emptyAnswer', status: 202 });
	expect(sim.requests).toHaveLength(1);
});

describe('"too many requests" in the stream', () => {
	const refusal: Step = {
		error: { status: 429, message: 'Too many requests. Please try again later.' },
	};
	const sentFor = async (mode: 'chat' | 'agent-chat' | 'advanced-chat', steps: Step[]) => {
		const sim = await startTalk(mode, { steps });
		expect(
			await failureOf(say(clientOf(sim, mode), {}, { retries: 3, retryPauseMs: 1 })),
		).toMatchObject({
			kind: 'tooManyRequests',
		});
		return calls(sim, '/chat-messages');
	};

	test('of a run that has begun is a failure of that run, which is not begun again', async () => {
		const call: Step = {
			round: { chunks: [], tool: { name: 'pay', input: '{"pay":{}}', observation: 'paid' } },
		};
		expect(await sentFor('chat', [...said('half'), refusal])).toBe(1);
		expect(await sentFor('agent-chat', [call, refusal])).toBe(1);
		expect(await sentFor('advanced-chat', [{ node: { id: 'n' } }, refusal])).toBe(1);
		expect(
			await sentFor('chat', [
				{
					raw: 'data: {"event":"message","answer":"half"}\n\ndata: {"event":"error","message":"Too many requests."}\n\n',
				},
			]),
		).toBe(1);
		// Its event names the message that Dify has stored already.
		expect(
			await sentFor('chat', [
				{ error: { code: 'invalid_param', status: 400, message: 'Too many requests.' } },
			]),
		).toBe(1);
	});

	test('of a worker that did not start the run is waited for', async () => {
		const sim = await startTalk('chat', {
			steps: [
				{
					raw: 'data: {"event":"error","status":500,"message":"Too many requests. Please try again later."}\n\n',
				},
			],
		});
		await failureOf(say(clientOf(sim), {}, { retries: 3, retryPauseMs: 1 }));
		expect(calls(sim, '/chat-messages')).toBe(4);
	});
});

describe('a stop route that fails', () => {
	test('or hangs takes five seconds at most', async () => {
		const sim = await startSim();
		const client = clientOf(sim);
		const send = jest.spyOn(DifyClient.prototype, 'send');
		await stopRun(client, RUN_ROUTES.chat, 't', 'u1');
		expect(send.mock.calls[0]![3]).toMatchObject({ timeoutMs: 5000 });
		send.mockRestore();
	});

	test('does not hide that the run was cancelled', async () => {
		const sim = await startTalk('chat', { steps: [...said('a'), { wait: 60_000 }] });
		sim.fail({ path: /\/stop$/, status: 500, body: 'x', times: 9 });
		const controller = new AbortController();
		const { onDeltas, shown } = screen();
		const running = failureOf(say(clientOf(sim).withSignal(controller.signal), {}, { onDeltas }));
		await waitFor(() => shown() === 'a');
		controller.abort();
		expect(await running).toMatchObject({ kind: 'cancelled', facts: { stopRequested: false } });
	});
});
