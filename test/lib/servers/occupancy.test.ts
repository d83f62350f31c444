import { clock } from '../../../lib/clock';
import { connectTo } from '../../../lib/servers/connect';
import {
	areSlotsUnknown,
	expectSlots,
	knownSlots,
	learnSlots,
	learnSlotsIfShared,
	occupy,
	runningAt,
} from '../../../lib/servers/occupancy';
import { knownServerKind } from '../../../lib/servers/identify';
import { type Profile, startLlamaServerSim } from '../../servers/llama-server';
import { startReverseProxy } from '../../servers/reverse-proxy';
import { useSimulator } from '../../servers/use-simulator';

const start = useSimulator(startLlamaServerSim);
const startProxy = useSimulator(startReverseProxy);

afterEach(() => {
	jest.restoreAllMocks();
});

test('requests are counted for each server, whatever credential they come with', () => {
	const one = connectTo({ baseUrl: 'http://gpu:8080', headers: { authorization: 'Bearer a' } });
	const same = connectTo({ baseUrl: 'gpu:8080/v1' });
	const other = connectTo({ baseUrl: 'http://gpu:8081' });
	const [first, second] = [occupy(one), occupy(same)];
	expect([runningAt(one), runningAt(same), runningAt(other)]).toEqual([2, 2, 0]);
	first();
	first();
	expect(runningAt(same)).toBe(1);
	second();
	expect(runningAt(one)).toBe(0);
});

describe('slots', () => {
	test('llama-server is asked once, by all who want to know at the same time', async () => {
		const server = await start({ slots: 3 });
		const connection = connectTo({ baseUrl: server.url });
		expect([areSlotsUnknown(connection), knownSlots(connection)]).toEqual([true, undefined]);
		await Promise.all([1, 2, 3].map(async () => await learnSlots(connection, 'sim-model')));
		await learnSlots(connection, 'sim-model');
		expect([areSlotsUnknown(connection), knownSlots(connection)]).toEqual([false, 3]);
		expect(server.requests.filter(({ path }) => path === '/props')).toHaveLength(1);
	});

	// Asked with a model, a router would load it.
	test.each<Profile>(['router', 'llama-swap', 'ollama', 'vllm'])(
		'%s is not asked',
		async (profile) => {
			const server = await start({ profile });
			const connection = connectTo({ baseUrl: server.url });
			await learnSlots(connection, 'sim-model');
			expect(knownSlots(connection)).toBeUndefined();
			expect(areSlotsUnknown(connection)).toBe(false);
			expect(server.requests.filter(({ path }) => path.startsWith('/props'))).toHaveLength(0);
		},
	);

	test('of a server behind a proxy that hides its name: asked where it is chosen, or an answer looks like it', async () => {
		const server = await start({ slots: 3 });
		const { url } = await startProxy(server.url, { dropsServer: true });
		const connection = connectTo({ baseUrl: url });
		const alone = occupy(connection);
		await learnSlotsIfShared(connection, 'm', 'llamaServer');
		const second = occupy(connection);
		await learnSlotsIfShared(connection, 'm');
		await learnSlotsIfShared(connection, 'm', 'vllm');
		expect(server.requests).toHaveLength(0);
		await learnSlotsIfShared(connection, 'm', 'llamaServer');
		expect(knownSlots(connection)).toBe(3);
		[alone, second].forEach((release) => release());
	});

	test.each<[Profile, string | undefined]>([
		['litellm', 'litellm'],
		['llama-swap', 'llamaSwap'],
		['lemonade', 'lemonade'],
		['gpustack', 'gpustack'],
		['vllm', 'vllm'],
	])(
		'%s, which may pass on an answer of llama-server, does not become one',
		async (profile, kind) => {
			const server = await start({ profile });
			const { url } = await startProxy(server.url, { dropsServer: true });
			const connection = connectTo({ baseUrl: url });
			const releases = [occupy(connection), occupy(connection)];
			expectSlots(connection);
			await learnSlotsIfShared(connection, 'm');
			await learnSlotsIfShared(connection, 'm');
			expect(knownSlots(connection)).toBeUndefined();
			expect(knownServerKind(connection, 'm')).toBe(kind);
			expect(server.requests.filter(({ path }) => path.startsWith('/props'))).toHaveLength(0);
			expect(server.requests.filter(({ path }) => path === '/v1/models')).toHaveLength(1);
			releases.forEach((release) => release());
		},
	);

	test('a server that does not answer is asked again after a minute', async () => {
		const server = await start();
		await server.close();
		const connection = connectTo({ baseUrl: server.url });
		await learnSlots(connection, 'sim-model');
		expect([areSlotsUnknown(connection), knownSlots(connection)]).toEqual([false, undefined]);
		const later = clock.now() + 61_000;
		jest.spyOn(clock, 'now').mockImplementation(() => later);
		expect(areSlotsUnknown(connection)).toBe(true);
	});
});
