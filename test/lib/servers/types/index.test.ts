import { getProfile } from '../../../../lib/servers/profile';
import { identifyServerType } from '../../../../lib/servers/types';
import { createModelServer } from '../../../../lib/servers/endpoint';
import { sendJson, startScripted } from '../../../support/servers/scripted-server';
import type { ScriptedRequest } from '../../../support/servers/scripted-server';
import { recordedExchanges } from '../../../support/files/recorded-exchanges';
import { useSimulator } from '../../../simulators/use-simulator';

const serveScript = useSimulator(startScripted);

type Answers = Record<string, unknown>;

/**
 * A server with these JSON answers by method and path; a function makes one of the request, `[status, body]` is a
 * refusal. Anything else is 404.
 */
async function serve(answers: Answers, headers: Record<string, string> = {}) {
	const scripted = await serveScript((request, response) => {
		const { method, path } = request;
		const known = answers[`${method} ${path}`] ?? answers[`${method} ${path.replace(/\?.*/, '')}`];
		const answer: unknown =
			typeof known === 'function' ? (known as (of: ScriptedRequest) => unknown)(request) : known;
		if (answer === undefined)
			return sendJson(response, { error: { message: 'File Not Found' } }, 404, headers);
		if (Array.isArray(answer)) return sendJson(response, answer[1], answer[0] as number, headers);
		return sendJson(response, answer, 200, headers);
	});
	const server = createModelServer({
		baseUrl: scripted.url,
		apiKey: ['sk', '9f8e7d6c5b4a3210'].join('-'),
	});
	return {
		server,
		requested: () => scripted.requests.map(({ method, path }) => `${method} ${path}`),
	};
}

const list = (...models: object[]) => ({ object: 'list', data: models });
const LLAMA = { server: 'llama.cpp' };

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
