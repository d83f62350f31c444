import { truncatesItself } from '../../../lib/batches/client';
import { embeddingCall } from '../../../lib/embeddings/wire';
import { connectTo } from '../../../lib/servers/connect';
import type { KindName } from '../../../lib/servers/kinds';

const server = connectTo({ baseUrl: 'http://127.0.0.1:8080/v1' });
const ROOT = 'http://127.0.0.1:8080';
const request = { model: 'm', input: ['a', 'b'], truncate: false };

test.each([
	['llamaServer', 'base64'],
	['llamaRouter', 'base64'],
	['vllm', 'base64'],
	['gpustack', 'float'],
	['lmStudio', 'float'],
	['other', 'float'],
] as Array<[KindName, string]>)('%s is asked for %s at the route of OpenAI', (kind, format) => {
	expect(embeddingCall(server, kind, request)).toEqual({
		url: `${ROOT}/v1/embeddings`,
		json: { model: 'm', input: ['a', 'b'], encoding_format: format },
	});
});

test('a server that takes one text gets no list', () => {
	const oneText = { ...request, input: ['a'], takesOneText: true as const };
	expect(embeddingCall(server, 'other', oneText).json).toMatchObject({ input: 'a' });
});

test('Ollama by its own route: told not to cut, how long to keep the model', () => {
	expect(embeddingCall(server, 'ollama', { ...request, keepAlive: '30m', dimensions: 5 })).toEqual({
		url: `${ROOT}/api/embed`,
		json: { model: 'm', input: ['a', 'b'], truncate: false, dimensions: 5, keep_alive: '30m' },
	});
});

test('servers that cut texts themselves get their setting', () => {
	const truncated = (kind: KindName) =>
		embeddingCall(server, kind, { ...request, truncate: true }).json;
	expect(truncated('ollama')).toMatchObject({ truncate: true });
	expect(truncated('vllm')).toMatchObject({ truncate_prompt_tokens: -1 });
	expect(truncated('llamaServer')).not.toHaveProperty('truncate');
	expect(
		(['ollama', 'vllm', 'llamaServer', 'other'] as KindName[]).filter((kind) =>
			truncatesItself(kind, 'embeddings'),
		),
	).toEqual(['ollama', 'vllm']);
});
