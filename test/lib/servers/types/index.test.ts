import { getProfile } from '../../../../lib/servers/profile';
import { identifyServerType } from '../../../../lib/servers/types';
import { recordedExchanges } from '../../../support/files/recorded-exchanges';
import { LLAMA, list, serve } from '../json-server';
import type { Answers } from '../json-server';

describe('identification of the server type', () => {
	test.each([
		['llama-server-v0.5.0/lists', 'plain-models', 'llamaServer'],
		['llama-server-v0.5.0/lists', 'key-models-none', 'llamaServer'],
		['llama-server-v0.5.0/lists', 'loading-models', 'llamaServer'],
		['llama-server-v0.5.0/router', 'router-models-idle', 'llamaServer'],
		['llama-swap-0bdb372/models', 'models', 'other'],
		['whisper.cpp-233fe1f/server', 'models-404', 'other'],
	])('recorded: %s %s is %s', (topic, name, serverType) => {
		const {
			status,
			headers,
			text = '',
		} = recordedExchanges(topic).find((one) => one.name === name)!.answer;
		const responseHeaders = Object.fromEntries(
			headers.map(([header, value]) => [header.toLowerCase(), value]),
		);
		const body = /^[{[]/.test(text) ? (JSON.parse(text) as unknown) : undefined;
		expect(
			identifyServerType({
				models: { status, headers: responseHeaders, finalUrl: '', text, json: body },
			}),
		).toBe(serverType);
	});

	interface Identity {
		label: string;
		name: string;
		/** By method and path. */
		responses: Answers;
		/** Of each response. */
		headers?: Record<string, string>;
	}

	test.each<Identity>([
		{
			label: 'Ollama',
			name: 'a model of its library',
			responses: { 'GET /v1/models': list({ id: 'qwen3:8b', owned_by: 'library' }) },
		},
		{
			label: 'Ollama',
			name: 'no models, and a version',
			responses: {
				'GET /v1/models': { object: 'list', data: null },
				'GET /api/version': { version: '0.17.4' },
			},
		},
		{
			label: 'vLLM',
			name: 'the owner of its models',
			responses: { 'GET /v1/models': list({ id: 'a', owned_by: 'vllm' }) },
		},
		{
			label: 'vLLM',
			name: 'its rejection of a key',
			responses: { 'GET /v1/models': [401, { error: 'Unauthorized' }] },
		},
		{
			label: 'GPUStack',
			name: 'its rejection of a key',
			responses: { 'GET /v1/models': [401, { code: 401, reason: 'Unauthorized' }] },
		},
		{
			label: 'GPUStack',
			name: 'the owner of one of its models',
			responses: {
				'GET /v1/models': list({ id: 'a', owned_by: 'x' }, { id: 'b', owned_by: 'gpustack' }),
			},
		},
		{
			label: 'LiteLLM',
			name: 'its header',
			responses: { 'GET /v1/models': list({ id: 'a', owned_by: 'openai' }) },
			headers: { 'x-litellm-version': '1.106' },
		},
		{
			label: 'LM Studio',
			name: 'the owner of its models',
			responses: { 'GET /v1/models': list({ id: 'a', owned_by: 'organization_owner' }) },
		},
		{
			label: 'An OpenAI-compatible server',
			name: 'an owner whose models have another name',
			responses: { 'GET /v1/models': list({ id: 'vllm/a', owned_by: 'vllm' }) },
		},
		{
			label: 'An OpenAI-compatible server',
			name: 'a model of Ollama beside others',
			responses: {
				'GET /v1/models': list({ id: 'qwen3:8b', owned_by: 'library' }, { id: 'a', owned_by: 'x' }),
			},
		},
		{ label: 'An OpenAI-compatible server', name: 'nothing', responses: {} },
	])('$label is identified by $name', async ({ label, responses, headers }) => {
		const { server } = await serve(responses, headers);
		const type = await getProfile(server).fetchType();
		expect({ responses, label: type.label }).toEqual({ responses, label });
	});

	test('takes one request, or two if the first is not sufficient, and is cached', async () => {
		const llama = await serve({ 'GET /v1/models': list({ id: 'a' }) }, LLAMA);
		await Promise.all([getProfile(llama.server).fetchType(), getProfile(llama.server).fetchType()]);
		await getProfile(llama.server).fetchType();
		expect(llama.requested()).toEqual(['GET /v1/models']);
		const unknown = await serve({ 'GET /v1/models': list({ id: 'a' }) });
		await getProfile(unknown.server).fetchType();
		expect(unknown.requested()).toEqual(['GET /v1/models', 'GET /api/version']);
	});
});
