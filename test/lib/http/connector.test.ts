/** Connections whose writing fails: what has arrived is read first, and a connection closes without a stack. */
import { once } from 'node:events';
import * as net from 'node:net';
import { createConnector } from '../../../lib/http/connector';
import type { Duplex } from '../../../lib/vendor';
import { closedPort, startTcpServer } from '../../support/servers/listen';

/** A connection to a server that does with it what is given. */
async function connect(onConnection: (socket: net.Socket) => void) {
	const { port, close } = await startTcpServer((peer) => {
		peers.add(peer);
		onConnection(peer);
	});
	const target = { hostname: '127.0.0.1', host: '127.0.0.1', port: `${port}`, protocol: 'http:' };
	const socket = await new Promise<Duplex>((resolve, reject) => {
		createConnector({})(target as never, (error, opened) => {
			if (opened) resolve(opened);
			else reject(error ?? new Error('no connection'));
		});
	});
	// Errors are asserted where they are expected.
	socket.on('error', () => {});
	return {
		socket,
		close: async () => {
			socket.destroy();
			await close();
		},
	};
}

const createWriteError = (syscall: string) => Object.assign(new Error('write EPIPE'), { syscall });

/** The ends of connections at their server, which can write. */
const peers = new WeakSet<object>();

/** The functions that undici's writes end in, replaced before the connection is given out. */
function failWrites(error: Error) {
	for (const name of ['_write', '_writev'] as const) {
		const write = net.Socket.prototype[name] as (...args: unknown[]) => void;
		const fail = function (this: object, ...args: unknown[]) {
			if (peers.has(this)) write.apply(this, args);
			else (args.at(-1) as (error: Error) => void)(error);
		};
		jest.spyOn(net.Socket.prototype, name as '_write').mockImplementation(fail as never);
	}
}

afterEach(() => {
	jest.restoreAllMocks();
});

/** What happens at a connection, in its order. */
function observe(socket: Duplex) {
	const events: string[] = [];
	socket.on('data', (chunk: Buffer) => events.push(`data ${chunk.toString()}`));
	socket.on('end', () => events.push('end'));
	return events;
}

test.each([
	{
		title: 'one write',
		write: (socket: Duplex, done: (error?: unknown) => void) =>
			socket._write(Buffer.from('x'), 'utf8', done as never),
	},
	{
		title: 'several writes',
		write: (socket: Duplex, done: (error?: unknown) => void) => socket._writev!([], done as never),
	},
])('what has arrived is read before $title fails', async ({ write }) => {
	const error = createWriteError('write');
	failWrites(error);
	const { socket, close } = await connect((peer) => peer.end('the response'));
	const events = observe(socket);
	await new Promise<void>((resolve) => {
		write(socket, (received) => {
			events.push(received === error ? 'failed' : 'written');
			// After the end, nothing is to be read.
			write(socket, () => events.push('failed at once'));
			resolve();
		});
	});
	expect(events).toEqual(['data the response', 'end', 'failed', 'failed at once']);
	// Nothing waits for the end of the connection any more.
	expect(socket.listeners('end').map(({ name }) => name)).not.toContain('end');
	expect(socket.listeners('close').map(({ name }) => name)).not.toContain('end');
	await close();
});

test('a write that fails otherwise fails at once', async () => {
	failWrites(createWriteError('shutdown'));
	const { socket, close } = await connect(() => {});
	const done = jest.fn();
	socket._write(Buffer.from('x'), 'utf8', done);
	expect(done).toHaveBeenCalledTimes(1);
	await close();
});

test('a write fails at once if the connection is closed, or closes', async () => {
	failWrites(createWriteError('write'));
	const { socket, close } = await connect(() => {});
	const done = jest.fn();
	socket._write(Buffer.from('x'), 'utf8', done);
	expect(done).not.toHaveBeenCalled();
	socket.destroy();
	await once(socket, 'close');
	expect(done).toHaveBeenCalledTimes(1);
	socket._write(Buffer.from('x'), 'utf8', done);
	expect(done).toHaveBeenCalledTimes(2);
	await close();
});

test('a write that succeeds is reported without an error', async () => {
	const received: string[] = [];
	const { socket, close } = await connect((peer) => {
		peer.on('data', (chunk: Buffer) => received.push(chunk.toString()));
		peer.on('end', () => peer.end());
	});
	await new Promise<void>((resolve, reject) => {
		socket.write('first', (error) => (error ? reject(error) : resolve()));
	});
	socket.end();
	socket.resume();
	await once(socket, 'end');
	expect(received.join('')).toBe('first');
	await close();
});

test.each([
	{ code: 'UND_ERR_INFO', stack: 'reset' },
	{ code: 'ECONNRESET', stack: expect.stringContaining('at ') as string },
])(
	'the error of a closed connection keeps its stack unless undici closes it: $code',
	async ({ code, stack }) => {
		const { socket, close } = await connect(() => {});
		const error = Object.assign(new Error('reset'), { code });
		const reported = new Promise((resolve) => {
			socket.on('error', resolve);
		});
		socket.destroy(error);
		expect(await reported).toBe(error);
		expect(error.stack).toEqual(stack);
		await close();
	},
);

test('a connection that cannot be opened is reported', async () => {
	const port = `${await closedPort()}`;
	const failed = await new Promise<unknown>((resolve) => {
		const target = { hostname: '127.0.0.1', host: '127.0.0.1', port, protocol: 'http:' };
		createConnector({})(target as never, (error, socket) =>
			resolve({ error, socket: socket ?? undefined }),
		);
	});
	expect(failed).toMatchObject({ error: { code: 'ECONNREFUSED' }, socket: undefined });
});
