/** A server with one slot never gets two generations at once, whether the credential or the server says so. */
import { useClock } from '../guarantees/support/fake-clock';
import { createDeferred } from '../support/waiting/deferred';
import { startGoodServer } from './good-server';
import type { Received } from './good-server';
import {
	createCredential,
	expectNoProblems,
	findException,
	getUnusedExceptions,
	passUntilEnded,
} from './harness';
import type { Exceptions } from './harness';
import { listOperations } from './operations';
import type { Operation } from './operations';

const EXCEPTIONS: Exceptions = [
	[/^Dify|^Server Health dify/, 'Dify has a queue of its own, and no slots.'],
	[/^Local Llama model |poll$|waitUntilReady$|modelServer check$/, 'It generates nothing.'],
];

/** Rows for which the number of slots is no limit. */
const SLOTS_IGNORED: Exceptions = [
	[
		/^Server Health modelServer (?:speedTest|report)$/,
		'It measures as many requests at once as its field says, unless the credential limits them.',
	],
];

/** Executions at the same time, each with several items, which an operation may process at the same time, too. */
const EXECUTIONS = 2;
const ITEMS = 2;

const LIMITS = [
	{ name: 'Max Concurrent Requests is 1', maxConcurrentRequests: 1, most: 1 },
	// As many as the server reports: one.
	{ name: 'the server has one slot', maxConcurrentRequests: 0, most: 1 },
	{ name: 'Max Concurrent Requests is 2', maxConcurrentRequests: 2, most: 2 },
];

const clock = useClock();
let operations: Operation[];
beforeEach(async () => {
	operations = (await listOperations()).filter(
		({ name }) => findException(EXCEPTIONS, name) === undefined,
	);
});

test('each exception is still one', async () => {
	const names = (await listOperations()).map(({ name }) => name);
	expectNoProblems(getUnusedExceptions([...EXCEPTIONS, ...SLOTS_IGNORED], names));
});

/** Loads no model and needs no slot. */
const isProbe = ({ method }: Received): boolean => method === 'GET';

test.each(LIMITS)('$name: $most at once', async ({ maxConcurrentRequests, most }) => {
	/** Generations that were open together, by address: the largest group. */
	const together = new Map<string, string[]>();
	let answer = createDeferred();
	// Each generation is open until nothing more arrives.
	const server = await startGoodServer(async (request) => {
		if (isProbe(request)) return undefined;
		const open = server.to(request.name).filter((other) => other.isOpen && !isProbe(other));
		const lines = open.map(({ line }) => line);
		if (lines.length > (together.get(request.name)?.length ?? 0)) together.set(request.name, lines);
		await answer.wait;
		return undefined;
	});
	const works = new Map<string, Promise<unknown>>();
	const errors: string[] = [];
	for (const operation of operations)
		for (let execution = 0; execution < EXECUTIONS; execution++) {
			const access = { url: server.at(operation.name), key: 'key-7f3a91c4d2' };
			const credential = createCredential(operation, { ...access, maxConcurrentRequests });
			const work = operation.run({
				credentials: Array.from({ length: ITEMS }, () => credential),
				options: { maxConcurrentItems: ITEMS, concurrency: ITEMS },
			});
			works.set(
				`${operation.name} ${execution}`,
				work.catch((error: Error) => {
					errors.push(`${operation.name}: failed: ${error.message}`);
				}),
			);
		}
	const onQuiet = (): void => {
		answer.open();
		answer = createDeferred();
	};
	const pending = await passUntilEnded(works, { clock, servers: [server], stepMs: 10, onQuiet });
	const problems = operations.flatMap(({ name }) => {
		if (maxConcurrentRequests === 0 && findException(SLOTS_IGNORED, name) !== undefined) return [];
		const lines = together.get(name.replace(/\W+/g, '-')) ?? [];
		return lines.length === most
			? []
			: [`${name}: expected ${most} at once, were ${lines.length}: ${lines.join(' and ')}`];
	});
	await server.close();
	expectNoProblems([...pending.map((name) => `${name}: has not ended`), ...errors, ...problems]);
});
