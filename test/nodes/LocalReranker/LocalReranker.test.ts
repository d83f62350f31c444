import { LocalReranker } from '../../../nodes/LocalReranker/LocalReranker.node';
import { startLlamaServerSim, reply } from '../../simulators/llama-server';
import { useSimulator } from '../../simulators/use-simulator';
import { editorContext } from '../../support/n8n/editor-context';
import { getError } from '../../support/jest/get-error';
import type { LlamaServerSim } from '../../simulators/llama-server';
import { fakeContext } from '../../support/n8n/context';
import type { StoredDocument, SuppliedReranker } from '../../../nodes/LocalReranker/supply';

const start = useSimulator(startLlamaServerSim);

/** Object that the node supplies to a vector store. */
async function supplyNode(server: LlamaServerSim, parameters: Record<string, unknown> = {}) {
	const model = { __rl: true, mode: 'id', value: 'sim-model' };
	const fake = fakeContext({ model, ...parameters }, { baseUrl: server.url });
	const { response } = await new LocalReranker().supplyData.call(fake.context, 0);
	return { ...fake, reranker: response as SuppliedReranker };
}

it('is a sub-node for the reranker of vector stores, not a tool', () => {
	const { inputs, outputs, usableAsTool } = new LocalReranker().description;
	expect([inputs, outputs, usableAsTool]).toEqual([[], ['ai_reranker'], undefined]);
});

it('the model list for Ollama explains that it does not support reranking', async () => {
	const server = await start({ profile: 'ollama' });
	const { searchRerankers } = new LocalReranker().methods.listSearch;
	const error = await getError(searchRerankers.call(editorContext({ baseUrl: server.url })), Error);
	expect(error.message).toContain('Ollama does not support reranking');
});

describe('fields', () => {
	it('Top N below 0 is rejected', async () => {
		expect((await getError(supplyNode(await start(), { topN: -1 }), Error)).message).toContain(
			'"Top N"',
		);
	});

	it.each([
		[{ minimumScore: 'high' }, 'Minimum Score'],
		[{ scores: 'minMax' }, 'Scores'],
		[{ longDocuments: 'average' }, 'Long Documents'],
		[{ batchSize: 0 }, 'Batch Size'],
	])('%j is rejected by name', async (options, field) => {
		expect((await getError(supplyNode(await start(), { options }), Error)).message).toContain(
			`"${field}"`,
		);
	});
});

describe('supply', () => {
	const documents = (): StoredDocument[] => [
		{ pageContent: 'revenue of the year', metadata: { source: 'a' }, id: '1' },
		{ pageContent: 'cat', metadata: { source: 'b', loc: { line: 1 } }, id: '2' },
	];

	it('returns copies in the new order with their scores, and does not change the documents of the store', async () => {
		const { reranker } = await supplyNode(await start({ rerank: true }));
		const stored = documents();
		const reranked = await reranker.compressDocuments(stored, 'cat');
		expect(
			reranked.map(({ id, metadata }) => [id, metadata.source, typeof metadata.relevanceScore]),
		).toEqual([
			['2', 'b', 'number'],
			['1', 'a', 'number'],
		]);
		expect(stored).toEqual(documents());
		expect(reranked[0]!.metadata).not.toBe(stored[1]!.metadata);
	});

	it('ranks again at each call, and logs counts and scores', async () => {
		const server = await start({ rerank: true });
		const { reranker, inputs, outputs } = await supplyNode(server, { topN: 1 });
		expect((await reranker.compressDocuments(documents(), 'cat'))[0]!.id).toBe('2');
		expect((await reranker.compressDocuments(documents(), 'revenue'))[0]!.id).toBe('1');
		expect(inputs).toEqual([
			{ query: 'cat', documents: 2 },
			{ query: 'revenue', documents: 2 },
		]);
		expect(outputs[0]).toMatchObject({
			returned: 1,
			best: expect.any(Number) as number,
			requests: 1,
			truncated: 0,
		});
	});

	it('the log contains the tokens of all batches', async () => {
		const server = await start({ rerank: true });
		const usage = { total_tokens: 9 };
		server.route(
			'POST /v1/rerank',
			reply.json({ results: [{ index: 0, relevance_score: 1 }], usage }),
		);
		const { reranker, outputs } = await supplyNode(server, { options: { batchSize: 1 } });
		await reranker.compressDocuments(documents(), 'cat');
		expect(outputs[0]).toMatchObject({ requests: 2, tokens: 18 });
	});

	it('a hint contains the warnings, which the log does not repeat', async () => {
		const server = await start({ rerank: true });
		const results = [0, 1, 2].map((index) => ({ index, relevance_score: 1 }));
		server.route('POST /v1/rerank', reply.json({ results }));
		const { reranker, outputs, hints } = await supplyNode(server);
		const texts = ['cat', 'dog', 'cow'].map((pageContent) => ({ pageContent, metadata: {} }));
		await reranker.compressDocuments(texts, 'cat');
		expect(hints.map(({ message }) => message)).toEqual([
			expect.stringContaining('nearly the same score'),
		]);
		expect(JSON.stringify(outputs)).not.toContain('nearly the same score');
	});

	it('Minimum Score omits documents, and without documents nothing is sent', async () => {
		const server = await start({ rerank: true });
		const { reranker } = await supplyNode(server, { options: { minimumScore: 0 } });
		expect(await reranker.compressDocuments(documents(), 'cat')).toHaveLength(1);
		const originals = server.requests.length;
		expect(await reranker.compressDocuments([], 'cat')).toEqual([]);
		expect(server.requests).toHaveLength(originals);
	});

	it.each([
		['come last', {}, ['cat', 'dog', '', ' \n']],
		['pass no Minimum Score, whatever that is', { minimumScore: -100 }, ['cat', 'dog']],
	])('documents without text have no score: they %s', async (_name, options, texts) => {
		const server = await start({ rerank: true });
		const { reranker } = await supplyNode(server, { options });
		const stored = ['', 'dog', ' \n', 'cat'].map((pageContent) => ({ pageContent, metadata: {} }));
		const documents = await reranker.compressDocuments(stored, 'cat');
		expect(documents.map(({ pageContent }) => pageContent)).toEqual(texts);
		const scoredDocuments = documents.map(({ metadata }) => typeof metadata.relevanceScore);
		expect(scoredDocuments).toEqual(
			texts.map((text) => (text.trim() === '' ? 'undefined' : 'number')),
		);
	});

	it('an error is the error of this node, in the log as well', async () => {
		const { reranker, outputs } = await supplyNode(await start());
		const error = await getError(reranker.compressDocuments(documents(), 'cat'), Error);
		expect(error).toMatchObject({
			functionality: 'regular',
			message: expect.stringMatching(/rerank/) as string,
		});
		expect(outputs).toEqual([error]);
	});
});
