import type { INodeExecutionData } from 'n8n-workflow';

import { reply } from '../../../simulators/llama-server';
import type { Scripted, WireRequest } from '../../../simulators/llama-server';
import { useLocalLlama } from '../run-node';

const { serve, prepare, executeIn, execute, getError, getBodies } = useLocalLlama();

const RERANK = { resource: 'vector', operation: 'rerank', query: 'cat' };
const documents = ['revenue of the year', 'a cat sleeps', 'cat and kitten'];
const fromItems = {
	items: documents.map((text, id) => ({
		json: { text, id },
		binary: { file: { data: '', mimeType: 'text/plain' } },
	})),
	perItem: documents.map((document) => ({ document })),
};
const seconds = expect.any(Number) as number;
const scores = (...list: Array<[index: number, score: number]>) =>
	reply.json({
		results: list.map(([index, relevance_score]) => ({ index, relevance_score })),
		usage: { total_tokens: 9 },
	});

test('items are returned in the new order with score, index, all fields and pairing', async () => {
	const sim = await serve({ rerank: true });
	sim.route('POST /v1/rerank', scores([0, -3], [1, 0.1234567], [2, 2]));
	const parameters = { ...RERANK, options: { simplify: false } };
	const items = await execute({ parameters, ...fromItems });
	expect(items.map((item) => item.json)).toEqual([
		{
			text: 'cat and kitten',
			id: 2,
			output: 2,
			metadata: { index: 2, model: 'sim-model', seconds },
		},
		{
			text: 'a cat sleeps',
			id: 1,
			output: 0.123457,
			metadata: { index: 1, model: 'sim-model', seconds },
		},
		{
			text: 'revenue of the year',
			id: 0,
			output: -3,
			metadata: { index: 0, model: 'sim-model', seconds },
		},
	]);
	expect(items.map(({ pairedItem }) => pairedItem)).toEqual([
		{ item: 2 },
		{ item: 1 },
		{ item: 0 },
	]);
	expect(items[0]).not.toHaveProperty('binary');
	expect(getBodies('/rerank')).toEqual([{ model: 'sim-model', query: 'cat', documents }]);
	expect(fromItems.items[2]!.json).toEqual({ text: 'cat and kitten', id: 2 });
});

describe('an array of documents', () => {
	it('contains texts or objects, which keep their fields', async () => {
		const sim = await serve({ rerank: true });
		sim.route('POST /v1/rerank', scores([0, 1], [1, 2]));
		const objects = [
			{ body: 'a', url: 'x' },
			{ body: 'b', url: 'y' },
		];
		const items = [{ json: { id: 7 } }];
		const rankedItems = async (overrides: object) =>
			(await execute({ items, parameters: { ...RERANK, ...overrides } })).map(({ json }) => json);
		expect(await rankedItems({ document: ['a', 'b'] })).toEqual([
			{ text: 'b', output: 2 },
			{ text: 'a', output: 1 },
		]);
		expect(await rankedItems({ document: objects, options: { textField: 'body' } })).toEqual([
			{ body: 'b', url: 'y', output: 2 },
			{ body: 'a', url: 'x', output: 1 },
		]);
		expect(getBodies('/rerank').map(({ documents: list }) => list)).toEqual([
			['a', 'b'],
			['a', 'b'],
		]);
	});

	it('is ranked for each item, with the query of that item', async () => {
		await serve({ rerank: true });
		const perItem = [
			{ document: ['a', 'b'], query: 'one' },
			{ document: ['c'], query: 'two' },
		];
		const items = await execute({
			items: [{ json: {} }, { json: {} }],
			perItem,
			parameters: { ...RERANK, options: { maxConcurrentItems: 1 } },
		});
		expect(items.map(({ pairedItem }) => pairedItem)).toEqual([0, 0, 1].map((item) => ({ item })));
		expect(getBodies('/rerank').map(({ query, documents: list }) => [query, list])).toEqual([
			['one', ['a', 'b']],
			['two', ['c']],
		]);
	});

	it('in JSON is a text', async () => {
		await serve({ rerank: true });
		await execute({ parameters: { ...RERANK, document: '["a","b"]' } });
		expect(getBodies('/rerank')).toMatchObject([{ documents: ['["a","b"]'] }]);
	});

	test.each([
		['an array', ['a', ['b']], 'an array in some items and a text in others'],
		['a text', [['a'], 'b'], 'an array in some items and a text in others'],
	])('%s after the other kind is an error of that item', async (_kind, values, problem) => {
		await serve({ rerank: true });
		const setup = {
			items: values.map(() => ({ json: {} })),
			perItem: values.map((document) => ({ document })),
		};
		expect(await getError(RERANK, setup)).toMatchObject({
			message: expect.stringMatching(new RegExp(`${problem} \\(item 2 of 2\\)$`)) as string,
		});
		const results = await execute({ parameters: RERANK, ...setup, continueOnFail: true });
		expect(results.map(({ json }) => ('error' in json ? 'error' : Object.keys(json)[0]))).toEqual([
			'output',
			'error',
		]);
	});
});

test.each([0, 1])('with On Error Continue, unreadable document %s fails alone', async (failed) => {
	await serve({ rerank: true });
	const perItem = ['a', 'b', 'c'].map((document, at) => ({
		document: at === failed ? new Error('no such field') : document,
	}));
	const items = await execute({
		items: perItem.map((_entry, id) => ({ json: { id } })),
		perItem,
		parameters: { ...RERANK, options: { simplify: false } },
		continueOnFail: true,
	});
	expect(getBodies('/rerank')).toMatchObject([{ documents: ['a', 'b', 'c'].toSpliced(failed, 1) }]);
	const results = items.map(({ pairedItem, json }) => ({ pairedItem, ...json }));
	expect(results).toHaveLength(3);
	expect(results).toEqual(
		expect.arrayContaining([
			expect.objectContaining({ id: 2, metadata: { index: 2, model: 'sim-model', seconds } }),
			expect.objectContaining({ pairedItem: { item: failed }, error: expect.anything() as object }),
		]),
	);
});

const TOO_LONG = {
	error: {
		code: 400,
		message: 'request (9000 tokens) exceeds the available context size (512 tokens)',
		type: 'exceed_context_size_error',
		n_prompt_tokens: 9000,
		n_ctx: 512,
	},
};

/** What a result item is: its ID, with its score or its error. */
const describeItem = ({ json, pairedItem }: INodeExecutionData) => ({
	pairedItem,
	id: json.id,
	output: json.output,
	error: (json.error as { message: string } | undefined)?.message,
});

test('a document that the server refuses comes last, without a score; a hint names it', async () => {
	const sim = await serve({ rerank: true });
	const { items, perItem } = fromItems;
	sim.route('POST /v1/rerank', ({ body }: WireRequest) => {
		const sent = (body as { documents: string[] }).documents;
		if (sent.includes('a cat sleeps')) return reply.error(400, TOO_LONG);
		return scores(...sent.map((text, at): [number, number] => [at, text.length]));
	});
	const fake = prepare({
		items,
		perItem: perItem.with(0, { document: new Error('no such field') as never }),
		parameters: RERANK,
		continueOnFail: true,
	});
	expect((await executeIn(fake)).map(describeItem)).toEqual([
		{ pairedItem: { item: 2 }, id: 2, output: 14, error: undefined },
		{ pairedItem: { item: 1 }, id: 1, output: null, error: undefined },
		{
			pairedItem: { item: 0 },
			id: undefined,
			output: undefined,
			error: expect.stringContaining('no such field') as string,
		},
	]);
	expect(fake.hints.map(({ message }) => message)).toEqual([
		expect.stringMatching(
			/^Documents without a score come last, because the server refuses them: document 2 \("a cat sleeps"\): .+ set the option Long Documents to Truncate\.$/,
		),
	]);
});

test.each<[string, Scripted]>([
	['a ranking that is none', reply.json({ results: [{ index: 7, relevance_score: 1 }] })],
	['a list of texts', reply.json(['a', 'b', 'c'])],
	['scores that are no numbers', reply.json({ results: [{ index: 0, relevance_score: 'high' }] })],
	['a rejection', reply.error(400, { error: { message: 'no' } })],
])('with On Error Continue, every item has the error of %s', async (_name, toReply) => {
	const sim = await serve({ rerank: true });
	sim.route('POST /v1/rerank', toReply);
	const results = await execute({ parameters: RERANK, ...fromItems, continueOnFail: true });
	expect(results.map(({ pairedItem }) => pairedItem)).toEqual([
		{ item: 0 },
		{ item: 1 },
		{ item: 2 },
	]);
	const messages = results.map((item) => describeItem(item).error);
	expect(messages[0]).toBeDefined();
	expect(new Set(messages).size).toBe(1);
});

test.each([
	['Top N', { topN: 1 }, [2]],
	['Minimum Score', { options: { minimumScore: 0.6 } }, [2]],
	// The sigmoid of the scores is 0.05, 0.62 and 0.88.
	['Minimum Score after Sigmoid', { options: { minimumScore: 0.6, scores: 'sigmoid' } }, [2, 1]],
	['Minimum Score above all', { options: { minimumScore: 9 } }, []],
	['Top N of those that reach it', { topN: 2, options: { minimumScore: 0.6 } }, [2]],
	['Top N after Sigmoid', { topN: 2, options: { scores: 'sigmoid' } }, [2, 1]],
])('of documents with the scores -3, 0.5 and 2, %s keeps', async (_name, overrides, kept) => {
	const sim = await serve({ rerank: true });
	sim.route('POST /v1/rerank', scores([0, -3], [1, 0.5], [2, 2]));
	const items = await execute({ parameters: { ...RERANK, ...overrides }, ...fromItems });
	expect(items.map(({ json }) => json.id)).toEqual(kept);
});

test.each([
	{ options: {}, last: [{ title: 'x', output: null }], when: 'comes last' },
	{ options: { minimumScore: -1 }, last: [], when: 'is omitted with any Minimum Score' },
])('a document without text $when, and is not sent', async ({ options, last }) => {
	const sim = await serve({ rerank: true });
	sim.route('POST /v1/rerank', scores([0, 1]));
	const fake = prepare({ parameters: { ...RERANK, options, document: [{ title: 'x' }, 'b'] } });
	expect((await executeIn(fake)).map(({ json }) => json)).toEqual([
		{ text: 'b', output: 1 },
		...last,
	]);
	expect(fake.hints.map(({ message }) => message)).toEqual([
		'Documents without text are not sent, and have no score.',
	]);
});

test('without documents nothing is sent; without a query there is an error', async () => {
	await serve({ rerank: true });
	expect(await execute({ parameters: { ...RERANK, document: [] } })).toEqual([]);
	expect((await getError({ ...RERANK, query: ' ' }, fromItems)).message).toContain(
		'The field "Query" is empty',
	);
	expect(getBodies('/rerank')).toEqual([]);
});

test('a server that does not support reranking is reported', async () => {
	await serve({ profile: 'ollama' });
	expect((await getError(RERANK, fromItems)).message).toContain(
		'Ollama does not support reranking',
	);
});

test('32 documents are sent in one request', async () => {
	await serve({ rerank: true });
	const list = Array.from({ length: 33 }, (_none, at) => `document ${at}`);
	const parameters = { ...RERANK, document: list };
	expect(await execute({ parameters })).toHaveLength(33);
	const sizes = getBodies('/rerank').map((body) => (body.documents as string[]).length);
	expect(sizes.sort((a, b) => b - a)).toEqual([32, 1]);
});

test('the model of an agent may write the array of documents as text', async () => {
	await serve({ rerank: true });
	const type = 'n8n-nodes-local-llama.localLlamaTool';
	await execute({ parameters: { ...RERANK, document: '["a","b"]' }, type });
	expect(getBodies('/rerank')).toMatchObject([{ documents: ['a', 'b'] }]);
});

test.each(['', '  \n'])('an empty query ranks nothing: %j', async (query) => {
	const sim = await serve({ rerank: true });
	const { message } = await getError({ ...RERANK, query }, fromItems);
	expect(message).toMatch(/query is empty|"Query" is empty/);
	expect(sim.requests).toEqual([]);
});
