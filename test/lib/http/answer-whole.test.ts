import type { ServerError } from '../../../lib/errors/server-error';
import { reply, startLlamaServerSim } from '../../servers/llama-server';
import { useSimulator } from '../../servers/use-simulator';
import { connect } from './client';

const start = useSimulator(startLlamaServerSim);

test("a non-streamed answer waits in the credential's queue, and frees its place", async () => {
	const server = await start({ embeddings: true });
	const connection = connect(server.url, { maxConcurrentRequests: 1 });
	const url = `${connection.url.api}/embeddings`;
	let answer = () => {};
	const answered = new Promise<void>((resolve) => (answer = resolve));
	server.route('POST /v1/embeddings', async () => {
		await answered;
		return reply.json({ data: [] });
	});
	const both = [1, 2].map(async () => await connection.answer(url, { json: {} }));
	await server.until(() => server.requests.length === 1);
	answer();
	expect((await Promise.all(both)).map(({ json }) => json)).toEqual([{ data: [] }, { data: [] }]);
	expect(server.requests).toHaveLength(2);
});

test('the idle limit counts while the answer is read', async () => {
	const server = await start({ embeddings: true });
	const half = reply.error(200, '{"data":[', { cut: { at: 5, how: 'silence' } });
	server.route('POST /v1/embeddings', half);
	const connection = connect(server.url);
	const failed = await connection
		.answer(`${connection.url.api}/embeddings`, { json: {}, limits: { idleMs: 50 } })
		.catch((error: unknown) => error as ServerError);
	expect(failed).toMatchObject({ kind: 'idleLimit' });
});
