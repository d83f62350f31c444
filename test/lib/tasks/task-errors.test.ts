import { createServerError } from '../../../lib/errors/create-error';
import { createModelServer } from '../../../lib/servers/endpoint';
import { getProfile } from '../../../lib/servers/profile';
import type { ServerTask } from '../../../lib/servers/task-advice';
import { SERVER_TYPES } from '../../../lib/servers/types';
import { explainNoOutput, explainUnsupportedTask } from '../../../lib/tasks/task-errors';

const explain = async (serverType: string, task: ServerTask, serverText?: string) => {
	const server = createModelServer({ baseUrl: 'http://127.0.0.1:9', serverType });
	const error = createServerError('wrongModelType', { url: 'http://127.0.0.1:9' }, { serverText });
	// The type of a gateway cannot be selected.
	const type = SERVER_TYPES[serverType as 'vllm'];
	const profiles = Object.getPrototypeOf(getProfile(server)) as ReturnType<typeof getProfile>;
	jest.spyOn(profiles, 'fetchType').mockResolvedValueOnce(type);
	return await explainUnsupportedTask(error, { server, task, model: 'm' });
};

test.each<[string, ServerTask]>([
	['vllm', 'rerank'],
	['vllm', 'embeddings'],
	['vllm', 'transcription'],
	['llamaServer', 'embeddings'],
	['ollama', 'embeddings'],
	['llamaServer', 'rerank'],
	['ollama', 'rerank'],
	['vllm', 'images'],
	['other', 'rerank'],
])('a model for another task on %s: its own advice for %s', async (serverType, task) => {
	const { type, suggestion } = await explain(serverType, task);
	expect(type).toBe('featureDisabled');
	expect(suggestion).toBe(SERVER_TYPES[serverType as 'vllm'].texts.tasks[task].suggestion);
});

const lacks = (task: string, option: string) =>
	`litellm.APIError: APIError: OpenAIException - Error code: 501 - This server does not support ${task}. Start it with ${option}`;

test.each<{ serverType: string; task: ServerTask; serverText: string; advice: RegExp }>([
	{
		serverType: 'litellm',
		task: 'rerank',
		serverText: lacks('reranking', '`--reranking`'),
		advice: /^Start the server behind LiteLLM with --reranking and a model for it/,
	},
	{
		serverType: 'litellm',
		task: 'embeddings',
		serverText: lacks('embeddings', '`--embeddings`'),
		advice: /^Start the server behind LiteLLM with --embeddings and/,
	},
	{
		serverType: 'gpustack',
		task: 'embeddings',
		serverText: 'This server does not support embeddings. Start it with --embedding',
		advice: /^Start the server behind GPUStack with --embedding and/,
	},
	// Counter-examples
	{
		serverType: 'litellm',
		task: 'rerank',
		serverText: 'Unsupported provider: openai',
		advice: /^In the LiteLLM configuration/,
	},
	{
		serverType: 'llamaServer',
		task: 'rerank',
		serverText: 'This server does not support reranking. Start it with `--reranking`',
		advice: /^Start llama-server with --rerank/,
	},
])('$serverType without $task: $serverText', async ({ serverType, task, serverText, advice }) => {
	expect((await explain(serverType, task, serverText)).suggestion).toMatch(advice);
});

const toUnknownError = (serverText: string, type: 'badRequest' | 'serverError' = 'badRequest') =>
	createServerError(type, { url: 'http://127.0.0.1:9' }, { serverText, title: serverText });

const explainReport = async (serverText: string, task: ServerTask) =>
	await explainUnsupportedTask(toUnknownError(serverText), {
		server: createModelServer({ baseUrl: 'http://127.0.0.1:9', serverType: 'other' }),
		task,
		model: 'm',
	});

describe('a server that says itself that it or its model lacks the task', () => {
	it.each<{ task: ServerTask; serverText: string }>([
		// Infinity
		{
			task: 'embeddings',
			serverText: 'the loaded moded cannot fullyfill "embed".options are {\'rerank\'}.',
		},
		{ task: 'rerank', serverText: 'the loaded moded cannot fullyfill `rerank`. options are x' },
		// LocalAI, Ollama
		{ task: 'embeddings', serverText: 'embeddings not supported by the backend' },
		{
			task: 'images',
			serverText: 'image generation models are not currently supported',
		},
		{ task: 'speech', serverText: 'TTS is not enabled on this server' },
		{ task: 'speech', serverText: 'The backend does not support text-to-speech' },
		{ task: 'rerank', serverText: 'Reranking endpoint is disabled' },
		{ task: 'transcription', serverText: 'speech-to-text is not available' },
		{ task: 'translation', serverText: 'This model does not support translation.' },
		{ task: 'completion', serverText: 'no support for completions' },
		// TEI
		{
			task: 'rerank',
			serverText: 'Backend error: `predict` is not available for embedding models',
		},
	])('$task: $serverText', async ({ task, serverText }) => {
		const { type, message } = await explainReport(serverText, task);
		expect(type).toBe('featureDisabled');
		expect(message).toMatch(/^The server cannot .+ with this model$/);
	});

	it.each<{ task: ServerTask; serverText: string }>([
		{ task: 'embeddings', serverText: 'embedding dimensions are not supported' },
		{ task: 'embeddings', serverText: 'This model does not support embedding with dimensions' },
		{ task: 'speech', serverText: 'speech speed is not supported' },
		{ task: 'transcription', serverText: 'transcription of this language is not supported' },
		{ task: 'rerank', serverText: 'embeddings are not supported' },
		{ task: 'images', serverText: 'the image generation was not finished' },
	])('$task is not what is missing: $serverText', async ({ task, serverText }) => {
		expect((await explainReport(serverText, task)).type).toBe('badRequest');
	});
});

describe('a server that says itself that nothing came out', () => {
	const TEXTS = { title: 'The server returned no audio', suggestion: 'Check the text.' };

	it.each([
		'No audio generated',
		'Audio generation resulted in no output.',
		'synthesis failed (backend returned empty audio)',
		'No output generated from the model.',
		'generate_image returned no results',
		'No output generated from multi-stage pipeline.',
	])('%s', (serverText) => {
		expect(explainNoOutput(toUnknownError(serverText, 'serverError'), TEXTS)).toMatchObject({
			type: 'emptyResponse',
			message: TEXTS.title,
			detail: `${TEXTS.title}: ${serverText}`,
		});
	});

	it.each(['No audio device found', 'No image given', 'The output was generated', 'No voice'])(
		'something else: %s',
		(serverText) => {
			expect(explainNoOutput(toUnknownError(serverText), TEXTS)).toBeUndefined();
		},
	);
});
