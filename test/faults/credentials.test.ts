/** Two items with two credentials: each request goes to the server of its item, with the key of that item. */
import { useClock } from '../guarantees/support/fake-clock';
import { startGoodServer } from './good-server';
import type { GoodServer, Received } from './good-server';
import {
	createCredential,
	expectNoProblems,
	findException,
	getUnusedExceptions,
	passUntilEnded,
	withoutIds,
} from './harness';
import type { Access, Exceptions } from './harness';
import { listOperations } from './operations';
import type { Operation } from './operations';

const EXCEPTIONS: Exceptions = [
	[
		/^Dify Knowledge document sync$/,
		'All documents of a knowledge base are synced together, with the credential of the first item.',
	],
	[/^Local Llama vector rerank$/, 'The items are the documents of one ranking.'],
	[/^Local Llama model getAll$/, 'It runs once for all items, as its page says.'],
];

const KEYS = ['first-7f3a91c4d2', 'second-b81e60fa35'] as const;
const TENANTS = ['tenant-a', 'tenant-b'] as const;

interface Difference {
	/** What of the credentials differs. */
	name: string;
	/** The access of each item. */
	getAccess(address: (name: string) => string, itemIndex: number): Access;
	/** What shows whose credential a request has. */
	getMark(request: Received): string | undefined;
	marks: readonly string[];
	/** For model servers only. */
	isForModels?: boolean;
}

const getKey = ({ headers }: Received): string | undefined =>
	headers.authorization?.replace(/^Bearer (?:app-|dataset-)?/, '');

const DIFFERENCES: readonly Difference[] = [
	{
		name: 'the key',
		getAccess: (at, itemIndex) => ({ url: at('both'), key: KEYS[itemIndex]! }),
		getMark: getKey,
		marks: KEYS,
	},
	{
		name: 'the server',
		getAccess: (at, itemIndex) => ({ url: at(`server ${itemIndex}`), key: KEYS[0] }),
		getMark: ({ name }) => /server-\d$/.exec(name)?.[0],
		marks: ['server-0', 'server-1'],
	},
	{
		name: 'an extra header',
		getAccess: (at, itemIndex) => ({ url: at('both'), key: KEYS[0], tenant: TENANTS[itemIndex] }),
		getMark: ({ headers }) => String(headers['x-tenant']),
		marks: TENANTS,
		isForModels: true,
	},
];

const clock = useClock();
let server: GoodServer;
let operations: Operation[];
beforeEach(async () => {
	operations = await listOperations();
	server = await startGoodServer();
});
afterEach(async () => await server.close());

/** A signed URL needs no key, and may lead to a storage of somebody else. */
const isSigned = ({ line }: Received): boolean => line.includes('/a-signed-file');

/** What was sent, whatever item it was for. */
const toLines = (requests: readonly Received[]): string[] =>
	requests
		.filter((request) => !isSigned(request))
		.map(({ line }) => withoutIds(line))
		.sort();

const describeLines = (lines: readonly string[]): string =>
	lines.length === 0 ? 'nothing' : lines.join(', ');

test('each exception is still one', () => {
	expectNoProblems(
		getUnusedExceptions(
			EXCEPTIONS,
			operations.map(({ name }) => name),
		),
	);
});

test.each(DIFFERENCES)('$name differs: each item is sent with its own', async (difference) => {
	const { getAccess, getMark, marks, isForModels = false } = difference;
	const tested = operations
		.filter(({ service }) => service === 'model' || !isForModels)
		.filter(({ name }) => findException(EXCEPTIONS, name) === undefined);
	const errors = new Map<string, string>();
	const works = new Map<string, Promise<unknown>>();
	const run = (name: string, operation: Operation, accesses: readonly Access[]): void => {
		const credentials = accesses.map((access) => createCredential(operation, access));
		const work = operation.run({ credentials }).catch((error: Error) => {
			errors.set(name, error.message);
		});
		works.set(name, work);
	};
	for (const operation of tested) {
		const at = (name: string): string => server.at(`${operation.name} ${name}`);
		run(`${operation.name} alone`, operation, [{ url: at('alone'), key: KEYS[0] }]);
		run(operation.name, operation, [getAccess(at, 0), getAccess(at, 1)]);
	}
	expect(await passUntilEnded(works, { clock, servers: [server] })).toEqual([]);
	const problems = tested.flatMap(({ name }) => {
		const error = errors.get(name) ?? errors.get(`${name} alone`);
		if (error !== undefined) return [`${name}: failed: ${error}`];
		const expected = describeLines(toLines(server.to(`${name} alone`)));
		const requests = ['both', 'server 0', 'server 1'].flatMap((to) => server.to(`${name} ${to}`));
		const signed = requests.find((request) => isSigned(request) && getKey(request) !== undefined);
		if (signed !== undefined) return [`${name}: a signed URL got the key: ${signed.line}`];
		return marks.flatMap((mark, itemIndex) => {
			const own = requests.filter((request) => getMark(request) === mark);
			const received = describeLines(toLines(own));
			return received === expected
				? []
				: [`${name}: item ${itemIndex} (${mark}): expected ${expected}; received ${received}`];
		});
	});
	expectNoProblems(problems);
});
