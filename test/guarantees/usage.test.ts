/** Promises to users. Agent: counts and spans. */
import { toolNamed } from './support/agent-turns';
import {
	called,
	calls,
	CHAT,
	delta,
	LLAMA_SERVER,
	streamed,
	text,
	usage,
} from './support/responses';
import { chatModel, failureOf, run, streamOf, wholeOf } from './support/node-runner';
import type { SupplySetup } from './support/node-runner';
import { json, useServers } from '../support/servers/scripted-server';
import type { Answer } from '../support/servers/scripted-server';
import { useTraces } from '../support/n8n/traces';

const start = useServers();
const serve = async (...answers: Answer[]) =>
	await start({ ...LLAMA_SERVER, [`POST ${CHAT}`]: answers });

describe('usage', () => {
	const COUNTED = { prompt_tokens: 120, completion_tokens: 30, total_tokens: 150 };
	const timings = {
		cache_n: 100,
		prompt_n: 20,
		prompt_ms: 40,
		predicted_n: 30,
		predicted_ms: 1000,
		predicted_per_second: 30,
	};
	const counted = streamed(
		delta({ content: 'Hello ' }),
		delta({ content: 'there.' }),
		delta({}, 'stop', { timings }),
		usage({ ...COUNTED, prompt_tokens_details: { cached_tokens: 100 } }, { timings }),
	);
	/** n8n's totals of an execution. */
	function customData() {
		const values = new Map<string, unknown>();
		return {
			values,
			context: {
				customData: {
					get: (key: string) => values.get(key),
					set: (key: string, value: unknown) => values.set(key, value),
				},
			},
		};
	}
	const generate = async (setup: SupplySetup, isStreamed: boolean) => {
		const server = await serve(counted);
		const { supplied, outputs, summaries } = await chatModel(server.url, setup);
		const whole = isStreamed
			? wholeOf(await streamOf(supplied, 'Hi'))
			: await supplied.invoke('Hi');
		return { whole, summaries, logged: outputs[0] as Record<string, unknown> };
	};

	test.each([true, false])(
		'are those of the server, timings and cached tokens in the log (streamed: %s)',
		async (isStreamed) => {
			const { whole, summaries, logged } = await generate({}, isStreamed);
			expect(summaries).toEqual([
				expect.stringMatching(
					/^Tokens per second: 30, cached tokens: 100, model: sim-model, prompt tokens: 120, response tokens: 30, seconds: [\d.]+$/,
				),
			]);
			expect(whole.usage_metadata).toMatchObject({
				input_tokens: 120,
				output_tokens: 30,
				total_tokens: 150,
			});
			expect(logged.tokenUsage).toMatchObject({ promptTokens: 120, completionTokens: 30 });
			const { generations } = logged.response as {
				generations: Array<Array<{ text: string; generationInfo: Record<string, unknown> }>>;
			};
			expect(generations[0]![0]).toMatchObject({
				text: 'Hello there.',
				generationInfo: {
					finishReason: 'stop',
					cachedTokens: 100,
					tokensPerSecond: 30,
				},
			});
		},
	);

	test('the totals of an execution add up, with and without streaming, in the three keys', async () => {
		const { values, context } = customData();
		for (const isStreamed of [true, false]) await generate({ context }, isStreamed);
		expect([values.get('llm_tokens_in'), values.get('llm_tokens_out')]).toEqual([240, 60]);
		expect(JSON.parse(String(values.get('llm_usage')))).toMatchObject({
			models: ['sim-model'],
			generations: 2,
			cached: 200,
		});
	});

	test('of Local Llama is in the item', async () => {
		const server = await serve(counted);
		const [item] = await run(server.url, 'text:chat', {
			parameters: { prompt: 'Hi', options: { simplify: false } },
		});
		expect(item!.json).toMatchObject({
			output: 'Hello there.',
			metadata: { usage: { promptTokens: 120, completionTokens: 30 } },
		});
	});

	test('a tool call is counted, too', async () => {
		const server = await serve(
			streamed(called('a', 'look', '{}'), delta({}, 'tool_calls'), usage(COUNTED)),
		);
		const { supplied } = await chatModel(server.url);
		const chunks = await streamOf(supplied.bindTools([toolNamed('look')]), 'Hi');
		expect(chunks.filter((chunk) => chunk.usage_metadata !== undefined)).toHaveLength(1);
		expect(wholeOf(chunks).usage_metadata).toMatchObject({ input_tokens: 120 });
	});

	describe('of all attempts is in the error of a failed turn', () => {
		const ALL = { promptTokens: 33, completionTokens: 15, totalTokens: 48 };
		const broken = json({ error: { message: 'broken' } }, 500);
		const unknown = calls(['a', 'invented', '{}']);
		const retries = { options: { maxRetries: 0 } };

		test.each([
			['a tool that is not connected', [unknown], ALL],
			[
				'a server that breaks down later',
				[unknown, broken],
				{ promptTokens: 11, completionTokens: 5, totalTokens: 16 },
			],
		])('of an agent: %s', async (_name, answers, counts) => {
			const server = await serve(...answers);
			const { supplied } = await chatModel(server.url, { parameters: retries });
			const failed = await failureOf(supplied.bindTools([toolNamed('look')]).invoke('Hi'));
			expect(failed.context.data).toMatchObject({ usage: counts });
		});

		test('of Local Llama: invalid JSON', async () => {
			const server = await serve(text('I cannot.'));
			const parameters = { prompt: 'Hi', options: { responseFormat: 'jsonObject' } };
			const failed = await failureOf(run(server.url, 'text:chat', { parameters }));
			expect(server.sent(CHAT)).toHaveLength(3);
			expect(failed.context.data).toMatchObject({ type: 'invalidResponse', usage: ALL });
		});
	});
});

describe('spans', () => {
	const traces = useTraces();

	test("one below n8n's own for each request to a model, with model, tokens and finish reason, without texts and key", async () => {
		const server = await serve(text('Four.'));
		const { supplied } = await chatModel(server.url, { context: { helpers: traces.helpers } });
		await supplied.invoke('What is 2+2?');
		const [span, ...more] = traces.spans();
		expect(more).toEqual([]);
		expect(span!.parentSpanContext?.spanId).toBe(traces.nodeSpanId());
		expect(span).toMatchObject({ name: 'chat sim-model', kind: 2, status: { code: 0 } });
		expect(span!.attributes).toMatchObject({
			'gen_ai.operation.name': 'chat',
			'gen_ai.request.model': 'sim-model',
			'gen_ai.response.finish_reasons': ['stop'],
			'gen_ai.usage.input_tokens': 11,
			'gen_ai.usage.output_tokens': 5,
		});
		expect(JSON.stringify(span!.attributes)).not.toMatch(/2\+2|Four|sesame-4711/);
	});

	test('of an error contains only its title', async () => {
		const server = await serve(json({ error: { message: 'secret words' } }, 500));
		const { supplied } = await chatModel(server.url, {
			parameters: { options: { maxRetries: 0 } },
			context: { helpers: traces.helpers },
		});
		await failureOf(supplied.invoke('Hi'));
		const [span] = traces.spans();
		expect(span!.status.code).toBe(2);
		expect(JSON.stringify([span!.status, span!.attributes, span!.events])).not.toContain(
			'secret words',
		);
	});
});
