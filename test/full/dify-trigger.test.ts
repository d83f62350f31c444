/** Dify Event Trigger in the real n8n: polled on a schedule, against the simulator of Dify. */
import { say } from '../lib/dify/client';
import { rateMessage } from '../../lib/dify/app/feedback';
import { RUN_ROUTES, startRun } from '../../lib/dify/run/run';
import { difyClient } from '../../lib/dify/credentials';
import { closeChannels } from '../../lib/http/dispatcher';
import { appKey, startDifySim, type DifySim, type Fault } from '../servers/dify';
import {
	startN8n,
	stopEverything,
	type ExecutionData,
	type N8nServer,
} from '../e2e/support/playground';
import { until } from '../e2e/support/until';
import { EVERY_SECOND, workflowOf } from '../e2e/support/workflows';

const NODE = 'Dify Event Trigger';
const NEXT = 'Next';
const FEEDBACKS = '/app/feedbacks';
const LOGS = '/workflows/logs';

type Mode = 'chat' | 'workflow';

let n8n: N8nServer;
const closing: Array<() => Promise<unknown>> = [];

beforeAll(async () => {
	n8n = await startN8n();
});
afterEach(async () => {
	for (const close of closing.splice(0).reverse()) await close();
	await closeChannels();
});
afterAll(stopEverything);

const clientOf = (sim: DifySim, mode: Mode) =>
	difyClient({ baseUrl: sim.url, apiKey: appKey(mode), keyType: 'app' });

/** An app that answers everything, unless `until` delays it or it should fail. */
async function startApp(
	mode: Mode,
	holds: Record<string, Promise<unknown>> = {},
): Promise<DifySim> {
	const sim = await startDifySim({
		version: '1.14',
		apps: [
			{
				mode,
				key: appKey(mode),
				form: mode === 'workflow' ? [{ kind: 'paragraph', variable: 'query' }] : [],
				reply: ({ query, inputs }) => {
					const asked = mode === 'workflow' ? String(inputs.query) : query;
					return {
						steps: [
							...(mode === 'workflow'
								? [{ node: { id: 'start', type: 'start', title: 'Start' } }]
								: []),
							...(asked in holds ? [{ wait: holds[asked]! }] : []),
							{ text: `to ${asked}` },
						],
						...(mode === 'workflow' ? { outputs: { answer: `to ${asked}` } } : {}),
						...(asked === 'bad' ? { fail: 'The model is gone' } : {}),
					};
				},
			},
		],
	});
	closing.push(async () => await sim.close());
	return sim;
}

/** A user asks the app. */
async function answered(sim: DifySim): Promise<string> {
	const { result } = await say(clientOf(sim, 'chat'), { user: 'anna' });
	return result.messageId!;
}
const rate = async (
	sim: DifySim,
	messageId: string,
	rating: 'like' | 'dislike',
	content?: string,
) =>
	await rateMessage(clientOf(sim, 'chat'), {
		messageId,
		user: 'anna',
		rating,
		content,
		earlierContent: 'erase',
	});
/** A user asks the app and rates the answer. */
async function rated(sim: DifySim, content: string): Promise<string> {
	const messageId = await answered(sim);
	await rate(sim, messageId, 'like', content);
	return messageId;
}
/** A user runs the workflow, which may fail. */
const ran = async (sim: DifySim, query: string) =>
	await startRun(
		clientOf(sim, 'workflow'),
		RUN_ROUTES.workflow,
		{ inputs: { query } },
		'anna',
	).catch(() => undefined);

type Items = Array<Record<string, unknown>>;

interface Watched {
	id: string;
	/** Trigger items of successful executions, in order. */
	given(): Promise<Items>;
	/** The same, once there are so many. */
	whenGiven(count: number): Promise<Items>;
	/** Messages of executions that report a failed poll. */
	failures(): Promise<string[]>;
	/** Waits for complete polls from now on. */
	looks(): Promise<void>;
	/** Activates the workflow. n8n reports it as active before its first poll. */
	start(): Promise<void>;
}

async function watch(
	sim: DifySim,
	mode: Mode,
	parameters: Record<string, unknown>,
): Promise<Watched> {
	const data = { baseUrl: sim.url, apiKey: appKey(mode), keyType: 'app' };
	const { id: credential } = await n8n.createCredential({ name: 'Dify', type: 'difyApi', data });
	const { id } = await n8n.createWorkflow(
		workflowOf(`Watch ${mode}`, {
			[NODE]: {
				type: 'CUSTOM.difyTrigger',
				parameters: { pollTimes: EVERY_SECOND, ...parameters },
				credentials: { difyApi: { id: credential, name: 'Dify' } },
				to: [NEXT],
			},
			[NEXT]: { type: 'n8n-nodes-base.noOp' },
		}),
	);
	closing.push(async () => await deactivate(id));
	const executions = async (status: string) => {
		const found = await n8n.listExecutions({ workflowId: id, status: [status], limit: 100 });
		const byId = found.map((one) => one.id).sort((one, other) => Number(one) - Number(other));
		return await Promise.all(byId.map(async (one) => (await n8n.getExecution(one)).data));
	};
	const given = async () =>
		(await executions('success')).flatMap((execution) => itemsOf(execution));
	const list = mode === 'chat' ? FEEDBACKS : LOGS;
	const lists = () =>
		sim.requests.filter(({ path, status }) => path === list && status !== undefined).length;
	// The first poll may have begun earlier, and the last one may not have started its execution yet.
	const looks = async () => {
		const before = lists();
		await until(
			async () => await Promise.resolve(lists()),
			(count) => count >= before + 3,
		);
	};
	return {
		id,
		given,
		whenGiven: async (count) => await until(given, (items) => items.length >= count),
		failures: async () =>
			(await executions('error')).map(
				({ resultData }) => resultData.error?.message ?? 'no message',
			),
		looks,
		start: async () => {
			await n8n.activate(id);
			await looks();
		},
	};
}

const deactivate = async (id: string) =>
	await n8n.request('POST', `/rest/workflows/${id}/deactivate`, {});

/** Items of the node after the trigger. */
const itemsOf = ({ resultData }: ExecutionData): Items =>
	(resultData.runData[NEXT] ?? []).flatMap(({ data }) =>
		(data?.main ?? []).flatMap((output) => (output ?? []).map(({ json }) => json)),
	);
const texts = (items: Items) => items.map(({ content }) => content);
const queries = (items: Items) => items.map(({ inputs }) => (inputs as { query: string }).query);

/** Makes matching requests fail until it is removed. */
function broken(sim: DifySim, fault: Fault): { hits(): number; mend(): void } {
	const many = 1_000_000;
	sim.fail({ ...fault, times: many });
	const stored = sim.store.faults.at(-1)!;
	return {
		hits: () => many - stored.times!,
		mend: () => void sim.store.faults.splice(sim.store.faults.indexOf(stored), 1),
	};
}
const hit = async ({ hits }: { hits(): number }, count: number) =>
	void (await until(
		async () => await Promise.resolve(hits()),
		(times) => times >= count,
	));

describe('feedback', () => {
	it('starts the workflow for each rating once, and again for one that was changed', async () => {
		const sim = await startApp('chat');
		const before = await rated(sim, 'before');
		const watched = await watch(sim, 'chat', { event: 'feedback' });
		await watched.start();
		const messageId = await rated(sim, 'first');
		expect(await watched.whenGiven(1)).toMatchObject([
			{ event: 'feedback', isNew: true, message_id: messageId, rating: 'like', content: 'first' },
		]);
		await rate(sim, messageId, 'dislike', 'changed');
		await rate(sim, before, 'dislike', 'changed, too');
		const three = await watched.whenGiven(3);
		expect(three.slice(1)).toEqual(
			expect.arrayContaining([
				expect.objectContaining({
					isNew: false,
					message_id: messageId,
					rating: 'dislike',
					content: 'changed',
				}),
				expect.objectContaining({
					isNew: false,
					message_id: before,
					rating: 'dislike',
					content: 'changed, too',
				}),
			]),
		);
		await watched.looks();
		expect(await watched.given()).toHaveLength(3);
		expect(await watched.failures()).toEqual([]);
	});

	it('only the selected ratings', async () => {
		const sim = await startApp('chat');
		const watched = await watch(sim, 'chat', { event: 'feedback', rating: 'dislike' });
		await watched.start();
		await rated(sim, 'liked');
		await watched.looks();
		expect(await watched.given()).toEqual([]);
		await rate(sim, await answered(sim), 'dislike', 'wanted');
		expect(texts(await watched.whenGiven(1))).toEqual(['wanted']);
	});
});

describe('runs of a workflow app', () => {
	it('starts the workflow for each run when it has ended, with what went in and came out', async () => {
		const slow = Promise.withResolvers<void>();
		const sim = await startApp('workflow', { slow: slow.promise });
		await ran(sim, 'before');
		const watched = await watch(sim, 'workflow', { event: 'workflowRun' });
		await watched.start();
		const running = ran(sim, 'slow');
		await until(
			async () => await Promise.resolve(sim.runs.length),
			(count) => count === 2,
		);
		await ran(sim, 'bad');
		expect(await watched.whenGiven(1)).toMatchObject([
			{
				event: 'workflowRun',
				status: 'failed',
				error: 'The model is gone',
				user: 'anna',
				inputs: { query: 'bad' },
			},
		]);
		await watched.looks();
		expect(await watched.given()).toHaveLength(1);
		slow.resolve();
		await running;
		const [, ended] = await watched.whenGiven(2);
		expect(ended).toMatchObject({
			workflowRunId: sim.runs[1]!.workflowRunId,
			status: 'succeeded',
			inputs: { query: 'slow' },
			outputs: { answer: 'to slow' },
		});
		await watched.looks();
		expect(await watched.given()).toHaveLength(2);
		expect(await watched.failures()).toEqual([]);
	});
});

describe('a failed poll loses and repeats nothing', () => {
	const FAULTS: Array<[string, Partial<Fault>]> = [
		['Dify answers 500', { status: 500 }],
		['the connection breaks off', { how: 'reset' }],
		['a proxy answers for it', { status: 502, body: '<html>Bad Gateway</html>' }],
	];

	it.each(FAULTS)('feedback: %s', async (_name, fault) => {
		const sim = await startApp('chat');
		const watched = await watch(sim, 'chat', { event: 'feedback' });
		await watched.start();
		await rated(sim, 'one');
		await watched.whenGiven(1);
		const down = broken(sim, { path: FEEDBACKS, ...fault });
		await rated(sim, 'two');
		await hit(down, 3);
		await rated(sim, 'three');
		await hit(down, down.hits() + 3);
		// n8n shows the package's message to the user.
		const [failure] = await until(watched.failures, ({ length }) => length > 0);
		expect(failure).toMatch(/Dify|connection|server/i);
		down.mend();
		await watched.whenGiven(3);
		await rated(sim, 'four');
		await watched.whenGiven(4);
		await watched.looks();
		expect(texts(await watched.given())).toEqual(['one', 'two', 'three', 'four']);
	});

	it.each(FAULTS)('runs, where only the record of a run fails: %s', async (_name, fault) => {
		const sim = await startApp('workflow');
		const watched = await watch(sim, 'workflow', { event: 'workflowRun' });
		await watched.start();
		await ran(sim, 'one');
		await watched.whenGiven(1);
		const down = broken(sim, { path: /^\/workflows\/run\/[^/]+$/, method: 'GET', ...fault });
		await ran(sim, 'two');
		await ran(sim, 'bad');
		await hit(down, 3);
		await until(watched.failures, ({ length }) => length > 0);
		expect(await watched.given()).toHaveLength(1);
		down.mend();
		await watched.whenGiven(3);
		await watched.looks();
		expect(queries(await watched.given())).toEqual(['one', 'two', 'bad']);
	});
});

it('a poll that takes longer than the interval', async () => {
	const [slow, clock] = [await startApp('chat'), await startApp('chat')];
	const watched = await watch(slow, 'chat', { event: 'feedback' });
	const other = await watch(clock, 'chat', { event: 'feedback' });
	await watched.start();
	await other.start();
	const late = Promise.withResolvers<void>();
	const down = broken(slow, { path: FEEDBACKS, how: 'late', after: late.promise });
	await rated(slow, 'one');
	await hit(down, 1);
	// Meanwhile n8n polls for the other workflow several times, and tries to poll for this one as often.
	await other.looks();
	down.mend();
	late.resolve();
	await watched.whenGiven(1);
	await watched.looks();
	expect(texts(await watched.given())).toEqual(['one']);
});

describe('the state is kept', () => {
	it('while the workflow is not active', async () => {
		const sim = await startApp('chat');
		const watched = await watch(sim, 'chat', { event: 'feedback' });
		await watched.start();
		await rated(sim, 'one');
		await watched.whenGiven(1);
		await deactivate(watched.id);
		await rated(sim, 'two');
		await watched.start();
		await watched.whenGiven(2);
		await watched.looks();
		expect(texts(await watched.given())).toEqual(['one', 'two']);
	});

	it('where nothing was new before', async () => {
		const sim = await startApp('workflow');
		await ran(sim, 'before');
		const watched = await watch(sim, 'workflow', { event: 'workflowRun' });
		await watched.start();
		await deactivate(watched.id);
		await ran(sim, 'meanwhile');
		await watched.start();
		await watched.whenGiven(1);
		await watched.looks();
		expect(queries(await watched.given())).toEqual(['meanwhile']);
	});

	it('when n8n is killed, and begins again while Dify is down', async () => {
		const chat = await startApp('chat');
		const workflow = await startApp('workflow');
		const ratings = await watch(chat, 'chat', { event: 'feedback' });
		const runs = await watch(workflow, 'workflow', { event: 'workflowRun' });
		await ran(workflow, 'before');
		await ratings.start();
		await runs.start();
		// One has started an execution, the other has only polled.
		await rated(chat, 'one');
		await ratings.whenGiven(1);
		await ratings.looks();
		await runs.looks();
		n8n.service.kill('SIGKILL');
		await n8n.service.exited;
		await rated(chat, 'two');
		await ran(workflow, 'two');
		const down = broken(chat, { path: FEEDBACKS, status: 502 });
		n8n = await startN8n({ userFolder: n8n.userFolder });
		await runs.whenGiven(1);
		await hit(down, 1);
		down.mend();
		// n8n retries the activation itself.
		await ratings.whenGiven(2);
		await ratings.looks();
		await runs.looks();
		expect(texts(await ratings.given())).toEqual(['one', 'two']);
		expect(queries(await runs.given())).toEqual(['two']);
	});
});
