import fc from 'fast-check';

import { queuedRequests } from '../../../lib/http/queue';
import { reply, startLlamaServerSim } from '../../servers/llama-server';
import { useSimulator } from '../../servers/use-simulator';
import { delay, setTimeout } from '../../support/node';
import { examples } from '../../support/properties';
import { ask, connect, openChat } from './client';

const start = useSimulator(startLlamaServerSim);

describe('the queue', () => {
	/** Answers that begin, and go on when all are told to. */
	const gated = () => {
		let open = () => {};
		const wait = new Promise<void>((resolve) => (open = resolve));
		return { open: () => open(), answer: () => reply.chunks(['a', { wait }, 'b']) };
	};

	test('case 97: three on two slots: the third waits for headers, all succeed', async () => {
		const server = await start({ slots: 2 });
		const { open, answer } = gated();
		server.script(answer(), answer());
		const connection = connect(server.url);
		const outcomes = Promise.all(Array.from({ length: 3 }, async () => await ask(connection)));
		await server.until(() => server.queued === 1);
		expect(server.requests[2]!.headersSentAt).toBeUndefined();
		open();
		expect((await outcomes).map(({ failed }) => failed)).toEqual([undefined, undefined, undefined]);
	});

	test('no more at the server than allowed, the others in order of arrival', async () => {
		const server = await start({ tokenDelayMs: 3 });
		const { open, answer } = gated();
		server.script(answer(), answer());
		const connection = connect(server.url, { maxConcurrentRequests: 2 });
		const asked = Array.from(
			{ length: 6 },
			async (_, index) => await ask(connection, { headers: { 'x-number': String(index) } }),
		);
		await server.until(() => server.slots().filter(({ busy }) => busy).length === 2);
		// Another object with the same credential shares the queue.
		expect(queuedRequests()).toBe(4);
		let most = 0;
		const watch = server.until(() => {
			most = Math.max(most, server.slots().filter(({ busy }) => busy).length);
			return (
				server.requests.length === 6 &&
				server.requests.every(({ endedBy }) => endedBy !== undefined)
			);
		});
		open();
		expect((await Promise.all(asked)).every(({ failed }) => failed === undefined)).toBe(true);
		await watch;
		expect(most).toBe(2);
		expect(server.requests.map(({ headers }) => headers['x-number'])).toEqual([
			'0',
			'1',
			'2',
			'3',
			'4',
			'5',
		]);
		expect(queuedRequests()).toBe(0);
	});

	test('case 60: a request cancelled in the queue of n8n leaves at once and is never sent', async () => {
		const server = await start();
		server.script(reply.chunks(['a', { wait: 3_600_000 }]));
		const connection = connect(server.url, { maxConcurrentRequests: 1 });
		const holding = await openChat(connection);
		const stop = new AbortController();
		const waiting = ask(connection, { signal: stop.signal });
		await server.until(() => queuedRequests() === 1);
		stop.abort();
		expect((await waiting).failed).toMatchObject({
			kind: 'aborted',
			url: `${server.url}/v1/chat/completions`,
		});
		expect(queuedRequests()).toBe(0);
		holding.close();
		expect(server.requests).toHaveLength(1);
	});

	test.each([
		['firstTokenLimit', { firstTokenMs: 150 }, 'first-token limit'],
		['totalLimit', { totalMs: 150 }, 'total limit'],
	])(
		'the wait in n8n counts against the %s, and the error names it and says that nothing was sent',
		async (kind, limits, words) => {
			const server = await start();
			const { open, answer } = gated();
			server.script(answer());
			const connection = connect(server.url, { maxConcurrentRequests: 1 });
			const first = ask(connection);
			await server.until(() => server.requests.length === 1);
			const { failed } = await ask(connection, { limits });
			expect(failed).toMatchObject({
				kind,
				facts: { queued: true },
				url: `${server.url}/v1/chat/completions`,
			});
			expect(failed!.message).toBe(
				`The request waited in n8n for a free place until its ${words} of 150 ms, and was not sent`,
			);
			expect(failed!.remedy).toContain('Max Concurrent Requests');
			expect(queuedRequests()).toBe(0);
			open();
			expect((await first).failed).toBeUndefined();
			expect(server.requests).toHaveLength(1);
			expect((await ask(connection)).failed).toBeUndefined();
		},
	);

	test('a credential without a limit does not queue, and frees no place of one with a limit', async () => {
		const server = await start({ slots: 8 });
		const { open, answer } = gated();
		server.script(answer());
		const limited = connect(server.url, { maxConcurrentRequests: 1 });
		const asked = Array.from({ length: 3 }, async () => await ask(limited));
		await server.until(() => server.requests.length === 1 && queuedRequests() === 2);
		expect((await ask(connect(server.url))).failed).toBeUndefined();
		expect((await ask(connect(server.url, { maxConcurrentRequests: 4 }))).failed).toBeUndefined();
		expect([server.requests.length, queuedRequests()]).toEqual([3, 2]);
		open();
		expect((await Promise.all(asked)).map(({ failed }) => failed)).toEqual([
			undefined,
			undefined,
			undefined,
		]);
	});

	test('llama-swap, nginx: two servers behind one proxy have a queue each', async () => {
		const server = await start({ slots: 8 });
		let open = () => {};
		const wait = new Promise<void>((resolve) => (open = resolve));
		const content = (text: string) => `data: {"choices":[{"delta":{"content":"${text}"}}]}\n\n`;
		server.route('POST /big/v1/chat/completions', () =>
			reply.sse(content('a'), { delayBody: wait }),
		);
		server.route('POST /small/v1/chat/completions', () => reply.sse(content('b')));
		const settings = { maxConcurrentRequests: 1 };
		const big = [
			ask(connect(`${server.url}/big`, settings)),
			ask(connect(`${server.url}/big`, settings)),
		];
		await server.until(() => server.requests.length === 1 && queuedRequests() === 1);
		expect((await ask(connect(`${server.url}/small`, settings))).text).toBe('b');
		open();
		expect((await Promise.all(big)).map(({ text }) => text)).toEqual(['a', 'a']);
	});

	test('every end of a request frees its place', async () => {
		const server = await start();
		const connection = connect(server.url, { maxConcurrentRequests: 1 });
		server.script(
			reply.llamaError(400, 'no'),
			reply.closed(),
			reply.text('cut here', { cut: { at: 300, how: 'rst' } }),
			reply.html(200, '<html>'),
			reply.text('fine'),
		);
		for (let round = 0; round < 5; round++) await ask(connection);
		expect((await ask(connection, { limits: { firstTokenMs: 30_000 } })).failed).toBeUndefined();
		expect(server.requests).toHaveLength(6);
	});

	test('the limit holds whatever comes and goes', async () => {
		const act = fc.record({
			wait: fc.nat(3),
			cancelAfter: fc.option(fc.nat(6), { nil: undefined }),
		});
		await fc.assert(
			fc.asyncProperty(
				fc.integer({ min: 1, max: 4 }),
				fc.array(act, { minLength: 20, maxLength: 20 }),
				async (limit, acts) => {
					const server = await start({ slots: 20 });
					const connection = connect(server.url, { maxConcurrentRequests: limit });
					let most = 0;
					const answer = () => {
						// Cancelled ones may still be on their way out.
						most = Math.max(
							most,
							server.requests.filter(
								({ endedBy, signal }) => endedBy === undefined && !signal.aborted,
							).length,
						);
						return reply.chunks(['a', { wait: 1 }, 'b']);
					};
					server.script(...acts.map(() => answer));
					const outcomes = acts.map(async ({ wait, cancelAfter }) => {
						await delay(wait);
						const stop = new AbortController();
						if (cancelAfter !== undefined) setTimeout(() => stop.abort(), cancelAfter);
						return {
							cancelled: cancelAfter !== undefined,
							...(await ask(connection, { signal: stop.signal })),
						};
					});
					for (const { failed, cancelled, text } of await Promise.all(outcomes)) {
						if (failed === undefined) expect(text).toBe('ab');
						else expect([failed.kind, cancelled]).toEqual(['aborted', true]);
					}
					const cancels = acts.filter(({ cancelAfter }) => cancelAfter !== undefined).length;
					expect(most).toBeLessThanOrEqual(cancels === 0 ? limit : limit + cancels);
					expect(queuedRequests()).toBe(0);
					await server.close();
				},
			),
			examples(6),
		);
	});
});
