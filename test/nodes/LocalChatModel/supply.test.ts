import type { NodeOperationError } from 'n8n-workflow';

import { collect, type Model, useChatModel, weather } from '../../support/chat-model';
import { reply } from '../../servers/llama-server';
import { delay } from '../../support/node';

const { server, supplied, chatRequests } = useChatModel();

describe('the execution log', () => {
	it('shows readable settings and no secret', async () => {
		const { model, inputs } = await supplied({ options: { temperature: 0.2, maxTokens: 50 } }, { extraHeaders: '' });
		await model.invoke('Hi');
		expect(inputs[0]).toMatchObject({
			options: { model: 'sim-model', base_url: `${server().url}/v1`, options: { temperature: 0.2, maxTokens: 50 } },
		});
		expect(JSON.stringify(inputs)).not.toContain('secret-key-123');
		expect(JSON.stringify(model.toJSON())).not.toContain('secret-key-123');
	});

	it('gives the user hints about an answer that is usable all the same', async () => {
		server().script(reply.text('cut off', { finish: 'length' }));
		const { model, hints } = await supplied();
		await model.invoke('Hi');
		expect(hints.map(({ message }) => message)).toEqual([
			expect.stringContaining('cut off by the token limit') as string,
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
			() => reply.toolCalls([{ name: 'get_weather', arguments: '{"city":"Pa' }], { finish: 'length' }),
			'toolCallCut',
		],
		[
			'arguments that are no JSON',
			() => reply.toolCalls([{ name: 'get_weather', arguments: '{"city":' }]),
			'toolCallInvalid',
		],
		['an empty answer', () => reply.empty(), 'emptyAnswer'],
		['an early end', () => reply.chunks(['half'], { finish: false, done: false }), 'streamEndedEarly'],
		['an error in the stream', () => reply.chunks(['half'], { error: { message: 'Compute error.' } }), 'streamError'],
	])('%s is a node error, streamed and generated', async (_name, scripted, kind) => {
		server().script(scripted());
		server().script(scripted());
		const { model } = await supplied();
		const bound = model.bindTools([weather]);
		for (const run of [bound.invoke('Hi'), collect(bound, 'Hi')]) {
			const error = await failureOf(run);
			expect(error.constructor.name).toBe('NodeOperationError');
			expect(error.context.data).toMatchObject({ kind });
			expect(error.message).not.toContain(server().url);
			expect(error.description).toContain(`${server().url}/v1/chat/completions`);
		}
	});

	it('keeps the text that had arrived', async () => {
		server().script(reply.chunks(['half of ', 'an answer'], { finish: false, done: false }));
		const { model } = await supplied();
		const error = await failureOf(collect(model, 'Hi'));
		expect(error.context.data).toMatchObject({ partialText: 'half of an answer' });
	});

	it('names a wrong key and never shows it', async () => {
		const { model, outputs } = await supplied({}, { apiKey: 'wrong-key-987' });
		const error = await failureOf(model.invoke('Hi'));
		expect(error.message).toContain('refuses the API key');
		expect(JSON.stringify([error, error.message, error.description, outputs])).not.toContain('wrong-key-987');
	});

	it('stops for the signal of the call and for that of the node', async () => {
		for (const which of ['call', 'node'] as const) {
			server().script(reply.chunks(['a', { wait: 60_000 }]));
			const { model, cancel } = await supplied();
			const own = new AbortController();
			const run = failureOf(model.invoke('Hi', { signal: own.signal }));
			await server().until(() => chatRequests().length === (which === 'call' ? 1 : 2));
			await delay(30);
			(which === 'call' ? own : cancel).abort();
			await run;
			await server().until(() => server().requests.at(-1)?.endedBy === 'client-abort');
		}
	});

	it('lets a fallback model take over', async () => {
		server().script(reply.error(500, { error: { message: 'boom', code: 500, type: 'server_error' } }));
		server().script(reply.text('second'));
		const first = (await supplied()).model as Model & { withFallbacks(models: unknown[]): Model };
		const second = (await supplied()).model;
		expect((await first.withFallbacks([second]).invoke('Hi')).content).toBe('second');
	});

	it('refuses a model that was not chosen before anything is sent', async () => {
		const error = await failureOf(supplied({ model: { __rl: true, mode: 'list', value: '' } }));
		expect(error.message).toContain('No model is chosen');
		expect(server().requests).toHaveLength(0);
	});
});
