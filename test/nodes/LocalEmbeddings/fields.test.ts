import { LocalEmbeddings } from '../../../nodes/LocalEmbeddings/LocalEmbeddings.node';
import { reply, startLlamaServerSim } from '../../simulators/llama-server';
import { useSimulator } from '../../simulators/use-simulator';
import { fakeContext } from '../../support/context';
import { getError, supplyNode } from './supplied';

const start = useSimulator(startLlamaServerSim);

it.each([
	[{ batchSize: 0 }, 'Batch Size'],
	[{ dimensions: 'many' }, 'Dimensions'],
	[{ longTexts: 'cut' }, 'Long Texts'],
	[{ maxRetries: -1 }, 'Retries'],
])('%j is rejected by name', async (options, field) => {
	const error = await getError(supplyNode(await start(), options));
	expect(error.message).toContain(`"${field}"`);
});

it('no model, and no server to list them, is an error of the node', async () => {
	const fake = fakeContext({ model: '', options: {} }, { baseUrl: 'http://127.0.0.1:1' });
	const error = await getError(new LocalEmbeddings().supplyData.call(fake.context, 0));
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

it('a timeout is reported as a timeout', async () => {
	const server = await start({ embeddings: true });
	server.route('POST /v1/embeddings', reply.silence());
	const { embeddings } = await supplyNode(server, { firstTokenTimeout: 0.1 });
	expect((await getError(embeddings.embedQuery('a'))).context.data).toMatchObject({
		type: 'firstTokenTimeout',
	});
});
