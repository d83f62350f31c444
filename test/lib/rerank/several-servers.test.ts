import { RerankClient } from '../../../lib/rerank/client';
import { localLlamaServers } from '../../../lib/servers/credential';
import { type LlamaServerSim, reply, startLlamaServerSim } from '../../servers/llama-server';
import { credentialOf } from '../../servers/several';
import { useSimulator } from '../../servers/use-simulator';

const start = useSimulator(startLlamaServerSim);

const clientOf = (servers: readonly LlamaServerSim[]) =>
	new RerankClient(localLlamaServers(credentialOf(servers)), {
		model: 'sim-model',
		topN: 0,
		scores: 'received',
		longDocuments: 'fail',
		batchSize: 2,
		instruction: '',
		limits: {},
		retries: 0,
	} as ConstructorParameters<typeof RerankClient>[1]);
const requestsAt = ({ requests }: LlamaServerSim) =>
	requests.filter(({ path }) => path === '/v1/rerank').length;
const documents = ['a', 'b', 'c', 'd', 'e', 'f'];

test('all of a call goes to one server, the next call to the other one', async () => {
	const servers = [await start({ rerank: true }), await start({ rerank: true })] as const;
	const first = await clientOf(servers).rerank('a', documents);
	expect(first.ranking).toHaveLength(6);
	expect(servers.map(requestsAt).sort()).toEqual([0, 3]);
	const second = await clientOf(servers).rerank('a', documents);
	expect(servers.map(requestsAt)).toEqual([3, 3]);
	expect([first.server, second.server].sort()).toEqual(servers.map(({ url }) => url).sort());
});

test('a call that fails half way begins anew at the other server', async () => {
	const servers = [await start({ rerank: true }), await start({ rerank: true })] as const;
	servers[0].route('POST /v1/rerank', reply.loading());
	for (let round = 0; round < 2; round++) {
		const { ranking, server } = await clientOf(servers).rerank('a', documents);
		expect(ranking).toHaveLength(6);
		expect(server).toBe(servers[1].url);
	}
	expect(requestsAt(servers[0])).toBe(1);
});
