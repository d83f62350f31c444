import { createServerError } from '../../../lib/errors/create-error';
import { createModelServer } from '../../../lib/servers/endpoint';
import type { ServerTask } from '../../../lib/servers/task-advice';
import { SERVER_TYPES } from '../../../lib/servers/types';
import { explainUnsupportedTask } from '../../../lib/tasks/task-errors';

const explain = async (serverType: string, task: ServerTask) => {
	const server = createModelServer({ baseUrl: 'http://127.0.0.1:9', serverType });
	const error = createServerError('wrongModelType', { url: 'http://127.0.0.1:9' }, {});
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
