/** The models that each server lists for each task: their order, what is known of them, the requests, or the error. */
import path from 'node:path';
import { describeModel } from '../../../lib/servers/describe-model';
import { findOtherModel, listModels } from '../../../lib/servers/list-models';
import { omitUndefined } from '../../../lib/values/records';
import { expectApproved, joinPlaces } from '../../support/approved/approved-table';
import { LLAMA, list, serve } from './json-server';
import type { Answers } from './json-server';
import { describeError } from '../../support/approved/outcome';

interface Server {
	answers: Answers;
	headers?: Record<string, string>;
}

const status = (value: string, ...args: string[]) => ({ value, args });

const SERVERS: Readonly<Record<string, Server>> = {
	'llama-server': {
		answers: {
			'GET /v1/models': list({
				id: '/models/Qwen3-8B-00001-of-00002.gguf',
				owned_by: 'llamacpp',
				meta: { n_params: 8e9, size: 5e9, n_ctx_train: 40_960, ftype: 'Q4_K' },
			}),
			'GET /props': {
				total_slots: 4,
				default_generation_settings: { n_ctx: 8192 },
				modalities: { vision: true, audio: false },
			},
		},
		headers: LLAMA,
	},
	router: {
		answers: {
			'GET /v1/models': list(
				{ id: 'chat', owned_by: 'llamacpp', status: status('unloaded', '--jinja') },
				{ id: 'embed', owned_by: 'llamacpp', status: status('loaded', '--embeddings') },
				{ id: 'rank', owned_by: 'llamacpp', status: status('unloaded', '--reranking') },
				{
					id: 'broken',
					owned_by: 'llamacpp',
					status: { value: 'unloaded', failed: true, exit_code: 1 },
				},
				{
					id: 'loaded',
					owned_by: 'llamacpp',
					status: status('loaded', '--jinja'),
					architecture: { input_modalities: ['text', 'image'] },
				},
			),
		},
		headers: LLAMA,
	},
	Ollama: {
		answers: {
			'GET /v1/models': list(
				{ id: 'qwen3:8b', owned_by: 'library' },
				{ id: 'nomic-embed-text:latest', owned_by: 'library' },
				{ id: 'big:cloud', owned_by: 'library' },
			),
			'GET /api/tags': {
				models: [
					{
						name: 'qwen3:8b',
						size: 5e9,
						details: { family: 'qwen3', parameter_size: '8.2B', quantization_level: 'Q4_K_M' },
						capabilities: ['completion', 'tools', 'vision'],
					},
					{
						name: 'nomic-embed-text:latest',
						size: 3e8,
						details: { family: 'nomic-bert', families: ['nomic-bert'] },
					},
					{
						name: 'big:cloud',
						remote_host: 'https://ollama.com',
						details: {},
						capabilities: ['completion'],
					},
				],
			},
			'GET /api/ps': {
				models: [{ name: 'qwen3:8b', size: 100, size_vram: 0, context_length: 4096 }],
			},
		},
	},
	vLLM: {
		answers: {
			'GET /v1/models': list(
				{ id: 'Qwen/Qwen3-8B', owned_by: 'vllm', max_model_len: 32_768 },
				{ id: 'adapter', owned_by: 'vllm', parent: 'Qwen/Qwen3-8B' },
			),
		},
	},
	'a gateway': {
		answers: {
			'GET /v1/models': list(
				{ id: 'b' },
				{ id: 'a', context_length: 9 },
				{ id: 'b', context_length: 5 },
			),
		},
	},
	'a router with vectors only': {
		answers: {
			'GET /v1/models': list(
				{ id: 'embed', owned_by: 'llamacpp', status: status('loaded', '--embeddings') },
				{ id: 'rank', owned_by: 'llamacpp', status: status('unloaded', '--reranking') },
			),
		},
		headers: LLAMA,
	},
	LiteLLM: {
		answers: { 'GET /v1/models': list({ id: 'a' }, { id: 'b' }) },
		headers: { 'x-litellm-version': '1.80' },
	},
	names: { answers: { 'GET /v1/models': [200, ['b', 'a', 'text-embedding']] } },
	'an empty list': { answers: { 'GET /v1/models': list() } },
	'no list': { answers: {} },
	'a list without a version': { answers: { 'GET /models': list({ id: 'a' }) } },
	'an error': { answers: { 'GET /v1/models': [500, { error: { message: 'Out' } }] } },
	'a wrong key': { answers: { 'GET /v1/models': [401, { error: { message: 'Wrong' } }] } },
	'no JSON': { answers: { 'GET /v1/models': 'hello' } },
};

const TASKS = [undefined, 'chat', 'embeddings', 'reranking', 'transcription'] as const;

test('each server has its models for each task', async () => {
	const outcomes = [];
	for (const [subject, { answers, headers }] of Object.entries(SERVERS))
		for (const modelTask of TASKS) {
			const { server, requested } = await serve(answers, headers);
			const models = await listModels(server, { modelTask }).then(
				(found) =>
					found.map((model) =>
						modelTask === undefined ? omitUndefined(model) : describeModel(model),
					),
				describeError,
			);
			const requests = modelTask === undefined ? [...new Set(requested())].sort() : undefined;
			outcomes.push({
				subject,
				place: modelTask ?? 'any task',
				outcome: omitUndefined({ models, requests }),
			});
		}
	expectApproved(
		path.join(__dirname, 'list-models.tasks.approved.txt'),
		joinPlaces(outcomes),
		'A task lists the models that can do it',
	);
});

const NAMES: ReadonlyArray<readonly [requested: string, reported: string]> = [
	['qwen3:8b', 'qwen3:8b'],
	['qwen3', 'qwen3:8b'],
	['qwen3:8b', 'nomic-embed-text:latest'],
	['qwen3:8b', 'unknown'],
	['missing', 'qwen3:8b'],
	['a', 'b'],
	['b', 'a'],
	['a', 'c'],
	['Qwen/Qwen3-8B', 'adapter'],
	['adapter', 'Qwen/Qwen3-8B'],
	['x', '/models/Qwen3-8B-00001-of-00002.gguf'],
	['Qwen3-8B', '/models/Qwen3-8B-00001-of-00002.gguf'],
];

test('each answer of another model is told apart', async () => {
	const outcomes = [];
	for (const [place, { answers, headers }] of Object.entries(SERVERS))
		for (const [requested, reported] of NAMES) {
			const { server } = await serve(answers, headers);
			const other = await findOtherModel(server, { requested, reported });
			outcomes.push({ subject: `${requested}, ${reported}`, place, outcome: other ?? 'the same' });
		}
	expectApproved(
		path.join(__dirname, 'list-models.others.approved.txt'),
		joinPlaces(outcomes),
		'Another model than the requested one is noticed',
	);
});
