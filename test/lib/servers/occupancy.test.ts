import { clock } from '../../../lib/clock';
import { connectTo } from '../../../lib/servers/connect';
import {
	areSlotsUnknown,
	knownSlots,
	learnSlots,
	occupy,
	runningAt,
} from '../../../lib/servers/occupancy';
import { type Profile, startLlamaServerSim } from '../../servers/llama-server';
import { useSimulator } from '../../servers/use-simulator';

const start = useSimulator(startLlamaServerSim);

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
