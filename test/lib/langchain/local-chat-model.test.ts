import { collect, fromRoot, useChatModel, weather } from '../../support/n8n/chat-model';
import { reply } from '../../simulators/llama-server';
import { wantsTokenEvents } from '../../../lib/langchain/local-chat-model';
import { getTracerWithoutTokenizer } from '../../../lib/langchain/tracer-without-tokenizer';
import { streamText } from '../../../lib/langchain/stream-text';
import { setTimeout as delay } from 'node:timers/promises';
import { findHostClasses, loadSdk } from '../../../lib/langchain/host-classes';
import type { HostClasses } from '../../../lib/langchain/host-classes';
import { fakeContext } from '../../support/n8n/context';

const { server, supplied, chatRequests } = useChatModel();

describe('the chat model', () => {
	it('counts tokens without a request', async () => {
		const { model } = await supplied();
		expect(await model.getNumTokens('Hello, how are you today?')).toBe(7);
		expect(await model.getNumTokens('今天天气很好')).toBe(6);
		expect(await model.getNumTokens([{ type: 'text', text: 'abcdefgh' }, 'abcd'])).toBe(3);
		// The agent trims its memory by these counts: an image must not empty it.
		const image = {
			type: 'image_url',
			image_url: { url: `data:image/png;base64,${'A'.repeat(1_000_000)}` },
		};
		expect(await model.getNumTokens([image, { type: 'text', text: 'abcd' }])).toBe(1001);
		expect(await model.getNumTokens([{ type: 'tool_use', name: 'f', input: { x: 1 } }])).toBe(12);
		expect(await model.getNumTokens(undefined)).toBe(0);
		expect(server().requests).toHaveLength(0);
	});

	it.each([
		[
			'with its options',
			{ options: { temperature: 0.5, maxTokens: 100 } },
			{ ls_temperature: 0.5, ls_max_tokens: 100 },
		],
		['without options', {}, {}],
	])('tells tracers its name, %s', async (_title, parameters, expected) => {
		const { model } = await supplied(parameters);
		const { getLsParams } = model as unknown as { getLsParams: (options: object) => object };
		expect(getLsParams.call(model, { stop: ['END'] })).toEqual({
			ls_provider: 'local-llama',
			ls_model_type: 'chat',
			ls_model_name: 'sim-model',
			ls_stop: ['END'],
			...expected,
		});
	});

	it('returns JSON in a code block without the fence', async () => {
		const response = '```json\n{"n": 4}\n```';
		const settings = { responseFormat: 'jsonSchema', jsonSchema: '{"type":"object"}' };
		const { model } = await supplied(settings);
		server().script(reply.text(response), reply.text(response));
		expect((await model.invoke('Hi')).content).toBe('{"n": 4}');
		const streamed = await collect(model, 'Hi');
		expect(streamed.map(({ content }) => content).join('')).toBe('{"n": 4}');
	});

	it('keeps callbacks that are appended later, as the Model Selector does', async () => {
		const { model } = await supplied();
		const seen: string[] = [];
		const { BaseCallbackHandler } = fromRoot('@langchain/core/callbacks/base') as {
			BaseCallbackHandler: { fromMethods(methods: object): unknown };
		};
		model.callbacks.push(BaseCallbackHandler.fromMethods({ handleLLMEnd: () => seen.push('end') }));
		await model.bindTools([weather]).invoke('Hi');
		expect(seen).toEqual(['end']);
	});
});

it('tools: turns "any" into "required", and the choice survives a second binding', async () => {
	server().script(reply.toolCalls([{ name: 'get_weather', arguments: { city: 'Rome' } }]));
	const { model } = await supplied();
	const once = model.bindTools([weather], { tool_choice: 'any' });
	expect(typeof once.bindTools).not.toBe('function');
	await once.invoke('Hi');
	expect(chatRequests()[0]).toMatchObject({ tool_choice: 'required' });
});

/** Pushes tokens one after the other. */
const tokens =
	(count: number, everyMs: number) =>
	async (onDelta: (delta: string) => void, abandoned: AbortSignal): Promise<string> => {
		for (let at = 0; at < count && !abandoned.aborted; at++) {
			onDelta(`${at} `);
			if (everyMs > 0) await delay(everyMs);
		}
		return 'end';
	};

const asChunk = (text: string) => [text];

/** A source that emits the next tokens only after `allow()`. */
function stepwise(steps: string[][]) {
	let allow = () => {};
	const work = async (onDelta: (delta: string) => void) => {
		for (const [index, step] of steps.entries()) {
			if (index > 0) await new Promise<void>((resolve) => (allow = resolve));
			step.forEach(onDelta);
		}
		return 'end';
	};
	return { work, allow: () => allow() };
}

describe('streamText', () => {
	it('yields all text and returns the result of the source', async () => {
		const deltas: string[] = [];
		const generator = streamText(tokens(200, 0), asChunk);
		let next = await generator.next();
		for (; !next.done; next = await generator.next()) deltas.push(next.value);
		expect(deltas.join('')).toBe(Array.from({ length: 200 }, (_, at) => `${at} `).join(''));
		expect(next.value).toBe('end');
	});

	it('yields the first token immediately and joins later ones', async () => {
		const { work, allow } = stepwise([['a'], ['b', 'c', 'd']]);
		const deltas = streamText(work, asChunk);
		expect(await deltas.next()).toEqual({ done: false, value: 'a' });
		allow();
		expect(await deltas.next()).toEqual({ done: false, value: 'bcd' });
		expect(await deltas.next()).toEqual({ done: true, value: 'end' });
	});

	describe('the pause between two deltas', () => {
		/** In milliseconds. */
		const measurePause = async () => {
			const { work, allow } = stepwise([['a'], ['b'], ['c']]);
			const deltas = streamText(work, asChunk);
			await deltas.next();
			allow();
			jest.useFakeTimers();
			let second: unknown;
			const reading = deltas.next().then(({ value }) => (second = value));
			let ms = 0;
			for (; second === undefined && ms < 1000; ms++) await jest.advanceTimersByTimeAsync(1);
			jest.useRealTimers();
			await reading;
			allow();
			await deltas.return('left');
			return ms;
		};

		it('is 40 ms', async () => {
			expect(await measurePause()).toBe(40);
		});

		it('is longer while many streams are open, whether they end, fail or are left', async () => {
			const endings = [
				async () => await Promise.resolve('end'),
				async () => await Promise.reject(new Error('broken')),
				async () => await new Promise<string>(() => {}),
			];
			const open = Array.from({ length: 39 }, (_stream, at) => {
				const deltas = streamText(async (onDelta) => {
					onDelta('a');
					return await endings[at % 3]!();
				}, asChunk);
				return deltas;
			});
			await Promise.all(open.map(async (deltas) => await deltas.next()));
			expect(await measurePause()).toBe(100);
			const ends = open.map(async (deltas, at) =>
				at % 3 === 2 ? await deltas.return('left') : await deltas.next().catch(() => {}),
			);
			await Promise.all(ends);
			expect(await measurePause()).toBe(40);
		});
	});

	it('throws an error after the text that arrived before it', async () => {
		const failing = async (onDelta: (delta: string) => void): Promise<string> => {
			onDelta('a');
			onDelta('b');
			await delay(1);
			return await Promise.reject(new Error('broken'));
		};
		const generator = streamText(failing, asChunk);
		const deltas: string[] = [];
		const read = async () => {
			for await (const delta of generator) deltas.push(delta);
		};
		await expect(read()).rejects.toThrow('broken');
		expect(deltas.join('')).toBe('ab');
	});

	it('aborts the work when the reader stops', async () => {
		const signals: AbortSignal[] = [];
		const generate = async (onDelta: (delta: string) => void, abandoned: AbortSignal) => {
			signals.push(abandoned);
			return await tokens(1000, 1)(onDelta, abandoned);
		};
		for await (const delta of streamText(generate, asChunk)) {
			expect(delta).toBe('0 ');
			break;
		}
		expect(signals.map(({ aborted }) => aborted)).toEqual([true]);
	});
});

test('tokens are sent only to callbacks that handle them', () => {
	const handleLLMNewToken = async () => {};
	const wants = (handlers?: unknown) => wantsTokenEvents({ handleLLMNewToken, handlers });
	expect(wants([{ handleLLMEnd: () => {} }])).toBe(false);
	expect(wants([])).toBe(false);
	expect(wants([{ handleLLMEnd: () => {} }, { handleLLMNewToken }])).toBe(true);
	// A host that does not show its callbacks.
	expect(wants()).toBe(true);
});

type Tracing = HostClasses['N8nLlmTracing'];
interface Tracer {
	handleLLMStart(llm: object, prompts: string[], runId: string): Promise<void>;
	handleLLMEnd(output: object, runId: string): Promise<void>;
	handleLLMError(error: Error, runId: string): Promise<void>;
}

async function hostTracing(): Promise<Tracing> {
	const harvest = await findHostClasses(fakeContext({}, {}).context, loadSdk());
	if (harvest.type === 'missing') throw new Error(harvest.missing);
	return harvest.classes.N8nLlmTracing;
}

async function tracer(options?: Record<string, unknown>) {
	const fake = fakeContext({}, {});
	const Own = getTracerWithoutTokenizer(await hostTracing());
	return { fake, trace: new Own(fake.context, options) as unknown as Tracer };
}

const generations = [[{ text: 'x'.repeat(400), generationInfo: { finish_reason: 'stop' } }]];

describe("n8n's tracer without its tokenizer", () => {
	it("is an instance of n8n's class, by which the Model Selector recognizes it", async () => {
		const Host = await hostTracing();
		const { trace } = await tracer();
		expect(trace).toBeInstanceOf(Host);
		expect(getTracerWithoutTokenizer(Host)).toBe(getTracerWithoutTokenizer(Host));
	});

	it('never runs the tokenizer, neither for the prompt nor for the response', async () => {
		const Host = await hostTracing();
		const original = jest.spyOn(
			Host.prototype as { estimateTokensFromStringList(): unknown },
			'estimateTokensFromStringList',
		);
		const { trace } = await tracer();
		await trace.handleLLMStart({ type: 'constructor', kwargs: {} }, ['y'.repeat(800)], 'run');
		await trace.handleLLMEnd({ generations, llmOutput: {} }, 'run');
		expect(original).not.toHaveBeenCalled();
		original.mockRestore();
	});

	it("logs as n8n's tracer: the input with an estimate, the response with the token counts of the server", async () => {
		const { fake, trace } = await tracer();
		await trace.handleLLMStart(
			{ type: 'constructor', kwargs: { model: 'qwen' } },
			['y'.repeat(800)],
			'run',
		);
		await trace.handleLLMEnd(
			{
				generations,
				llmOutput: { tokenUsage: { promptTokens: 11, completionTokens: 7, totalTokens: 18 } },
			},
			'run',
		);
		expect(fake.inputs).toEqual([
			{ messages: ['y'.repeat(800)], estimatedTokens: 200, options: { model: 'qwen' } },
		]);
		expect(fake.outputs).toEqual([
			{
				response: { generations },
				tokenUsage: expect.objectContaining({
					promptTokens: 11,
					completionTokens: 7,
					totalTokens: 18,
				}) as unknown,
			},
		]);
	});

	it('estimates if the server does not count tokens', async () => {
		const { fake, trace } = await tracer();
		await trace.handleLLMStart(
			{ type: 'constructor', kwargs: {} },
			['y'.repeat(800), 'z'.repeat(40)],
			'run',
		);
		await trace.handleLLMEnd({ generations }, 'run');
		expect(fake.outputs).toEqual([
			expect.objectContaining({
				tokenUsageEstimate: { promptTokens: 210, completionTokens: 100, totalTokens: 310 },
			}),
		]);
	});

	it('ignores content that is not text', async () => {
		const { fake, trace } = await tracer();
		await trace.handleLLMStart(
			{ type: 'constructor', kwargs: {} },
			['y'.repeat(4), undefined as unknown as string],
			'run',
		);
		expect(fake.inputs).toEqual([expect.objectContaining({ estimatedTokens: 1 })]);
	});

	it('does not change a tracer with another estimate', () => {
		class Other {}
		expect(getTracerWithoutTokenizer(Other as unknown as Tracing)).toBe(Other);
	});
});
