import { reply } from '../../../servers/llama-server';
import { recordedReply } from '../../../support/recorded';
import { useLocalLlama } from '../run-node';

const { serve, json, failure, sent } = useLocalLlama();
const FILL_IN = { resource: 'text', operation: 'fillIn', prefix: 'def f(', suffix: 'return 1' };

test('llama-server: /infill, with other files and a beginning', async () => {
	const sim = await serve();
	sim.route('POST /infill', recordedReply('llama-server-v0.5.0/infill-stream'));
	const options = {
		maxTokens: 6,
		beginning: 'x',
		extraFiles: { file: [{ filename: 'a.py', text: 'y = 1' }] },
	};
	expect(await json({ ...FILL_IN, options })).toMatchObject({
		text: expect.stringMatching(/./) as string,
		stopType: 'limit',
		usage: { promptTokens: 19, completionTokens: 6 },
		server: 'llamaServer',
	});
	expect(sent('/infill')).toEqual([
		{
			model: 'sim-model',
			input_prefix: 'def f(',
			input_suffix: 'return 1',
			input_extra: [{ filename: 'a.py', text: 'y = 1' }],
			prompt: 'x',
			stream: true,
			n_predict: 6,
		},
	]);
});

test('B45: without a text before or behind, empty ones are sent: llama-server fails with 500 otherwise', async () => {
	const sim = await serve();
	sim.route('POST /infill', recordedReply('llama-server-v0.5.0/infill-stream'));
	await json({ ...FILL_IN, prefix: '' });
	await json({ ...FILL_IN, suffix: '' });
	expect(
		sent('/infill').map(({ input_prefix: prefix, input_suffix: suffix }) => [prefix, suffix]),
	).toEqual([
		['', 'return 1'],
		['def f(', ''],
	]);
	expect((await failure({ ...FILL_IN, prefix: '', suffix: '' })).message).toContain(
		'"Text Before" is empty',
	);
});

test('B45: a model that cannot is told as that, with the tokens that it lacks', async () => {
	const sim = await serve();
	sim.route('POST /infill', recordedReply('llama-server-v0.5.0/infill-501'));
	const failed = await failure(FILL_IN);
	expect(failed.message).toBe('The model "sim-model" cannot fill in');
	expect(failed.description).toContain(
		'prefix token is missing. suffix token is missing. middle token is missing',
	);
	expect(failed.description).toContain('trained to fill in');
});

test('Ollama: prompt and suffix, and its own refusal', async () => {
	const sim = await serve({ profile: 'ollama' });
	sim.route('POST /api/generate', recordedReply('ollama-v0.17.4/generate-stream'));
	expect((await json(FILL_IN)).text).toBe('The original sentence is');
	expect(sent('/api/generate')).toEqual([
		{ model: 'sim-model', prompt: 'def f(', suffix: 'return 1', stream: true },
	]);
	sim.route('POST /api/generate', recordedReply('ollama-v0.17.4/generate-suffix'));
	expect((await failure(FILL_IN)).message).toBe('The model "sim-model" cannot fill in');
});

// ik_llama.cpp (seen: 8337e4c) with 500; vLLM; pydantic in FastAPI.
test.each([
	[500, 'Unsupported param: suffix'],
	[400, 'suffix is not currently supported'],
	[422, 'suffix: Extra inputs are not permitted'],
])('a server that refuses the text behind with %i: %s', async (status, message) => {
	const sim = await serve({ profile: 'fastapi' });
	sim.route('POST /v1/completions', reply.error(status, { error: { message } }));
	const failed = await failure(FILL_IN);
	expect(failed.message).toBe('The server cannot fill in');
	expect(failed.description).toContain('takes no text behind the gap');
	expect(failed.description).toContain('llama-server');
});

test('another server: a suffix on /v1/completions', async () => {
	const sim = await serve({ profile: 'fastapi' });
	sim.route('POST /v1/completions', recordedReply('llama-server-v0.5.0/v1-stream'));
	expect((await json(FILL_IN)).text).toContain('Paris');
	expect(sent('/v1/completions').at(-1)).toMatchObject({ prompt: 'def f(', suffix: 'return 1' });
});
