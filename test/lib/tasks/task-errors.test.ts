import { createServerError } from '../../../lib/errors/create-error';
import { createModelServer } from '../../../lib/servers/endpoint';
import { getProfile } from '../../../lib/servers/profile';
import type { ServerTask } from '../../../lib/servers/task-advice';
import { SERVER_TYPES } from '../../../lib/servers/types';
import { explainUnsupportedTask } from '../../../lib/tasks/task-errors';

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
