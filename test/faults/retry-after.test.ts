/** Retry-After: a request that is sent again is sent when the server says, and not if that is too late. */
import { useClock } from '../guarantees/support/fake-clock';
import { takeSome } from '../support/jest/properties';
import type { GoodResponse } from './good-responses';
import { startGoodServer } from './good-server';
import type { Received } from './good-server';
import {
	createCredential,
	expectNoProblems,
	findException,
	getUnusedExceptions,
	passUntilEnded,
	runAlone,
	withoutIds,
} from './harness';
import type { Exceptions } from './harness';
import { listOperations } from './operations';
import type { Operation } from './operations';

/** Rows of requests about which nothing is promised. */
const PROBES: Exceptions = [
	[
		/^(?:Local|Server ?Health).*, GET /,
		'Probes are not sent again: the next request of the operation waits, and reports what is wrong.',
	],
];

/** Rows of requests that are sent once only. */
const ONCE: Exceptions = [
	[/^Server Health.*, POST /, 'A test of the speed or of tools reports what it meets.'],
	[/^Local Llama model \w+, /, 'Actions on models have no option Retries.'],
	[
		/^Dify.*, (?:DELETE|PATCH) |^Dify(?! Feedback rate,).*, POST (?!\S+\/retrieve$|\/v1\/(?:(?:chat|completion)-messages|workflows\/run)$)/,
		'A change that Dify may have made is not made twice.',
	],
	[
		/^Dify.*, GET \S*\/(?:preview|events|a-signed-file)\?/,
		'Downloads and followed runs have no option Retries.',
	],
];

/** Further rows, if a proxy says it. */
const ONCE_BEHIND_PROXY: Exceptions = [
	[
		/^Dify.*, POST \/v1\/(?:(?:chat|completion)-messages|workflows\/run)$/,
		'Only Dify itself knows that no run has started.',
	],
];

/** Long enough to differ from every pause that the package chooses itself. */
const WAIT_SECONDS = 17;
/** Time passes in steps of a second, and a pause may be longer than requested, but not shorter. */
const LATEST_MS = (WAIT_SECONDS + 2) * 1_000;
/** Longer than the longest wait. */
const TOO_LONG_SECONDS = 3_600;
const TOO_LONG_TEXT = 'a wait of 60 minutes (Retry-After)';

const clock = useClock();
let operations: Operation[];
let alone: Map<string, Received[]> | undefined;
beforeEach(async () => {
	if (alone !== undefined) return;
	operations = await listOperations();
	const server = await startGoodServer();
	alone = await runAlone(operations, { clock, server, key: 'key-7f3a91c4d2' });
	await server.close();
});

const getIndex = (name: string): number => Number(/\d+$/.exec(name)?.[0]);

/** A busy model server or Dify. */
const createBusy = (retryAfter: string): GoodResponse => ({
	status: 429,
	headers: { 'content-type': 'application/json', 'retry-after': retryAfter },
	body: JSON.stringify({
		error: { message: 'Too many requests', code: 429, type: 'rate_limit_error' },
		code: 'too_many_requests',
		message: 'Too many requests',
		status: 429,
	}),
});

/** A proxy in front of either. */
const createUnavailable = (retryAfter: string): GoodResponse => ({
	status: 503,
	headers: { 'content-type': 'text/html', 'retry-after': retryAfter },
	body: '<html><head><title>503 Service Temporarily Unavailable</title></head></html>',
});

interface Row {
	/** The operation and its request. */
	text: string;
	/** The request that was rejected, and what was sent after it. */
	requests: Received[];
	/** Title and description of the error; undefined if there is none. */
	error: string | undefined;
}

/** Each request of each played operation is rejected once. */
async function rejectEach(played: readonly Operation[], rejection: GoodResponse): Promise<Row[]> {
	const server = await startGoodServer(({ name }, index) =>
		index === getIndex(name) ? rejection : undefined,
	);
	const works = new Map<string, Promise<unknown>>();
	const errors = new Map<string, string>();
	for (const operation of played)
		for (const index of alone!.get(operation.name)!.keys()) {
			const name = `${operation.name} ${index}`;
			const access = { url: server.at(name), key: 'key-7f3a91c4d2' };
			const work = operation.run({
				credentials: [createCredential(operation, access)],
				options: { maxRetries: 2 },
			});
			works.set(
				name,
				work.catch((error: Error & { description?: string }) => {
					errors.set(name, `${error.message} ${error.description}`);
				}),
			);
		}
	expect(await passUntilEnded(works, { clock, servers: [server] })).toEqual([]);
	const rows = [...works.keys()].flatMap((name): Row[] => {
		const requests = server.to(name).slice(getIndex(name));
		if (requests.length === 0) throw new Error(`${name} was not sent`);
		const text = toRowText(name.replace(/ \d+$/, ''), requests[0]!);
		return isProbe(text) ? [] : [{ text, requests, error: errors.get(name) }];
	});
	await server.close();
	return rows;
}

const toRowText = (name: string, { line }: Received): string => withoutIds(`${name}, ${line}`);
const isProbe = (text: string): boolean => findException(PROBES, text) !== undefined;

const isSame = (one: Received, other: Received): boolean =>
	one.line === other.line && one.text === other.text;

/** Milliseconds after which the rejected request was sent again; undefined if it was not. */
function getPauseMs({ requests: [rejected, ...later] }: Row): number | undefined {
	const repeated = later.find((request) => isSame(request, rejected!));
	return repeated && repeated.at - rejected!.at;
}

const CASES = [
	{ name: '429', createRejection: createBusy, once: ONCE },
	{
		name: '503 of a proxy',
		createRejection: createUnavailable,
		once: [...ONCE, ...ONCE_BEHIND_PROXY],
	},
];

test.each(CASES)('$name: the pause is as long as the server says', async (row) => {
	const { createRejection, once } = row;
	const played = takeSome(operations, CASES.indexOf(row));
	const rows = await rejectEach(played, createRejection(String(WAIT_SECONDS)));
	const problems = rows.flatMap((rejected): string[] => {
		const { text, error = 'none' } = rejected;
		const pauseMs = getPauseMs(rejected);
		if (findException(once, text) !== undefined)
			return pauseMs === undefined ? [] : [`${text}: expected once, sent again`];
		if (pauseMs === undefined)
			return [`${text}: expected again, sent once; error: ${error.slice(0, 80)}`];
		return pauseMs >= WAIT_SECONDS * 1_000 && pauseMs <= LATEST_MS
			? []
			: [`${text}: Retry-After ${WAIT_SECONDS} s, sent again after ${pauseMs} ms`];
	});
	expectNoProblems(problems);
});

test('each exception is still one', () => {
	const rows = [...alone!].flatMap(([name, requests]) =>
		requests.map((request) => toRowText(name, request)),
	);
	expectNoProblems(getUnusedExceptions(PROBES, rows));
	expectNoProblems(
		getUnusedExceptions(
			[...ONCE, ...ONCE_BEHIND_PROXY],
			rows.filter((text) => !isProbe(text)),
		),
	);
});

test('if the pause is too long, it is named instead', async () => {
	const played = takeSome(operations, CASES.length);
	const rows = await rejectEach(played, createBusy(String(TOO_LONG_SECONDS)));
	const problems = rows.flatMap((row): string[] => {
		const { text, error = 'none' } = row;
		const pauseMs = getPauseMs(row);
		if (pauseMs !== undefined) return [`${text}: expected once, sent again after ${pauseMs} ms`];
		return findException(ONCE, text) !== undefined || error.includes(TOO_LONG_TEXT)
			? []
			: [`${text}: expected an error with "${TOO_LONG_TEXT}", got: ${error.slice(0, 120)}`];
	});
	expectNoProblems(problems);
});
