/** Promises to users. Connections: how long the nodes wait, and when an answer is over. */
import {
	CHAT,
	delta,
	LLAMA_SERVER,
	openStream,
	send,
	silence,
	stuckAfter,
	text,
	usage,
} from './support/responses';
import { useClock } from './support/fake-clock';
import {
	chatModel,
	embeddings,
	failureOf,
	model,
	run,
	streamOf,
	textOf,
} from './support/node-runner';
import type { ChatModel } from './support/node-runner';
import { json, until, useServers } from '../support/servers/scripted-server';
import type { Answer } from '../support/servers/scripted-server';
import type * as http from 'node:http';
import { setTimeout } from 'node:timers';

const start = useServers();
const serve = async (...answers: Answer[]) =>
	await start({ ...LLAMA_SERVER, [`POST ${CHAT}`]: answers });

const MINUTE = 60_000;
const LOADING = { code: 503, message: 'Loading model', type: 'unavailable_error' };
const loading = json({ error: LOADING }, 503);
const word = (content: string) => delta({ content });

/** A chat server whose answer the test writes while it runs. */
async function heldServer() {
	let pending: http.ServerResponse | undefined;
	const server = await serve((_request, response) => void (pending = response));
	return {
		url: server.url,
		arrived: async () => (await server.arrived(CHAT))[0]!,
		open: () => openStream(pending!),
		send: (...events: Parameters<typeof send>[1][]) => send(pending!, ...events),
		raw: (bytes: string) => void pending!.write(bytes),
		end: () => void pending!.end('data: [DONE]\n\n'),
	};
}

/** Reads a response, and returns how much of it has arrived. */
function reading(chat: ChatModel) {
	let seen = '';
	let state = 'reading';
	const answer = (async () => {
		for await (const { content } of await chat.stream('Hi')) seen += String(content);
		return seen;
	})();
	answer.then(
		(text) => (state = `complete: ${text}`),
		(error: Error) => (state = `failed: ${error.message}`),
	);
	return {
		answer,
		/** "reading", or how the reader ended. */
		getState: () => state,
		has: async (text: string) =>
			await until(
				() => seen === text || state !== 'reading',
				() => `the text "${text}"; the reader has "${seen}"`,
			),
	};
}

describe('timeouts', () => {
	const clock = useClock();

	test('survive 310 s without a byte before the response, and within it without an Idle Timeout', async () => {
		const server = await heldServer();
		const { supplied } = await chatModel(server.url, {
			parameters: { options: { idleTimeout: 0 } },
		});
		const { answer, has } = reading(supplied);
		await server.arrived();
		await clock.pass(310_000);
		server.open();
		server.send(word('slow '));
		await has('slow ');
		await clock.pass(310_000);
		server.send(word('box'), delta({}, 'stop'), usage());
		server.end();
		expect(await answer).toBe('slow box');
	});

	test('no total timeout by default: two and a half hours with a chunk every four minutes', async () => {
		const server = await heldServer();
		const { supplied } = await chatModel(server.url);
		const { answer, has } = reading(supplied);
		await server.arrived();
		server.open();
		for (let piece = 1; piece <= 38; piece++) {
			server.send(word('.'));
			await has('.'.repeat(piece));
			await clock.pass(4 * MINUTE);
		}
		server.send(delta({}, 'stop'), usage());
		server.end();
		expect(await answer).toBe('.'.repeat(38));
	});

	test('no first token for 30 minutes: an error that names the timeout, and the request is closed', async () => {
		const server = await serve(silence);
		const { supplied } = await chatModel(server.url);
		let message = 'none';
		const failed = failureOf(supplied.invoke('Hi')).then((error) => (message = error.message));
		const [request] = await server.arrived(CHAT);
		await clock.pass(29.9 * MINUTE);
		expect(message).toBe('none');
		await clock.pass(0.2 * MINUTE);
		expect(await failed).toMatch(/within 30 minutes \(First Token Timeout\)/);
		await request!.cut;
		expect(server.sent(CHAT)).toHaveLength(1);
	});

	test.each([
		['silence', ''],
		['comments', ': ping\n\n'],
		['empty pieces', 'data: {"choices":[{"index":0,"delta":{"content":""}}]}\n\n'],
	])('after the first token, five minutes of %s end the request', async (_name, ping) => {
		const server = await heldServer();
		const { supplied } = await chatModel(server.url);
		const { answer, has, getState } = reading(supplied);
		const request = await server.arrived();
		server.open();
		server.send(word('half'));
		await has('half');
		for (let minute = 0; minute < 4; minute++) {
			await clock.pass(MINUTE);
			if (ping !== '') server.raw(ping);
		}
		expect(getState()).toBe('reading');
		await clock.pass(2 * MINUTE);
		const { context } = await failureOf(answer);
		expect(context.data).toMatchObject({ type: 'idleTimeout', partialText: 'half' });
		await request.cut;
	});

	test.each([
		['firstTokenTimeout', silence, ''],
		['idleTimeout', stuckAfter(word('One')), 'One'],
		['totalTimeout', stuckAfter(word('One')), 'One'],
	])('%s in the options is in seconds', async (name, answers, begun) => {
		const server = await serve(answers);
		const { supplied } = await chatModel(server.url, {
			parameters: { options: { firstTokenTimeout: 100, idleTimeout: 100, [name]: 7 } },
		});
		const { answer, has, getState } = reading(supplied);
		await server.arrived(CHAT);
		await has(begun);
		await clock.pass(6_500);
		expect(getState()).toBe('reading');
		await clock.pass(1_000);
		expect((await failureOf(answer)).context.data).toMatchObject({ type: name });
	});

	test.each(['silence', 'comments', 'pings'])(
		'a finish without [DONE], then %s on an open socket, ends after seconds, not after the Idle Timeout',
		async (rest) => {
			const lines: Record<string, string> = {
				comments: ': ping\n\n',
				pings: '{"type":"ping"}\n\n',
			};
			let ping = () => {};
			const server = await serve((request, response) => {
				stuckAfter(word('Done.'), delta({}, 'stop'))(request, response);
				ping = () => void response.write(lines[rest] ?? '');
			});
			const { supplied } = await chatModel(server.url);
			const { answer, has, getState } = reading(supplied);
			await has('Done.');
			for (let seconds = 0; seconds < 30 && getState() === 'reading'; seconds++) {
				if (rest !== 'silence') ping();
				await clock.pass(1000);
			}
			expect(getState()).toBe('complete: Done.');
			expect(await answer).toBe('Done.');
		},
	);

	test.each(['chat', 'embed'])(
		'whole JSON on a socket that stays open is the answer: %s',
		async (operation) => {
			const hanging =
				(body: object): Answer =>
				(_request, response) => {
					response.writeHead(200, { 'content-type': 'application/json' });
					response.write(JSON.stringify(body));
				};
			const message = { role: 'assistant', content: 'Whole.' };
			const choices = [{ index: 0, message, finish_reason: 'stop' }];
			const server = await start({
				...LLAMA_SERVER,
				[`POST ${CHAT}`]: hanging({ object: 'chat.completion', model: 'sim-model', choices }),
				'POST /v1/embeddings': hanging({ data: [{ index: 0, embedding: [0.5, 0.5] }] }),
			});
			if (operation === 'chat') {
				const { supplied } = await chatModel(server.url);
				expect((await clock.passUntil(supplied.invoke('Hi'))).content).toBe('Whole.');
				return;
			}
			const [item] = await clock.passUntil(
				run(server.url, 'vector:embed', { parameters: { text: 'a' } }),
			);
			expect(item!.json.output).toEqual([0.5, 0.5]);
		},
	);

	test('503 "Loading model" is retried with the same request', async () => {
		const server = await serve(loading, loading, loading, text('Here I am.'));
		const { supplied } = await chatModel(server.url);
		expect((await clock.passUntil(supplied.invoke('Hi'))).content).toBe('Here I am.');
		const bodies = server.sent(CHAT);
		expect(bodies).toHaveLength(4);
		expect(bodies[3]).toEqual(bodies[0]);
	});

	test('a model that loads for longer than the First Token Timeout is an error that names it', async () => {
		const server = await serve(loading);
		const { supplied } = await chatModel(server.url, {
			parameters: { options: { firstTokenTimeout: 120 } },
		});
		const failed = await clock.passUntil(failureOf(supplied.invoke('Hi')));
		expect(failed.message).toMatch(/^The model is still loading after (?:1\d\d s|2 minutes)$/);
	});

	const busy = (status: number, seconds: string): Answer =>
		json({ error: { message: 'Too busy' } }, status, { 'retry-after': seconds });

	const PAUSES: Array<[string, Answer]> = [
		['a loading model', loading],
		['a busy server', busy(429, '30')],
		['a server that is down', busy(503, '20')],
	];

	test.each(PAUSES)(
		'the Total Timeout ends the pause before a retry, and is named: %s',
		async (_name, answer) => {
			const server = await serve(answer);
			const { supplied } = await chatModel(server.url, {
				parameters: { options: { totalTimeout: 3, maxRetries: 5 } },
			});
			const failed = await clock.passUntil(failureOf(supplied.invoke('Hi')));
			expect([failed.message, failed.context.data]).toMatchObject([
				'The response took longer than 3 s (Total Timeout)',
				{ type: 'totalTimeout' },
			]);
		},
	);

	test.each(PAUSES)('Stop ends the pause before a retry: %s', async (_name, answer) => {
		const server = await serve(answer);
		const { supplied, cancel } = await chatModel(server.url, {
			parameters: { options: { maxRetries: 5 } },
		});
		const failing = failureOf(streamOf(supplied, 'Hi'));
		await server.arrived(CHAT);
		await clock.pass(1);
		cancel.abort();
		const failed = await clock.passUntil(failing);
		expect([failed.message, failed.context.data]).toMatchObject([
			expect.stringMatching(/cancel|stop/i),
			{ type: 'aborted' },
		]);
	});

	describe('a model that loads for more than five seconds: a log entry runs until it is loaded', () => {
		const STATUS = { status: expect.stringMatching(/^The model is still loading/) as string };

		/** A server whose model is loading until `load()`. */
		async function serveLoading(loaded: Answer, route = `POST ${CHAT}`) {
			let isLoaded = false;
			const answer: Answer = (request, response) =>
				(isLoaded ? loaded : loading)(request, response);
			const { url } = await start({ ...LLAMA_SERVER, [route]: answer });
			return { url, load: () => (isLoaded = true) };
		}

		const pass = async (seconds: number) => {
			for (let second = 0; second < seconds; second++) await clock.pass(1_000);
		};

		test('nothing is green before, and the entry says how long it took', async () => {
			const server = await serveLoading(text('Here I am.'));
			const { supplied, inputs, outputs, hints } = await chatModel(server.url);
			const work = streamOf(supplied, 'Hi');
			await pass(2);
			expect(inputs).not.toContainEqual(STATUS);
			await pass(60);
			expect(inputs.filter(({ status }) => status !== undefined)).toEqual([STATUS]);
			expect(outputs).toEqual([]);
			server.load();
			expect(textOf(await clock.passUntil(work))).toBe('Here I am.');
			expect(outputs[0]).toEqual({
				status: expect.stringMatching(/^The model was loaded after 6\d(?:\.\d)? s\.$/) as string,
			});
			expect(hints.map(({ message }) => message)).toEqual([
				expect.stringMatching(/^The model was still loading/),
			]);
		});

		test('the entry ends before the response does', async () => {
			const server = await serveLoading(stuckAfter(word('Here')));
			const { supplied, outputs, cancel } = await chatModel(server.url);
			const work = failureOf(streamOf(supplied, 'Hi'));
			await pass(10);
			server.load();
			await pass(3);
			expect(outputs).toEqual([
				{ status: expect.stringMatching(/^The model was loaded/) as string },
			]);
			cancel.abort();
			await work;
		});

		test.each<{ end: string; because: RegExp; firstTokenTimeout?: number; then?: Answer }>([
			{ end: 'the First Token Timeout', because: /still loading after/, firstTokenTimeout: 30 },
			{ end: 'Stop', because: /stop|cancel/i },
			{
				end: 'a server that fails',
				because: /./,
				then: json({ error: { message: 'failed to load the model', code: 400 } }, 400),
			},
		])('$end ends it as an error', async ({ because, firstTokenTimeout = 1800, then }) => {
			const server = await serveLoading(then ?? text('late'));
			const { supplied, outputs, cancel } = await chatModel(server.url, {
				parameters: { options: { firstTokenTimeout } },
			});
			const work = failureOf(streamOf(supplied, 'Hi'));
			await pass(10);
			expect(outputs).toEqual([]);
			if (then !== undefined) server.load();
			else if (firstTokenTimeout === 1800) cancel.abort();
			const failed = await clock.passUntil(work);
			expect(failed.message).toMatch(because);
			expect((outputs[0] as Error).message).toBe(failed.message);
		});

		test('of embeddings, and of a list that names the model', async () => {
			const vector = json({ data: [{ index: 0, embedding: [1, 2] }] });
			const vectors = await serveLoading(vector, 'POST /v1/embeddings');
			const listed = await serveLoading(json({ data: [{ id: 'my-model' }] }), 'GET /v1/models');
			const embedder = await embeddings(vectors.url);
			const chat = await chatModel(listed.url, { parameters: { model: model('') } });
			const work = Promise.all([
				embedder.supplied.embedQuery('Hi').catch(() => {}),
				failureOf(streamOf(chat.supplied, 'Hi')),
			]);
			await pass(10);
			for (const { inputs, outputs } of [embedder, chat]) {
				expect(inputs.filter(({ status }) => status !== undefined)).toEqual([STATUS]);
				expect(outputs).toEqual([]);
			}
			vectors.load();
			listed.load();
			await clock.passUntil(work);
			for (const { outputs } of [embedder, chat])
				expect(outputs[0]).toEqual({
					status: expect.stringMatching(/^The model was loaded/) as string,
				});
		});
	});
});

test('[DONE] ends the response although the socket stays open', async () => {
	const server = await serve(stuckAfter(word('Done.'), delta({}, 'stop'), usage(), '[DONE]'));
	const { supplied } = await chatModel(server.url);
	expect((await supplied.invoke('Hi')).content).toBe('Done.');
	await (
		await server.arrived(CHAT)
	)[0]!.cut;
});

describe('Stop', () => {
	test.each(['before the first token', 'in the middle'])(
		'closes the request of the chat model %s',
		async (moment) => {
			const server = await serve(moment === 'in the middle' ? stuckAfter(word('a')) : silence);
			const { supplied, cancel } = await chatModel(server.url);
			const failed = failureOf(streamOf(supplied, 'Hi'));
			const [request] = await server.arrived(CHAT);
			cancel.abort();
			await request!.cut;
			expect((await failed).message).toMatch(/cancel|stop/i);
			expect(server.sent(CHAT)).toHaveLength(1);
		},
	);

	test('of the call closes it, too', async () => {
		const server = await serve(silence);
		const { supplied } = await chatModel(server.url);
		const stop = new AbortController();
		const failed = failureOf(supplied.invoke('Hi', { signal: stop.signal }));
		const [first] = await server.arrived(CHAT);
		stop.abort();
		await first!.cut;
		await failed;
		expect(server.sent(CHAT)).toHaveLength(1);
	});

	test.each([
		{ how: 'whose call is aborted', hasSignal: true, isAborted: true },
		{ how: 'that stops reading', hasSignal: false, isAborted: false },
		{ how: 'that stops reading, while its call has a signal', hasSignal: true, isAborted: false },
	])('a reader $how closes it, too', async ({ hasSignal, isAborted }) => {
		const server = await serve(async (_request, response) => {
			openStream(response);
			// A stream notices at its next text that nobody reads it.
			while (!response.destroyed) {
				send(response, word('a'));
				await new Promise((resolve) => setTimeout(resolve, 10));
			}
		});
		const { supplied } = await chatModel(server.url);
		const ofCall = new AbortController();
		const options = hasSignal ? { signal: ofCall.signal } : undefined;
		const reader = (await supplied.stream('Hi', options))[Symbol.asyncIterator]();
		await reader.next();
		if (isAborted) ofCall.abort();
		else void reader.return?.();
		const [request] = await server.arrived(CHAT);
		await request!.cut;
		expect(server.sent(CHAT)).toHaveLength(1);
	});

	test.each([
		['text:chat', { prompt: 'Hi' }, CHAT],
		['text:complete', { prompt: 'Hi' }, '/v1/completions'],
		['text:extract', { text: 'Hi', fields: { field: [{ name: 'a' }] } }, CHAT],
		['vector:embed', { text: 'Hi' }, '/v1/embeddings'],
		['vector:rerank', { query: 'q', document: 'd' }, '/v1/rerank'],
		['image:generate', { prompt: 'Hi' }, '/v1/images/generations'],
	] as const)('closes the request of Local Llama, %s', async (operation, parameters, path) => {
		const server = await start({ ...LLAMA_SERVER, [`POST ${path}`]: silence });
		const stop = new AbortController();
		const failed = failureOf(run(server.url, operation, { parameters, signal: stop.signal }));
		const [request] = await server.arrived(path);
		stop.abort();
		await request!.cut;
		expect((await failed).message).toMatch(/cancel|stop/i);
	});
});
