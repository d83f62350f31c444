import { closeChannels } from '../../../lib/http/dispatcher';
import { SseDecoder } from '../../../lib/http/sse';
import { BodyTooLongError } from '../../../lib/http/too-long';
import { connectTo } from '../../../lib/servers/connect';
import { type net, zlib } from '../../support/node';
import { closeRawServers, rawServer } from '../../support/raw-answers';
import { ask, failureOf } from './client';

afterEach(async () => {
	await closeChannels();
	await closeRawServers();
});

/** The limits of a call and of a stream. One of these in place of the server's answer would be another kind of failure. */
const NEVER_MS = 600_000;
const LIMITS = { firstTokenMs: NEVER_MS, idleMs: NEVER_MS };

/** An answer whose headers and body arrive, and whose end does not. */
const unended = async (
	status: string,
	body: string,
	type = 'application/json',
	framing = 'Content-Length: 5000',
) =>
	await rawServer((_path, socket) => {
		socket.write(`HTTP/1.1 ${status}\r\nContent-Type: ${type}\r\n${framing}\r\n\r\n`);
		socket.write(
			framing.startsWith('Transfer') ? `${body.length.toString(16)}\r\n${body}\r\n` : body,
		);
	});

const framings = [
	'Content-Length: 5000',
	'Transfer-Encoding: chunked',
	'X-Ends: with the connection',
];

/** All at once, because each takes its 3 seconds. */
const together = async <T, R>(cases: readonly T[], work: (one: T) => Promise<R>): Promise<R[]> =>
	await Promise.all(cases.map(work));

describe('a refusal whose body never ends is told in seconds', () => {
	test('401 of a stream and of a call, however the body is framed', async () => {
		const body = '{"error":{"message":"Invalid API Key"}}';
		const outcomes = await together(framings, async (framing) => {
			const url = await unended('401 Unauthorized', body, undefined, framing);
			const { failed } = await ask(connectTo({ baseUrl: url }), { limits: LIMITS });
			const options = { once: true, timeoutMs: NEVER_MS };
			const call = async () => await connectTo({ baseUrl: url }).json(`${url}/v1/models`, options);
			return [failed, await failureOf(call)];
		});
		for (const failed of outcomes.flat())
			expect(failed).toMatchObject({
				kind: 'unauthorized',
				status: 401,
				serverText: 'Invalid API Key',
			});
	});

	test('also where its text is cut, is missing, or drips', async () => {
		const cases = [
			['502 Bad Gateway', '<html><title>502 Bad Gateway</title>', 'text/html', 'gateway'],
			['500 Internal Server Error', 'Compute err', 'text/plain', 'serverError'],
			['401 Unauthorized', '', 'application/json', 'unauthorized'],
			['502 Bad Gateway', 'drip', 'text/plain', 'gateway'],
		] as const;
		const drips: Array<Promise<void>> = [];
		await together(cases, async ([status, body, type, kind]) => {
			const url =
				body === 'drip'
					? await rawServer((_path, socket) => {
							socket.write(`HTTP/1.1 ${status}\r\nContent-Type: ${type}\r\n\r\n`);
							drips.push(drip(socket));
						})
					: await unended(status, body, type);
			const { failed } = await ask(connectTo({ baseUrl: url }), { limits: LIMITS });
			expect(failed).toMatchObject({ kind, status: Number(status.slice(0, 3)) });
		});
		await closeRawServers();
		await Promise.all(drips);
	});

	test('one that breaks off is still that refusal', async () => {
		const url = await rawServer((_path, socket) => {
			socket.end(
				'HTTP/1.1 401 Unauthorized\r\nContent-Length: 5000\r\n\r\n{"error":{"message":"Invalid API Key"}}',
			);
		});
		const { failed } = await ask(connectTo({ baseUrl: url }));
		expect(failed).toMatchObject({
			kind: 'unauthorized',
			status: 401,
			serverText: 'Invalid API Key',
		});
	});
});

describe('a complete answer whose body never ends is an answer', () => {
	const WHOLE = '{"choices":[{"message":{"content":"Hi {\\"}"}}]}';

	test('JSON in place of a stream, and of a call, however the body is framed', async () => {
		const outcomes = await together(framings, async (framing) => {
			const url = await unended('200 OK', WHOLE, undefined, framing);
			return await Promise.all([
				ask(connectTo({ baseUrl: url }), { limits: LIMITS }),
				connectTo({ baseUrl: url }).json(`${url}/v1/models`, { timeoutMs: NEVER_MS }),
			]);
		});
		for (const [stream, call] of outcomes) {
			expect(stream).toMatchObject({ failed: undefined, text: 'Hi {"}' });
			expect(call).toEqual(JSON.parse(WHOLE));
		}
	});

	test('a page in place of a stream', async () => {
		const url = await unended('200 OK', '<!doctype html><title>Log in</title>', 'text/html');
		const { failed } = await ask(connectTo({ baseUrl: url }), { limits: LIMITS });
		expect(failed).toMatchObject({ kind: 'notAnApi', status: 200, serverText: 'Log in' });
	});

	test('JSON lines that pause for longer than that are still read', async () => {
		const url = await rawServer((_path, socket) => {
			socket.write('HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{"a":1}\n{"b":2}\n');
			AbortSignal.timeout(3_600).addEventListener('abort', () => socket.end('{"c":3}\n'));
		});
		const { events, failed } = await ask(connectTo({ baseUrl: url }), {
			limits: LIMITS,
		});
		expect([failed, events.map(({ data }) => data)]).toEqual([
			undefined,
			['{"a":1}', '{"b":2}', '{"c":3}'],
		]);
	});
});

describe('a body without end does not fill the memory', () => {
	/** Sends a piece over and over until the client hangs up. How much was sent. */
	async function flood(
		head: string,
		piece: Buffer | string,
	): Promise<{ url: string; sent: () => number }> {
		let sent = 0;
		const bytes = Buffer.from(piece);
		const url = await rawServer((_path, socket) => {
			socket.write(`HTTP/1.1 200 OK\r\n${head}\r\n\r\n`);
			const push = () => {
				while (!socket.destroyed && sent < 200_000_000 && socket.write(bytes)) sent += bytes.length;
			};
			socket.on('drain', push);
			push();
		});
		return { url, sent: () => sent };
	}

	const STREAM = 'Content-Type: text/event-stream';
	const x = 'x'.repeat(65_536);
	test.each([
		['a line without end', `${STREAM}\r\nX-A: b`, x],
		['a data field of many lines', STREAM, `data: ${x}\n`],
		['JSON lines', 'Content-Type: application/x-ndjson', `{"a":"${x}`],
	])('%s', async (_name, head, piece) => {
		const { url, sent } = await flood(head, piece);
		const { failed } = await ask(connectTo({ baseUrl: url }));
		expect(failed).toMatchObject({ kind: 'invalidAnswer' });
		expect(failed!.message).toContain(
			'has more than 16 MB in one event, so it was not read further',
		);
		expect(sent()).toBeLessThan(60_000_000);
	});

	test('JSON in place of a stream', async () => {
		const { url, sent } = await flood('Content-Type: application/json', `["${x}",`);
		expect((await ask(connectTo({ baseUrl: url }))).failed).toMatchObject({
			kind: 'invalidAnswer',
		});
		expect(sent()).toBeLessThan(120_000_000);
	});

	test('a small answer that unpacks to a gigabyte', async () => {
		const packed = zlib.gzipSync(Buffer.alloc(100_000_000, 'a'));
		const url = await rawServer((_path, socket) => {
			socket.write(
				`HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: ${packed.length}\r\n\r\n`,
			);
			socket.end(packed);
		});
		expect((await ask(connectTo({ baseUrl: url }))).failed).toMatchObject({
			kind: 'invalidAnswer',
		});
		const call = async () => await connectTo({ baseUrl: url }).call(`${url}/v1/models`);
		expect(await failureOf(call)).toMatchObject({ kind: 'invalidAnswer' });
	});

	test('many events of any length are no line without end', () => {
		const decoder = new SseDecoder();
		let events = 0;
		for (const blank of ['\n', '\r\n', '\r'])
			for (let at = 0; at < 100; at++)
				events += decoder.push(Buffer.from(`data: ${'x'.repeat(400_000)}${blank}${blank}`)).length;
		const pings = Buffer.from(`: ${'x'.repeat(400_000)}\n\n`);
		for (let at = 0; at < 100; at++) events += decoder.push(pings).length;
		expect(events).toBeGreaterThanOrEqual(299);
		expect(() => {
			for (let at = 0; at < 100; at++) decoder.push(Buffer.from('x'.repeat(400_000)));
		}).toThrow(BodyTooLongError);
	});
});

async function drip(socket: net.Socket): Promise<void> {
	while (!socket.destroyed) {
		socket.write('.');
		await new Promise<void>((resolve) => {
			AbortSignal.timeout(50).addEventListener('abort', () => resolve());
		});
	}
}
