import { appKey, startDifySim, type DifySim } from '../servers/dify';
import { performance, process } from '../support/node';
import {
	isOldestN8n,
	scriptedModel,
	startLlamaServer,
	startN8nAtScale,
	stopEverything,
	tinyModel,
	type LlamaServer,
	type N8nServer,
	type QueuedExecution,
	type QueueMode,
} from './support/playground';
import { counted, scaleScripts, type Chat, type ChatOutcome } from './support/scale';
import { until } from './support/until';

const CHATS = 300;
const AT_ONCE = 64;
const SLOTS = 8;
const WORKERS = 3;
/** Max Concurrent Requests, which applies per worker. */
const LIMIT = 2;
const SLOTS_FREE_MS = 10_000;
/** For busy machines. */
const CHAT_LIMIT_MS = 240_000;
/** Long enough to be interrupted. */
const LONG = { tokens: 3000, pauseMs: 400 };
const CONTEXT = 65_536;
/** Number of chats of each kind that run at the same time. */
const SOME = 2 * SLOTS;

/** Explained in docs/scale.md. */
const SETTINGS = {
	// Redis is down for 10 s, and busy machines renew locks late: with 30 s, running workers lost their locks.
	QUEUE_WORKER_LOCK_DURATION: '60000',
	QUEUE_WORKER_LOCK_RENEW_TIME: '8000',
	// Shorter than n8n's 30 s, to shorten this suite.
	QUEUE_WORKER_STALLED_INTERVAL: '5000',
};

let scripts: Awaited<ReturnType<typeof scaleScripts>>;
let n8n: QueueMode;
let quick: LlamaServer;
let long: LlamaServer;
let endless: LlamaServer;
let startLong: (port?: number) => Promise<LlamaServer>;
let dify: DifySim;

beforeAll(async () => {
	scripts = await scaleScripts();
	const { answerOf, createAgentChat, createDifyChat, REPLIES } = scripts;
	const noise = await tinyModel({ meanTokens: Infinity, contextLength: CONTEXT });
	startLong = async (port) =>
		await startLlamaServer({ model: noise, parallel: SLOTS, contextSize: SLOTS * CONTEXT, port });
	const slowly = ({ query }: { query: string }) => ({
		steps: answerOf(query)
			.split(/(?<= )/)
			.flatMap((text) =>
				query.startsWith('Chat ') ? [{ text }] : [{ wait: LONG.pauseMs }, { text }],
			),
	});
	[n8n, quick, long, endless, dify] = await Promise.all([
		startN8nAtScale(SETTINGS),
		scriptedModel(REPLIES).then(
			async (model) =>
				await startLlamaServer({ model, parallel: SLOTS, contextSize: SLOTS * 4096 }),
		),
		startLong(),
		startLong(),
		startDifySim({ apps: [{ mode: 'chat', key: appKey('chat'), reply: slowly }] }),
	]);
	const { main } = n8n;
	const options = { maxTokens: LONG.tokens };
	await createAgentChat(main, 'quick', { url: quick.url });
	await createAgentChat(main, 'long', { url: long.url, options });
	// Enough retries until a server is back on a busy machine.
	const patient = { ...options, maxRetries: 10 };
	await createAgentChat(main, 'limited', {
		url: long.url,
		options: patient,
		maxConcurrentRequests: LIMIT,
	});
	await createAgentChat(main, 'endless', { url: endless.url, options: { maxTokens: -1 } });
	await createDifyChat(main, 'dify', { url: dify.url, key: appKey('chat') });
});
afterAll(async () => {
	await stopEverything();
	await dify?.close();
});

const busySlots = async (server: LlamaServer): Promise<number> =>
	(await server.slots()).filter(({ is_processing: busy }) => busy).length;

/** Waits until at most so many slots are busy. @returns milliseconds */
async function slotsFree(server: LlamaServer, mostBusy = 0): Promise<number> {
	const from = performance.now();
	await until(
		async () => await busySlots(server),
		(busy) => busy <= mostBusy,
	);
	return performance.now() - from;
}

/** Outcome of chats: what each user saw, and all executions that were started meanwhile. */
interface Held {
	outcomes: ChatOutcome[];
	executions: QueuedExecution[];
}

/**
 * n8n 2.20 cannot keep finished jobs: if one ends before the webhook process listens for that, the chat stays open, with its
 * whole text.
 */
const keepsJobs = (): boolean => !isOldestN8n();

let lastSeen = 0;

/** Executions since the last call. */
async function newExecutions(named: string): Promise<QueuedExecution[]> {
	const executions = (await n8n.executions()).filter(
		({ id, asked }) => Number(id) > lastSeen && (asked === '' || asked.startsWith(named)),
	);
	return executions;
}

/** Runs chats and causes a failure meanwhile. `begun`: chats that have text already. */
async function breaking(
	chats: Chat[],
	isTime: (begun: ReadonlySet<number>) => Promise<boolean> | boolean,
	fault: () => Promise<void>,
): Promise<ChatOutcome[]> {
	const begun = new Set<number>();
	const holding = scripts.holdChats(n8n.webhook, chats, {
		atOnce: chats.length,
		limitMs: CHAT_LIMIT_MS,
		onPiece: (index) => void begun.add(index),
	});
	await until(
		async () => await isTime(begun),
		(time) => time,
	);
	await fault();
	return await holding;
}

const allBegun = (begun: ReadonlySet<number>): boolean => begun.size === SOME;

/** Executions of the chat. */
const executionsOf = ({ text }: Chat, executions: readonly QueuedExecution[]): QueuedExecution[] =>
	executions.filter(({ asked }) => asked === text);

/** Whether the chat got the whole answer of the execution. */
const isAnswered = (outcome: ChatOutcome, executions: readonly QueuedExecution[]): boolean => {
	const { ended, errors, answer } = outcome;
	const [execution] = executionsOf(outcome, executions);
	return (
		ended &&
		errors.length === 0 &&
		execution?.status === 'success' &&
		answer !== '' &&
		answer === execution.answered
	);
};

/**
 * Checked after every failure: no question has two executions, no worker starts an execution of another one, no node runs
 * twice, and no question reaches Dify twice.
 */
function expectNothingTwice(executions: readonly QueuedExecution[]): void {
	const questions = counted(executions.map(({ asked }) => asked).filter((asked) => asked !== ''));
	expect(Object.entries(questions).filter(([, times]) => times > 1)).toEqual([]);
	const starts = n8n.starts();
	expect(executions.filter(({ id }) => (starts.get(id)?.length ?? 0) > 1)).toEqual([]);
	expect(executions.filter(({ runs }) => Object.values(runs).some((count) => count > 1))).toEqual(
		[],
	);
	expect(Object.entries(askedOfDify()).filter(([, times]) => times > 1)).toEqual([]);
}

/** Number of requests to Dify by question. */
const askedOfDify = (): Record<string, number> =>
	counted(
		dify.requests
			.filter(({ method, path }) => method === 'POST' && path.endsWith('/chat-messages'))
			.map(({ body }) => (JSON.parse(body) as { query: string }).query),
	);

/** Checks that every unanswered chat ended, with an error in the chat or in its execution. */
function expectReasons({ outcomes, executions }: Held): ChatOutcome[] {
	const failed = outcomes.filter((outcome) => !isAnswered(outcome, executions));
	const silent = failed.filter(
		({ errors, problem }) => errors.length === 0 && !/HTTP 503/.test(problem ?? ''),
	);
	expect(silent.filter(({ ended }) => !ended)).toEqual([]);
	// n8n loses the question of an execution that it gives up.
	const reasons = executions.filter(({ status, error = '' }) => status === 'error' && error !== '');
	expect(reasons.length).toBeGreaterThanOrEqual(silent.length);
	return failed;
}

const held = async (name: string, outcomes: ChatOutcome[]): Promise<Held> => {
	const executions = await newExecutions(name);
	lastSeen = Math.max(lastSeen, ...executions.map(({ id }) => Number(id)));
	expectNothingTwice(executions);
	return { outcomes, executions };
};

describe('n8n in queue mode with PostgreSQL, Redis, a webhook process and three workers', () => {
	let killed: Promise<ChatOutcome[]>;
	let doomed: QueuedExecution[] = [];

	it(`answers ${CHATS} streamed chats, ${AT_ONCE} at once, each one once and word for word`, async () => {
		const chats = scripts.questions(CHATS, ['quick', 'dify'], 'Chat');
		const outcomes = await scripts.holdChats(n8n.webhook, chats, {
			atOnce: AT_ONCE,
			limitMs: CHAT_LIMIT_MS,
		});
		if (!keepsJobs()) {
			const open = outcomes.filter(
				({ answer, text, ended }) => !ended && answer === scripts.answerOf(text),
			);
			process.stdout.write(
				`  n8n left ${open.length} of ${CHATS} chats open behind their answers\n`,
			);
			for (const outcome of open) outcome.ended = true;
		}
		const { executions } = await held('Chat', outcomes);
		const wrong = outcomes.filter(
			({ answer, text, ended }) => !ended || answer !== scripts.answerOf(text),
		);
		expect(
			wrong.map((outcome) => ({ ...outcome, executions: executionsOf(outcome, executions) })),
		).toEqual([]);
		expect(outcomes.filter((outcome) => !isAnswered(outcome, executions))).toEqual([]);
		expect(executions).toHaveLength(CHATS);
		expect(Object.keys(askedOfDify())).toHaveLength(CHATS / 2);
		expect(new Set([...n8n.starts().values()].flat()).size).toBe(WORKERS);
		expect(await busySlots(quick)).toBe(0);
	});

	// This llama-server keeps answers: those of a killed worker run up to Maximum Tokens, since nothing cancels them.
	it('the slots of a killed worker are free once its answers reach Maximum Tokens, while others go on', async () => {
		let freed = false;
		killed = breaking(scripts.questions(SOME, ['long', 'dify'], 'Killed'), allBegun, async () => {
			const starts = n8n.starts();
			const running = (await newExecutions('Killed')).filter(({ status }) => status === 'running');
			const of = (worker: (typeof n8n.workers)[number]) =>
				running.filter(({ id }) => starts.get(id)?.includes(worker) ?? false);
			const agents = (worker: (typeof n8n.workers)[number]) =>
				of(worker).filter(({ workflow }) => workflow === 'long').length;
			const [victim] = [...n8n.workers].sort((one, other) => agents(other) - agents(one));
			doomed = of(victim!);
			const slots = agents(victim!);
			expect(slots).toBeGreaterThan(0);
			await n8n.killWorker(victim!);
			await slotsFree(long, SLOTS - slots);
			freed = true;
			await n8n.addWorker();
		});
		// Its chats take longer and are checked below.
		killed.catch(() => {});
		await until(
			async () => await Promise.race([killed.then(() => true), Promise.resolve(freed)]),
			(isOver) => isOver,
		);
		expect(freed).toBe(true);
	});

	const takers: Array<[string, () => N8nServer]> = [
		['the main process', () => n8n.main],
		['the webhook process', () => n8n.webhook],
	];
	it.each(takers)(
		'Stop in the main process ends the answers of chats that %s took',
		async (name, taker) => {
			const chats = scripts.questions(
				4,
				['endless', 'endless', 'endless', 'dify'],
				`Stopped ${name}`,
			);
			const asked = chats.at(-1)!.text;
			const stops = dify.stops.length;
			const leave = new AbortController();
			const holding = chats.map(
				async (chat) => await scripts.holdChat(taker(), chat, { signal: leave.signal }),
			);
			await until(
				async () => (await busySlots(endless)) + (askedOfDify()[asked] ?? 0),
				(busy) => busy === chats.length,
			);
			// A starting worker marks the executions of the killed one as crashed.
			const running = (await newExecutions(`Stopped ${name}`)).filter(
				({ status }) => status === 'running',
			);
			expect(running).toHaveLength(chats.length);
			await Promise.all(running.map(async ({ id }) => await n8n.main.stopExecution(id)));
			expect(await slotsFree(endless)).toBeLessThan(SLOTS_FREE_MS);
			await until(
				async () => await Promise.resolve(dify.stops.length - stops),
				(count) => count === 1,
			);
			leave.abort();
			await Promise.all(holding);
			expectNothingTwice(await newExecutions(`Stopped ${name}`));
		},
	);

	it('the chats of the dead worker end, n8n says why, and all others are answered', async () => {
		const ended = await killed;
		// n8n closes the stream before it saves the execution's outcome.
		await until(
			async () => (await newExecutions('Killed')).filter(({ status }) => status === 'running'),
			(running) => running.length === 0,
		);
		const { outcomes, executions } = await held('Killed', ended);
		const failed = expectReasons({ outcomes, executions });
		expect(failed.length).toBe(doomed.length);
		expect(doomed.map(({ asked }) => asked).sort()).toEqual(failed.map(({ text }) => text).sort());
		for (const { id } of doomed) {
			const execution = executions.find((one) => one.id === id);
			expect(execution).toMatchObject({
				status: 'error',
				error: expect.stringMatching(/stalled|failed to be processed/),
			});
		}
	});

	it('a restart of llama-server fails the answers in progress, but none that waited in n8n', async () => {
		const outcomes = await breaking(
			scripts.questions(SOME, ['limited'], 'Restarted server'),
			async () => (await busySlots(long)) === WORKERS * LIMIT,
			async () => {
				long.service.kill('SIGKILL');
				await long.service.exited;
				long = await startLong(long.port);
			},
		);
		const { executions } = await held('Restarted server', outcomes);
		const failed = outcomes.filter((outcome) => !isAnswered(outcome, executions));
		expect(failed.length).toBeGreaterThan(0);
		// The port of a killed process accepts connections for a moment: the next requests may fail, too.
		expect(failed.length).toBeLessThanOrEqual(2 * WORKERS * LIMIT);
		expect(failed.length).toBeLessThan(outcomes.length);
		for (const { text, ended, errors } of failed) {
			expect({ ended, errors }).toEqual({
				ended: true,
				errors: [expect.stringContaining('can see why in n8n')],
			});
			const execution = executions.find(({ asked }) => asked === text);
			expect(execution).toMatchObject({
				status: 'error',
				error: expect.stringMatching(/connection/i),
			});
		}
		expect(await slotsFree(long)).toBeLessThan(SLOTS_FREE_MS);
	});

	it('ten seconds without Redis end no process and lose no answer', async () => {
		const chats = scripts.questions(SOME, ['long', 'dify'], 'Without Redis');
		const outcomes = await breaking(chats, allBegun, async () => await n8n.interruptRedis(10_000));
		const { executions } = await held('Without Redis', outcomes);
		// Text that a worker sends before the webhook process has reconnected is missing in the chat, not in the execution.
		expect(outcomes.filter(({ ended, errors }) => !ended || errors.length > 0)).toEqual([]);
		expect(executions.map(({ asked, status }) => `${asked} ${status}`).sort()).toEqual(
			chats.map(({ text }) => `${text} success`).sort(),
		);
		for (const { service } of [n8n.main, n8n.webhook, ...n8n.workers])
			expect(service.running).toBe(true);
		expect(await slotsFree(long)).toBeLessThan(SLOTS_FREE_MS);
	});

	it('a restart of PostgreSQL fails only requests of n8n meanwhile, with an error', async () => {
		const chats = scripts.questions(SOME, ['long', 'dify'], 'Restarted database');
		const outcomes = await breaking(chats, allBegun, async () => await n8n.postgres.restart());
		expectReasons(await held('Restarted database', outcomes));
		// Answers in progress have their whole text, whatever the outcome of their executions.
		expect(outcomes.filter(({ ended, answer }) => !ended || answer === '')).toEqual([]);
		expect(await slotsFree(long)).toBeLessThan(SLOTS_FREE_MS);
		const after = await scripts.holdChats(
			n8n.webhook,
			scripts.questions(SOME, ['quick', 'dify'], 'Chat afterwards'),
			{
				atOnce: SOME,
				limitMs: CHAT_LIMIT_MS,
			},
		);
		expect(after.filter(({ text, answer }) => answer !== scripts.answerOf(text))).toEqual([]);
	});
});
