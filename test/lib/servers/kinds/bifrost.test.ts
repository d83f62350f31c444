import { RerankClient } from '../../../../lib/rerank/client';
import { connectTo } from '../../../../lib/servers/connect';
import { askServerKind } from '../../../../lib/servers/identify';
import { reply, startLlamaServerSim } from '../../../servers/llama-server';
import { useSimulator } from '../../../servers/use-simulator';
import { answer, list, TAKES_EVERYTHING, testKind } from './kind-suite';

const start = useSimulator(startLlamaServerSim);
const PASS_ON = 'x-bf-passthrough-extra-params';

async function startBifrost() {
	const server = await start();
	server.route('GET /v1/models', reply.json(answer('bifrost-1.4.19/models').json));
	return server;
}

describe('Bifrost', () => {
	testKind('bifrost', {
		told: [
			['its list', { models: 'bifrost-1.4.19/models' }],
			["its list below OpenAI's path", { models: 'bifrost-1.4.19/openai-models' }],
			['its refusal of a key', { models: 'bifrost-1.4.19/wrong-key' }],
			['a refusal of the server behind it', { models: 'bifrost-1.4.19/provider-key' }],
		],
		notTold: [
			['llama-server itself', { models: list({ id: 'm', owned_by: 'llamacpp' }) }, 'llamaServer'],
		],
		chat: TAKES_EVERYTHING,
		advice: {
			noModels: 'virtual key',
			missingModel: 'virtual key',
			rerankOff: 'vllm_key_config',
			moreContext: '9000 tokens',
		},
	});
});

it('is asked by a header to pass on what it would drop, once it is known', async () => {
	const server = await startBifrost();
	const connection = connectTo({ baseUrl: server.url });
	await askServerKind(connection);
	await connection.call(`${server.url}/v1/embeddings`, { json: {} });
	const [first, second] = server.requests;
	expect(first!.headers).not.toHaveProperty(PASS_ON);
	expect(second!.headers).toMatchObject({ [PASS_ON]: 'true' });
});

it("does not get that header where the credential's says otherwise, and no other host gets it", async () => {
	const server = await startBifrost();
	const other = await start();
	const connection = connectTo({ baseUrl: server.url, headers: { [PASS_ON]: 'false' } });
	await askServerKind(connection);
	await connection.call(`${server.url}/health`);
	expect(server.requests.at(-1)!.headers).toMatchObject({ [PASS_ON]: 'false' });
	await connectTo({ baseUrl: server.url }).call(`${other.url}/health`);
	expect(other.requests.at(-1)!.headers).not.toHaveProperty(PASS_ON);
});

it('gets documents as objects', async () => {
	const server = await startBifrost();
	const results = [1, 0].map((index) => ({ index, relevance_score: index }));
	server.route('POST /v1/rerank', reply.json({ results }));
	const client = new RerankClient(connectTo({ baseUrl: server.url }), {
		model: 'vllm/m',
		topN: 0,
		scores: 'received',
		longDocuments: 'fail',
		batchSize: 32,
		instruction: '',
		limits: {},
		retries: 0,
	});
	const { ranking } = await client.rerank('a', ['b', 'c']);
	expect(ranking.map(({ index }) => index)).toEqual([1, 0]);
	expect(server.requests.at(-1)!.body).toMatchObject({
		documents: [{ text: 'b' }, { text: 'c' }],
	});
});
