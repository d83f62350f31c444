import { measureBesideBatch } from '../../../../lib/health/speed/beside-batch';
import type { SpeedOptions } from '../../../../lib/health/speed/measure';
import { connectTo } from '../../../../lib/servers/connect';
import { reply, startLlamaServerSim } from '../../../servers/llama-server';
import { useSimulator } from '../../../servers/use-simulator';

const startServer = useSimulator(startLlamaServerSim);

const OPTIONS: SpeedOptions = {
	model: 'sim-model',
	serverKind: 'llamaServer',
	tokens: 4,
	atOnce: 1,
	firstTokenMs: 30_000,
	totalMs: 60_000,
};

test('chats are measured alone and beside a batch, which does not fill the server', async () => {
	const server = await startServer({ slots: 2, tokenDelayMs: 2 });
	const connection = connectTo({ baseUrl: server.url });
	const { alone, besideBatch } = await measureBesideBatch(connection, OPTIONS);
	for (const times of [alone, besideBatch]) {
		expect(times!.p50).toBeGreaterThan(0);
		expect(times!.p99).toBeGreaterThanOrEqual(times!.p50);
	}
	expect(server.queued).toBe(0);
	const generations = server.requests.filter(({ path }) => path.endsWith('/chat/completions'));
	expect(generations.length).toBeGreaterThan(60);
});

test('a chat that fails is no number', async () => {
	const server = await startServer();
	server.script(reply.error(500, { error: { message: 'broken' } }));
	const connection = connectTo({ baseUrl: server.url });
	expect(await measureBesideBatch(connection, OPTIONS)).toMatchObject({ alone: null });
});

test('cancelling ends it', async () => {
	const server = await startServer({ tokenDelayMs: 2 });
	const cancel = new AbortController();
	const connection = connectTo({ baseUrl: server.url });
	const measuring = measureBesideBatch(connection, { ...OPTIONS, signal: cancel.signal });
	await server.until(() => server.requests.length > 5);
	cancel.abort();
	await expect(measuring).rejects.toMatchObject({ kind: 'aborted' });
});
