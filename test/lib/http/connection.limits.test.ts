import {
	type LlamaServerSim,
	type WireRequest,
	reply,
	startLlamaServerSim,
} from '../../servers/llama-server';
import { useSimulator } from '../../servers/use-simulator';
import { delay } from '../../support/node';
import { ask, connect, drain, failureOf, openChat, textOf } from './client';

const start = useSimulator(startLlamaServerSim);
const last = (server: LlamaServerSim): WireRequest => server.requests.at(-1)!;

describe('limits', () => {
	test('case 57: no byte for long is fine inside the first-token limit, and fatal after it', async () => {
		const server = await start({ promptDelayMs: 1500 });
		expect(
			(await ask(connect(server.url), { limits: { firstTokenMs: 0 } })).failed,
		).toBeUndefined();
		const { failed } = await ask(connect(server.url), { limits: { firstTokenMs: 900 } });
		expect(failed!.kind).toBe('firstTokenLimit');
		expect(failed!.message).toBe('No token arrived within the first-token limit of 900 ms');
		await server.until(() => last(server).endedBy === 'client-abort');
		expect(server.slots().every(({ busy }) => !busy)).toBe(true);
	});

	test('case 58: pings are no token: the first-token limit is hit in spite of them', async () => {
		const server = await start();
		server.script(reply.sse(pinging(60)));
		const { failed } = await ask(
			connect(server.url),
			{ limits: { firstTokenMs: 100, idleMs: 0 } },
			{ counts: () => false },
		);
		expect(failed!.kind).toBe('firstTokenLimit');
	});

	test.each([
		['comment pings', ':\n\n'],
		['empty deltas', 'data: {"choices":[{"delta":{"content":""}}]}\n\n'],
		['blank lines', '\n'],
	])(
		'case 58: a GPU that hangs after the first token: %s do not restart the idle limit',
		async (_name, ping) => {
			const server = await start();
			server.script(reply.sse(pinging(600, ping)));
			const counts = ({ data }: { data: string }) => /"content":"."/.test(data);
			const { failed, text } = await ask(
				connect(server.url),
				{ limits: { idleMs: 300 } },
				{ counts },
			);
			expect([failed!.kind, text]).toEqual(['idleLimit', 'a']);
			await server.until(() => last(server).endedBy === 'client-abort');
		},
	);

	test('case 59: silence between two tokens is fine inside the idle limit, and fatal after it', async () => {
		const server = await start();
		const answer = (wait: number) => reply.chunks(['a', { wait }, 'b']);
		server.script(answer(150), answer(150), answer(5000));
		expect((await ask(connect(server.url), { limits: { idleMs: 0 } })).text).toBe('ab');
		expect((await ask(connect(server.url), { limits: { idleMs: 30_000 } })).text).toBe('ab');
		const { failed, text } = await ask(connect(server.url), { limits: { idleMs: 60 } });
		expect([failed!.kind, text]).toEqual(['idleLimit', 'a']);
		expect(failed!.message).toContain('no more of it arrived for 60 ms');
	});

	test('before the first token only the first-token limit counts', async () => {
		const server = await start();
		server.script(reply.chunks(['a', { wait: 120 }, 'b']));
		expect(
			(
				await ask(
					connect(server.url),
					{ limits: { firstTokenMs: 30_000, idleMs: 30 } },
					{ counts: () => false },
				)
			).text,
		).toBe('ab');
	});

	test('a total limit, where one is set', async () => {
		const server = await start({ tokenDelayMs: 10 });
		server.script(reply.text('word '.repeat(500)));
		const { failed, text } = await ask(connect(server.url), { limits: { totalMs: 1500 } });
		expect(failed!.kind).toBe('totalLimit');
		expect(text).toMatch(/^word /);
	});

	test('an upload may take its time as long as pieces are sent', async () => {
		const server = await start();
		server.route('POST /v1/audio/transcriptions', reply.json({ text: 'x' }));
		const connection = connect(server.url);
		const upload = async (pauseMs: number, idleMs: number) => {
			const content = (async function* () {
				for (let piece = 0; piece < 4; piece++) {
					await delay(pauseMs, undefined, { ref: false });
					yield Buffer.from('abc');
				}
			})();
			return await connection.call(`${connection.url.api}/audio/transcriptions`, {
				body: { content, contentType: 'audio/wav' },
				idleMs,
				timeoutMs: 0,
			});
		};
		expect((await upload(600, 2000)).status).toBe(200);
		expect(last(server).bytes.toString()).toBe('abcabcabcabc');
		expect((await failureOf(async () => await upload(60_000, 400)))!.kind).toBe('idleLimit');
	});

	test('after the finish a socket left open is given up soon', async () => {
		const server = await start();
		server.script(reply.text('Hi', { done: false, cut: { at: 'end', how: 'silence' } }));
		const stream = await openChat(connect(server.url), { limits: { idleMs: 50 } });
		const { failed } = await drain({ ...stream, content: () => stream.expectEnd() });
		expect(failed!.kind).toBe('idleLimit');
	});

	test('a non-streamed call has its own limit, and its error says what to do', async () => {
		const server = await start();
		server.route('GET /props', reply.silence());
		const failed = await failureOf(
			async () => await connect(server.url).call(`${server.url}/props`, { timeoutMs: 900 }),
		);
		expect(failed!.message).toBe('No answer within 900 ms');
		expect(failed!.remedy).toContain('busy or stuck');
		expect(server.requests).toHaveLength(1);
	});

	test('a call whose body never ends', async () => {
		const server = await start();
		server.route('GET /props', reply.json({ a: 1 }, { cut: { at: 3, how: 'silence' } }));
		expect(
			(await failureOf(
				async () => await connect(server.url).call(`${server.url}/props`, { timeoutMs: 60 }),
			))!.kind,
		).toBe('totalLimit');
		server.route('GET /props', reply.json({ a: 1 }, { cut: { at: 3, how: 'rst' } }));
		expect(
			(await failureOf(async () => await connect(server.url).call(`${server.url}/props`)))!.kind,
		).toBe('connectionLost');
	});

	test('of an error body no more than half a megabyte is read', async () => {
		const server = await start();
		server.route('GET /props', reply.error(500, 'x'.repeat(3_000_000)));
		const { text } = await connect(server.url).call(`${server.url}/props`);
		expect(text.length).toBeGreaterThan(500_000);
		expect(text.length).toBeLessThan(1_000_000);
	});
});

describe('cancelling', () => {
	/**
	 * Cancels when the moment has come, and waits until the server has seen it: by itself it would go on for an hour.
	 */
	async function cancel(server: LlamaServerSim, moment: () => boolean) {
		const stop = new AbortController();
		const outcome = ask(connect(server.url), { signal: stop.signal });
		await server.until(moment);
		stop.abort();
		const { failed } = await outcome;
		await server.until(() => last(server).endedBy === 'client-abort');
		return failed;
	}

	test('case 60: while the server has it in its queue', async () => {
		const server = await start({ slots: 1 });
		server.script(reply.chunks(['a', { wait: 3_600_000 }]));
		const other = await openChat(connect(server.url));
		const failed = await cancel(server, () => server.queued === 1);
		expect(failed!.kind).toBe('aborted');
		expect(server.queued).toBe(0);
		other.close();
		await server.until(() => !server.slots()[0]!.busy);
	});

	test('case 60: while the prompt is read, before any header', async () => {
		const server = await start({ promptDelayMs: 3_600_000 });
		const failed = await cancel(server, () => server.slots().some(({ busy }) => busy));
		expect(failed!.kind).toBe('aborted');
		expect(last(server).status).toBeUndefined();
		await server.until(() => server.slots().every(({ busy }) => !busy));
	});

	test.each([{}, { gzip: true }])(
		'case 60: in the middle of the answer (%j)',
		async (transport) => {
			const server = await start();
			server.script(reply.chunks(['a', { wait: 3_600_000 }, 'b'], transport));
			const stop = new AbortController();
			const stream = await openChat(connect(server.url), { signal: stop.signal });
			let text = '';
			const failed = await failureOf(async () => {
				for await (const batch of stream.batches) {
					text += textOf(batch);
					if (text === '') continue;
					stop.abort();
				}
			});
			await server.until(() => last(server).endedBy === 'client-abort');
			expect([failed!.kind, text]).toEqual(['aborted', 'a']);
			await server.until(
				() => server.slots().every(({ busy }) => !busy) && server.connections.open === 0,
			);
		},
	);

	test('case 60: before it is sent', async () => {
		const server = await start();
		expect((await ask(connect(server.url), { signal: AbortSignal.abort() })).failed!.kind).toBe(
			'aborted',
		);
		expect(
			(await failureOf(
				async () =>
					await connect(server.url).call(`${server.url}/props`, { signal: AbortSignal.abort() }),
			))!.kind,
		).toBe('aborted');
		expect(server.requests).toHaveLength(0);
	});

	test('a call, while it waits', async () => {
		const server = await start();
		server.route('GET /props', reply.silence());
		const stop = new AbortController();
		const outcome = failureOf(
			async () => await connect(server.url).call(`${server.url}/props`, { signal: stop.signal }),
		);
		await server.until(() => server.requests.length === 1);
		stop.abort();
		expect((await outcome)!.kind).toBe('aborted');
		await server.until(() => last(server).endedBy === 'client-abort');
	});

	test('a reader that stops, or closes without having read, frees the slot', async () => {
		const server = await start({ tokenDelayMs: 5 });
		server.script(reply.text('word '.repeat(200)), reply.text('word '.repeat(200)));
		const connection = connect(server.url, { maxConcurrentRequests: 1 });
		const first = await openChat(connection);
		for await (const batch of first.batches) if (batch.length > 0) break;
		const second = await openChat(connection);
		second.close();
		second.close();
		await server.until(() => server.slots().every(({ busy }) => !busy));
		expect((await ask(connection)).failed).toBeUndefined();
	});

	test('an unread answer is dropped at its limit, and its place is freed', async () => {
		const server = await start({ tokenDelayMs: 5 });
		server.script(reply.text('word '.repeat(5000)));
		const connection = connect(server.url, { maxConcurrentRequests: 1 });
		await openChat(connection, { limits: { firstTokenMs: 1500 } });
		expect((await ask(connection)).failed).toBeUndefined();
		expect(server.requests[0]!.endedBy).toBe('client-abort');
	});
});

/** An answer of two tokens with pings between them. */
async function* pinging(count: number, ping = ':\n\n'): AsyncGenerator<string> {
	yield 'data: {"choices":[{"delta":{"content":"a"}}]}\n\n';
	for (let pings = 0; pings < count; pings++) {
		await delay(15);
		yield ping;
	}
	yield 'data: {"choices":[{"delta":{"content":"b"}}]}\n\n';
}
