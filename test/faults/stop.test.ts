/**
 * Stop during each request of each operation, and in each pause: it ends at once, its connection is closed, and nothing is
 * sent after it.
 */
import { useClock } from '../guarantees/support/fake-clock';
import { takeSome } from '../support/jest/properties';
import { startGoodServer } from './good-server';
import type { Reaction, Received } from './good-server';
import {
	createCredential,
	expectNoProblems,
	findException,
	getUnusedExceptions,
	passUntilEnded,
	runAlone,
	waitUntilQuiet,
} from './harness';
import type { Exceptions } from './harness';
import { listOperations } from './operations';
import type { Operation, OperationResult } from './operations';
import timers from 'node:timers';

/** Operations without Stop. */
const NOT_STOPPED: Exceptions = [
	[/ poll$/, 'n8n gives a poll no signal, so Stop does not end it.'],
];

/** Rows whose connection stays open for some seconds. */
const CLOSED_LATER: Exceptions = [
	[
		/^Local.* GET \/v1\/models$/,
		'Other executions may wait for the type of the server, too: that request ends by itself.',
	],
];

/** Rows that end, and close their connection, some seconds later. */
const ENDED_LATER: Exceptions = [
	[
		/POST \/v1\/(?:(?:chat|completion)-messages|workflows\/run)$/,
		'Dify stores a response only if it is read until the run has stopped. The ID of the run comes with its first event, so that is awaited.',
	],
];

/** Dify goes on with a run whose connection is closed, so it is told once its ID is known. */
const toStopRequest = (start: string): RegExp | undefined => {
	if (findException(ENDED_LATER, start) === undefined) return undefined;
	return /workflows/.test(start) ? /^POST \/v1\/workflows\/tasks\/\S+\/stop$/ : /\/stop$/;
};

const MAX_LATER_MS = 5_000;
const MINUTE_MS = 60_000;
/** In seconds. */
const LONG_TIMEOUTS = { firstTokenTimeout: 900, idleTimeout: 900, totalTimeout: 0 };
const KEY = 'key-7f3a91c4d2';
/** After Stop in the first one, the others are not begun. */
const ITEMS = 3;

const toUnavailable = (retryAfter: string): Reaction => ({
	status: 503,
	headers: { 'retry-after': retryAfter, 'content-type': 'text/html' },
	body: '<html><title>503 Service Temporarily Unavailable</title></html>',
});

interface Moment {
	name: string;
	/** To the request of the row, and to all after it. */
	reaction: Reaction;
	/** Not every request is followed by a pause. */
	isPause?: boolean;
	/** Requests whose run of Dify has an ID by then, and has not ended. */
	runs?: RegExp;
	/** Milliseconds that pass before Stop, in which requests are sent again. Default: none. */
	passesMs?: number;
	/** To requests after the first one. Default: the same. */
	laterReaction?: Reaction;
}

const MOMENTS: readonly Moment[] = [
	{ name: 'before the response', reaction: 'hold' },
	{ name: 'in the middle of the response', reaction: 'half', runs: /(?:-messages|run)$/ },
	{ name: 'in the pause before a retry', reaction: toUnavailable('30'), isPause: true },
	{
		name: 'in the pause until work has ended',
		reaction: 'unfinished',
		isPause: true,
		runs: /run$/,
	},
	{
		name: 'during the request after a pause',
		reaction: toUnavailable('10'),
		isPause: true,
		passesMs: 12_000,
		laterReaction: 'hold',
	},
	{
		name: 'in the second pause before a retry',
		reaction: toUnavailable('10'),
		isPause: true,
		passesMs: 12_000,
	},
	{
		name: 'in a later pause until work has ended',
		reaction: 'unfinished',
		isPause: true,
		runs: /run$/,
		passesMs: 12_000,
	},
	{
		name: 'after minutes of pauses',
		reaction: toUnavailable('50'),
		isPause: true,
		passesMs: 75_000,
	},
];

/** One request of an operation that Stop meets. */
interface Row {
	operation: Operation;
	/** Number of the request, from 0. */
	index: number;
	/** The operation and its request, for messages. */
	text: string;
	stop: AbortController;
	/** When it ended, in milliseconds after Stop; negative before it. */
	endedMs?: number;
	/** What the chat got, as far as the operation returned something. */
	chunks?: unknown;
}

const clock = useClock();
let operations: Operation[];
let alone: Map<string, Received[]> | undefined;
beforeEach(async () => {
	if (alone !== undefined) return;
	operations = (await listOperations()).filter(
		({ name }) => findException(NOT_STOPPED, name) === undefined,
	);
	const server = await startGoodServer();
	alone = await runAlone(operations, { clock, server, key: KEY });
	await server.close();
});

/** The number of its request in the name of a row. */
const getRowIndex = (name: string): number => Number(/\d+$/.exec(name)?.[0]);

/** A row for each request that the operations send for one item, by a name for its address. */
const createRows = (): Map<string, Row> =>
	new Map(
		operations.flatMap((operation) =>
			alone!.get(operation.name)!.map(({ line }, index) => {
				const text = `${operation.name}, Stop during ${line}`;
				return [
					`${operation.name} ${index}`,
					{ operation, index, text, stop: new AbortController() },
				] as const;
			}),
		),
	);

/** What was expected after Stop, and what happened instead. */
function findProblems(
	{ text, endedMs, chunks }: Row,
	{ open, later, isRunKnown }: { open: Received[]; later: Received[]; isRunKnown: boolean },
): string[] {
	const endsLater = findException(ENDED_LATER, text) !== undefined;
	const closesLater = endsLater || findException(CLOSED_LATER, text) !== undefined;
	const expectedLater = isRunKnown ? toStopRequest(text) : undefined;
	const isExpected = ({ line }: Received): boolean => expectedLater?.test(line) === true;
	const maxMs = endsLater ? MAX_LATER_MS : 0;
	const problems = later
		.filter((request) => !isExpected(request))
		.map(({ line }) => `sent ${line} after it`);
	if (expectedLater !== undefined && !later.some(isExpected))
		problems.push(`sent no request ${String(expectedLater)} after it`);
	if (endedMs === undefined || endedMs > maxMs)
		problems.push(`expected to end within ${maxMs} ms, ended after ${endedMs ?? '> 10,000'} ms`);
	const isInChat = JSON.stringify(chunks ?? []).includes('"type":"error"');
	// The chat keeps exactly the text so far.
	if (isInChat && endedMs !== undefined && endedMs >= 0) problems.push('the chat got an error');
	if (!closesLater) problems.push(...open.map(({ line }) => `left the connection of ${line} open`));
	return problems.map((problem) => `${text}: ${problem}`);
}

test.each(MOMENTS)('Stop $name', async (moment) => {
	const { reaction, isPause = false, runs, passesMs = 0, laterReaction = reaction } = moment;
	const all = [...createRows()];
	const rows = new Map(reaction === 'hold' ? all : takeSome(all, MOMENTS.indexOf(moment)));
	const server = await startGoodServer(({ name, line }, index) => {
		const first = getRowIndex(name);
		const isStop = index > 0 && line.endsWith('/stop');
		if (isStop || index < first) return undefined;
		return index === first ? reaction : laterReaction;
	});
	const works = new Map<string, Promise<unknown>>();
	let stoppedAt = Infinity;
	for (const [name, row] of rows) {
		const { operation, stop } = row;
		const credential = createCredential(operation, { url: server.at(name), key: KEY });
		const work = operation.run({
			credentials: Array.from(
				{ length: operation.type === 'action' && passesMs === 0 ? ITEMS : 1 },
				() => credential,
			),
			continueOnFail: row.index % 2 === 0,
			signal: stop.signal,
			options: { maxRetries: 2, ...(passesMs > MINUTE_MS && LONG_TIMEOUTS) },
		});
		const end = (): void => {
			row.endedMs = performance.now() - stoppedAt;
		};
		const keepChunks = ({ chunks }: OperationResult): void => {
			row.chunks = chunks;
		};
		works.set(name, work.then(keepChunks).then(end, end));
	}
	await passUntilEnded(works, { clock, servers: [server], maxMs: passesMs - 1 });
	await waitUntilQuiet([server]);
	const ended = [...rows.values()].filter(({ endedMs }) => endedMs !== undefined);
	if (isPause) expect(ended.length).toBeLessThan(rows.size);
	else expectNoProblems(ended.map(({ text }) => `${text}: ended before`));
	const stopped = new Map([...rows].filter(([, { endedMs }]) => endedMs === undefined));
	const sent = new Set(server.all());
	stoppedAt = performance.now();
	for (const { stop } of rows.values()) stop.abort();
	await waitUntilQuiet([server]);
	const open = server.all().filter(({ isOpen }) => isOpen);
	await passUntilEnded(works, { clock, servers: [server], maxMs: 10_000 });
	await clock.pass(60_000);
	await waitUntilQuiet([server]);
	const problems = [...stopped].flatMap(([name, row]) => {
		const requests = server.to(name);
		if (requests.length <= row.index) return [`${row.text}: request ${row.index} was not sent`];
		return findProblems(row, {
			open: open.filter((request) => requests.includes(request)),
			later: requests.filter((request) => !sent.has(request)),
			isRunKnown: runs?.test(row.text) === true,
		});
	});
	await server.close();
	expectNoProblems(problems);
});

/** How long a response takes: with it, a wait ends in a pause, since another response would come too late. */
const RESPONSE_MS = 600;

/** The time that passes at once. */
const STEP_MS = 100;

/** By then, each operation that waits for work has given up. */
const GIVEN_UP_MS = 36_000;

/** Executions for some rows at a server whose work never ends. */
async function startEndless(rows: ReadonlyMap<string, Row>) {
	const startedAt = performance.now();
	const endedAt = new Map<string, number>();
	const server = await startGoodServer(async ({ name, line }, index) => {
		if (line.endsWith('/stop') || index < getRowIndex(name)) return undefined;
		await new Promise((resolve) => {
			timers.setTimeout(resolve, RESPONSE_MS);
		});
		return 'unfinished';
	});
	for (const [name, { operation, index, stop }] of rows) {
		const end = (): void => void endedAt.set(name, performance.now());
		const credentials = [createCredential(operation, { url: server.at(name), key: KEY })];
		const continueOnFail = index % 2 === 0;
		const setup = { credentials, continueOnFail, signal: stop.signal, options: { maxRetries: 2 } };
		// A second check ends in time, and a third one would not.
		operation.run({ ...setup, parameters: { waitTimeout: 2 } }).then(end, end);
	}
	return {
		server,
		endedAt,
		passUntil: async (ms: number): Promise<void> => {
			while (performance.now() - startedAt < ms && endedAt.size < rows.size) {
				await waitUntilQuiet([server]);
				await clock.pass(STEP_MS);
			}
			await waitUntilQuiet([server]);
		},
		/** The middle of its last pause; undefined without a pause, and before its end. */
		findLastPauseMs: (name: string): number | undefined => {
			const end = endedAt.get(name);
			if (end === undefined) return undefined;
			const times = [...server.to(name).map(({ at }) => at), end];
			const pauses = times.slice(1).map((to, at) => [times[at]! + RESPONSE_MS, to] as const);
			const last = pauses.findLast(([from, to]) => to - from >= 2 * STEP_MS);
			return last && (last[0] + last[1]) / 2 - startedAt;
		},
	};
}

test('Stop in the last pause until work has ended', async () => {
	// The same pauses each time.
	jest.spyOn(Math, 'random').mockReturnValue(0.5);
	const first = await startEndless(createRows());
	await first.passUntil(GIVEN_UP_MS);
	const rows = new Map(
		[...createRows()].filter(([name]) => first.findLastPauseMs(name) !== undefined),
	);
	await first.server.close();
	expect([...rows.keys()]).toEqual(
		expect.arrayContaining([
			'Server Health modelServer waitUntilReady 0',
			'Dify Knowledge document sync 0',
			'Local Llama model unload 0',
			'Local Llama text chat 0',
		]),
	);
	const { server, endedAt, passUntil } = await startEndless(rows);
	const moments = Map.groupBy(rows.keys(), (name) => first.findLastPauseMs(name)!);
	const sent = new Map<string, number>();
	const problems: string[] = [];
	for (const [ms, names] of [...moments].sort(([one], [other]) => one - other)) {
		await passUntil(ms);
		for (const name of names) {
			if (endedAt.has(name)) problems.push(`${name}: ended before`);
			sent.set(name, server.to(name).length);
			rows.get(name)!.stop.abort();
		}
		await waitUntilQuiet([server]);
		for (const name of names) if (!endedAt.has(name)) problems.push(`${name}: goes on after Stop`);
	}
	await clock.pass(MINUTE_MS);
	await waitUntilQuiet([server]);
	for (const [name, count] of sent)
		for (const { line } of server.to(name).slice(count))
			problems.push(`${name}: sent ${line} after it`);
	await server.close();
	expectNoProblems(problems);
});

test('each exception is still one', async () => {
	const rows = [...createRows().values()].map(({ text }) => text);
	const names = (await listOperations()).map(({ name }) => name);
	expectNoProblems([
		...getUnusedExceptions(NOT_STOPPED, names),
		...getUnusedExceptions([...CLOSED_LATER, ...ENDED_LATER], rows),
	]);
});
