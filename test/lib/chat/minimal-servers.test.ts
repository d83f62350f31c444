/** Answers of users' own FastAPI servers and gateways, as recorded (docs/protocols/other-servers.md). */
import * as fc from 'fast-check';

import { ChatClient } from '../../../lib/chat/client';
import type { ChatParameters, FinishedAnswer, SourceMessage } from '../../../lib/chat/types';
import { convertMessages } from '../../../lib/chat/request/messages';
import type { ChatCall, ChatSettings } from '../../../lib/chat/request/request';
import { NOTE_NO_END, NOTE_NO_FINISH_REASON } from '../../../lib/chat/answer/finish-reason';
import { TurnMemory } from '../../../lib/chat/answer/turn-memory';
import { openAiProtocol } from '../../../lib/chat/wire/openai';
import { ServerError } from '../../../lib/errors/server-error';
import { generationInfoOf } from '../../../lib/langchain/generation-info';
import { connectTo } from '../../../lib/servers/connect';
import type { KindName } from '../../../lib/servers/kinds';
import {
	type LlamaServerSim,
	reply,
	type SimOptions,
	startLlamaServerSim,
} from '../../servers/llama-server';
import { useSimulator } from '../../servers/use-simulator';
import { fixture } from '../../support/streams';
import { PLAIN_SETTINGS } from './chat-settings';

const startServer = useSimulator(startLlamaServerSim);

const HI: ChatCall = { messages: [{ type: 'human', content: 'Hi' }] };
const TOOL = { name: 'f', parameters: { type: 'object', properties: {} } };
const start = async (options: SimOptions = {}) =>
	await startServer({ profile: 'fastapi', models: [{ id: 'sim-model' }], ...options });
const recorded = (name: string) => reply.raw(fixture(`${name}.http`));

async function run(
	sim: LlamaServerSim,
	call: Partial<ChatCall> = {},
	{ chosenKind, ...settings }: Partial<ChatSettings> & { chosenKind?: KindName } = {},
): Promise<{ shown: string; answer: FinishedAnswer }> {
	const client = new ChatClient(
		connectTo({ baseUrl: sim.url, chosenKind }),
		{ ...PLAIN_SETTINGS, ...settings },
		undefined,
		new TurnMemory(),
	);
	let shown = '';
	const answer = client.generate({ ...HI, ...call });
	let next = await answer.next();
	for (; !next.done; next = await answer.next()) shown += next.value;
	return { shown, answer: next.value };
}

async function failed(...given: Parameters<typeof run>): Promise<ServerError> {
	const outcome: unknown = await run(...given).catch((error: unknown) => error);
	if (!(outcome instanceof ServerError)) throw new Error(`no failure: ${JSON.stringify(outcome)}`);
	return outcome;
}

const FASTAPI = 'fastapi-0.165.0';

const streamsAsked = (sim: LlamaServerSim) =>
	sim.requests
		.filter(({ path }) => path.endsWith('/chat/completions'))
		.flatMap(({ method, body }) =>
			method === 'POST' ? [(body as { stream: unknown }).stream] : [],
		);

describe('a FastAPI server of your own', () => {
	it.each([
		['stream-simulated', 'hello'],
		['stream-words', 'The weather is fine.'],
	])(
		'text and [DONE] without a reason and counts is an answer, flagged: %s',
		async (name, text) => {
			const sim = await start();
			sim.script(recorded(`${FASTAPI}/${name}`));
			const { shown, answer } = await run(sim);
			expect(shown).toBe(text);
			expect(answer).toMatchObject({
				text,
				finishReason: 'unknown',
				usage: { estimated: true },
				notes: [NOTE_NO_FINISH_REASON],
			});
			expect(answer.usage?.completionTokens).toBeGreaterThan(0);
			expect(generationInfoOf(answer)).toMatchObject({
				finish_reason: 'unknown',
				usageEstimated: true,
			});
		},
	);

	it('the same without a question to a server that the user calls "Other"', async () => {
		const sim = await start();
		sim.script(recorded(`${FASTAPI}/stream-simulated`));
		expect((await run(sim, {}, { chosenKind: 'other' })).answer.finishReason).toBe('unknown');
		expect(sim.requests).toHaveLength(1);
	});

	it('an empty one is an error, where it is empty without stream, too', async () => {
		const sim = await start();
		sim.script(recorded(`${FASTAPI}/stream-empty`));
		sim.script(recorded(`${FASTAPI}/stream-empty`));
		expect(await failed(sim)).toMatchObject({ kind: 'streamEndedEarly' });
	});

	it.each(['llama-server', 'vllm'] as const)(
		'from %s it is a failure, since it always sends a finish reason',
		async (profile) => {
			const sim = await start({ profile });
			sim.script(recorded(`${FASTAPI}/stream-simulated`));
			expect(await failed(sim, {}, { parameters: { topK: 1 } })).toMatchObject({
				kind: 'streamEndedEarly',
			});
		},
	);

	it('one JSON object in place of a stream is taken', async () => {
		const sim = await start();
		sim.script(recorded(`${FASTAPI}/stream-one-json`));
		expect((await run(sim)).answer.text).not.toBe('');
	});

	it('calls without an id and with an object as arguments are calls', async () => {
		const sim = await start();
		sim.script(recorded(`${FASTAPI}/toolish`));
		const { answer } = await run(sim, { tools: [{ ...TOOL, name: 'get_weather' }] });
		expect(answer.toolCalls).toMatchObject([{ name: 'get_weather', arguments: '{"city":"Rome"}' }]);
	});

	it('plain text in place of events names its type', async () => {
		const sim = await start();
		sim.script(recorded(`${FASTAPI}/stream-plain-text`));
		const error = await failed(sim);
		expect(error).toMatchObject({
			kind: 'invalidAnswer',
			serverText: 'hello',
			partialText: 'hello',
		});
		expect(error.message).toContain('text/plain');
	});

	it('a crash before the answer, as words', async () => {
		const sim = await start();
		sim.script(recorded(`${FASTAPI}/crash-500`));
		expect(await failed(sim)).toMatchObject({
			kind: 'serverError',
			status: 500,
			serverText: 'Internal Server Error',
		});
	});

	it('a crash in the middle brings what had arrived', async () => {
		const sim = await start();
		sim.script(recorded(`${FASTAPI}/crash-mid-stream`));
		expect(await failed(sim)).toMatchObject({ partialText: 'he' });
	});

	describe('a generator that fails before its first event, so that the connection breaks after the head', () => {
		const broken = () => reply.text('Hello', { cut: { at: 0, how: 'fin' } });
		const tooLong = 'Requested tokens (3631) exceed context window of 2048';

		it('is asked once more, without a stream, and says what is wrong', async () => {
			const sim = await start();
			sim.script(broken(), reply.error(500, { detail: tooLong }));
			expect(await failed(sim)).toMatchObject({
				kind: 'contextOverflow',
				message: 'The prompt needs 3631 tokens, but a slot of the server has 2048',
			});
			expect(streamsAsked(sim)).toEqual([true, false]);
		});

		it('that breaks again is told as the first time', async () => {
			const sim = await start();
			sim.script(broken(), broken());
			expect(await failed(sim)).toMatchObject({ kind: 'closedBeforeAnswer' });
			expect(streamsAsked(sim)).toEqual([true, false]);
		});

		it('is no reason to ask a known server again, which may have crashed over the request', async () => {
			const sim = await start({ profile: 'llama-server' });
			sim.script(broken());
			expect(await failed(sim)).toMatchObject({ kind: 'closedBeforeAnswer' });
			expect(streamsAsked(sim)).toEqual([true]);
		});
	});

	it('a redirect to the path without a slash keeps the body and the key', async () => {
		const sim = await start({ apiKey: 'k' });
		sim.route('POST /v1/chat/completions', reply.redirect('/v1/chat/completions/', 307));
		sim.route('POST /v1/chat/completions/', recorded(`${FASTAPI}/stream-simulated`));
		const headers = { authorization: 'Bearer k' };
		const connection = connectTo({ baseUrl: sim.url, headers, chosenKind: 'other' });
		const answer = new ChatClient(connection, PLAIN_SETTINGS).generate(HI);
		expect(await answer.next()).toMatchObject({ value: 'hello' });
		await answer.return(undefined as never);
		expect(sim.requests.at(-1)).toMatchObject({
			path: '/v1/chat/completions/',
			headers: { authorization: 'Bearer k' },
			body: { messages: [{ role: 'user', content: 'Hi' }] },
		});
	});

	it('tools that it ignores: the user is told after a forced call brought none', async () => {
		const sim = await start();
		sim.script(
			recorded(`${FASTAPI}/tools-ignored-stream`),
			recorded(`${FASTAPI}/tools-ignored-stream`),
		);
		const { answer } = await run(sim, { tools: [TOOL], toolChoice: 'required' });
		expect(answer.notes).toEqual([
			expect.stringContaining('this server seems to ignore tools') as string,
			NOTE_NO_FINISH_REASON,
		]);
		expect((await run(sim, { tools: [TOOL] })).answer.notes).toEqual([NOTE_NO_FINISH_REASON]);
	});
});

describe('a stream that just ends', () => {
	const chunkOf = (text: string, more: object) =>
		`data: ${JSON.stringify({ choices: [{ delta: { content: text }, ...more }] })}\n\n`;
	/** How the body is framed, and whether the framing says that it is whole. */
	const framings = fc.constantFrom(
		{ framing: 'chunked', whole: true },
		{ framing: 'length', whole: true },
		{ framing: 'close', whole: false },
		{ framing: 'chunked', whole: false, cut: { at: 'end', how: 'fin' } },
	);
	const ofProtocol = fc.constantFrom(
		(text: string) => chunkOf(text, { finish_reason: null }),
		(text: string) => chunkOf(text, {}).replace('{', '{"object":"chat.completion.chunk",'),
	);
	const words = fc.array(fc.stringMatching(/^[a-z]{1,8} $/), { minLength: 1, maxLength: 4 });

	const outcomeOf = async (pieces: string[], transport: object) => {
		const sim = await start();
		const headers = { 'Content-Type': 'text/event-stream' };
		sim.script(reply.error(200, pieces.join(''), { headers, ...transport }));
		return await run(sim, {}, { chosenKind: 'other' }).catch((error: unknown) => error);
	};

	it('is an answer with a note where nothing in it promises another end, and the body is whole', async () => {
		await fc.assert(
			fc.asyncProperty(words, framings, async (texts, { whole, ...transport }) => {
				const outcome = await outcomeOf(
					texts.map((text) => chunkOf(text, {})),
					transport,
				);
				const text = texts.join('');
				if (whole)
					expect(outcome).toMatchObject({
						shown: text,
						answer: { finishReason: 'unknown', notes: [NOTE_NO_END], usage: { estimated: true } },
					});
				else expect(outcome).toMatchObject({ partialText: text });
			}),
			{ numRuns: 24 },
		);
	});

	it('is a failure in the protocol of OpenAI, and says how a server has to end', async () => {
		await fc.assert(
			fc.asyncProperty(words, ofProtocol, async (texts, chunk) => {
				expect(await outcomeOf(texts.map(chunk), {})).toMatchObject({
					kind: 'streamEndedEarly',
					partialText: texts.join(''),
					remedy: expect.stringContaining('data: [DONE]') as string,
				});
			}),
			{ numRuns: 12 },
		);
	});
});

describe('limits of an answer that a server does not keep', () => {
	const answerWith = async (sent: string, parameters: ChatParameters, usage?: object) => {
		const sim = await start();
		sim.script(
			reply.json({
				choices: [{ message: { content: sent }, finish_reason: 'stop' }],
				...(usage === undefined ? {} : { usage }),
			}),
		);
		return (await run(sim, {}, { chosenKind: 'other', parameters })).answer;
	};
	const stop = fc.constantFrom('###', '\n\n', 'END', '。');
	const plain = fc.stringMatching(/^[a-d][a-d ]{0,20}[a-d]$/);

	it('text behind a stop sequence is told, an answer that ends with it or before it is not', async () => {
		await fc.assert(
			fc.asyncProperty(plain, stop, fc.option(plain), async (before, end, behind) => {
				const { notes, text } = await answerWith(before + end + (behind ?? ''), { stop: [end] });
				expect(text).toContain(before);
				const told = expect.stringContaining('*Stop Sequences*') as string;
				expect(notes).toEqual(behind === null ? [] : [told]);
				expect((await answerWith(before, { stop: [end] })).notes).toEqual([]);
				// ms-swift ends behind one that is not the first.
				const twice = before + end + before + end;
				expect((await answerWith(twice, { stop: [end] })).notes).toEqual([]);
			}),
			{ numRuns: 15 },
		);
	});

	it.each<[string, string, ChatParameters, object | undefined, boolean]>([
		['far too long', 'word '.repeat(40), { maxTokens: 5 }, undefined, true],
		['far too long by its own count', 'one two', { maxTokens: 5 }, { completion_tokens: 11 }, true],
		['long words', 'internationalization '.repeat(3), { maxTokens: 5 }, undefined, false],
		['a little more by its own count', 'one', { maxTokens: 5 }, { completion_tokens: 7 }, false],
		['no limit', 'word '.repeat(40), { maxTokens: -1 }, undefined, false],
	])('%s', async (_name, sent, parameters, usage, isTold) => {
		const { notes } = await answerWith(sent, parameters, usage);
		expect(notes.some((note) => note.includes('max_completion_tokens'))).toBe(isTold);
	});
});

it('the speed of an answer in one piece is that of the whole answer, not of its last milliseconds', async () => {
	const sim = await start();
	const usage = { prompt_tokens: 5, completion_tokens: 20, total_tokens: 25 };
	sim.script(
		reply.json(
			{ choices: [{ message: { content: 'Hello' }, finish_reason: 'stop' }], usage },
			{ delayHeaders: 100 },
		),
	);
	const { answer } = await run(sim, {}, { chosenKind: 'other' });
	const info = generationInfoOf(answer);
	expect(info).not.toHaveProperty('firstTokenMs');
	expect(info.tokensPerSecond).toBeLessThan(200);
});

describe('content is a string where it is text: strict servers answer 422 to null and to lists of parts', () => {
	const text = fc.oneof(
		fc.string(),
		fc.constant(null),
		fc.array(fc.oneof(fc.string(), fc.record({ type: fc.constant('text'), text: fc.string() }))),
	);
	const message: fc.Arbitrary<SourceMessage> = fc.oneof(
		fc.record({ type: fc.constantFrom('system' as const, 'human' as const), content: text }),
		fc.record({
			type: fc.constant('ai' as const),
			content: text,
			toolCalls: fc.array(
				fc.record({ id: fc.constantFrom('a', 'b'), name: fc.constant('f'), args: fc.constant({}) }),
			),
		}),
		fc.record({
			type: fc.constant('tool' as const),
			toolCallId: fc.constantFrom('a', 'b'),
			content: text,
		}),
	);

	it('whatever the conversation is', () => {
		fc.assert(
			fc.property(
				fc.array(message),
				fc.constantFrom('off' as const, 'always' as const),
				(given, reasoning) => {
					const messages = convertMessages(given, { reasoning });
					const body = openAiProtocol.body({
						model: 'm',
						messages,
						parameters: {},
						serverKind: 'other',
					});
					for (const { content } of body.messages as Array<{ content: unknown }>)
						expect(typeof content).toBe('string');
				},
			),
		);
	});
});

describe('llama-swap', () => {
	const SWAP = 'llama-swap-0bdb372';

	it('what it tells while it loads a model is neither answer nor thinking, and the log has how long it took', async () => {
		const sim = await start({ profile: 'llama-swap' });
		sim.script(recorded(`${SWAP}/stream-cold`));
		const { shown, answer } = await run(sim, {}, { showThinking: true });
		expect(shown).toMatch(/^Hello there!/);
		expect(shown).not.toContain('llama-swap');
		expect(answer.reasoning).toBe('');
		expect(answer.timings).toMatchObject({ load_ms: 340 });
	});

	it('its bare error line after that is the error', async () => {
		const sim = await start({ profile: 'llama-swap' });
		sim.script(recorded(`${SWAP}/broken-stream`));
		const error = await failed(sim);
		expect(error).toMatchObject({
			kind: 'modelFailedToLoad',
			serverText: 'unspecific error: upstream command exited prematurely',
		});
		expect(error.partialReasoning).toBeUndefined();
	});

	it('a stream that ends without a word because the server behind it died is a failure with what had arrived', async () => {
		const sim = await start({ profile: 'llama-swap' });
		sim.script(recorded(`${SWAP}/stream-upstream-killed`));
		const error = await failed(sim);
		expect(error.kind).toBe('streamEndedEarly');
		expect(error.partialText).not.toBe('');
	});
});

test('no route for chats and an empty list: the server has no models (NVIDIA Dynamo without workers)', async () => {
	const sim = await start({ models: [] });
	sim.script(reply.raw('HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n'));
	const error = await failed(sim);
	expect(error).toMatchObject({ kind: 'modelNotFound' });
	expect(error.message).toContain('The server has no models');
});

it('a model that the server lists and refuses all the same (Open WebUI) is not named as the way out', async () => {
	const sim = await start({ profile: 'fastapi' });
	sim.route('GET /v1/models', reply.json({ data: [{ id: 'helper' }] }));
	sim.script(reply.error(404, { detail: 'Model not found' }));
	const error = await failed(sim, {}, { model: 'helper' });
	expect(error).toMatchObject({ kind: 'modelNotFound', status: 404 });
	expect(error.remedy).toContain('the key must be allowed to use it');
	expect(error.remedy).not.toContain('helper');
});

it('a model that LM Studio lists, but has not loaded: the error says to load it', async () => {
	const sim = await start({ models: [{ id: 'qwen3-8b' }] });
	const message =
		"No models loaded. Please load a model in the developer page or use the 'lms load' command.";
	sim.script(reply.error(404, { error: { message, type: 'invalid_request_error' } }));
	const error = await failed(sim, {}, { chosenKind: 'lmStudio', model: 'qwen3-8b' });
	expect(error).toMatchObject({
		kind: 'modelNotFound',
		message: 'The server has not loaded the model "qwen3-8b"',
		remedy: expect.stringContaining('lms load') as string,
	});
});

it('thinking that begins with a rule is thinking where the server names itself in the chunk', async () => {
	const sim = await startServer({});
	sim.script(reply.reasoning('━━━ a plan ━━━', 'Done.'));
	expect((await run(sim)).answer).toMatchObject({ reasoning: '━━━ a plan ━━━', text: 'Done.' });
});
