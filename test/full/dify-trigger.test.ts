/** Dify Event Trigger in the real n8n: polled on a schedule, against the simulator of Dify. */
import { sendMessage } from '../lib/dify/client';
import { createDifyClient } from '../../lib/dify/credentials';
import { closePools } from '../../lib/http/dispatcher';
import { appKey, startDifySim, type DifySim, type Fault } from '../simulators/dify';
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

let n8n: N8nServer;
const closing: Array<() => Promise<unknown>> = [];

beforeAll(async () => {
	n8n = await startN8n();
});
afterEach(async () => {
	for (const close of closing.splice(0).reverse()) await close();
	await closePools();
});
afterAll(stopEverything);

const clientOf = (sim: DifySim) =>
	createDifyClient({ baseUrl: sim.url, apiKey: appKey('chat'), keyType: 'app' });

async function startApp(): Promise<DifySim> {
	const sim = await startDifySim({
		apps: [{ mode: 'chat', key: appKey('chat'), reply: ({ query }) => `to ${query}` }],
	});
	closing.push(async () => await sim.close());
	return sim;
}

/** A user sends a message to the app. */
async function answered(sim: DifySim): Promise<string> {
	const { result } = await sendMessage(clientOf(sim), { user: 'anna' });
	return result.messageId!;
}
const rate = async (
	sim: DifySim,
	messageId: string,
	rating: 'like' | 'dislike',
	content?: string,
) =>
	await clientOf(sim).sendJson('POST', `/messages/${messageId}/feedbacks`, {
		rating,
		content: content ?? null,
		user: 'anna',
	});
/** A user sends a message to the app and rates the response. */
async function rated(sim: DifySim, content: string): Promise<string> {
	const messageId = await answered(sim);
	await rate(sim, messageId, 'like', content);
	return messageId;
}
type Items = Array<Record<string, unknown>>;

interface Watched {
	id: string;
	/** Trigger items of successful executions, in order. */
	given(): Promise<Items>;
	/** The same, after the given number has arrived. */
	whenGiven(count: number): Promise<Items>;
	/** Messages of executions that report a failed poll. */
	failures(): Promise<string[]>;
	/** Waits for complete polls from now on. */
	looks(): Promise<void>;
	/** Activates the workflow. n8n reports it as active before its first poll. */
	start(): Promise<void>;
}

async function watch(sim: DifySim, parameters: Record<string, unknown> = {}): Promise<Watched> {
	const data = { baseUrl: sim.url, apiKey: appKey('chat'), keyType: 'app' };
	const { id: credential } = await n8n.createCredential({ name: 'Dify', type: 'difyApi', data });
	const { id } = await n8n.createWorkflow(
		workflowOf('Watch', {
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
	const getTriggeredItems = async () =>
		(await executions('success')).flatMap((execution) => itemsOf(execution));
	const lists = () =>
		sim.requests.filter(({ path, status }) => path === FEEDBACKS && status !== undefined).length;
	// The first poll may have started earlier, and the last one may not have started its execution yet.
	const looks = async () => {
		const before = lists();
		await until(
			async () => await Promise.resolve(lists()),
			(count) => count >= before + 3,
		);
	};
	return {
		id,
		given: getTriggeredItems,
		whenGiven: async (count) => await until(getTriggeredItems, (items) => items.length >= count),
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

/** Makes matching requests fail until it is removed. */
function broken(sim: DifySim, fault: Fault): { hits(): number; mend(): void } {
	const maxTimes = 1_000_000;
	sim.fail({ ...fault, times: maxTimes });
	const stored = sim.store.faults.at(-1)!;
	return {
		hits: () => maxTimes - stored.times!,
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
		const sim = await startApp();
		const before = await rated(sim, 'before');
		const watched = await watch(sim);
		await watched.start();
		const messageId = await rated(sim, 'first');
		expect(await watched.whenGiven(1)).toMatchObject([
			{ isNew: true, message_id: messageId, rating: 'like', content: 'first' },
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
});

describe('the state is kept', () => {
	it('when n8n is killed, and restarts while Dify is down', async () => {
		const chat = await startApp();
		const ratings = await watch(chat);
		await ratings.start();
		await rated(chat, 'one');
		await ratings.whenGiven(1);
		await ratings.looks();
		n8n.service.kill('SIGKILL');
		await n8n.service.exited;
		await rated(chat, 'two');
		const down = broken(chat, { path: FEEDBACKS, status: 502 });
		n8n = await startN8n({ userFolder: n8n.userFolder });
		await hit(down, 1);
		down.mend();
		// n8n retries the activation itself.
		await ratings.whenGiven(2);
		await ratings.looks();
		expect(texts(await ratings.given())).toEqual(['one', 'two']);
	});
});
