import type { INodeExecutionData } from 'n8n-workflow';

import { reply } from '../../../simulators/llama-server';
import { recordedReply } from '../../../support/files/recordings';
import { useLocalLlama } from '../run-node';

const { serve, prepare, executeIn, execute, json, getError, getBodies } = useLocalLlama();
const COMPLETE = { resource: 'text', operation: 'complete', prompt: 'Once upon a time' };

test('uses the route of OpenAI, streamed, with the options of the server', async () => {
	await serve();
	expect(
		await json({
			...COMPLETE,
			options: { simplify: false, maxTokens: 40, topK: 10, stop: ['\\n\\n'] },
		}),
	).toMatchObject({
		output: ' and so on after time',
		metadata: {
			finishReason: 'stop',
			usage: { promptTokens: expect.any(Number) as number },
			timings: { predicted_ms: expect.any(Number) as number },
			model: 'sim-model',
			server: 'llamaServer',
		},
	});
	expect(getBodies('/v1/completions')).toEqual([
		{
			model: 'sim-model',
			prompt: COMPLETE.prompt,
			stream: true,
			stream_options: { include_usage: true },
			max_tokens: 40,
			top_k: 10,
			stop: ['\n\n'],
		},
	]);
});

test('a response that does not say why it ended has no reason', async () => {
	const sim = await serve();
	sim.route('POST /v1/completions', reply.json({ model: 'm', choices: [{ text: ' and so on' }] }));
	const { output, metadata } = await json({ ...COMPLETE, options: { simplify: false } });
	expect({ output, metadata }).toEqual({
		output: ' and so on',
		metadata: { model: 'm', server: 'llamaServer', seconds: expect.any(Number) as number },
	});
});

test('a list of prompts returns one item each, in order, with usage; so do several completions', async () => {
	await serve();
	const items = await execute({
		parameters: { ...COMPLETE, prompt: ['a b', 'c'], options: { simplify: false, n: 2, seed: 7 } },
	});
	const metadataOf = ({ json }: INodeExecutionData) => json.metadata as Record<string, unknown>;
	expect(items.map((item) => [item.json.output, metadataOf(item).promptIndex])).toEqual([
		[' and so on after b', 0],
		[' and so on after b', 0],
		[' and so on after c', 1],
		[' and so on after c', 1],
	]);
	expect(
		items.every(
			(item) =>
				metadataOf(item).usage !== undefined && JSON.stringify(item.pairedItem) === '{"item":0}',
		),
	).toBe(true);
	expect(getBodies('/completions').map(({ seed }) => seed)).toEqual([7, 8, 7, 8]);
});

test('tokens instead of a text', async () => {
	await serve();
	await json({ ...COMPLETE, prompt: [1, 2, 3] });
	await execute({ parameters: { ...COMPLETE, prompt: [[1, 2], 'x'] } });
	expect(getBodies('/completions').map(({ prompt }) => prompt)).toEqual([[1, 2, 3], [1, 2], 'x']);
});

test('Ollama: /api/generate, raw, with its option names: context is never sent', async () => {
	const sim = await serve({ profile: 'ollama' });
	sim.route('POST /api/generate', recordedReply('ollama-v0.17.4/generate-stream'));
	const options = {
		simplify: false,
		maxTokens: 4,
		keepAlive: '5m',
		extraBody: { context: [99999999], num_gpu: 0 },
	};
	expect(await json({ ...COMPLETE, options })).toMatchObject({
		output: 'The original sentence is',
		metadata: { finishReason: 'length', usage: { completionTokens: 4 }, server: 'ollama' },
	});
	const [body] = getBodies('/api/generate');
	expect(body).toMatchObject({
		raw: true,
		prompt: COMPLETE.prompt,
		options: { num_predict: 4, num_gpu: 0 },
		keep_alive: '5m',
	});
	expect(JSON.stringify(body)).not.toContain('99999999');
	expect((await getError({ ...COMPLETE, prompt: [1, 2] })).message).toContain('text only');
});

test('the text is streamed to the chat', async () => {
	await serve();
	const fake = prepare({ parameters: { ...COMPLETE, prompt: ['a', 'b'] }, streaming: true });
	await executeIn(fake);
	expect(fake.chunks.map(({ content }) => content ?? '').join('')).toBe(
		' and so on after a\n\n and so on after b',
	);
	expect(fake.chunks.filter(({ type }) => type === 'begin')).toHaveLength(1);
});

test('a server that truncates the prompt: a hint with the processed tokens and a suggestion', async () => {
	const sim = await serve({ profile: 'ollama' });
	const line = {
		model: 'm',
		response: 'Yes',
		done: true,
		done_reason: 'stop',
		prompt_eval_count: 2053,
	};
	sim.route('GET /api/ps', reply.json({ models: [{ name: 'sim-model', context_length: 4096 }] }));
	sim.route('POST /api/generate', reply.json(line));
	const texts = Array.from({ length: 3000 }, (_none, at) => `word${at}`).join(' ');
	const fake = prepare({ parameters: { ...COMPLETE, prompt: texts } });
	await executeIn(fake);
	expect(fake.hints.map(({ message }) => message)).toEqual([
		expect.stringMatching(/processed only 2053 tokens of the \d+ characters.*Context Size/s),
	]);
	expect(getBodies('/api/generate')).toMatchObject([{ truncate: false }]);
});

test('an empty text succeeds with a hint', async () => {
	const sim = await serve();
	sim.script(reply.empty());
	const fake = prepare({ parameters: COMPLETE });
	expect((await executeIn(fake))[0]!.json.output).toBe('');
	expect(fake.hints.map(({ message }) => message)).toEqual([
		'The model ended without generating text. For questions and instructions, use Chat.',
	]);
});

test.each([
	['a wrong key', 401, 'Invalid API Key'],
	['a missing model', 404, 'The model `sim-model` does not exist.'],
	['a rejected option', 400, 'temperature must be non-negative, got -1'],
	['a failure of the server', 500, 'Internal Server Error'],
])('only a prompt that is too long is to be shortened, not %s', async (_name, status, message) => {
	const sim = await serve();
	sim.route('POST /v1/completions', reply.error(status, { error: { message } }));
	sim.route('POST /completion', reply.error(status, { error: { message } }));
	sim.route('POST /v1/chat/completions', reply.error(status, { error: { message } }));
	const labels = { label: [{ name: 'x' }, { name: 'y' }] };
	const classify = { ...COMPLETE, operation: 'classify', text: 'a', labels };
	for (const parameters of [COMPLETE, classify]) {
		const { description } = await getError(parameters);
		expect(description).not.toContain('shorten');
	}
});

test.each([['vllm', 'vLLM with --max-model-len 5120']])(
	'a text that is too long for %s: the error names the option of that server',
	async (owner, option) => {
		const sim = await serve({ profile: 'vllm' });
		sim.route('GET /v1/models', reply.json({ data: [{ id: 'sim-model', owned_by: owner }] }));
		const message =
			"The input (4200 tokens) is longer than the model's context length (4096 tokens).";
		sim.route('POST /v1/completions', reply.error(400, { error: { message } }));
		const { description } = await getError(COMPLETE);
		expect(description).toContain(`Start ${option}. Or shorten the text.`);
		expect(description).not.toContain('memory');
	},
);

test.each([
	['an empty prompt', { prompt: '' }, '"Prompt" is empty'],
	['a blank prompt', { prompt: ' \n' }, '"Prompt" is empty'],
	['a blank entry', { prompt: ['a', ' '] }, 'has an entry 2 that is not text: " "'],
	['an empty list', { prompt: [] }, '"Prompt" is an empty list'],
	['an object in the list', { prompt: ['a', {}] }, '"Prompt" has an entry 2 that is not text: {}'],
	['an object', { prompt: { a: 1 } }, '"Prompt" must be a text, but is {"a":1}'],
	['a wrong option', { options: { temperature: -1 } }, 'Temperature'],
])('%s is an error before anything is sent', async (_name, parameters, message) => {
	const sim = await serve();
	const written = { prompt: '={{ [] }}' };
	expect((await getError({ ...COMPLETE, ...parameters }, { written })).message).toContain(message);
	expect(sim.requests).toHaveLength(0);
});

test('a number as prompt is a text, alone and in a list', async () => {
	await serve();
	await execute({ parameters: { ...COMPLETE, prompt: 7 } });
	await execute({ parameters: { ...COMPLETE, prompt: ['a', 8] } });
	expect(getBodies('/completions').map(({ prompt }) => prompt)).toEqual(['7', 'a', '8']);
});

const labels = { label: [{ name: 'invoice' }, { name: 'complaint' }] };
const TEXT = { resource: 'text', text: 'Please pay.' };
const OPERATIONS: Array<[string, object]> = [
	['chat', { resource: 'text', operation: 'chat', prompt: 'Hi' }],
	['classify', { ...TEXT, operation: 'classify', labels }],
	['complete', { resource: 'text', operation: 'complete', prompt: 'Once' }],
];
async function getHints(operation: object, contextSize: number, model = 'sim-model') {
	const namedModel = { model: { __rl: true, mode: 'id', value: model } };
	const fake = prepare({ parameters: { ...operation, ...namedModel, options: { contextSize } } });
	await executeIn(fake);
	return fake.hints.map(({ message }) => message).filter((hint) => hint.includes('Context Size'));
}

test.each(OPERATIONS)(
	'context size: Ollama reloads a model for another context: %s',
	async (_name, operation) => {
		const sim = await serve({ profile: 'ollama', models: [{ id: 'sim-model:latest' }] });
		sim.route('POST /api/generate', recordedReply('ollama-v0.17.4/generate-stream'));
		const [, chat] = OPERATIONS[0]!;
		expect(await getHints(chat, 4096)).toEqual([]);
		expect(await getHints(operation, 4096)).toEqual([]);
		expect(await getHints(operation, 8192)).toEqual([expect.stringContaining('with 4096.')]);
		expect(await getHints(chat, 4096, 'sim-model:latest')).toEqual([
			expect.stringContaining('with 8192.'),
		]);
	},
);

test.each([
	{ field: 'top_k', tells: true },
	{ field: 'max_tokens', tells: false },
])(
	'a server that rejects $field, and its text is longer than Maximum Tokens: told = $tells',
	async ({ field, tells }) => {
		const sim = await serve();
		sim.route('POST /v1/completions', ({ body }) =>
			Object.hasOwn(body as object, field)
				? reply.error(400, { error: { message: `${field}: Extra inputs are not permitted` } })
				: reply.json({
						choices: [{ text: 'Yes', finish_reason: 'stop' }],
						usage: { completion_tokens: 500 },
					}),
		);
		const fake = prepare({
			parameters: { ...COMPLETE, options: { simplify: false, maxTokens: 40, topK: 10 } },
		});
		await executeIn(fake);
		const hints = fake.hints.map(({ message }) => message);
		expect(hints.some((hint) => hint.includes('longer than Maximum Tokens (40)'))).toBe(tells);
	},
);
