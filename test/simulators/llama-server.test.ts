/**
 * Compares the simulator with recordings of the real server, byte for byte, except for IDs, times and what depends on a
 * real tokenizer. The recorded texts are scripted; all else comes from the simulator.
 */
import { rawAsk, type RawAnswer, type RawRequest } from '../support/raw-http-client';
import { fixture, httpFixture, type HttpFixture, sseJson } from '../support/streams';
import {
	type Delta,
	type LlamaServerSim,
	type ReplyOptions,
	reply,
	type SimOptions,
	startLlamaServerSim,
	type Step,
} from './llama-server';
import { parseError } from './llama-server/json';

const FOLDER = 'llama-server-v0.5.0';

interface Case extends RawRequest {
	name: string;
	method: string;
	path: string;
	rawBody?: string;
	bodyBytes?: number;
	whileLoading?: boolean;
	into?: string;
}

const { groups } = JSON.parse(fixture(`${FOLDER}/cases.json`).toString()) as {
	groups: Array<{ name: string; cases: Case[] }>;
};

const OPTIONS: Record<string, SimOptions> = {
	plain: { slots: 2, nCtx: 1024 },
	key: { slots: 1, nCtx: 1024, apiKey: 'secret', metrics: true },
	prefix: { slots: 1, nCtx: 1024, apiKey: 'secret', apiPrefix: '/p' },
	tools: { slots: 1, nCtx: 2048 },
	thinking: { slots: 1, nCtx: 2048, template: 'thinking' },
	embeddings: { slots: 1, nCtx: 2048, embeddings: true },
	router: { profile: 'router', slots: 1, nCtx: 512, models: [{ id: 'smollm2-135m' }] },
};
const SMOLLM2: SimOptions = { alias: 'smollm2', modelPath: 'models/smollm2-135m.gguf' };

interface Wire {
	choices?: Array<{ delta?: Delta; text?: string; finish_reason?: string | null; message?: Delta }>;
	content?: string;
	stop?: boolean;
	stop_type?: string;
	usage?: {
		prompt_tokens: number;
		completion_tokens: number;
		prompt_tokens_details: { cached_tokens: number };
	};
	timings?: { cache_n: number; prompt_n: number; predicted_n: number };
	prompt_progress?: object;
	error?: { message: string };
}

/** The scripted reply for a recorded answer. */
const scriptOf = (recorded: HttpFixture): { steps: Step[]; options: ReplyOptions } => {
	const type = recorded.headers.find(([name]) => name === 'Content-Type')?.[1] ?? '';
	const events = type.startsWith('text/event-stream')
		? sseJson<Wire>(recorded.body)
		: [JSON.parse(recorded.body.toString()) as Wire];
	const steps: Step[] = [];
	const options: ReplyOptions = {};
	// A first token without text: the role comes in a separate chunk.
	const [firstChunk] = recorded.chunks;
	const opening = firstChunk && sseJson<Wire>(firstChunk);
	if (opening?.length === 1 && !opening[0]?.prompt_progress) options.role = 'apart';
	if (events[0]?.choices?.[0]?.delta?.role === undefined) options.role = 'none';
	for (const {
		choices = [],
		content,
		stop,
		stop_type: stopType,
		timings,
		prompt_progress: progress,
		error,
	} of events) {
		const [choice] = choices;
		const { role, ...delta } = choice?.delta ?? choice?.message ?? {};
		const text = choice?.text ?? content;
		if (text) steps.push(text);
		else if (choice?.message)
			steps.push({
				...delta,
				tool_calls: delta.tool_calls?.map((call, index) => ({ index, ...call })),
			});
		else if (Object.keys(delta).length > 0 && !(role && delta.content === null) && !progress)
			steps.push(delta);
		if (choice?.finish_reason) options.finish = choice.finish_reason;
		if (stop) options.finish = stopType === 'limit' ? 'length' : 'stop';
		if (timings) {
			const { cache_n: cached, prompt_n: read, predicted_n: completion } = timings;
			options.usage = { cached, prompt: cached + read, completion };
		}
		if (error) options.error = { message: error.message };
	}
	return { steps, options };
};

/** Normalizes IDs, times, durations, ports and addresses. */
const normal = (text: string): string =>
	text
		.replace(/"created":\d+/g, '"created":0')
		.replace(/chatcmpl-\w+/g, 'chatcmpl-ID')
		.replace(/"(\w+_ms|\w+_per_second)":[-+.\de]+/g, '"$1":0')
		.replace(/<__media_\w+__>/g, 'MARKER')
		.replace(/"--port","\d+"/g, '"--port","0"')
		.replace(/"id_slot":\d+/g, '"id_slot":0')
		.replace(/"tokens":\[[\d,]*\]/g, '"tokens":[]')
		.replace(/"id_task":\d+/g, '"id_task":0');

const comparable = ({ status, reason, headers, chunks }: HttpFixture): object => ({
	status,
	reason,
	headers: headers.map(([name, value]) =>
		name === 'Content-Length' || name === 'Process-Start-Time-Unix' ? [name, '*'] : [name, value],
	),
	chunks: chunks.map((chunk) => normal(chunk.toString())),
});

/** Names and types of all nested values, for answers with a model's numbers. */
const shape = (value: unknown): unknown => {
	if (Array.isArray(value)) return value.length === 0 ? [] : [shape(value[0])];
	if (value !== null && typeof value === 'object') {
		return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, shape(member)]));
	}
	return typeof value;
};

const asRequest = (item: Case): RawRequest => ({
	method: item.method,
	path: item.path,
	headers: item.headers,
	body:
		item.rawBody ??
		(item.bodyBytes === undefined ? item.body : { content: 'x'.repeat(item.bodyBytes) }),
});

/** Compared by names and types: numbers of a tokenizer, vectors, effects of earlier requests. */
const SHAPE_ONLY = new Set(['embeddings', 'props', 'router-props-model']);
/** Tested separately below. */
const SPECIAL = new Set([
	'chat-stream-logprobs',
	'chat-stream-stop',
	'chat-stream-two-choices',
	'router-child-killed',
	'router-child-killed-stream',
	'router-models-failed',
	'slots-used',
]);

const isGeneration = ({ path, method }: Case): boolean =>
	method === 'POST' && /\/(chat\/completions|completions?)$/.test(path.split('?')[0]!);

describe.each(groups.filter(({ name }) => OPTIONS[name]))(
	'recorded: $name',
	({ name: group, cases }) => {
		let server: LlamaServerSim;
		const answers = new Map<Case, { answer: RawAnswer; recorded: HttpFixture }>();
		beforeAll(async () => {
			server = await startLlamaServerSim({
				...(group === 'router' ? {} : SMOLLM2),
				...OPTIONS[group],
			});
			// In recorded order: answers of a slot or a router depend on earlier requests.
			for (const item of plain) answers.set(item, await ask(item));
		});
		afterAll(async () => {
			await server.close();
		});

		const ask = async (item: Case): Promise<{ answer: RawAnswer; recorded: HttpFixture }> => {
			const recorded = httpFixture(`${FOLDER}/${item.name}.http`);
			if (item.whileLoading) server.setLoading(1);
			const scripted = isGeneration(item) && recorded.status === 200;
			if (scripted) {
				const { steps, options } = scriptOf(recorded);
				server.script(reply.chunks(steps, options));
			}
			const answer = await rawAsk(server.url, asRequest(item));
			expect(server.scripted).toBe(0);
			return { answer, recorded };
		};

		const plain = cases.filter(({ name, into }) => !SPECIAL.has(name) && !into);
		test.each(plain.map((item) => [item.name, item] as const))('%s', (name, item) => {
			const { answer, recorded } = answers.get(item)!;
			if (SHAPE_ONLY.has(name)) {
				expect({ ...comparable(answer), chunks: [] }).toEqual({
					...comparable(recorded),
					chunks: [],
				});
				expect(shape(JSON.parse(answer.body.toString()))).toEqual(
					shape(JSON.parse(recorded.body.toString())),
				);
			} else {
				expect(comparable(answer)).toEqual(comparable(recorded));
			}
			const length = answer.headers.find(([header]) => header === 'Content-Length');
			if (length && item.method !== 'HEAD') expect(answer.body.length).toBe(Number(length[1]));
		});

		if (group === 'plain') {
			const findCase = (name: string): Case => cases.find((item) => item.name === name)!;

			test('chat-stream-two-choices: the same events, in any order', async () => {
				const item = findCase('chat-stream-two-choices');
				const recorded = httpFixture(`${FOLDER}/${item.name}.http`);
				server.script(
					reply.chunks(['Hello', ' there', '!'], {
						finish: 'length',
						usage: { prompt: 33, cached: 24 },
					}),
				);
				const answer = await rawAsk(server.url, asRequest(item));
				const events = ({ body }: HttpFixture): string[] =>
					normal(body.toString()).split('\n\n').sort();
				expect(events(answer)).toEqual(events(recorded));
			});

			test('chat-stream-logprobs: names and types', async () => {
				const item = findCase('chat-stream-logprobs');
				const recorded = httpFixture(`${FOLDER}/${item.name}.http`);
				server.script(reply.chunks(['Hello', ' there'], { finish: 'length' }));
				const answer = await rawAsk(server.url, asRequest(item));
				expect(sseJson(answer.body).map(shape)).toEqual(sseJson(recorded.body).map(shape));
			});

			test('chat-stream-stop: text and finish reason; the recorded server sends the buffered text last', async () => {
				const item = findCase('chat-stream-stop');
				const getText = (fixtureOrAnswer: HttpFixture): string =>
					sseJson<Wire>(fixtureOrAnswer.body)
						.map(({ choices }) => choices?.[0]?.delta?.content ?? '')
						.join('');
				const text = getText(httpFixture(`${FOLDER}/${item.name}.http`));
				const messages = [{ role: 'user', content: 'one two three four five' }];
				const answer = await rawAsk(server.url, {
					path: item.path,
					body: { messages, stream: true, stop: ['four'] },
				});
				expect(getText(answer)).toBe(`You said: ${text}`);
				expect(sseJson<Wire>(answer.body).at(-1)?.choices?.[0]?.finish_reason).toBe('stop');
			});

			test('slots-used: names and types of a used slot', async () => {
				const recorded = httpFixture(`${FOLDER}/slots-used.http`);
				const answer = await rawAsk(server.url, { path: '/slots' });
				expect(shape(JSON.parse(answer.body.toString()))).toEqual(
					shape(JSON.parse(recorded.body.toString())),
				);
			});
		}

		if (group === 'router') {
			test('router-child-killed-stream: the raw line, then a clean end', async () => {
				const recorded = httpFixture(`${FOLDER}/router-child-killed-stream.http`);
				server.script(reply.childDiedAfter(['I', "'m"]));
				const answer = await rawAsk(server.url, {
					path: '/v1/chat/completions',
					body: { model: 'smollm2-135m', messages: [], stream: true },
				});
				expect(comparable(answer)).toEqual(comparable(recorded));
				expect(answer.end).toBe('open');
			});

			test('router-child-killed: JSON by its type, text by its body', async () => {
				server.script(reply.childDied());
				const answer = await rawAsk(server.url, {
					path: '/v1/chat/completions',
					body: { model: 'smollm2-135m' },
				});
				expect(comparable(answer)).toEqual(
					comparable(httpFixture(`${FOLDER}/router-child-killed.http`)),
				);
			});

			test('router-models-failed: exit code and failed flag', async () => {
				const before = { ...server.models[0]! };
				Object.assign(server.models[0]!, { status: 'unloaded', exitCode: 1 });
				const answer = await rawAsk(server.url, { path: '/v1/models' });
				expect(comparable(answer)).toEqual(
					comparable(httpFixture(`${FOLDER}/router-models-failed.http`)),
				);
				delete server.models[0]!.exitCode;
				Object.assign(server.models[0]!, before);
			});
		}
	},
);

describe('malformed JSON', () => {
	const recorded = JSON.parse(fixture(`${FOLDER}/parse-errors.json`).toString()) as Array<{
		body: string;
		answer: string;
	}>;

	test.each(recorded)('$body', ({ body, answer }) => {
		const { error } = JSON.parse(answer) as { error: { message: string } };
		expect(parseError(body)).toBe(error.message);
	});

	test.each([
		'{}',
		'[]',
		' [true , false] ',
		'-0.5e+10',
		'{"a":[1,{"b":null}],"c":"\\u00e9\\ud83d\\ude00"}',
	])('%s is valid', (body) => {
		expect(parseError(body)).toBeUndefined();
	});
});
