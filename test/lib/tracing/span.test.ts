import { propagation, SpanStatusCode, trace } from '@opentelemetry/api';
import { runTurn } from '../../../lib/chat/turn';
import type { ChatRequest } from '../../../lib/chat/chat-request';
import type { ChatResult } from '../../../lib/chat/chat-result';
import type { ChatSettings } from '../../../lib/chat/settings';
import { sendChatMessage } from '../../../lib/dify/run/send-chat-message';
import { createDifyClient } from '../../../lib/dify/credentials';
import { createModelServer } from '../../../lib/servers/endpoint';
import { probe } from '../../../lib/servers/probe';
import { Embedder } from '../../../lib/tasks/embed';
import { rerank } from '../../../lib/tasks/rerank';
import { completeText } from '../../../lib/tasks/complete';
import { appKey } from '../../simulators/dify';
import { reply, startLlamaServerSim } from '../../simulators/llama-server';
import { useSimulator } from '../../simulators/use-simulator';
import { useTraces } from '../../support/n8n/traces';
import { PLAIN_SETTINGS } from '../chat/chat-settings';
import { startSim } from '../dify/client';
import * as fc from 'fast-check';
import { stringifyMessages } from '../../../lib/tracing/attributes';
import { examples } from '../../support/jest/properties';
import { toInput } from '../../support/texts/messages';
import { NO_EXECUTION } from '../../support/n8n/node-host';

const start = useSimulator(startLlamaServerSim);
const traces = useTraces();
const SAMPLE = 'key-that-no-trace-may-hold-1';

type Credential = Parameters<typeof createModelServer>[0];
type Chat = (chatRequest: ChatRequest, onDelta?: (piece: string) => void) => Promise<ChatResult>;

function chatWith(
	credential: Credential,
	settings: Partial<ChatSettings> = {},
	helpers: object = traces.helpers,
): Chat {
	const target = createModelServer(credential, { ...NO_EXECUTION, helpers });
	return async (call, show) =>
		await runTurn({
			server: target,
			settings: { ...PLAIN_SETTINGS, ...settings },
			chatRequest: call,
			onDelta: show,
		});
}

async function sendQuestion(chat: Chat, content = 'What is 2+2?', signal?: AbortSignal) {
	const messages = [toInput({ type: 'human', content })];
	return await chat({ messages, ...(signal === undefined ? {} : { signal }) });
}

const traceparents = (server: { requests: ReadonlyArray<{ path: string; headers: object }> }) =>
	server.requests.flatMap(({ headers }) =>
		'traceparent' in headers ? [String(headers.traceparent)] : [],
	);

describe('a generation', () => {
	test('has the priority of its request', async () => {
		const server = await start({ slots: 1 });
		server.script(
			reply.chunks(['A', { wait: 3_600_000 }]),
			reply.text('Person.'),
			reply.text('Batch.'),
		);
		const credential = { baseUrl: server.url, maxConcurrentRequests: 1 };
		const sendAs = async (priority: 'interactive' | 'batch') => {
			const messages = [toInput({ type: 'human', content: 'What is 2+2?' })];
			await chatWith(credential, { priority })({ messages, isNeededOnlyAtEnd: true });
		};
		const batch = sendAs('batch');
		await server.until(() => server.requests.some(({ path }) => path.endsWith('/completions')));
		await sendAs('interactive');
		await batch;
		const priorities = traces.spans().map(({ attributes }) => attributes['local_llama.priority']);
		expect(priorities).toEqual(['interactive', 'batch']);
	});

	test('is a client span below that of the node, with request and response data', async () => {
		const before = Date.now() - 1_000;
		const server = await start();
		server.script(reply.text('Four.'));
		const settings = { sampling: { temperature: 0.2, maxTokens: 50, stop: ['END'] } };
		const result = await sendQuestion(chatWith({ baseUrl: server.url }, settings));
		const [span] = traces.spans();
		expect(traces.spans()).toHaveLength(1);
		expect(span).toMatchObject({ name: 'chat sim-model', kind: 2, status: { code: 0 } });
		expect(span!.parentSpanContext?.spanId).toBe(traces.nodeSpanId());
		expect(span!.spanContext().traceId).toBe(traces.traceId());
		expect(span!.attributes).toMatchObject({
			'gen_ai.operation.name': 'chat',
			'gen_ai.provider.name': 'llama_server',
			'gen_ai.request.model': 'sim-model',
			'gen_ai.request.temperature': 0.2,
			'gen_ai.request.max_tokens': 50,
			'gen_ai.request.stop_sequences': ['END'],
			'gen_ai.response.finish_reasons': ['stop'],
			'gen_ai.usage.input_tokens': result.usage?.promptTokens,
			'gen_ai.usage.output_tokens': result.usage?.completionTokens,
			'server.address': '127.0.0.1',
			'server.port': Number(new URL(server.url).port),
		});
		expect(span!.attributes['gen_ai.response.time_to_first_chunk']).toBeGreaterThanOrEqual(0);
		expect(span!.attributes['local_llama.tokens_per_second']).toBeGreaterThan(0);
		const completionStartMs = Date.parse(
			String(span!.attributes['langfuse.observation.completion_start_time']),
		);
		// Not exact, because the system clock may be adjusted.
		expect(completionStartMs).toBeGreaterThan(before);
		expect(completionStartMs).toBeLessThan(Date.now() + 1_000);
	});

	test('is sent to the server, so that the spans of the server are below it', async () => {
		const server = await start();
		await sendQuestion(chatWith({ baseUrl: server.url }));
		const sentHeaders = traceparents(server);
		expect(new Set(sentHeaders)).toEqual(
			new Set([`00-${traces.traceId()}-${traces.spans()[0]!.spanContext().spanId}-01`]),
		);
	});

	test('is not sent to another host than the credential’s', async () => {
		const other = await start();
		const server = await start();
		const plain = createModelServer(
			{ baseUrl: server.url },
			{ ...NO_EXECUTION, helpers: traces.helpers },
		);
		const traced = { ...plain, headers: { ...plain.headers, traceparent: 'x' } };
		await probe(traced, `${other.url}/v1/models`);
		await probe(traced, `${server.url}/v1/models`);
		expect(traceparents(other)).toEqual([]);
		expect(traceparents(server)).toEqual(['x']);
	});

	test('has the names of tool calls', async () => {
		const server = await start();
		server.script(
			reply.toolCalls([
				{ name: 'add', arguments: { a: 1 } },
				{ name: 'multiply', arguments: { a: 2 } },
			]),
		);
		await sendQuestion(chatWith({ baseUrl: server.url }));
		expect(traces.spans()[0]!.attributes['local_llama.tool_calls']).toEqual(['add', 'multiply']);
	});

	test('ends on Stop', async () => {
		const server = await start();
		const stop = new AbortController();
		server.script(reply.chunks(['Once', { wait: new Promise(() => {}) }]));
		const messages = [toInput({ type: 'human', content: 'Tell a long story' })];
		const answer = chatWith({ baseUrl: server.url })({ messages, signal: stop.signal }, () =>
			stop.abort(),
		);
		await expect(answer).rejects.toThrow();
		expect(traces.spans()).toMatchObject([
			{ status: { code: 2 }, attributes: { 'error.type': 'aborted' } },
		]);
	});
});

test('an exception of other code ends the span without its words', async () => {
	const server = await start();
	server.script(reply.text('4'));
	const chat = chatWith({ baseUrl: server.url });
	const messages = [toInput({ type: 'human', content: 'What is 2+2?' })];
	const show = () => {
		throw new TypeError('words of other code');
	};
	await expect(chat({ messages }, show)).rejects.toThrow('words of other code');
	const { attributes, status, events } = traces.spans()[0]!;
	expect(attributes['error.type']).toBe('unexpected');
	expect(status).toEqual({ code: SpanStatusCode.ERROR });
	expect(JSON.stringify({ attributes, status, events })).not.toContain('words of other code');
});

describe('texts', () => {
	const textsIn = () => {
		const { attributes } = traces.spans()[0]!;
		return [attributes['gen_ai.input.messages'], attributes['gen_ai.output.messages']];
	};

	test('are recorded with it, in the format of the conventions, and without the key', async () => {
		const server = await start({ apiKey: SAMPLE });
		server.script(reply.text('Four.'));
		const settings = { trace: { recordTexts: true } };
		await sendQuestion(
			chatWith({ baseUrl: server.url, apiKey: SAMPLE }, settings),
			`What is 2+2? ${SAMPLE}`,
		);
		const [input, output] = textsIn().map((text) => JSON.parse(String(text)) as object[]);
		expect(input).toEqual([
			{ role: 'user', parts: [{ type: 'text', content: expect.stringContaining('2+2') }] },
		]);
		expect(JSON.stringify(input)).not.toContain(SAMPLE);
		expect(output).toEqual([
			{ role: 'assistant', parts: [{ type: 'text', content: 'Four.' }], finish_reason: 'stop' },
		]);
	});
});

test('session, user and tags have the names of the conventions and of Langfuse', async () => {
	const server = await start();
	const trace = {
		sessionId: 's1',
		userId: 'anna',
		tags: ['a', 'b'],
	};
	await sendQuestion(chatWith({ baseUrl: server.url }, { trace }));
	expect(traces.spans()[0]!.attributes).toMatchObject({
		'gen_ai.conversation.id': 's1',
		'session.id': 's1',
		'user.id': 'anna',
		'langfuse.trace.tags': ['a', 'b'],
	});
});

describe('other tasks have their own span name', () => {
	const SETTINGS = { model: 'sim-model', timeouts: {}, retries: 0, priority: 'batch' } as const;

	test('embeddings', async () => {
		const server = await start({ embeddings: true });
		const settings = { ...SETTINGS, prefixes: {}, longTexts: 'fail', blankTexts: 'fail' } as const;
		const target = createModelServer(
			{ baseUrl: server.url },
			{ ...NO_EXECUTION, helpers: traces.helpers },
		);
		const embedder = new Embedder(target, { ...settings, batchSize: 1 });
		await embedder.embed(['one', 'two'], 'document');
		expect(traces.spans().map(({ name }) => name)).toEqual([
			'embeddings sim-model',
			'embeddings sim-model',
		]);
		expect(traces.spans()[0]!.attributes['gen_ai.usage.input_tokens']).toBeGreaterThan(0);
	});

	test('reranking', async () => {
		const server = await start({ rerank: true });
		const settings = { ...SETTINGS, longDocuments: 'fail', topN: 0, scores: 'received' } as const;
		const target = createModelServer(
			{ baseUrl: server.url },
			{ ...NO_EXECUTION, helpers: traces.helpers },
		);
		await rerank(
			target,
			{ ...settings, batchSize: 32 },
			{ query: 'q', queryOrigin: 'user', documentOrigin: 'foreign', documents: ['a'] },
		);
		expect(traces.spans()).toMatchObject([
			{ name: 'rerank sim-model', attributes: { 'gen_ai.operation.name': 'rerank' } },
		]);
	});

	test('completion', async () => {
		const server = await start();
		const settings = { model: 'sim-model', sampling: {}, priority: 'interactive' } as const;
		await completeText(
			createModelServer({ baseUrl: server.url }, { ...NO_EXECUTION, helpers: traces.helpers }),
			settings,
			{
				prompt: 'Once',
			},
		);
		expect(traces.spans()).toMatchObject([{ name: 'text_completion sim-model' }]);
	});

	test('a run of Dify, with its conversation and its tokens', async () => {
		const sim = await startSim();
		const client = createDifyClient({ baseUrl: sim.url, apiKey: appKey('chat') }, traces.helpers);
		const request = { inputs: {}, query: 'hi', user: 'u1', conversation: { type: 'new' } } as const;
		const { result } = await sendChatMessage(client, request);
		expect(traces.spans()).toMatchObject([
			{
				name: 'chat',
				attributes: {
					'gen_ai.provider.name': 'dify',
					'gen_ai.conversation.id': result.conversationId,
					'gen_ai.usage.output_tokens': result.usage?.completion_tokens,
				},
			},
		]);
	});
});

describe('no span, no request and no error', () => {
	test('if n8n exports no traces', async () => {
		const server = await start();
		traces.switchOff();
		const before = traces.requestCount();
		expect((await sendQuestion(chatWith({ baseUrl: server.url }))).text).not.toBe('');
		expect(traces.requestCount()).toBe(before);
		expect(traceparents(server)).toEqual([]);
	});

	test.each<[string, object]>([
		[
			'if n8n adds no span to requests',
			{ httpRequest: async () => await Promise.reject(new Error('canceled')) },
		],
		['if the context has no helpers', {}],
	])('no span, no request and no error %s', async (_name, helpers) => {
		const server = await start();
		expect((await sendQuestion(chatWith({ baseUrl: server.url }, {}, helpers))).text).not.toBe('');
		expect(traces.spans()).toEqual([]);
		expect(traceparents(server)).toEqual([]);
	});
});

const throwing = (): never => {
	throw new Error('tracer');
};

test.each([
	['getTracer throws', () => jest.spyOn(trace, 'getTracer').mockImplementation(throwing)],
	['no tracer', () => jest.spyOn(trace, 'getTracer').mockReturnValue(undefined as never)],
	[
		'startSpan throws',
		() => jest.spyOn(trace, 'getTracer').mockReturnValue({ startSpan: throwing } as never),
	],
	[
		'no span',
		() => jest.spyOn(trace, 'getTracer').mockReturnValue({ startSpan: () => ({}) } as never),
	],
	['extract throws', () => jest.spyOn(propagation, 'extract').mockImplementation(throwing)],
	[
		'inject throws in ours',
		() =>
			jest
				.spyOn(trace, 'setSpan')
				.mockImplementationOnce(trace.setSpan)
				.mockImplementation(throwing),
	],
	['fields throws', () => jest.spyOn(propagation, 'fields').mockImplementation(throwing)],
])('a failing tracer (%s) affects neither response nor error', async (_name, breakIt) => {
	const server = await start();
	const spy = breakIt();
	try {
		const failed = reply.llamaError(500, 'Compute error.');
		server.script(reply.text('Four.'), failed, failed);
		expect((await sendQuestion(chatWith({ baseUrl: server.url }))).text).toBe('Four.');
		await expect(sendQuestion(chatWith({ baseUrl: server.url }))).rejects.toThrow('Compute error');
	} finally {
		spy.mockRestore();
	}
});

test('a span that throws in any method affects neither response nor error', async () => {
	const methods = [
		'setAttribute',
		'setAttributes',
		'setStatus',
		'end',
		'addEvent',
		'recordException',
		'isRecording',
	];
	const spanContext = () => ({ traceId: '1'.repeat(32), spanId: '2'.repeat(16), traceFlags: 1 });
	for (const which of methods) {
		const server = await start();
		const works = Object.fromEntries(
			methods.map((name) => [name, name === which ? throwing : () => true]),
		);
		const spy = jest
			.spyOn(trace, 'getTracer')
			.mockReturnValue({ startSpan: () => ({ ...works, spanContext }) } as never);
		const failed = reply.llamaError(500, 'Compute error.');
		server.script(reply.text('Four.'), failed, failed);
		expect((await sendQuestion(chatWith({ baseUrl: server.url }))).text).toBe('Four.');
		await expect(sendQuestion(chatWith({ baseUrl: server.url }))).rejects.toThrow('Compute error');
		spy.mockRestore();
	}
});

test.each([
	['never responds', async () => await new Promise<never>(() => {})],
	['throws', throwing],
	['returns nothing', () => undefined],
])(
	'a host whose helper %s gets no trace, and its response without delay',
	async (_name, httpRequest) => {
		const server = await start();
		expect(
			(await sendQuestion(chatWith({ baseUrl: server.url }, {}, { httpRequest }))).text,
		).toContain('You said');
		expect(traces.spans()).toEqual([]);
	},
);

interface Written {
	role: string;
	parts: Array<{ type: string; content: string }>;
}
const MOST = 100_000;
const written = (...texts: string[]) =>
	JSON.parse(stringifyMessages(texts.map((content) => ({ role: 'user', content })))) as Written[];
/** The same text, unless it has half of a character, which becomes another one. */
const toWhole = (text: string) => Buffer.from(text).toString();

test.each([
	['words', 'word '],
	['Chinese', '你好，世界。'],
	['emoji', '😀'],
	['quotes', '"\\ '],
])('the end of a text of any length (%s) is kept, in complete characters', (_name, unit) => {
	for (const size of [1_000, MOST - 60, MOST, MOST + 1, 3 * MOST]) {
		const text = `${unit.repeat(Math.ceil(size / unit.length))}The end.`;
		const [{ content } = { content: '' }] = written(text)[0]!.parts;
		expect(text.slice(-content.length)).toBe(content);
		expect(toWhole(content)).toBe(content);
		expect(content.length).toBeGreaterThan(Math.min(size, MOST) - 100);
		expect(content.length).toBeLessThanOrEqual(MOST);
	}
});

test('the last messages of a conversation are complete, and the one before them is truncated at its start', () => {
	fc.assert(
		fc.property(
			fc.array(fc.integer({ min: 1, max: 60_000 }), { minLength: 1, maxLength: 6 }),
			(sizes) => {
				const texts = sizes.map((size, at) => `${'a '.repeat(size)}${at}`);
				const contents = written(...texts).map(({ parts }) => parts[0]!.content);
				const [first = '', ...rest] = contents;
				expect(rest).toEqual(texts.slice(texts.length - rest.length));
				expect(texts[texts.length - contents.length]!.slice(-first.length || Infinity)).toBe(first);
				const total = texts.join('').length;
				expect(contents.join('').length).toBeGreaterThanOrEqual(Math.min(total, MOST - 1_000));
			},
		),
		examples(50),
	);
});

test('a truncated text never starts with a partial key, which masking could not find', () => {
	const sample = 'local-0123456789abcdef';
	for (let suffixLength = MOST - 300; suffixLength < MOST + 20; suffixLength++) {
		const text = stringifyMessages([
			{ role: 'user', content: `${'a '.repeat(100)}${sample} ${'b'.repeat(suffixLength)} c` },
		]);
		const beginning = /"content":"([^"]{0,30})/.exec(text)?.[1] ?? '';
		const partial = text.includes(sample) ? '' : beginning;
		expect(partial).not.toMatch(/^[-\w]*[0-9a-f]{3} b/);
	}
});
