/**
 * The simulator in cases 33 to 61 of docs/protocols/llama-server.md: event streams and their failures. Tests are numbered
 * by case.
 */
import { CHAT, finishesOf, gate, headerOf, HI, jsonOf, textOf } from '../support/chat-wire';
import { zlib } from '../support/node';
import { type RawAnswer, rawAsk, RawConnection } from '../support/raw-client';
import { sseData } from '../support/streams';
import { type LlamaServerSim, reply, type SimOptions, startLlamaServerSim } from './llama-server';
import { useSimulator } from './use-simulator';

const startServer = useSimulator(startLlamaServerSim);

let server: LlamaServerSim;
const start = async (options: SimOptions = {}): Promise<void> => {
	server = await startServer(options);
};
const opened: RawConnection[] = [];
const open = async (): Promise<RawConnection> => {
	const connection = await RawConnection.open(server.url);
	opened.push(connection);
	return connection;
};
afterEach(async () => {
	for (const connection of opened.splice(0)) connection.destroy();
});
const post = async (
	path: string,
	body: unknown,
	headers?: Record<string, string>,
): Promise<RawAnswer> => await rawAsk(server.url, { path, body, headers });
const chat = async (fields: object = {}, headers?: Record<string, string>): Promise<RawAnswer> =>
	await post(CHAT, { messages: HI, ...fields }, headers);
const stream = async (fields: object = {}): Promise<RawAnswer> =>
	await chat({ stream: true, ...fields });

describe('event streams', () => {
	beforeEach(async () => {
		await start();
	});

	test('33. chunks that split characters', async () => {
		server.script(reply.text('a 🦙 ü', { split: 'characters' }));
		const answer = await stream();
		expect(textOf(answer)).toBe('a 🦙 ü');
		const llama = [...Buffer.from('🦙')];
		const inOnePiece = answer.chunks.some((chunk) => llama.every((byte) => chunk.includes(byte)));
		expect(inOnePiece).toBe(false);
	});

	test('34. any split point, one byte at a time, or by a seed', async () => {
		server.script(
			reply.text('Hi', { split: [2, 5] }),
			reply.text('Hi', { split: 1 }),
			reply.text('Hi', { split: { seed: 7 } }),
		);
		const [at, single, seeded] = [await stream(), await stream(), await stream()];
		expect(at.chunks.slice(0, 2).map(String)).toEqual(['da', 'ta:']);
		expect(single.chunks.every((chunk) => chunk.length === 1)).toBe(true);
		expect(seeded.chunks.length).toBeGreaterThan(20);
		expect([textOf(at), textOf(single), textOf(seeded)]).toEqual(['Hi', 'Hi', 'Hi']);
	});

	test('35. other line ends', async () => {
		server.script(
			reply.text('Hi', { sse: { lineEnd: '\r\n' } }),
			reply.text('Hi', { sse: { lineEnd: '\r' } }),
		);
		expect((await stream()).body.toString()).toMatch(/^data: \{.*\}\r\n\r\ndata: [^\n]*\r\n\r\n/);
		expect((await stream()).body.toString()).not.toContain('\n');
	});

	test('36. no blank after the colon', async () => {
		server.script(reply.text('Hi', { sse: { noSpace: true } }));
		expect((await stream()).body.toString()).toMatch(/^data:\{/);
	});

	test('37. comments and blank lines', async () => {
		server.script(
			reply.chunks(['a', { comment: ': keep-alive' }, 'b'], {
				sse: { comments: [':'], blankLines: 2 },
			}),
		);
		const text = (await stream()).body.toString();
		expect(text).toMatch(/^:\n\ndata: \{.*\}\n\n\n\n:\n\ndata: /);
		expect(text).toContain(': keep-alive\n\n');
	});

	test('38. other fields before the data', async () => {
		server.script(
			reply.text('Hi', { sse: { fields: ['event: message', 'id: 7', 'retry: 3000'] } }),
		);
		expect((await stream()).body.toString()).toMatch(
			/^event: message\nid: 7\nretry: 3000\ndata: \{/,
		);
	});

	test('39. data over several lines', async () => {
		server.script(reply.text('Hi', { sse: { multiline: true } }));
		const [event = ''] = (await stream()).body.toString().split('\n\n');
		const data = event.split('\n').map((line) => line.replace(/^data: /, ''));
		expect(data.length).toBeGreaterThan(5);
		expect(JSON.parse(data.join('\n'))).toMatchObject({ object: 'chat.completion.chunk' });
	});

	test('40. a byte order mark', async () => {
		server.script(reply.text('Hi', { sse: { bom: true } }));
		expect([...(await stream()).body.subarray(0, 4)]).toEqual([0xef, 0xbb, 0xbf, 0x64]);
	});

	test('41. several events in one read, [DONE] with the last chunk', async () => {
		server.script(reply.text('one two three', { join: 100 }));
		const { chunks } = await stream();
		expect(chunks).toHaveLength(1);
		expect(chunks[0]!.toString()).toMatch(/data: \[DONE\]\n\n$/);
	});

	test('42. data after [DONE]', async () => {
		server.script(reply.text('Hi', { sse: { append: 'data: {"late":true}\n\n' } }));
		expect(sseData((await stream()).body).slice(-2)).toEqual(['[DONE]', '{"late":true}']);
	});

	test('43. an event of a megabyte', async () => {
		server.script(reply.chunks(['x'.repeat(1_000_000)]));
		expect(textOf(await stream())).toHaveLength(1_000_000);
	});

	test('44. one JSON body although a stream was asked for', async () => {
		server.script(reply.text('Hi', { asJson: true }));
		const answer = await stream();
		expect(headerOf(answer, 'content-type')).toBe('application/json; charset=utf-8');
		expect(jsonOf(answer)).toMatchObject({ choices: [{ message: { content: 'Hi' } }] });
	});

	test('45. other content types, or none', async () => {
		server.script(
			reply.text('Hi', { headers: { 'content-type': 'text/event-stream; charset=utf-8' } }),
			reply.text('Hi', { headers: { 'Content-Type': null } }),
		);
		expect(headerOf(await stream(), 'content-type')).toBe('text/event-stream; charset=utf-8');
		expect(headerOf(await stream(), 'content-type')).toBeUndefined();
	});

	test('46. compressed by a proxy', async () => {
		server.script(reply.text('Hi there', { gzip: true }));
		const answer = await stream();
		expect(headerOf(answer, 'content-encoding')).toBe('gzip');
		expect(textOf({ ...answer, body: zlib.gunzipSync(answer.body) })).toBe('Hi there');
	});
});

describe('stream failures', () => {
	beforeEach(async () => {
		await start({ slots: 2, pingMs: 15 });
	});
	const CONTEXT = { message: 'Context size has been exceeded.' };

	test('47. an error event after text, no finish, no [DONE]', async () => {
		server.script(reply.chunks(['Hal'], { error: CONTEXT }));
		const data = sseData((await stream()).body);
		expect(data.at(-1)).toBe(
			'{"error":{"code":500,"message":"Context size has been exceeded.","type":"server_error"}}',
		);
		expect(data).toHaveLength(3);
	});

	test('48. the same with [DONE]', async () => {
		server.script(reply.chunks(['Hal'], { error: { ...CONTEXT, thenDone: true } }));
		expect(sseData((await stream()).body).at(-1)).toBe('[DONE]');
		const vllm = await startServer({ profile: 'vllm' });
		vllm.script(reply.chunks(['Hal'], { error: CONTEXT }));
		const answer = await rawAsk(vllm.url, {
			path: CHAT,
			body: { model: 'sim-model', messages: HI, stream: true },
		});
		await vllm.close();
		expect(sseData(answer.body).slice(-2)).toEqual([
			'{"error":{"message":"Context size has been exceeded.","type":"InternalServerError","param":null,"code":500}}',
			'[DONE]',
		]);
	});

	test('49. a clean end without finish and [DONE]', async () => {
		server.script(reply.text('Hello you', { finish: false, done: false }));
		const answer = await stream();
		expect([textOf(answer), finishesOf(answer), sseData(answer.body).includes('[DONE]')]).toEqual([
			'Hello you',
			[],
			false,
		]);
		expect(answer.bytes.subarray(-5).toString()).toBe('0\r\n\r\n');
		server.script(reply.text('Hello you', { cut: { at: { event: 2 }, how: 'clean' } }));
		expect(textOf(await stream())).toBe('Hello');
	});

	test('50. finish, but no [DONE]', async () => {
		server.script(reply.text('Hi', { done: false }));
		const answer = await stream();
		expect([finishesOf(answer), sseData(answer.body).includes('[DONE]')]).toEqual([
			['stop'],
			false,
		]);
	});

	test('51. [DONE], but no finish', async () => {
		server.script(reply.text('Hi', { finish: false }));
		const answer = await stream();
		expect([finishesOf(answer), sseData(answer.body).at(-1)]).toEqual([[], '[DONE]']);
	});

	test.each(['fin', 'rst'] as const)('52. %s in the middle of a chunk', async (how) => {
		server.script(reply.text('Hello you there', { cut: { at: 600, how } }));
		const answer = await stream();
		expect(answer.end).toBe(how);
		expect(answer.body).toHaveLength(600);
		expect(answer.bytes.toString()).not.toMatch(/\r\n0\r\n\r\n$/);
		expect(server.requests[0]).toMatchObject({ endedBy: 'server' });
	});

	test('53. the raw line of a proxy, then a clean end', async () => {
		server.script(reply.childDiedAfter(['Hel']));
		const answer = await stream();
		expect(answer.body.toString()).toMatch(/\n\nproxy error: Failed to read connection$/);
		expect(answer.bytes.subarray(-5).toString()).toBe('0\r\n\r\n');
	});

	test('54. JSON by its type, plain text by its body', async () => {
		server.script(reply.childDied());
		const answer = await chat();
		expect([answer.status, headerOf(answer, 'content-type'), answer.body.toString()]).toEqual([
			500,
			'application/json; charset=utf-8',
			'proxy error: Failed to read connection',
		]);
	});

	test('55. an error found before the first result is a plain one', async () => {
		const answer = await stream({ tool_choice: 'always' });
		expect([answer.status, headerOf(answer, 'content-type')]).toEqual([
			400,
			'application/json; charset=utf-8',
		]);
	});

	test('56. invalid JSON in one event', async () => {
		server.script(reply.chunks(['a', { event: '{"choices":[{' }, 'b']));
		expect(sseData((await stream()).body)).toContain('{"choices":[{');
	});

	test('57. no byte for a given time, then the answer', async () => {
		const { wait, open: go } = gate();
		server.script(reply.text('Hi', { delayHeaders: wait }));
		const connection = await open();
		const answer = connection.ask({ path: CHAT, body: { messages: HI, stream: true } });
		await server.until(() => server.slots()[0]!.busy);
		expect(connection.bytes).toHaveLength(0);
		go();
		expect(textOf(await answer)).toBe('Hi');
	});

	test('58. headers at once, pings while nothing happens, then text', async () => {
		server.script(reply.chunks([{ comment: ':' }, { wait: 500 }, 'Hi']));
		const answer = await stream();
		expect(answer.body.toString().split(':\n\n').length).toBeGreaterThanOrEqual(3);
		expect(textOf(answer)).toBe('Hi');
	});

	test('59. headers at once and no pings, as on a busy server', async () => {
		server.script(reply.text('Hi', { delayBody: 40 }));
		const answer = await stream();
		expect(answer.body.toString()).toMatch(/^data: /);
		const other = stream({ sse_ping_interval: -1 });
		server.script(reply.chunks(['a', { wait: 40 }, 'b']));
		expect((await other).body.toString()).not.toContain(':\n\n');
	});

	test('60. a client that leaves while queued, in the prompt, in the middle: seen, and the slot is free', async () => {
		const forever = new Promise<void>(() => undefined);
		server.script(
			reply.chunks(['a', { wait: forever }]),
			reply.text('x', { delayHeaders: forever }),
			reply.text('queued'),
		);
		const body = { messages: HI, stream: true };
		const connections = [await open(), await open(), await open()];
		for (const [index, connection] of connections.entries()) {
			connection.send({ path: CHAT, body });
			await server.until(
				() => server.requests.length === index + 1 && (index < 2 || server.queued === 1),
			);
		}
		expect(server.slots().map(({ busy }) => busy)).toEqual([true, true]);
		for (const connection of connections.reverse()) connection.destroy();
		await server.until(() => server.slots().every(({ busy }) => !busy) && server.queued === 0);
		for (const request of server.requests) {
			expect(request.endedBy).toBe('client-abort');
			expect(request.abortedAfterMs).toBeGreaterThanOrEqual(0);
		}
		expect(textOf(await stream())).toBe('You said: Hi');
	});

	test('60. without a stream the server may notice late', async () => {
		const slow = await startServer({ disconnectPollMs: 250, slots: 1 });
		slow.script(reply.chunks([{ wait: new Promise(() => undefined) }, 'never']));
		const connection = await RawConnection.open(slow.url);
		connection.send({ path: CHAT, body: { messages: HI } });
		await slow.until(() => slow.slots()[0]!.busy);
		connection.destroy();
		await slow.until(() => slow.requests[0]!.endedBy === 'client-abort');
		expect(slow.slots()[0]!.busy).toBe(true);
		await slow.until(() => !slow.slots()[0]!.busy);
		await slow.close();
	});

	test('60. a conversation id keeps the run going without its client', async () => {
		const { wait, open: go } = gate();
		server.script(reply.chunks(['a', { wait }, 'b', 'c']));
		const connection = await open();
		connection.send({
			path: CHAT,
			body: { messages: HI, stream: true },
			headers: { 'X-Conversation-Id': 'c1' },
		});
		await connection.until((bytes) => bytes.includes('"a"'));
		const held = server.slots()[0]!.tokens;
		connection.destroy();
		await server.until(() => server.requests[0]!.endedBy === 'client-abort');
		expect(server.slots()[0]!.busy).toBe(true);
		go();
		await server.until(() => !server.slots()[0]!.busy);
		expect(server.slots()[0]!.tokens).toBe(held + 'abc'.length);
	});

	test('61. a half-closed connection counts as a disconnect', async () => {
		server.script(reply.chunks(['a', { wait: new Promise(() => undefined) }]));
		const connection = await open();
		connection.send({ path: CHAT, body: { messages: HI, stream: true } });
		await connection.until((bytes) => bytes.includes('"a"'));
		connection.socket.end();
		expect(await connection.closed()).toBe('fin');
		expect(server.requests[0]).toMatchObject({ endedBy: 'client-abort', halfClosed: true });
		await server.until(() => !server.slots()[0]!.busy);
	});
});
