/** Runs of workflow apps, against the simulator: lost runs are recovered, and nothing runs twice. */
import { followRun as follow } from '../../../../lib/dify/run/follow';
import { runWorkflow, type WorkflowOptions } from '../../../../lib/dify/run/workflow';
import { RECOVERED_NOTE } from '../../../../lib/dify/run/endings';
import { requestStop, RUN_ROUTES } from '../../../../lib/dify/run/run';
import { PAGES, type DifySim, type Script, type Step } from '../../../servers/dify';
import { startScripted } from '../../../servers/scripted';
import { useSimulator } from '../../../servers/use-simulator';
import { delay, setImmediate } from '../../../support/node';
import { waitFor } from '../ask';
import { calls, clientOf, failureOf, startApp, startSim } from '../client';

const FAST: WorkflowOptions = { waits: { pauseMs: 1 } };

const start: Step = { node: { id: 'start', type: 'start', title: 'Start' } };
const slow = { id: 'slow', type: 'code', title: 'Slow', outputs: { a: 1 } };

function run(
	sim: Pick<DifySim, 'url'>,
	options: WorkflowOptions = {},
	inputs = {},
	signal?: AbortSignal,
) {
	return runWorkflow(
		clientOf(sim, 'workflow').withSignal(signal),
		{ inputs, user: 'u1' },
		{ ...FAST, ...options },
	);
}

async function startFlow(script: Script, more: Parameters<typeof startApp>[1] = {}) {
	return await startApp({ mode: 'workflow', reply: () => script }, more);
}

const startServer = useSimulator(startScripted);

test.each(['', 'event: ping\n\n', 'event: ping\n\ndata: {"event":"workf'])(
	'a stream that breaks before its first event, after %j: the error says where runs are listed',
	async (begun) => {
		const sim = await startServer((_request, response) => {
			response.writeHead(200, { 'content-type': 'text/event-stream' });
			response.write(begun);
			response.flushHeaders();
			setImmediate(() => response.destroy());
		});
		const failed = await failureOf(run(sim));
		expect(failed.kind).toBe('streamEndedEarly');
		expect(failed.remedy).toContain('Get Many');
		expect(sim.requests).toHaveLength(1);
	},
);

const started = (sim: DifySim) => calls(sim, '/workflows/run');

describe('a workflow run', () => {
	test('outputs, IDs and counts', async () => {
		const sim = await startFlow({
			steps: [start],
			outputs: { text: 'yes', n: 1 },
			totalTokens: 12,
		});
		const result = await run(sim);
		expect(result).toMatchObject({
			status: 'succeeded',
			warnings: [],
			taskId: sim.runs[0]!.taskId,
		});
		expect(result.workflow).toMatchObject({
			outputs: { text: 'yes', n: 1 },
			totalTokens: 12,
			totalSteps: 1,
		});
		expect(sim.requests[0]!.json).toEqual({ inputs: {}, user: 'u1', response_mode: 'streaming' });
	});

	test('text that was sent on the way is a preview: the outputs are the result', async () => {
		const sim = await startFlow({
			steps: [start, { text: 'par' }],
			outputs: { text: 'partly' },
		});
		expect((await run(sim)).text).toBe('partly');
	});

	test('a failed run: its error, the node, the ID, and the text until then', async () => {
		const node = {
			id: 'h',
			type: 'http-request',
			title: 'Ask',
			status: 'failed' as const,
			error: 'no route',
		};
		const sim = await startFlow({
			steps: [start, { text: 'half' }, { node }],
			fail: 'no route',
		});
		const failed = await failureOf(run(sim));
		expect(failed).toMatchObject({
			kind: 'runFailed',
			serverText: 'no route',
			partialText: 'half',
		});
		expect(failed.meaning).toBe('The run failed in Dify at the node "Ask" (http-request)');
		expect(failed.facts).toMatchObject({
			workflowRunId: sim.runs[0]!.workflowRunId,
			failedNode: 'Ask',
		});
	});

	test('of two failed nodes, the one whose error ended the run is named', async () => {
		const survived = {
			id: 'i',
			type: 'code',
			title: 'Inner',
			status: 'failed' as const,
			error: 'one',
			iterationId: 'x',
		};
		const fatal = {
			id: 'f',
			type: 'code',
			title: 'Fatal',
			status: 'failed' as const,
			error: 'two',
		};
		const sim = await startFlow({
			steps: [{ node: survived }, { node: fatal }],
			fail: 'Run: two',
		});
		expect((await failureOf(run(sim))).facts.failedNode).toBe('Fatal');
	});

	test('a partial success names each node whose failure was handled', async () => {
		const step = (id: string): Step => ({
			node: { id, title: id.toUpperCase(), status: 'exception' },
		});
		const sim = await startFlow({
			steps: [step('a'), step('b')],
			exceptions: 2,
			outputs: { x: 1 },
		});
		const { status, warnings } = await run(sim);
		expect(status).toBe('partial-succeeded');
		expect(warnings).toEqual([
			'2 node(s) of the workflow failed and were handled by their error branch: "A", "B".',
		]);
	});

	test.each(['Stopped by user.', 'Aborted: User requested stop'])(
		'a run that Dify stopped: %s',
		async (said) => {
			const script = said.startsWith('A')
				? { steps: [start], fail: said }
				: { steps: [start], stopped: said };
			const sim = await startFlow(script);
			const { status, warnings } = await run(sim);
			expect(status).toBe('stopped');
			expect(warnings).toHaveLength(1);
		},
	);

	test('an error event without a text has one', async () => {
		const sim = await startFlow({ steps: [{ error: { status: 500, message: '' } }] });
		expect((await failureOf(run(sim))).message).not.toBe('');
	});

	test('no workflow_started: the IDs come from the first event that has them', async () => {
		const sim = await startFlow({ steps: [start], outputs: { a: 1 } });
		sim.stream = {
			reorder: (items) =>
				items.filter((item) => item.kind !== 'event' || item.event.event !== 'workflow_started'),
		};
		const { taskId, workflowRunId } = await run(sim);
		expect([taskId, workflowRunId]).toEqual([sim.runs[0]!.taskId, sim.runs[0]!.workflowRunId]);
	});

	test('pings alone are waited for, as long as the limits let', async () => {
		let go = () => {};
		const wait = new Promise<void>((resolve) => (go = resolve));
		const sim = await startFlow({ steps: [{ wait }, start], outputs: { a: 1 } });
		sim.stream = { pingEveryMs: 5 };
		const running = run(sim, { limits: { idleMs: 2_000, queueMs: 2_000 } });
		await waitFor(() => sim.runs.length === 1);
		await delay(60);
		go();
		expect((await running).status).toBe('succeeded');
	});

	test('Stop: Dify is told with the task and the user of the run, and the stream is read to its end', async () => {
		const sim = await startFlow({
			steps: [start, { wait: new Promise(() => undefined) }],
		});
		const controller = new AbortController();
		const failing = failureOf(run(sim, {}, {}, controller.signal));
		await waitFor(() => (sim.runs[0]?.events.length ?? 0) >= 2);
		controller.abort();
		expect(await failing).toMatchObject({ kind: 'cancelled' });
		expect(sim.stops).toEqual([
			{ taskId: sim.runs[0]!.taskId, user: 'u1', mode: 'workflow', hit: true },
		]);
		expect(sim.runs[0]).toMatchObject({ status: 'stopped', clientLeft: false });
	});

	test('a connection that was refused, or an app with too many runs, is asked again', async () => {
		const sim = await startFlow({ steps: [start] });
		const said = 'Too many requests. Please try again later.';
		const body = JSON.stringify({ code: 'invalid_param', message: said, status: 400 });
		sim.fail({ path: '/workflows/run', status: 400, body, contentType: 'application/json' });
		expect((await run(sim, { retries: 1, retryPauseMs: 1 })).status).toBe('succeeded');
		expect(sim.runs).toHaveLength(1);
	});

	test('a published version has its own path', async () => {
		const id = '3f0e2b1c-0000-4000-8000-000000000001';
		const sim = await startApp({
			mode: 'workflow',
			versions: [id],
			reply: () => ({ steps: [] }),
		});
		await runWorkflow(clientOf(sim, 'workflow'), { inputs: {}, user: 'u1', workflowId: id });
		expect(sim.requests[0]!.path).toBe(`/workflows/${id}/run`);
	});

	test.each([
		['x', 'workflowVersion'],
		['11111111-2222-4333-8444-555555555555', 'workflowVersion'],
		['draft', 'workflowVersion'],
		['../../datasets', 'workflowVersion'],
	])('an invalid version: %s', async (workflowId, kind) => {
		const sim = await startFlow({ steps: [] });
		const asked = runWorkflow(clientOf(sim, 'workflow'), { inputs: {}, user: 'u1', workflowId });
		expect((await failureOf(asked)).kind).toBe(kind);
	});

	test('a plan without versions is no matter of the key', async () => {
		const sim = await startApp({ mode: 'workflow', sandboxPlan: true });
		const asked = runWorkflow(clientOf(sim, 'workflow'), {
			inputs: {},
			user: 'u1',
			workflowId: sim.app('workflow').id,
		});
		expect((await failureOf(asked)).kind).toBe('planLimit');
	});

	test('a missing input has the same remedy, whether Dify or the package detects it', async () => {
		const form = [{ kind: 'text-input' as const, variable: 'topic', required: true }];
		const sim = await startApp({ mode: 'workflow', form });
		expect((await failureOf(run(sim))).kind).toBe('inputs');
	});
});

describe('a lost stream', () => {
	const CUTS = ['eof', 'reset'] as const;

	test.each(CUTS)('%s while the run goes on: the same result, and one run', async (how) => {
		let go = () => {};
		const wait = new Promise<void>((resolve) => (go = resolve));
		const script = { steps: [start, { wait }, { node: slow }], outputs: { text: 'done', n: 2 } };
		const sim = await startFlow(script);
		sim.stream = { cut: { events: 3, how } };
		const running = run(sim);
		await waitFor(() => sim.requests.length > 1);
		sim.stream = {};
		go();
		const result = await running;
		expect(result).toMatchObject({ status: 'succeeded', taskId: sim.runs[0]!.taskId });
		expect(result.workflow!.outputs).toEqual({ text: 'done', n: 2 });
		expect(result.warnings).toContain(RECOVERED_NOTE);
		expect(started(sim)).toBe(1);
	});

	test('a failed run is found as failed', async () => {
		const sim = await startFlow({ steps: [start, start], fail: 'broken' });
		sim.stream = { cut: { events: 2, how: 'eof' } };
		expect(await failureOf(run(sim))).toMatchObject({ kind: 'runFailed', serverText: 'broken' });
		expect(started(sim)).toBe(1);
	});

	test('neither the stream nor the record can be had: the run may have gone on', async () => {
		const sim = await startFlow({ steps: [start, start] });
		sim.stream = { cut: { events: 2, how: 'eof' } };
		sim.fail({ method: 'GET', path: /^\/workflow/, status: 500, body: PAGES.nginx502, times: 99 });
		const failed = await failureOf(run(sim, { limits: { progressMs: 1_000, totalMs: 1_500 } }));
		expect(failed.kind).toBe('timeout');
		expect(failed.remedy).toContain('may go on');
		expect(failed.remedy).toContain('Follow');
		expect(failed.facts.workflowRunId).toBe(sim.runs[0]!.workflowRunId);
		expect(started(sim)).toBe(1);
	});

	test('no event at all: a failure, and nothing is sent again', async () => {
		const sim = await startFlow({ steps: [start] });
		sim.stream = { cut: { bytes: 1, how: 'eof' } };
		expect((await failureOf(run(sim, {}, { topic: 'x' }))).kind).toMatch(/streamEndedEarly|queued/);
		expect(started(sim)).toBe(1);
	});

	test('the record says "running" for ever: the total limit ends it, with the ID', async () => {
		const sim = await startFlow({
			steps: [start, { wait: new Promise(() => undefined) }],
		});
		sim.stream = { cut: { events: 2, how: 'eof' } };
		const failed = await failureOf(run(sim, { limits: { totalMs: 300 } }));
		expect(failed.kind).toBe('timeout');
		expect(failed.facts.workflowRunId).toBe(sim.runs[0]!.workflowRunId);
		expect(sim.stops).toHaveLength(1);
	});

	test('cancelled while it is looked for: no more questions, and Dify is told to stop', async () => {
		const sim = await startFlow({
			steps: [start, { wait: new Promise(() => undefined) }],
		});
		sim.stream = { cut: { events: 2, how: 'eof' } };
		const controller = new AbortController();
		const failing = failureOf(
			run(sim, { waits: { pauseMs: 60_000, maxPauseMs: 60_000 } }, {}, controller.signal),
		);
		await waitFor(() =>
			sim.requests.some(({ method, status }) => method === 'GET' && status === 200),
		);
		controller.abort();
		expect((await failing).kind).toBe('cancelled');
		expect(sim.stops).toMatchObject([{ taskId: sim.runs[0]!.taskId, user: 'u1' }]);
		const asked = sim.requests.length;
		await delay(30);
		expect(sim.requests).toHaveLength(asked);
	});

	test('an error event is the end: nothing is asked for', async () => {
		const sim = await startFlow({
			steps: [start, { error: { code: 'invalid_param', status: 400, message: 'no' } }],
		});
		await failureOf(run(sim));
		expect(sim.requests).toHaveLength(1);
	});
});

describe('following a run', () => {
	const form = (nodeId: string, token?: string | null) => ({
		nodeId,
		nodeTitle: nodeId.toUpperCase(),
		content: 'Well?',
		actions: [{ id: 'ok', title: 'OK' }],
		...(token === undefined ? {} : { token }),
	});

	test('a finished run is told at once', async () => {
		const sim = await startFlow({ steps: [start], outputs: { result: 'ok' } });
		const { workflowRunId } = await run(sim);
		const client = clientOf(sim, 'workflow');
		const result = await follow(client, workflowRunId!, 'u1', {});
		expect(result).toMatchObject({
			status: 'succeeded',
			workflowRunId,
			workflow: { outputs: { result: 'ok' } },
		});
		expect(result.taskId).toBeUndefined();
	});

	test("another user's run", async () => {
		const sim = await startFlow({ steps: [start] });
		const { workflowRunId } = await run(sim);
		const failed = await failureOf(follow(clientOf(sim, 'workflow'), workflowRunId!, 'u2', {}));
		expect(failed.kind).toBe('runNotFound');
		expect(failed.remedy).toContain('the user who started the run');
	});

	test('a paused run comes with its forms', async () => {
		const sim = await startFlow({
			steps: [start, { pause: [form('a'), form('b', null)] }],
		});
		const { pause, status, workflowRunId } = await run(sim);
		expect(status).toBe('paused');
		expect(pause!.forms.map(({ nodeTitle, formToken }) => [nodeTitle, typeof formToken])).toEqual([
			['A', 'string'],
			['B', 'object'],
		]);
		expect(pause!.forms[0]!.expirationTime).toBeGreaterThan(0);
		const again = await follow(clientOf(sim, 'workflow'), workflowRunId!, 'u1', {});
		expect(again.pause!.forms).toEqual(pause!.forms);
	});

	test('across a pause: closed as soon as the run has ended, whatever pings follow', async () => {
		const sim = await startFlow({
			steps: [start, { pause: [form('a', 'tok')] }],
			outputs: { a: 1 },
		});
		const { workflowRunId } = await run(sim);
		const client = clientOf(sim, 'workflow');
		sim.stream = { holdOpen: true, pingEveryMs: 5 };
		const following = follow(client, workflowRunId!, 'u1', { hints: { acrossPauses: true } });
		await waitFor(() => sim.requests.some(({ url }) => url.includes('continue_on_pause=true')));
		await client.send('POST', '/form/human_input/tok', { inputs: {}, action: 'ok', user: 'u1' });
		expect(await following).toMatchObject({ status: 'succeeded', workflow: { outputs: { a: 1 } } });
	});

	test('giving up does not stop a run that was started elsewhere', async () => {
		const sim = await startFlow({
			steps: [start, { wait: new Promise(() => undefined) }],
		});
		const starter = new AbortController();
		const running = failureOf(run(sim, {}, {}, starter.signal));
		await waitFor(() => (sim.runs[0]?.events.length ?? 0) >= 2);
		const controller = new AbortController();
		const id = sim.runs[0]!.workflowRunId!;
		const failing = failureOf(
			follow(clientOf(sim, 'workflow').withSignal(controller.signal), id, 'u1'),
		);
		await waitFor(() => sim.requests.length > 1);
		controller.abort();
		expect((await failing).kind).toBe('cancelled');
		expect(sim.stops).toEqual([]);
		starter.abort();
		await running;
	});

	test('values that a snapshot leaves out are not forgotten', async () => {
		let go = () => {};
		const wait = new Promise<void>((resolve) => (go = resolve));
		const sim = await startFlow({
			steps: [{ node: slow }, { wait }, start],
			outputs: { a: 1 },
		});
		sim.stream = { cut: { events: 3, how: 'eof' } };
		const running = run(sim);
		await waitFor(() => sim.requests.length > 1);
		go();
		expect((await running).workflow!.nodes.find(({ title }) => title === 'Slow')).toMatchObject({
			outputs: { a: 1 },
		});
	});
});

test('a stop says only that Dify was told', async () => {
	const sim = await startSim();
	await requestStop(clientOf(sim, 'workflow'), RUN_ROUTES.workflow, 'any', 'u1');
	expect(sim.stops).toEqual([{ taskId: 'any', user: 'u1', mode: 'workflow', hit: false }]);
});
