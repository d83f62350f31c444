import * as fc from 'fast-check';

import { ChatClient } from '../../../lib/chat/client';
import type { FinishedAnswer } from '../../../lib/chat/types';
import { ServerError } from '../../../lib/errors/server-error';
import { readToEnd } from '../../../lib/generators';
import { connectTo } from '../../../lib/servers/connect';
import {
	type KeptAnswersProxyOptions,
	startKeptAnswersProxy,
} from '../../servers/kept-answers-proxy';
import { type Reply, reply, startLlamaServerSim } from '../../servers/llama-server';
import { delta, json, type Script, sse, startScripted } from '../../servers/scripted';
import { useSimulator } from '../../servers/use-simulator';
import { delay } from '../../support/node';
import { examples } from '../../support/properties';
import { PLAIN_SETTINGS } from './chat-settings';

const startServer = useSimulator(startLlamaServerSim);
const startProxy = useSimulator(startKeptAnswersProxy);
const startScript = useSimulator(startScripted);

/** Requests about the server do not break. */
const streamsOnly = ({
	breakAfter,
	...rest
}: KeptAnswersProxyOptions): KeptAnswersProxyOptions => ({
	...rest,
	breakAfter: (request) => (request.target.includes('/props') ? undefined : breakAfter?.(request)),
});

async function setUp(options: KeptAnswersProxyOptions = {}, tokenDelayMs = 0) {
	const sim = await startServer({ tokenDelayMs });
	const proxy = await startProxy(sim.url, streamsOnly(options));
	const client = new ChatClient(connectTo({ baseUrl: proxy.url }), {
		...PLAIN_SETTINGS,
		serverKind: 'llamaServer',
	});
	const ask = async (
		signal?: AbortSignal,
		onPiece?: () => void,
	): Promise<FinishedAnswer & { pieces: string }> => {
		const answer = client.generate({
			messages: [{ type: 'human', content: 'Hi' }],
			tools: [
				{
					name: 'get_weather',
					parameters: { type: 'object', properties: { city: { type: 'string' } } },
				},
			],
			signal,
		});
		let pieces = '';
		for (;;) {
			const next = await answer.next();
			if (next.done === true) return { ...next.value, pieces };
			pieces += next.value;
			onPiece?.();
		}
	};
	const say = async (...replies: Reply[]) => {
		sim.script(...replies);
		return await ask();
	};
	const freed = async () => await sim.until(() => sim.slots().every(({ busy }) => !busy));
	return { sim, proxy, ask, say, freed };
}

const asked = (log: readonly string[], method: string) =>
	log.filter((line) => line.startsWith(method));
const STREAM = 'POST /v1/chat/completions';

test('wherever the socket breaks, and however often, the answer is whole and nothing comes twice', async () => {
	const text = 'Grüße 😀, "quoted" \\ and a line\nbreak. '.repeat(6);
	const cuts: number[] = [];
	const { proxy, say, freed } = await setUp({ breakAfter: () => cuts.shift() });
	await fc.assert(
		fc.asyncProperty(
			fc.array(fc.nat(9000), { maxLength: 5 }),
			fc.boolean(),
			async (where, calls) => {
				// The first body has at least the bytes of its role chunk, so that it begins.
				cuts.splice(0, cuts.length, ...where.map((at) => at + 300));
				const answer = await say(
					calls
						? reply.toolCalls([{ name: 'get_weather', arguments: { city: text } }], {
								text: 'I look. ',
								reasoning: 'Hm. ',
							})
						: reply.text(text),
				);
				cuts.length = 0;
				if (calls)
					expect(
						answer.toolCalls.map(({ name, arguments: written }) => [
							name,
							JSON.parse(written) as unknown,
						]),
					).toEqual([['get_weather', { city: text }]]);
				else expect(answer.text).toBe(text);
				expect(answer.pieces).toBe(answer.text);
				await freed();
				expect(proxy.running).toBe(0);
			},
		),
		examples(60),
	);
	expect(asked(proxy.log, 'GET /v1/stream').length).toBeGreaterThan(20);
	// An answer that came whole needs no end.
	expect(asked(proxy.log, 'DELETE')).toEqual([]);
});

test.each([[], [800], [900, 1300], [700, 1200, 4000]])(
	'behind a gateway that drops where to begin, an answer that broke at %p bytes is whole too',
	async (...cuts) => {
		const text = 'Grüße 😀 and a line\nbreak. '.repeat(20);
		const { proxy, say } = await setUp({ breakAfter: () => cuts.shift(), dropsFrom: true });
		const broken = cuts.length;
		const answer = await say(reply.text(text));
		expect([answer.text, answer.pieces]).toEqual([text, text]);
		expect(asked(proxy.log, 'GET /v1/stream')).toHaveLength(broken);
	},
);

test('a note says that the connection broke', async () => {
	const cuts = [600, 300];
	const { say } = await setUp({ breakAfter: () => cuts.shift() });
	const { notes } = await say(reply.text('word '.repeat(100)));
	expect(notes).toEqual([expect.stringContaining('broke 2 times in the middle of the answer')]);
});

test('a body that a proxy ends early as if complete is resumed as well', async () => {
	const cuts = [700];
	const { say } = await setUp({ breakAfter: () => cuts.shift(), breaksCleanly: true });
	expect((await say(reply.text('word '.repeat(50)))).text).toBe('word '.repeat(50));
});

test('the server is asked once whether it keeps answers', async () => {
	const { proxy, say } = await setUp();
	for (let round = 0; round < 3; round++) await say(reply.text('Hello'));
	expect(asked(proxy.log, 'POST')).toEqual(['POST /v1/streams/lookup', STREAM, STREAM, STREAM]);
});

test('a server that keeps no answers is not asked for them, and a broken answer is an error as before', async () => {
	const cuts = [undefined, 700];
	const { proxy, say } = await setUp({ keeps: false, breakAfter: () => cuts.shift() });
	const failed = await say(reply.text('word '.repeat(50))).catch((error: unknown) => error);
	expect(failed).toMatchObject({ kind: 'connectionLost' });
	expect((failed as ServerError).partialText).toContain('word');
	expect(proxy.log.filter((line) => line.includes('conv_id'))).toEqual([]);
});

describe('every kind of end stops the generation on the server', () => {
	test('Stop', async () => {
		const { sim, proxy, ask, freed } = await setUp({}, 5);
		sim.script(reply.text('word '.repeat(1000)));
		const stop = new AbortController();
		const failed = await ask(stop.signal, () => stop.abort()).catch((error: unknown) => error);
		expect(failed).toMatchObject({ kind: 'aborted' });
		await freed();
		expect([proxy.running, asked(proxy.log, 'DELETE').length]).toEqual([0, 1]);
	});

	test('Stop while the answer is being taken up again', async () => {
		const stop = new AbortController();
		const cuts = [700, 0, 0];
		const { sim, proxy, ask, freed } = await setUp({ breakAfter: () => cuts.shift() }, 5);
		sim.script(reply.text('word '.repeat(1000)));
		const asking = ask(stop.signal).catch((error: unknown) => error);
		await sim.until(() => asked(proxy.log, 'GET /v1/stream').length > 1);
		stop.abort();
		expect(await asking).toMatchObject({ kind: 'aborted' });
		await freed();
		expect(proxy.running).toBe(0);
	});

	test('a limit', async () => {
		const sim = await startServer({ tokenDelayMs: 20 });
		const proxy = await startProxy(sim.url);
		const settings = {
			...PLAIN_SETTINGS,
			serverKind: 'llamaServer' as const,
			limits: { totalMs: 300 },
		};
		sim.script(reply.text('word '.repeat(1000)));
		const answer = new ChatClient(connectTo({ baseUrl: proxy.url }), settings).generate({
			messages: [{ type: 'human', content: 'Hi' }],
		});
		const read = async () => {
			while ((await answer.next()).done !== true);
		};
		await expect(read()).rejects.toMatchObject({ kind: 'totalLimit' });
		await sim.until(() => sim.slots().every(({ busy }) => !busy));
		expect(proxy.running).toBe(0);
	});
});

describe('an answer that cannot be taken up again is an error with what had arrived', () => {
	const cases: Array<[string, KeptAnswersProxyOptions]> = [
		[
			'its beginning has left the buffer',
			{ bufferBytes: 100, breakAfter: ({ method }) => (method === 'POST' ? 900 : undefined) },
		],
	];
	test.each(cases)('%s', async (_name, options) => {
		const { say } = await setUp(options);
		const failed = await say(reply.text('word '.repeat(500))).catch((error: unknown) => error);
		expect(failed).toMatchObject({ kind: 'connectionLost' });
		expect((failed as ServerError).partialText).toContain('word');
	});

	test('the generation was stopped on the server', async () => {
		const { sim, proxy, ask } = await setUp({}, 2);
		sim.script(reply.text('word '.repeat(1000)));
		let ended = false;
		const failed = await ask(undefined, () => {
			if (!ended) sim.dropAll();
			ended = true;
		}).catch((error: unknown) => error);
		expect(failed).toMatchObject({ kind: 'streamEndedEarly' });
		expect(asked(proxy.log, 'GET /v1/stream')).toHaveLength(1);
	});
});

/** A llama-server that begins each answer and breaks it; `rest`: what it says when it is asked for the rest. */
async function breaking(rest: Script, lookup: Script = (_request, response) => json(response, [])) {
	const server = await startScript((request, response) => {
		if (request.path.endsWith('/streams/lookup')) lookup(request, response);
		else if (request.method === 'DELETE') response.writeHead(204).end();
		else if (request.path.startsWith('/v1/stream?')) rest(request, response);
		else if (request.method === 'GET') response.writeHead(404).end();
		else {
			response.writeHead(200, { 'content-type': 'text/event-stream' });
			response.write(sse(delta({ content: 'One ' })), () => {
				void delay(5).then(() => response.socket?.resetAndDestroy());
			});
		}
	});
	const settings = { ...PLAIN_SETTINGS, serverKind: 'llamaServer' as const };
	const answer = () =>
		readToEnd(
			new ChatClient(connectTo({ baseUrl: server.url }), settings).generate({
				messages: [{ type: 'human', content: 'Hi' }],
			}),
		);
	return { server, answer };
}

test.each<[string, Script]>([
	[
		'a page',
		(_request, response) =>
			void response.writeHead(200, { 'content-type': 'text/html' }).end('<html>'),
	],
	['JSON', (_request, response) => json(response, { error: { message: 'no' } })],
	['a refusal', (_request, response) => json(response, { error: { message: 'no' } }, 401)],
	['a request for money', (_request, response) => json(response, {}, 402)],
])(
	'%s instead of the rest is not part of the answer, and the generation is stopped',
	async (_name, rest) => {
		const { server, answer } = await breaking(rest);
		await expect(answer()).rejects.toMatchObject({ kind: 'connectionLost', partialText: 'One ' });
		await delay(100);
		expect(server.requests.map(({ method }) => method)).toEqual(['POST', 'POST', 'GET', 'DELETE']);
	},
);

test('a server that does not answer the question for kept answers delays only one answer', async () => {
	const { server, answer } = await breaking(
		(_request, response) => json(response, {}, 404),
		() => undefined,
	);
	for (let round = 0; round < 3; round++)
		await expect(answer()).rejects.toMatchObject({ kind: 'connectionLost' });
	expect(server.requests.filter(({ path }) => path.endsWith('/streams/lookup'))).toHaveLength(1);
	expect(server.requests.filter(({ headers }) => 'x-conversation-id' in headers)).toEqual([]);
});
