import fc from 'fast-check';

import { closeChannels, useChannel } from '../../../lib/http/dispatcher';
import { exchange } from '../../../lib/http/exchange';
import { IncomingBody } from '../../../lib/http/incoming-body';
import { startProxy } from '../../servers/proxy-server';
import { useSimulator } from '../../servers/use-simulator';
import { listen } from '../../support/listening';
import { buffer, delay, http, https, process } from '../../support/node';
import { examples } from '../../support/properties';
import { closeRawServers, rawServer } from '../../support/raw-answers';
import { testCertificate } from '../../support/tls';

const startedProxy = useSimulator(startProxy);
const PROXIES = { http_proxy: process.env.http_proxy, https_proxy: process.env.https_proxy };
let servers: http.Server[] = [];

afterEach(async () => {
	for (const [name, value] of Object.entries(PROXIES)) {
		if (value === undefined) delete process.env[name];
		else process.env[name] = value;
	}
	await closeChannels();
	await closeRawServers();
	for (const server of servers) server.close();
	servers = [];
});

type Options = Partial<Parameters<typeof exchange>[1]> & { path?: string };

const get = async (origin: string, { pace, path = '', reset = true }: Options = {}) => {
	const { fresh, keepAlive, release } = useChannel({
		origin,
		scope: 'test',
		ignoreSslIssues: true,
	});
	const { signal } = new AbortController();
	const answer = await exchange(`${origin}/${path}`, {
		dispatcher: reset ? fresh : keepAlive,
		method: 'GET',
		headers: {},
		signal,
		reset,
		pace,
	});
	release();
	return answer.body;
};

describe('a connection that breaks while it is paused', () => {
	const PAUSED_AT = 256 * 1024;
	const OVER_FULL = 300 * 1024;
	const HEADS = {
		'a length': `content-length: ${2 * OVER_FULL}\r\n\r\n`,
		'no length': '\r\n',
		chunks: `transfer-encoding: chunked\r\n\r\n${OVER_FULL.toString(16)}\r\n`,
	};

	test.each(
		Object.entries(HEADS).flatMap(([name, head]) => [
			[name, 'is reset', head, true] as const,
			[name, 'ends', head, false] as const,
		]),
	)(
		'with %s, when it %s: the reader is told, and nothing is thrown elsewhere',
		async (_n, _h, head, isReset) => {
			let breakOff = () => {};
			const origin = await rawServer((_path, socket) => {
				socket.write(`HTTP/1.1 200 OK\r\nconnection: close\r\n${head}`);
				socket.write(new Uint8Array(OVER_FULL).fill(97));
				breakOff = () => void (isReset ? socket.resetAndDestroy() : socket.end());
			});
			const push = jest.spyOn(IncomingBody.prototype, 'push');
			const received = () => push.mock.calls.reduce((sum, [piece]) => sum + piece.byteLength, 0);
			const body = await get(origin);
			while (received() < PAUSED_AT) await delay(5);
			push.mockRestore();
			breakOff();
			await delay(60);
			let size = 0;
			const failed = await (async () => {
				for await (const piece of body) size += piece.byteLength;
			})().then(
				() => false,
				() => true,
			);
			expect(size).toBeGreaterThan(0);
			// Only a body without any length may end with its connection.
			expect(failed).toBe(isReset || head !== HEADS['no length']);
		},
	);
});

describe('a body is whole and in order, at any pace', () => {
	const written = fc.array(
		fc.record({
			text: fc.string({ minLength: 1, maxLength: 40 }),
			times: fc.integer({ min: 1, max: 4000 }),
			waits: fc.integer({ min: 0, max: 3 }),
		}),
		{ minLength: 1, maxLength: 12 },
	);

	test.each([
		['http', false],
		['https', false],
		['http', true],
		['https', true],
	] as const)('%s, through a proxy: %s', async (scheme, isProxied) => {
		let plan: Array<{ text: string; times: number; waits: number }> = [];
		const answer = async (outgoing: http.ServerResponse) => {
			for (const { text, times, waits } of plan) {
				if (waits > 0) await delay(waits);
				outgoing.write(text.repeat(times));
			}
			outgoing.end();
		};
		const listener = (_incoming: http.IncomingMessage, outgoing: http.ServerResponse) =>
			void answer(outgoing);
		const server =
			scheme === 'http'
				? http.createServer(listener)
				: https.createServer(testCertificate(), listener);
		servers.push(server);
		const port = await listen(server);
		const origin = `${scheme}://127.0.0.1:${port}`;
		if (isProxied) process.env[`${scheme}_proxy`] = (await startedProxy({ tunnelTo: [port] })).url;
		await fc.assert(
			fc.asyncProperty(written, fc.integer({ min: 0, max: 8 }), async (pieces, pause) => {
				plan = pieces;
				const read: Uint8Array[] = [];
				for await (const piece of await get(origin, { pace: { interval: () => pause } }))
					read.push(piece);
				expect(buffer.Buffer.concat(read).toString()).toBe(
					pieces.map(({ text, times }) => text.repeat(times)).join(''),
				);
			}),
			{ numRuns: 15 },
		);
	});
});

test('a kept connection whose last body nobody read answers the next request, of any length', async () => {
	let connections = 0;
	const used = new Set<unknown>();
	const origin = await rawServer((path, socket) => {
		if (!used.has(socket)) connections++;
		used.add(socket);
		const size = Number(path.slice(1));
		socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${size}\r\n\r\n`);
		socket.write(new Uint8Array(size).fill(97));
	});
	// The pieces of a body are 64 kB, so one of these lengths fills the memory and ends in the same piece.
	const length = fc.integer({ min: 250_000, max: 330_000 });
	await fc.assert(
		fc.asyncProperty(length, length, async (unread, next) => {
			const left = await get(origin, { path: String(unread), reset: false });
			await delay(20);
			left.destroy();
			let size = 0;
			for await (const piece of await get(origin, { path: String(next), reset: false }))
				size += piece.byteLength;
			expect(size).toBe(next);
		}),
		examples(30),
	);
	// Otherwise no connection was used again.
	expect(connections).toBeLessThan(60);
});
