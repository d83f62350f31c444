import { classifyErrorResponse } from '../../../../lib/errors/classify-error';
import { toErrorContext } from '../../../../lib/http/request-errors';
import { createModelServer } from '../../../../lib/servers/endpoint';
import type { ServerTypeName } from '../../../../lib/server-type-name';
import { NO_EXECUTION } from '../../../support/n8n/node-host';

function suggestionFor(serverType: ServerTypeName, model: string, status: number, text: string) {
	const server = createModelServer({ baseUrl: 'http://10.0.0.5:1234', serverType }, NO_EXECUTION);
	const context = toErrorContext(server, { url: server.getApiUrl(), model });
	const body = JSON.stringify({ error: text });
	return classifyErrorResponse({ status, body }, context).suggestion;
}

describe('a rejected key', () => {
	test.each(['gemma4:31b-cloud', 'gpt-oss:120b-cloud', 'glm-4.6:cloud', 'qwen3-coder:480b-cloud'])(
		'of the cloud model %s of Ollama',
		(model) => {
			expect(suggestionFor('ollama', model, 401, 'unauthorized')).toContain('ollama signin');
		},
	);

	test.each<[ServerTypeName, string]>([
		['ollama', 'gemma4:31b'],
		['ollama', 'my-cloud-model'],
		['vllm', 'gemma4:31b-cloud'],
	])('of %s with the model %s names no cloud', (serverType, model) => {
		expect(suggestionFor(serverType, model, 401, 'unauthorized')).not.toContain('signin');
	});
});

test.each<[ServerTypeName, string]>([
	['llamaServer', '--models-autoload'],
	['vllm', 'Load it on the server'],
])('a model that is not loaded on %s', (serverType, expected) => {
	expect(suggestionFor(serverType, 'alpha', 400, 'model is not loaded')).toContain(expected);
});
