/**
 * A run that is followed and silent (only pings) is looked up by its record within a minute. By node classes and their
 * public parameters, with a clock of the test.
 */
import type * as http from 'node:http';
import { executePrepared, prepareNode } from '../nodes/dify';
import { useClock } from './support/fake-clock';
import { openStream, send } from './support/responses';
import { json, until, useServers } from '../support/servers/scripted-server';
import type { Answer, Routes } from '../support/servers/scripted-server';

const RUN = '11111111-2222-4333-8444-555555555555';
const RECORD = `GET /v1/workflows/run/${RUN}`;
const EVENTS = `GET /v1/workflow/${RUN}/events`;
const FORM = 'GET /v1/form/human_input/first';
const SECOND = 1_000;
const MINUTE = 60 * SECOND;

const start = useServers();
const clock = useClock();

const IDS = { task_id: 't', workflow_run_id: RUN };
const started = { event: 'workflow_started', ...IDS, data: { id: RUN } };
const record = (status: string, more: object = {}): Answer => json({ id: RUN, status, ...more });
const DONE = { outputs: { text: 'Done' }, finished_at: 9 };

const form = (token: string) => ({
	form_id: token,
	node_id: token,
	node_title: token,
	form_token: token,
	inputs: [],
	actions: [{ id: 'yes', title: 'Yes' }],
});
const paused = (token: string): Array<Record<string, unknown>> => [
	{ event: 'human_input_required', ...IDS, data: form(token) },
	{
		event: 'workflow_paused',
		...IDS,
		data: {
			status: 'paused',
			workflow_run_id: RUN,
			paused_nodes: [token],
			reasons: [{ TYPE: 'human_input_required', ...form(token) }],
		},
	},
];
const formAnswer: Answer = json({
	form_content: 'Ok?',
	inputs: [],
	user_actions: form('x').actions,
});
const closed: Answer = json(
	{ code: 'human_input_form_submitted', message: 'already submitted', status: 412 },
	412,
);

const FOLLOW = { resource: 'run', operation: 'follow' };
const SUBMIT = { resource: 'form', operation: 'submit', formToken: 'first', action: 'yes' };

/** Follows a run whose stream begins with these events, and then has only pings. */
async function follow(routes: Routes, parameters: object = FOLLOW, begin: object[] = [started]) {
	const streams: http.ServerResponse[] = [];
	const beginnings = [begin];
	const server = await start({
		[EVENTS]: (_request, response) => {
			openStream(response);
			const list = (beginnings.length > 1 ? beginnings.shift() : beginnings[0])!;
			send(response, ...(list as Array<Record<string, unknown>>));
			streams.push(response);
		},
		[FORM]: formAnswer,
		'POST /v1/form/human_input/first': json({}),
		...routes,
	});
	const fake = prepareNode(
		'difyWorkflow',
		{ url: `${server.url}/v1` },
		{
			mode: 'workflow',
			parameters: { workflowRunId: RUN, options: {}, ...parameters },
			continueOnFail: true,
		},
	);
	const state = { isOver: false };
	const items = executePrepared('difyWorkflow', fake).finally(() => (state.isOver = true));
	items.catch(() => undefined);
	await until(() => streams.length > 0);
	const lookUps = () => server.requests.filter(({ path }) => path.endsWith(RUN)).length;
	return {
		items,
		state,
		server,
		lookUps,
		hints: () => fake.hints.map(({ message }) => message).join(' '),
		next: (list: object[]) => beginnings.splice(0, 9, list),
		send: (...events: object[]) =>
			send(streams.at(-1)!, ...(events as Array<Record<string, unknown>>)),
		/** Minutes with a ping every ten seconds. */
		pass: async (minutes: number) => {
			for (let pings = 0; pings < minutes * 6 && !state.isOver; pings++) {
				if (!streams.at(-1)!.writableEnded) streams.at(-1)!.write('event: ping\n\n');
				await clock.pass(10 * SECOND);
			}
		},
	};
}

describe.each([
	['Follow', FOLLOW],
	['Form: Submit', SUBMIT],
])('%s of a silent run', (_name, parameters) => {
	test.each<[string, Answer, object]>([
		['was aborted', record('stopped', { error: 'Aborted: x' }), { status: 'stopped' }],
		['succeeded', record('succeeded', DONE), { status: 'succeeded', outputs: { text: 'Done' } }],
		['had handled errors', record('partial-succeeded', DONE), { status: 'partial-succeeded' }],
		['failed', record('failed', { error: 'broken' }), { error: { message: 'broken' } }],
	])('that %s ends within a minute', async (_end, answer, expected) => {
		const run = await follow({ [RECORD]: answer }, parameters);
		await run.pass(0.5);
		expect({ ...run.state, lookUps: run.lookUps() }).toEqual({ isOver: false, lookUps: 0 });
		await run.pass(0.5);
		await until(() => run.state.isOver);
		const [item] = await run.items;
		expect(item!.json).toMatchObject(expected);
		expect(run.lookUps()).toBe(1);
		if (!('error' in item!.json)) expect(run.hints()).toContain('only pings');
	});

	test('that still runs ends with the Total Timeout', async () => {
		const limited = { ...parameters, options: { totalTimeout: 180 } };
		const run = await follow({ [RECORD]: record('running') }, limited);
		await run.pass(2.5);
		expect(run.state).toEqual({ isOver: false });
		await run.pass(1);
		expect(run.state).toEqual({ isOver: true });
		const [item] = await run.items;
		expect(item!.json.error).toMatchObject({ type: 'runTimeout' });
	});

	test('that still runs is read on, with one look-up a minute at most', async () => {
		const run = await follow({ [RECORD]: record('running') }, parameters);
		await run.pass(1);
		for (let minute = 1; minute <= 5; minute++) {
			expect(run.lookUps()).toBeLessThanOrEqual(minute);
			await run.pass(1);
		}
		expect({ ...run.state, lookUps: run.lookUps() }).toEqual({ isOver: false, lookUps: 6 });
		run.send({ event: 'workflow_finished', ...IDS, data: { status: 'succeeded', ...DONE } });
		const [item] = await clock.passUntil(run.items);
		expect(item!.json).toMatchObject({ status: 'succeeded', outputs: { text: 'Done' } });
	});

	test.each<[string, Answer]>([
		['a missing record', json({ code: 'not_found', message: 'x', status: 404 }, 404)],
		['an error of Dify', json({ code: 'unknown', message: 'x', status: 500 }, 500)],
		['a restart of the proxy', json('<html></html>', 502)],
		['a page', json('<html></html>')],
		['a lost connection', (_request, response) => response.destroy()],
		['no response', () => {}],
	])('is not ended by %s', async (_what, failure) => {
		const run = await follow({ [RECORD]: [failure, record('succeeded', DONE)] }, parameters);
		await run.pass(1);
		expect({ ...run.state, lookUps: run.lookUps() }).toEqual({ isOver: false, lookUps: 1 });
		await run.pass(1.5);
		const [item] = await clock.passUntil(run.items);
		expect(item!.json).toMatchObject({ status: 'succeeded' });
		expect(run.lookUps()).toBe(2);
	});

	test('that paused again is told with its form', async () => {
		const run = await follow({ [RECORD]: record('paused') }, parameters);
		run.next([started, ...paused('second')]);
		await run.pass(1);
		const [item] = await clock.passUntil(run.items);
		expect(item!.json).toMatchObject({ status: 'paused', forms: [{ formToken: 'second' }] });
	});

	test('that sends events is not looked up', async () => {
		const run = await follow({ [RECORD]: record('succeeded', DONE) }, parameters);
		for (let events = 0; events < 6; events++) {
			await run.pass(0.6);
			run.send({ event: 'text_chunk', ...IDS, data: { text: 'x' } });
		}
		expect({ ...run.state, lookUps: run.lookUps() }).toEqual({ isOver: false, lookUps: 0 });
	});
});

describe('Follow that waits for a person', () => {
	const WAIT = { ...FOLLOW, options: { onPause: 'wait' } };
	const begin = [started, ...paused('first')];

	test('goes on waiting while its form is open', async () => {
		const run = await follow({ [RECORD]: record('paused') }, WAIT, begin);
		await run.pass(30);
		expect(run.state).toEqual({ isOver: false });
		expect(run.server.requests.filter(({ path }) => path.includes('/events'))).toHaveLength(1);
		expect(run.lookUps()).toBeLessThanOrEqual(30);
	});

	test('ends with a run that was aborted', async () => {
		const stopped = record('stopped', { error: 'Aborted: x' });
		const run = await follow({ [RECORD]: [record('paused'), stopped] }, WAIT, begin);
		await run.pass(2);
		const [item] = await clock.passUntil(run.items);
		expect(item!.json).toMatchObject({ status: 'stopped' });
	});

	test('reports the next form of a run whose first one was submitted', async () => {
		const run = await follow({ [RECORD]: record('paused'), [FORM]: closed }, WAIT, begin);
		run.next([started, ...paused('second')]);
		await run.pass(1);
		const [item] = await clock.passUntil(run.items);
		expect(item!.json).toMatchObject({ status: 'paused', forms: [{ formToken: 'second' }] });
	});
});

test('a run that this node started is not looked up, only ended at its Idle Timeout', async () => {
	const server = await start({
		'POST /v1/workflows/run': (_request, response) => {
			openStream(response);
			send(response, started);
		},
		[RECORD]: record('running'),
		'POST /v1/workflows/tasks/t/stop': json({ result: 'success' }),
	});
	const setup = { mode: 'workflow' as const, continueOnFail: true };
	const items = executePrepared(
		'difyWorkflow',
		prepareNode('difyWorkflow', { url: `${server.url}/v1` }, setup),
	);
	await server.arrived('/workflows/run');
	await clock.pass(9 * MINUTE);
	expect(server.requests).toHaveLength(1);
	const [item] = await clock.passUntil(items);
	expect(item!.json.error).toMatchObject({ type: 'runTimeout' });
});
