import {
	type CompletionOptions,
	completionRequest,
	type CompleteTask,
} from '../../../lib/text/completion-request';
import type { KindName } from '../../../lib/servers/kinds';

const ADDRESS = { typed: '', origin: 'http://h', root: 'http://h/p', api: 'http://h/p/v1' };
const request = (kind: KindName, task: CompleteTask, options: Partial<CompletionOptions> = {}) =>
	completionRequest(ADDRESS, kind, task, { model: 'm', parameters: {}, ...options });

test.each<[KindName, string]>([
	['llamaServer', '/completion'],
	['llamaRouter', '/completion'],
	['ollama', '/api/generate'],
	['vllm', '/v1/completions'],
	['other', '/v1/completions'],
])('%s is asked at %s', (kind, route) => {
	expect(request(kind, { prompt: 'a' }).url).toBe(`http://h/p${route}`);
});

test('the limit of tokens has a name of its own on each', () => {
	const options = { parameters: { maxTokens: 5, topK: 3 } };
	const json = (kind: KindName) => request(kind, { prompt: 'a' }, options).json;
	expect(json('llamaServer')).toMatchObject({ n_predict: 5, top_k: 3 });
	expect(json('llamaServer')).not.toHaveProperty('max_tokens');
	expect(json('vllm')).toMatchObject({
		max_tokens: 5,
		stream_options: { include_usage: true },
	});
	expect(json('ollama')).toMatchObject({
		options: { num_predict: 5, top_k: 3 },
	});
	expect(json('other')).toMatchObject({ stream_options: { include_usage: true } });
});

test('Extra Body comes last, but for the context of Ollama', () => {
	const parameters = { maxTokens: 5, extraBody: { n_predict: 9, context: [1] } };
	expect(request('llamaServer', { prompt: 'a' }, { parameters }).json).toMatchObject({
		n_predict: 9,
		context: [1],
	});
	const { json } = request('ollama', { prompt: 'a' }, { parameters });
	expect(json).toMatchObject({ options: { num_predict: 9 } });
	expect(json).not.toHaveProperty('context');
});
