import { reply, startLlamaServerSim } from '../../servers/llama-server';
import { useSimulator } from '../../servers/use-simulator';
import { startTcpServer } from '../../support/listening';
import { connect, failureOf } from './client';

const startServer = useSimulator(startLlamaServerSim);

async function bytesOf(pieces: AsyncIterable<Uint8Array>): Promise<Buffer> {
	const all: Uint8Array[] = [];
	for await (const piece of pieces) all.push(piece);
	return Buffer.concat(all);
}

test('a file as it comes, and the connection is closed behind it', async () => {
	const server = await startServer();
	server.route('GET /sound', reply.json({ sound: 'x'.repeat(200_000) }));
	const { pieces, status, headers } = await connect(server.url).download(`${server.url}/sound`, {});
	expect([status, headers['content-type']]).toEqual([
		200,
		expect.stringContaining('application/json') as string,
	]);
	expect((await bytesOf(pieces)).byteLength).toBeGreaterThan(200_000);
	await server.until(() => server.connections.open === 0);
});

test('a refusal is an error, and so is a file that breaks off', async () => {
	const server = await startServer();
	const refused = await failureOf(
		async () => await connect(server.url).download(`${server.url}/none`, {}),
	);
	expect(refused).toMatchObject({ kind: 'wrongPath', status: 404 });
	const cut = await startTcpServer((socket) => {
		socket.once('data', () => {
			socket.write('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf', () => socket.destroy());
		});
	});
	const { pieces } = await connect(`http://127.0.0.1:${cut.port}`).download(
		`http://127.0.0.1:${cut.port}/`,
		{},
	);
	expect(await failureOf(async () => await bytesOf(pieces))).toMatchObject({
		kind: 'connectionLost',
	});
	await cut.close();
});

test('Stop and the limits hold while it is read', async () => {
	const silent = await startTcpServer((socket) => {
		socket.on('error', () => {});
		socket.once('data', () => socket.write('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf'));
	});
	const base = `http://127.0.0.1:${silent.port}`;
	const abort = new AbortController();
	const stopped = await connect(base).download(`${base}/`, { signal: abort.signal });
	const idle = await connect(base).download(`${base}/`, { limits: { idleMs: 50 } });
	expect(await failureOf(async () => await bytesOf(idle.pieces))).toMatchObject({
		kind: 'idleLimit',
	});
	const reading = failureOf(async () => await bytesOf(stopped.pieces));
	abort.abort();
	expect(await reading).toMatchObject({ kind: 'aborted' });
	await silent.close();
});

test('a file that does not end is read up to its bound, and the connection is closed', async () => {
	const server = await startServer();
	server.route('GET /sound', reply.json({ sound: 'x'.repeat(200_000) }));
	const options = { maxBytes: 50_000 };
	const { pieces } = await connect(server.url).download(`${server.url}/sound`, options);
	expect(await failureOf(async () => await bytesOf(pieces))).toMatchObject({
		kind: 'invalidAnswer',
		message: expect.stringContaining('The file is larger than 0 MB') as string,
	});
	await server.until(() => server.connections.open === 0);
});
