import { LocalLlama } from '../../../nodes/LocalLlama/LocalLlama.node';
import { reply, startLlamaServerSim } from '../../servers/llama-server';
import { credentialOf, generationsAt } from '../../servers/several';
import { useSimulator } from '../../servers/use-simulator';
import { executeContext } from '../../support/execute-context';

const start = useSimulator(startLlamaServerSim);

/** A server that is down, and one that works. */
async function pair(options: object = {}) {
	const servers = [await start(), await start(options)] as const;
	await servers[0].close();
	return servers;
}

async function execute(
	servers: Awaited<ReturnType<typeof pair>>,
	parameters: object,
	items = [{}],
) {
	const fake = executeContext({
		type: 'n8n-nodes-local-llama.localLlama',
		credentials: credentialOf(servers),
		parameters: { model: { __rl: true, mode: 'id', value: 'sim-model' }, ...parameters },
		items: items.map((json) => ({ json })),
	});
	const [done] = await new LocalLlama().execute.call(fake.context);
	return done!.map(({ json }) => json);
}

test.each<[string, object]>([
	['a chat', { resource: 'text', operation: 'chat', prompt: 'Hi' }],
	['vectors', { resource: 'vector', operation: 'embed', text: 'Hi' }],
	['scores', { resource: 'vector', operation: 'rerank', query: 'Hi', document: 'Hi' }],
])('%s: the second server answers where the first one is down', async (_what, parameters) => {
	const servers = await pair('query' in parameters ? { rerank: true } : { embeddings: true });
	const [json] = await execute(servers, parameters);
	expect(json).not.toHaveProperty('error');
	expect(servers[1].requests.length).toBeGreaterThan(0);
});

test('the item of an answer names the server and the model', async () => {
	const servers = await pair();
	servers[1].script(reply.text('Hello'));
	const [json] = await execute(servers, { resource: 'text', operation: 'chat', prompt: 'Hi' });
	expect(json).toMatchObject({
		text: 'Hello',
		serverUrl: servers[1].url,
		model: expect.any(String) as string,
	});
});

test('many items are spread over both servers', async () => {
	const servers = [
		await start({ slots: 1, tokenDelayMs: 2 }),
		await start({ slots: 1, tokenDelayMs: 2 }),
	] as const;
	const items = Array.from({ length: 12 }, (_none, at) => ({ at }));
	const parameters = {
		resource: 'text',
		operation: 'chat',
		prompt: 'Hi',
		options: { itemsAtOnce: 4 },
	};
	expect(await execute(servers, parameters, items)).toHaveLength(12);
	const [first, second] = servers.map((server) => generationsAt(server).length) as [number, number];
	expect(first + second).toBe(12);
	expect(Math.min(first, second)).toBeGreaterThan(2);
});

describe('models of several servers', () => {
	const GET_ALL = { resource: 'model', operation: 'getAll' };

	test('are listed with their server; one that is down is left out and named', async () => {
		const servers = [await start({ alias: 'one' }), await start({ alias: 'two' })] as const;
		const list = async () =>
			(await execute(servers, GET_ALL)).map(({ id, serverUrl }) => [id, serverUrl]);
		expect(await list()).toEqual([
			['one', servers[0].url],
			['two', servers[1].url],
		]);
		await servers[0].close();
		expect(await list()).toEqual([['two', servers[1].url]]);
	});

	test('all down: one error for all of them', async () => {
		const servers = [await start(), await start()] as const;
		await Promise.all(servers.map(async (server) => await server.close()));
		await expect(execute(servers, GET_ALL)).rejects.toThrow(/None of the 2 servers/);
	});

	test('are loaded at the server of the Base URL, and the item says so', async () => {
		const models = [{ id: 'sim-model', status: 'unloaded' as const }];
		const servers = [
			await start({ profile: 'router', models }),
			await start({ profile: 'router', models }),
		] as const;
		const [json] = await execute(servers, { resource: 'model', operation: 'load' });
		expect(json).toMatchObject({ model: 'sim-model', serverUrl: servers[0].url });
		expect(servers[1].requests).toHaveLength(0);
	});
});
