import { EmbeddingsClient, type EmbeddingSettings } from '../../../lib/embeddings/client';
import type { ServerError } from '../../../lib/errors/server-error';
import { localLlamaServers } from '../../../lib/servers/credential';
import { type LlamaServerSim, reply, startLlamaServerSim } from '../../servers/llama-server';
import { credentialOf } from '../../servers/several';
import { useSimulator } from '../../servers/use-simulator';

const start = useSimulator(startLlamaServerSim);

const clientOf = (servers: readonly LlamaServerSim[], settings: Partial<EmbeddingSettings> = {}) =>
	new EmbeddingsClient(localLlamaServers(credentialOf(servers)), {
		model: 'sim-model',
		prefixes: {},
		longTexts: 'fail',
		blankTexts: 'refuse',
		batchSize: 4,
		limits: {},
		retries: 0,
		...settings,
	});
const texts = Array.from({ length: 40 }, (_none, at) => `text ${at}`);
const requestsAt = ({ requests }: LlamaServerSim) =>
	requests.filter(({ path }) => path === '/v1/embeddings').length;
const failureOf = async (promise: Promise<unknown>) =>
	await promise.then(
		() => {
			throw new Error('no failure');
		},
		(error: unknown) => error as ServerError,
	);

test('batches are spread over the servers, and the vectors come in the order of the texts', async () => {
	const servers = [await start({ embeddings: true }), await start({ embeddings: true })];
	const { vectors, ...rest } = await clientOf(servers).embed(texts, 'document');
	const alone = await clientOf([servers[0]!]).embed(texts, 'document');
	expect(vectors).toEqual(alone.vectors);
	expect(rest).toMatchObject({ requests: 10, tokens: alone.tokens, remarks: [] });
	expect(rest.servers).toEqual({ [servers[0]!.url]: 20, [servers[1]!.url]: 20 });
	expect(alone.servers).toBeUndefined();
});

test.each([
	['503 Loading model', reply.loading()],
	['a connection that is lost', reply.reset()],
	['504 of a gateway', reply.html(504, '<html></html>')],
])('%s: the batch goes to the other server, since it changes nothing', async (_what, refusal) => {
	const servers = [await start({ embeddings: true }), await start({ embeddings: true })] as const;
	servers[0].route('POST /v1/embeddings', refusal);
	const { vectors, remarks } = await clientOf(servers).embed(texts, 'document');
	expect(vectors).toHaveLength(40);
	expect(remarks.join()).toContain(servers[0].url);
});

test('vectors of two lengths are told with both servers, and nothing is handed on', async () => {
	const servers = [
		await start({ embeddings: true }),
		await start({ embeddings: { dimensions: 16 } }),
	] as const;
	const failed = await failureOf(clientOf(servers).embed(texts, 'document'));
	expect(failed.message).toBe('The servers of the credential run different embedding models');
	for (const said of [servers[0].url, servers[1].url, '16 numbers', '8'])
		expect(failed.meaning).toContain(said);
});

test('a text that is refused ends the other batches, and is named', async () => {
	const servers = [
		await start({ embeddings: { batch: 20 } }),
		await start({ embeddings: { batch: 20 } }),
	];
	const failed = await failureOf(clientOf(servers).embed([...texts, 'x'.repeat(31)], 'document'));
	expect(failed).toMatchObject({ kind: 'contextOverflow', facts: { index: 40 } });
});

test('Stop ends all batches', async () => {
	const servers = [await start({ embeddings: true }), await start({ embeddings: true })] as const;
	for (const server of servers) server.route('POST /v1/embeddings', reply.silence());
	const stop = new AbortController();
	const embedding = failureOf(clientOf(servers).embed(texts, 'document', stop.signal));
	await servers[0].until(() => requestsAt(servers[0]) + requestsAt(servers[1]) === 2);
	stop.abort();
	expect(await embedding).toMatchObject({ kind: 'aborted' });
	expect(requestsAt(servers[0]) + requestsAt(servers[1])).toBe(2);
});

test('all down: one error for all of them', async () => {
	const servers = [await start(), await start()];
	await Promise.all(servers.map(async (server) => await server.close()));
	expect(await failureOf(clientOf(servers).embed(['a'], 'query'))).toMatchObject({
		kind: 'allServersFailed',
	});
});
