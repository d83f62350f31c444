import { ChatClient } from '../../../lib/chat/client';
import { readToEnd } from '../../../lib/generators';
import { localLlamaConnection } from '../../../lib/servers/credential';
import type { Priority } from '../../../lib/http/scheduler';
import { type LlamaServerSim, reply, startLlamaServerSim } from '../../servers/llama-server';
import { useSimulator } from '../../servers/use-simulator';
import { PLAIN_SETTINGS } from './chat-settings';

const start = useSimulator(startLlamaServerSim);

/** A generation over a credential with one place. */
function generate(baseUrl: string, priority: Priority, whole = true) {
	const credential = { baseUrl, maxConcurrentRequests: 1 };
	const connection = localLlamaConnection(credential, undefined, { priority });
	const client = new ChatClient(connection, PLAIN_SETTINGS);
	return readToEnd(client.generate({ messages: [{ type: 'human', content: 'Hello' }], whole }));
}

/** The generations at the server, without its other requests. */
function generations(server: LlamaServerSim) {
	return server.requests.filter(({ path }) => path.endsWith('/completions'));
}

describe('a batch gives its place to a person', () => {
	test('it is ended at the server, and generated again after the person', async () => {
		const server = await start();
		server.script(
			reply.chunks(['half', { wait: 60_000 }]),
			reply.chunks(['for the person']),
			reply.chunks(['for the batch']),
		);
		const batch = generate(server.url, 'batch');
		await server.until(() => generations(server)[0]?.headersSentAt !== undefined);
		const person = await generate(server.url, 'person', false);
		expect(person).toMatchObject({ text: 'for the person', log: { placeGivenByBatch: true } });
		expect(await batch).toMatchObject({ text: 'for the batch', log: { placesGivenUp: 1 } });
		expect(generations(server).map(({ endedBy }) => endedBy)).toEqual([
			'client-abort',
			'server',
			'server',
		]);
	});

	test('at most twice', async () => {
		const server = await start();
		let finish = () => {};
		const wait = new Promise<void>((resolve) => (finish = resolve));
		const half = reply.chunks(['half', { wait: 60_000 }]);
		server.script(half, reply.chunks(['1']), half, reply.chunks(['2']));
		server.script(reply.chunks(['batch', { wait }]), reply.chunks(['3']));
		const batch = generate(server.url, 'batch');
		for (const sent of [1, 3]) {
			await server.until(() => generations(server)[sent - 1]?.headersSentAt !== undefined);
			await generate(server.url, 'person');
		}
		await server.until(() => generations(server)[4]?.headersSentAt !== undefined);
		const last = generate(server.url, 'person');
		finish();
		expect(await batch).toMatchObject({ text: 'batch', log: { placesGivenUp: 2 } });
		expect((await last).text).toBe('3');
		expect(generations(server)).toHaveLength(6);
	});

	test.each<[string, Priority, boolean]>([
		['a person', 'person', true],
		['a batch whose answer is shown as it comes', 'batch', false],
	])('%s keeps its place', async (_name, priority, whole) => {
		const server = await start();
		let finish = () => {};
		const wait = new Promise<void>((resolve) => (finish = resolve));
		server.script(reply.chunks(['first', { wait }]), reply.chunks(['second']));
		const first = generate(server.url, priority, whole);
		await server.until(() => generations(server)[0]?.headersSentAt !== undefined);
		const person = generate(server.url, 'person');
		finish();
		expect([(await first).text, (await person).text]).toEqual(['first', 'second']);
		expect(generations(server)).toHaveLength(2);
	});
});
