/** Each kind of difference, at an operation with that fault. */
import type { Operation, OperationResult } from '../faults/operations';
import * as http from 'node:http';
import { useClock } from './support/fake-clock';
import { countFindings, findProblems, updateKnownRows } from './support/reword/known-rows';
import { playRows } from './support/reword/play';
import type { ErrorResponse, Finding, Row, Times } from './support/reword/play';

const RESPONSE: ErrorResponse = {
	name: 'planted',
	service: 'model',
	status: 500,
	body: JSON.stringify({ error: { message: 'Already borrowed by others' } }),
};

/** Whether the server said the words that the planted fault reads. */
type IsRead = (text: string) => boolean;

const isBorrowed: IsRead = (text) => text.includes('borrowed');

async function send(url: string, body: object): Promise<string> {
	return await new Promise((resolve, reject) => {
		const request = http.request(url, { method: 'POST', agent: false }, (response) => {
			const pieces: Buffer[] = [];
			response.on('data', (piece: Buffer) => pieces.push(piece));
			response.on('end', () => resolve(Buffer.concat(pieces).toString('utf8')));
		});
		request.on('error', reject);
		request.end(JSON.stringify(body));
	});
}

const getSentence = (text: string): string =>
	(JSON.parse(text) as { error: { message: string } }).error.message;

const isFailure = (text: string): boolean => text.includes('"error"');

/** What an operation without a fault does: one request, and the words of the server as the title. */
type Behavior = (url: string) => Promise<OperationResult>;

const fail = (title: string, description = 'Look at the log.', data: object = {}): never => {
	throw Object.assign(new Error(title), { type: 'serverError', description, context: { data } });
};

const good: Behavior = async (url) => {
	const text = await send(url, { n: 1 });
	return isFailure(text) ? fail(getSentence(text)) : { items: [[{ json: { text } }]] };
};

/** What addresses taught the operation that learns from words. */
const taught = new Set<string>();

const PLANTED: Readonly<Record<string, Behavior>> = {
	request: async (url) => {
		const text = await send(url, { n: 1 });
		if (isBorrowed(text)) await send(url, { n: 1 });
		return isFailure(text) ? fail(getSentence(text)) : {};
	},
	item: async (url) => {
		const text = await send(url, { n: 1 });
		return isFailure(text) ? fail(getSentence(text), undefined, { again: isBorrowed(text) }) : {};
	},
	'learned state': async (url) => {
		const text = await send(url, taught.has(url) ? {} : { n: 1 });
		if (isBorrowed(text)) taught.add(url);
		return isFailure(text) ? fail(getSentence(text)) : {};
	},
	sentence: async (url) => {
		const text = await send(url, { n: 1 });
		return isFailure(text) ? fail('The server failed') : {};
	},
	advice: async (url) => {
		const text = await send(url, { n: 1 });
		const advice = isBorrowed(text) ? 'Give it back.' : 'Look at the log.';
		return isFailure(text) ? fail(getSentence(text), advice) : {};
	},
};

function toRow(behavior: Behavior, times: Times): Row {
	const operation: Operation = {
		name: 'Local Llama text chat',
		node: 'LocalLlama',
		service: 'model',
		type: 'action',
		labels: [],
		fields: [],
		parameters: {},
		run: async ({ credentials: [credential] }) =>
			await behavior(`${String(credential!.baseUrl)}/v1/embeddings`),
	};
	return { response: RESPONSE, times, subject: { operation, fields: ['n'], isMain: () => true } };
}

const clock = useClock();

async function play(behavior: Behavior, times: Times = 'once'): Promise<Map<Row, Finding[]>> {
	return await playRows([toRow(behavior, times)], { clock, seeds: [1, 2] });
}

const listDifferences = (found: ReadonlyMap<Row, readonly Finding[]>): string[] =>
	[...found.values()].flat().map(({ difference }) => difference);

test('an operation that does not read words differs in nothing', async () => {
	expect(listDifferences(await play(good))).toEqual([]);
	expect(listDifferences(await play(good, 'always'))).toEqual([]);
});

test.each(Object.entries(PLANTED))('%s', async (difference, behavior) => {
	const found = await play(behavior);
	expect(listDifferences(found)).toEqual([difference]);
	const [problem = '', ...rest] = findProblems(found, []);
	expect(rest).toEqual([]);
	expect(problem).toMatch(
		new RegExp(`^planted \\| ${difference} \\| Local Llama text chat \\(once\\)`),
	);
	expect(Object.keys(countFindings(found))).toEqual([expect.stringContaining(difference)]);
	const rows = [...found.keys()];
	const known = updateKnownRows([], { found, rows });
	expect(known.map(({ operations }) => operations)).toEqual(['all']);
	expect(findProblems(found, known)).toEqual([]);
	const mended = new Map(rows.map((row): [Row, Finding[]] => [row, []]));
	expect(findProblems(mended, known)).toEqual([
		`planted | ${difference} | Local Llama text chat (once): passes, so remove it from the table`,
	]);
	expect(updateKnownRows(known, { found: mended, rows })).toEqual([]);
	const others = [...rows, toRow(behavior, 'always')];
	expect(updateKnownRows(known, { found: mended, rows: others })).toMatchObject([
		{ operations: ['Local Llama text chat'] },
	]);
});
