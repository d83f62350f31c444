import { withDeadline } from '../../support/waiting/deadline';
import { LocalEmbeddings } from '../../../nodes/LocalEmbeddings/LocalEmbeddings.node';
import { reply, startLlamaServerSim } from '../../simulators/llama-server';
import { embeddings } from '../../guarantees/support/node-runner';
import { json, useServers } from '../../support/servers/scripted-server';
import { useSimulator } from '../../simulators/use-simulator';
import { editorContext } from '../../support/n8n/editor-context';
import { fakeContext } from '../../support/n8n/context';
import { getError } from '../../support/jest/get-error';
import { supplyNode } from './supplied';

const start = useSimulator(startLlamaServerSim);
const serve = useServers();

it('is a sub-node for the embeddings of vector stores, not a tool', () => {
	const { inputs, outputs, usableAsTool } = new LocalEmbeddings().description;
	expect([inputs, outputs, usableAsTool]).toEqual([[], ['ai_embedding'], undefined]);
});

it('the model list omits models for other tasks', async () => {
	const server = await start({
		profile: 'ollama',
		models: [{ id: 'qwen3:8b' }, { id: 'bge-m3:latest' }],
	});
	const tag = (name: string, ...capabilities: string[]) => ({ name, model: name, capabilities });
	server.route(
		'GET /api/tags',
		reply.json({ models: [tag('qwen3:8b', 'completion'), tag('bge-m3:latest', 'embedding')] }),
	);
	const { searchEmbeddingModels } = new LocalEmbeddings().methods.listSearch;
	const { results } = await searchEmbeddingModels.call(editorContext({ baseUrl: server.url }));
	expect(results.map(({ value }) => value)).toEqual(['bge-m3:latest']);
});

describe('fields', () => {
	it.each([
		[{ batchSize: 0 }, 'Batch Size'],
		[{ dimensions: 'many' }, 'Dimensions'],
		[{ longTexts: 'cut' }, 'Long Texts'],
		[{ maxRetries: -1 }, 'Retries'],
		[{ keepAlive: 'soon' }, 'Keep Alive'],
	])('%j is rejected by name', async (options, field) => {
		const error = await getError(supplyNode(await start(), options), Error);
		expect(error.message).toContain(`"${field}"`);
	});

	it('no model, and no server to list them, is an error of the node', async () => {
		const fake = fakeContext({ model: '', options: {} }, { baseUrl: 'http://127.0.0.1:1' });
		const error = await getError(new LocalEmbeddings().supplyData.call(fake.context, 0), Error);
		expect(error.message).toContain('Nothing is listening');
	});

	it('batch size and keep-alive are sent', async () => {
		const server = await start({ profile: 'ollama' });
		const { embeddings } = await supplyNode(server, {
			keepAlive: '120',
			batchSize: '2',
		});
		await embeddings.embedDocuments(['a', 'b', 'c']);
		const sentBody = server.requests
			.filter(({ path }) => path === '/api/embed')
			.map(({ body }) => body);
		expect(sentBody).toEqual([
			expect.objectContaining({ keep_alive: 120 }),
			expect.objectContaining({ input: ['c'] }),
		]);
	});
});

describe('supply', () => {
	it('supplies a plain object with the two methods that vector stores call', async () => {
		const { embeddings } = await supplyNode(await start({ embeddings: true }));
		expect(Object.getPrototypeOf(embeddings)).toBe(Object.prototype);
		const [stored] = await embeddings.embedDocuments(['a text']);
		expect(stored).toEqual(await embeddings.embedQuery('a text'));
		expect(Array.isArray(stored)).toBe(true);
	});

	describe('the log', () => {
		it('contains counts and sizes in less than 1 KB per call, for vectors of any size', async () => {
			const { embeddings, inputs, outputs } = await supplyNode(
				await start({ embeddings: { dimensions: 1024, batch: 99_999 }, nCtx: 99_999 }),
			);
			await embeddings.embedDocuments(
				Array.from({ length: 200 }, () => 'some text of a chunk '.repeat(20)),
			);
			expect(inputs).toEqual([{ documents: 200, characters: 84_000 }]);
			expect(outputs[0]).toMatchObject({
				model: 'sim-model',
				vectors: 200,
				dimensions: 1024,
				beginsWith: Array.from({ length: 4 }, () => expect.any(Number) as number),
				tokens: 84_000,
				requests: 7,
				truncated: 0,
				milliseconds: expect.any(Number) as number,
			});
			await embeddings.embedQuery('long question '.repeat(1000));
			for (const logEntry of [...inputs, ...outputs])
				expect(JSON.stringify(logEntry).length).toBeLessThan(1024);
		});

		it('names both lengths if vectors were truncated, and the prefix', async () => {
			const server = await start({ embeddings: { dimensions: 8 } });
			const { embeddings, inputs, outputs } = await supplyNode(server, {
				dimensions: 4,
				queryPrefix: 'Q: ',
			});
			await embeddings.embedQuery('a');
			expect(inputs).toEqual([{ query: 'a', prefix: 'Q: ' }]);
			expect(outputs[0]).toMatchObject({ dimensions: 4, receivedDimensions: 8 });
		});
	});

	it('Truncate adds one hint at the node', async () => {
		const { embeddings, hints } = await supplyNode(await start({ embeddings: { batch: 20 } }), {
			longTexts: 'truncate',
		});
		await embeddings.embedQuery('x'.repeat(30));
		await embeddings.embedQuery('y'.repeat(30));
		expect(hints.map(({ message }) => message)).toEqual([
			expect.stringContaining('Text 1 of 1 was truncated'),
		]);
	});

	test('a search preempts documents that are being inserted', async () => {
		const vector = json({ data: [{ index: 0, embedding: [1, 2] }] });
		const server = await serve({ 'POST /v1/embeddings': [() => {}, vector] });
		const credentials = { maxConcurrentRequests: 1 };
		const { supplied } = await embeddings(server.url, { credentials });
		const documents = supplied.embedDocuments(['document']);
		const [first] = await server.arrived('/embeddings');
		const search = supplied.embedQuery('search');
		expect(await withDeadline(search, () => 'a search while documents are being inserted')).toEqual(
			[1, 2],
		);
		await first!.cut;
		expect(await documents).toEqual([[1, 2]]);
		const inputs = server.sent('/embeddings').map(({ input }) => input);
		expect(inputs).toEqual([['document'], ['search'], ['document']]);
	});

	it('Simple Vector Store: works after its execution has ended, was stopped, or no longer accepts logs', async () => {
		const server = await start({ embeddings: true });
		const { embeddings, cancel, context } = await supplyNode(server);
		cancel.abort();
		Object.assign(context, {
			addInputData: () => {
				throw new Error('The execution has ended');
			},
		});
		expect(await embeddings.embedQuery('a')).toHaveLength(8);
	});
});
