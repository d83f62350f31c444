/** One of three items fails, the first, the middle or the last: with Continue on Fail, the others are what they are without it. */
import type { INodeExecutionData } from 'n8n-workflow';

import { useClock } from '../guarantees/support/fake-clock';
import { takeSome } from '../support/jest/properties';
import type { GoodResponse } from './good-responses';
import { startGoodServer } from './good-server';
import type { GoodServer } from './good-server';
import {
	createCredential,
	expectNoProblems,
	findException,
	getUnusedExceptions,
	passUntilEnded,
} from './harness';
import type { Exceptions } from './harness';
import { getItemId, listOperations } from './operations';
import type { Operation, OperationResult } from './operations';

const ITEMS = [0, 1, 2];

/** Operations that process all items as one. */
const EXCEPTIONS: Exceptions = [
	[
		/^Local Llama vector rerank$/,
		'The items are the documents of one ranking: without it, each has the error (rerank.test.ts).',
	],
	[/^Local Llama model getAll$/, 'It runs once for all items, with the fields of the first.'],
];

/** Operations and ways that cannot meet. */
const IMPOSSIBLE: Exceptions = [
	[/^Dify Apps app get, its expression fails$/, 'It has no fields.'],
	[
		/^Dify Knowledge document sync, its key is rejected$/,
		'All documents of a knowledge base are synced with the credential of the first item.',
	],
];

const REJECTION: GoodResponse = {
	status: 400,
	headers: { 'content-type': 'application/json' },
	body: JSON.stringify({
		error: { message: 'This item is ill', code: 400, type: 'invalid_request_error' },
		code: 'invalid_param',
		message: 'This item is ill',
		status: 400,
	}),
};

/** How an item fails. */
const WAYS = ['its content is rejected', 'its key is rejected', 'its expression fails'] as const;
type Way = (typeof WAYS)[number];

const clock = useClock();
let operations: Operation[];
let server: GoodServer;
beforeEach(async () => {
	operations = (await listOperations())
		.filter(({ type }) => type === 'action')
		.filter(({ name }) => findException(EXCEPTIONS, name) === undefined);
	server = await startGoodServer(({ name, line, text, headers }) => {
		const failing = /its-content-is-rejected-(\d)$/.exec(name)?.[1];
		const isRejected = failing !== undefined && (line + text).includes(getItemId(Number(failing)));
		const hasBadKey = headers.authorization?.endsWith('bad-key-7f3a91') === true;
		return isRejected || hasBadKey ? REJECTION : undefined;
	});
});
afterEach(async () => await server.close());

/** Values that differ between runs. */
const VOLATILE = /(?:Ms|PerSecond|At|latency|summary)$/;

/** Items as text, without what differs between runs. */
const toText = (items: readonly INodeExecutionData[], address: string): string =>
	JSON.stringify(items, (name, value: unknown) => {
		if (VOLATILE.test(name)) return 'VOLATILE';
		// A report has the time in its page.
		return name === 'binary' && JSON.stringify(value).includes('text/html') ? 'REPORT' : value;
	})
		.replaceAll(address, 'ADDRESS')
		.replaceAll(/"bytes":\d+/g, '"bytes":0');

/** Characters before and after the first difference. */
const SHOWN = [40, 100] as const;

function describeDifference(expected: string, received: string): string {
	const at = [...expected].findIndex((character, index) => character !== received[index]);
	const excerpt = (text: string): string => text.slice(Math.max(0, at - SHOWN[0]), at + SHOWN[1]);
	return `expected …${excerpt(expected)}…, received …${excerpt(received)}…`;
}

const getItemsFrom = ({ items = [] }: OperationResult, itemIndex: number): INodeExecutionData[] =>
	items.flat().filter(({ pairedItem }) => {
		const sources = [pairedItem].flat() as Array<{ item: number }>;
		return sources.some(({ item }) => item === itemIndex);
	});

const isFailed = ({ json }: INodeExecutionData): boolean =>
	json.error !== undefined || json.healthy === false;

test.each(WAYS)('an item fails because %s', async (way: Way) => {
	const works = new Map<string, Promise<OperationResult>>();
	const results = new Map<string, OperationResult>();
	const run = (name: string, operation: Operation, failing?: number): void => {
		const work = operation.run({
			credentials: ITEMS.map((itemIndex) => {
				const isBad = way === 'its key is rejected' && itemIndex === failing;
				const key = isBad ? 'bad-key-7f3a91' : 'key-7f3a91c4d2';
				return createCredential(operation, { url: server.at(name), key });
			}),
			continueOnFail: true,
			brokenItem: way === 'its expression fails' ? failing : undefined,
		});
		works.set(name, work);
		void work.then((result) => results.set(name, result)).catch(() => undefined);
	};
	const played = takeSome(operations, WAYS.indexOf(way));
	for (const operation of played) {
		run(`${operation.name} good`, operation);
		for (const failing of ITEMS) run(`${operation.name} ${way} ${failing}`, operation, failing);
	}
	expect(await passUntilEnded(works, { clock, servers: [server] })).toEqual([]);
	const problems = played.flatMap((operation) => {
		if (findException(IMPOSSIBLE, `${operation.name}, ${way}`) !== undefined) return [];
		const good = results.get(`${operation.name} good`);
		if (good === undefined) return [`${operation.name}: failed without a bad item`];
		if (way === 'its content is rejected' && !hasItemContent(operation)) return [];
		return ITEMS.flatMap((failing) => {
			const name = `${operation.name} ${way} ${failing}`;
			const result = results.get(name);
			if (result === undefined)
				return [`${operation.name}, item ${failing} fails: so does the node`];
			const received = { result, address: server.at(name) };
			const expected = { result: good, address: server.at(`${operation.name} good`) };
			return findProblems(failing, expected, received).map(
				(problem) => `${operation.name}, item ${failing} fails: ${problem}`,
			);
		});
	});
	expectNoProblems(problems);
});

interface Run {
	result: OperationResult;
	address: string;
}

function findProblems(failing: number, expected: Run, received: Run): string[] {
	return ITEMS.flatMap((itemIndex) => {
		const items = getItemsFrom(received.result, itemIndex);
		const text = toText(items, received.address);
		if (itemIndex === failing) {
			const isRight = items.length === 1 && items.every(isFailed);
			return isRight ? [] : [`expected one item with its error, received ${text.slice(0, 140)}`];
		}
		const goodText = toText(getItemsFrom(expected.result, itemIndex), expected.address);
		if (text === goodText) return [];
		return [`item ${itemIndex} has changed: ${describeDifference(goodText, text)}`];
	});
}

/** Whether its requests name the item: otherwise a server cannot reject only one of them. */
const hasItemContent = ({ name }: Operation): boolean =>
	server.to(`${name} good`).some(({ line, text }) => (line + text).includes(getItemId(1)));

test('each exception is still one', async () => {
	const names = (await listOperations()).map(({ name }) => name);
	expectNoProblems([
		...getUnusedExceptions(EXCEPTIONS, names),
		...getUnusedExceptions(
			IMPOSSIBLE,
			names.flatMap((name) => WAYS.map((way) => `${name}, ${way}`)),
		),
	]);
});
