import type { NodeOperationError } from 'n8n-workflow';

import { CancelPoller } from '../../../nodes/shared/cancel-poller';
import { collect, type Model, useChatModel, weather } from '../../support/chat-model';
import { reply } from '../../simulators/llama-server';
import { closedPort } from '../../support/listen';

const { server, supplied } = useChatModel();

describe('the execution log', () => {
	it('shows readable settings and no secret', async () => {
		const { model, inputs } = await supplied(
			{ options: { temperature: 0.2, maxTokens: 50 } },
			{ extraHeaders: '' },
		);
		await model.invoke('Hi');
		expect(inputs[0]).toMatchObject({
			options: {
				model: 'sim-model',
				base_url: `${server().url}/v1`,
				options: { temperature: 0.2, maxTokens: 50 },
			},
		});
		expect(JSON.stringify(inputs)).not.toContain('secret-key-123');
		expect(JSON.stringify(model.toJSON())).not.toContain('secret-key-123');
	});

	it('shows the length of the thinking above the response', async () => {
		server().script(reply.reasoning('Let me think.', 'Forty-two.'));
		const { model, summaries } = await supplied();
		await model.invoke('Hi');
		expect(summaries).toEqual([
			expect.stringMatching(/^Tokens per second: .*, characters of thinking: 13$/) as string,
		]);
	});
});

describe('failures', () => {
	async function failureOf(run: Promise<unknown>): Promise<NodeOperationError> {
		return await run.then(
			() => {
				throw new Error('it succeeded');
			},
			(error: unknown) => error as NodeOperationError,
		);
	}

	it.each([
		['only thinking', () => reply.reasoning('hmm', ''), 'onlyThinking'],
		[
			'a call cut by the token limit',
			() =>
				reply.toolCalls([{ name: 'get_weather', arguments: '{"city":"Pa' }], { finish: 'length' }),
			'toolCallTruncated',
		],
		[
			'arguments that are no JSON',
			() => reply.toolCalls([{ name: 'get_weather', arguments: '{"city":' }]),
			'invalidToolCall',
		],
		['an empty answer', () => reply.empty(), 'emptyResponse'],
		[
			'an early end',
			() => reply.chunks(['half'], { finish: false, done: false }),
			'streamEndedEarly',
		],
		[
			'an error in the stream',
			() => reply.chunks(['half'], { error: { message: 'Compute error.' } }),
			'streamError',
		],
	])('%s is a node error, streamed and generated', async (_name, scripted, type) => {
		// A model that receives its error repeats it twice.
		for (let times = 0; times < 6; times++) server().script(scripted());
		const { model } = await supplied();
		const bound = model.bindTools([weather]);
		for (const run of [
			async () => await bound.invoke('Hi'),
			async () => await collect(bound, 'Hi'),
		]) {
			const error = await failureOf(run());
			expect(error.constructor.name).toBe('NodeOperationError');
			expect(error.context.data).toMatchObject({ type });
			expect(error.message).not.toContain(server().url);
			expect(error.context.descriptionTemplate).toContain(`${server().url}/v1/chat/completions`);
		}
	});

	it('keeps the text that had arrived', async () => {
		server().script(reply.chunks(['half of ', 'an answer'], { finish: false, done: false }));
		const { model } = await supplied();
		const error = await failureOf(collect(model, 'Hi'));
		expect(error.context.data).toMatchObject({ partialText: 'half of an answer' });
	});

	it('watches for a stop while it answers, and no longer than the node that uses it', async () => {
		const isOver = jest.fn();
		const begin = jest.spyOn(CancelPoller.prototype, 'begin').mockReturnValue(isOver);
		const close = jest.spyOn(CancelPoller.prototype, 'close');
		const supply = await supplied();
		await supply.model.invoke('Hi');
		await collect(supply.model, 'Hi');
		expect([begin.mock.calls.length, isOver.mock.calls.length, close.mock.calls.length]).toEqual([
			2, 2, 0,
		]);
		await supply.close!();
		expect(close).toHaveBeenCalledTimes(1);
		jest.restoreAllMocks();
	});

	it('lets a fallback model take over where the server of a model that is not chosen is down', async () => {
		server().script(reply.text('second'));
		const unchosen = { model: { __rl: true, mode: 'list', value: '' }, options: { maxRetries: 0 } };
		const down = await supplied(unchosen, { baseUrl: `http://127.0.0.1:${await closedPort()}` });
		const first = down.model as Model & { withFallbacks(models: unknown[]): Model };
		const second = (await supplied()).model;
		expect((await first.withFallbacks([second]).invoke('Hi')).content).toBe('second');
		expect((await failureOf(first.invoke('Hi'))).message).toContain('Nothing is listening');
	});

	it('uses the model of the server if none is selected', async () => {
		const { model } = await supplied({ model: { __rl: true, mode: 'list', value: '' } });
		await model.invoke('Hi');
		const requests = server().requests.filter(({ path }) => path === '/v1/chat/completions');
		expect(requests.map(({ body }) => (body as { model: string }).model)).toEqual(['sim-model']);
	});

	it.each([
		['only thinking', () => reply.reasoning('hmm', '', { finish: 'length' })],
		[
			'a cut call',
			() =>
				reply.toolCalls([{ name: 'get_weather', arguments: '{"city":"Pa' }], { finish: 'length' }),
		],
		['an answer against the schema', () => reply.text('{"answer": 5}')],
	])('%s was generated: its tokens are in the totals of the run, once', async (_name, scripted) => {
		const jsonSchema =
			'{"type":"object","properties":{"answer":{"type":"string"}},"required":["answer"]}';
		const { model, context } = await supplied({ responseFormat: 'jsonSchema', jsonSchema });
		const values = new Map<string, unknown>();
		Object.assign(context, {
			customData: {
				get: (key: string) => values.get(key),
				set: (key: string, value: unknown) => values.set(key, value),
			},
		});
		for (const run of [
			async () => await collect(model, 'Hi'),
			async () => await model.invoke('Hi'),
		]) {
			for (let times = 0; times < 3; times++) server().script(scripted());
			await failureOf(run());
		}
		expect(JSON.parse(String(values.get('llm_usage')))).toMatchObject({
			generations: 2,
			uncounted: 0,
		});
		expect(values.get('llm_tokens_in')).toBeGreaterThan(0);
	});
});
