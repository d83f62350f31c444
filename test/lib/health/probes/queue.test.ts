import { ChatClient } from '../../../../lib/chat/client';
import { checkServer } from '../../../../lib/health/check';
import { readToEnd } from '../../../../lib/generators';
import { queuedRequests } from '../../../../lib/http/queue';
import { listModels } from '../../../../lib/servers/model-list';
import { localLlamaServers } from '../../../../lib/servers/credential';
import { askServerKind } from '../../../../lib/servers/identify';
import { modelServerTarget } from '../../../../nodes/shared/health/target';
import {
	type LlamaServerSim,
	reply,
	type SimOptions,
	startLlamaServerSim,
} from '../../../servers/llama-server';
import { useSimulator } from '../../../servers/use-simulator';
import { finding, LIMITS as CHECK_LIMITS } from '../support';

const startServer = useSimulator(startLlamaServerSim);

const LIMITS = { firstTokenMs: 60_000, idleMs: 60_000 };
const messages = [{ type: 'human' as const, content: 'Hi' }];

/** With one place, and that place taken, until `open` is called. */
async function takenServer(options: SimOptions = {}) {
	const server = await startServer(options);
	let open = () => {};
	const wait = new Promise<void>((resolve) => (open = resolve));
	server.script(reply.chunks(['a', { wait }, 'b']));
	const data = { baseUrl: server.url, maxConcurrentRequests: 1 };
	const { first } = localLlamaServers(data);
	const stream = await first.stream(`${first.url.api}/chat/completions`, {
		json: { stream: true, messages: [] },
	});
	const holding = (async () => {
		for await (const batch of stream.batches) if (batch.length > 0) stream.content();
	})();
	return { server, data, holding, open: () => open(), connection: first };
}

const asked = ({ requests }: LlamaServerSim) => requests.map(({ method }) => method);

describe('while a request of n8n has the only place', () => {
	it('a check waits for it, and then sends all its requests with one place', async () => {
		const { server, data, holding, open } = await takenServer();
		const checking = checkServer(modelServerTarget(data), CHECK_LIMITS);
		await server.until(() => queuedRequests() === 1);
		expect(asked(server)).toEqual(['POST']);
		open();
		await holding;
		expect(await checking).toMatchObject({ status: 'healthy' });
		expect(queuedRequests()).toBe(0);
	});

	it('a check without a place sends nothing and says so; servers that can take it are asked anyway', async () => {
		const { server, data, holding, open, connection } = await takenServer();
		const result = await checkServer(modelServerTarget(data), { placeLimitMs: 100 });
		expect(result).toMatchObject({ status: 'degraded', healthy: false });
		expect(finding(result, 'busy').meaning).toBe(
			"The server was not asked: n8n's own requests held all places for 100 ms",
		);
		expect(finding(result, 'busy').advice).toContain('Max Concurrent Requests');
		expect(asked(server)).toEqual(['POST']);
		await askServerKind(connection.withoutQueue());
		const again = await checkServer(modelServerTarget(data), {
			placeLimitMs: 100,
			...CHECK_LIMITS,
		});
		expect(again).toMatchObject({ status: 'healthy' });
		open();
		await holding;
	});
});

it.each([1, 2])(
	'concurrent chats, lists and checks at %i servers with one place each all end',
	async (count) => {
		const servers = await Promise.all(
			Array.from({ length: count }, async () => await startServer({ slots: 1 })),
		);
		const [{ url: baseUrl }, ...others] = servers as [LlamaServerSim, ...LlamaServerSim[]];
		const data = {
			baseUrl,
			maxConcurrentRequests: 1,
			furtherServers: { server: others.map(({ url }) => ({ baseUrl: url })) },
		};
		const pool = localLlamaServers(data);
		const settings = {
			model: 'sim-model',
			serverKind: 'auto' as const,
			reasoningEcho: 'toolTurns' as const,
		};
		const chat = async () => {
			const parameters = { maxTokens: 5, seed: 1, thinking: { mode: 'off' as const } };
			const client = new ChatClient(pool, {
				...settings,
				parameters,
				showThinking: false,
				limits: LIMITS,
				retries: 0,
			});
			return (await readToEnd(client.generate({ messages }))).text !== '';
		};
		const look = async () =>
			(await Promise.all(pool.connections.map(async (one) => await listModels(one)))).length ===
			count;
		const check = async () => (await checkServer(modelServerTarget(data), CHECK_LIMITS)).healthy;
		const kind = async () => (await askServerKind(pool.first)) === 'llamaServer';
		const all = Array.from({ length: 4 }, () => [chat(), look(), check(), kind(), chat()]).flat();
		expect(new Set(await Promise.all(all))).toEqual(new Set([true]));
		expect(queuedRequests()).toBe(0);
	},
);
