import {
	type CompletionOptions,
	completionRequest,
	type CompletionTask,
} from '../../../lib/text/completion-request';
import type { KindName } from '../../../lib/servers/kinds';

const ADDRESS = { typed: '', origin: 'http://h', root: 'http://h/p', api: 'http://h/p/v1' };
const FILL_IN = { prefix: 'a', suffix: 'b', beginning: '', extra: [] };
const request = (kind: KindName, task: CompletionTask, options: Partial<CompletionOptions> = {}) =>
	completionRequest(ADDRESS, kind, task, { model: 'm', parameters: {}, ...options });

test.each<[KindName, string, string]>([
	['llamaServer', '/completion', '/infill'],
	['llamaRouter', '/completion', '/infill'],
	['ikLlamaCpp', '/completion', '/v1/completions'],
	['llamaSwap', '/v1/completions', '/infill'],
	['ollama', '/api/generate', '/api/generate'],
	['vllm', '/v1/completions', '/v1/completions'],
	['other', '/v1/completions', '/v1/completions'],
])('%s is asked at %s, and at %s to fill in', (kind, complete, fillIn) => {
	expect(request(kind, { prompt: 'a' }).url).toBe(`http://h/p${complete}`);
	expect(request(kind, FILL_IN).url).toBe(`http://h/p${fillIn}`);
});

test('the limit of tokens and probabilities have a name of their own on each', () => {
	const options = { parameters: { maxTokens: 5, topK: 3 }, logprobs: 2 };
	const json = (kind: KindName) => request(kind, { prompt: 'a' }, options).json;
	expect(json('llamaServer')).toMatchObject({ n_predict: 5, top_k: 3, n_probs: 2 });
	expect(json('llamaServer')).not.toHaveProperty('max_tokens');
	expect(json('vllm')).toMatchObject({
		max_tokens: 5,
		logprobs: 2,
		stream_options: { include_usage: true },
	});
	expect(json('ollama')).toMatchObject({
		options: { num_predict: 5, top_k: 3 },
		logprobs: true,
		top_logprobs: 2,
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
