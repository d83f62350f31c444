import { reply } from '../../../simulators/llama-server';
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
const scores = (...list: Array<[index: number, score: number]>) =>
	reply.json({
		results: list.map(([index, relevance_score]) => ({ index, relevance_score })),
		usage: { total_tokens: 9 },
	});

test('items are returned in the new order with score, index, all fields and pairing', async () => {
	const sim = await serve({ rerank: true });
	sim.route('POST /v1/rerank', scores([0, -3], [1, 0.5], [2, 2]));
	const items = await execute({ parameters: RERANK, ...fromItems });
	expect(items.map((item) => item.json)).toEqual([
		{ text: 'cat and kitten', id: 2, score: 2, index: 2 },
		{ text: 'a cat sleeps', id: 1, score: 0.5, index: 1 },
		{ text: 'revenue of the year', id: 0, score: -3, index: 0 },
	]);
	expect(items.map(({ pairedItem }) => pairedItem)).toEqual([
		{ item: 2 },
		{ item: 1 },
		{ item: 0 },
	]);
	expect(items[0]!.binary).toBeDefined();
	expect(getBodies('/rerank')).toEqual([{ model: 'sim-model', query: 'cat', documents }]);
	expect(fromItems.items[2]!.json).toEqual({ text: 'cat and kitten', id: 2 });
});

test('a list of texts or objects, also from JSON', async () => {
	const sim = await serve({ rerank: true });
	sim.route('POST /v1/rerank', scores([0, 1], [1, 2]));
	const parameters = { ...RERANK, documentSource: 'list' };
	const objects = [
		{ body: 'a', url: 'x' },
		{ body: 'b', url: 'y' },
	];
	const rankedItems = async (overrides: object) =>
		(await execute({ parameters: { ...parameters, ...overrides } })).map(({ json }) => json);
	expect(await rankedItems({ documents: ['a', 'b'] })).toEqual([
		{ text: 'b', score: 2, index: 1 },
		{ text: 'a', score: 1, index: 0 },
	]);
	expect(await rankedItems({ documents: JSON.stringify(objects), textField: 'body' })).toEqual([
		{ body: 'b', url: 'y', score: 2, index: 1 },
		{ body: 'a', url: 'x', score: 1, index: 0 },
	]);
	expect(getBodies('/rerank').map(({ documents: list }) => list)).toEqual([
		['a', 'b'],
		['a', 'b'],
	]);
});

test('Top N, Minimum Score and Sigmoid', async () => {
	const sim = await serve({ rerank: true });
	sim.route('POST /v1/rerank', scores([0, -3], [1, 0.5], [2, 2]));
	const ids = async (overrides: object) =>
		(await execute({ parameters: { ...RERANK, ...overrides }, ...fromItems })).map(
			({ json }) => json.id,
		);
	expect(await ids({ topN: 1 })).toEqual([2]);
	expect(await ids({ options: { minimumScore: 0.6 } })).toEqual([2]);
	expect(await ids({ options: { minimumScore: 0.6, scores: 'sigmoid' } })).toEqual([2, 1]);
	expect(await ids({ options: { minimumScore: 9 } })).toEqual([]);
});

test('a document without text comes last and is not sent', async () => {
	const sim = await serve({ rerank: true });
	sim.route('POST /v1/rerank', scores([0, 1]));
	const items = await execute({
		parameters: { ...RERANK, documentSource: 'list', documents: [{ title: 'x' }, 'b'] },
	});
	expect(items.map(({ json }) => json)).toEqual([
		{ text: 'b', score: 1, index: 1 },
		{ title: 'x', index: 0 },
	]);
});

test('without documents nothing is sent; without a query there is an error', async () => {
	await serve({ rerank: true });
	expect(
		await execute({ parameters: { ...RERANK, documentSource: 'list', documents: [] } }),
	).toEqual([]);
	expect((await getError({ ...RERANK, query: ' ' }, fromItems)).message).toContain(
		'The query is empty',
	);
	expect(getBodies('/rerank')).toEqual([]);
});

test('a server that does not support reranking is reported', async () => {
	await serve({ profile: 'ollama' });
	expect((await getError(RERANK, fromItems)).message).toContain(
		'Ollama does not support reranking',
	);
});

test('warnings about scores are shown at the node', async () => {
	const sim = await serve({ rerank: true });
	sim.route('POST /v1/rerank', scores([0, 0.1], [1, 0.1], [2, 0.1]));
	const fake = prepare({ parameters: RERANK, ...fromItems });
	await executeIn(fake);
	expect(fake.hints.map(({ message }) => message)).toEqual([
		expect.stringContaining('nearly the same score'),
	]);
});

test('32 documents are sent in one request', async () => {
	await serve({ rerank: true });
	const list = Array.from({ length: 33 }, (_none, at) => `document ${at}`);
	const parameters = { ...RERANK, documentSource: 'list', documents: list };
	expect(await execute({ parameters })).toHaveLength(33);
	const sizes = getBodies('/rerank').map((body) => (body.documents as string[]).length);
	expect(sizes.sort((a, b) => b - a)).toEqual([32, 1]);
});
