/** The models that each list of the editor shows, on servers of each kind, with any search text; and the model of an empty field. */
import { modelSearches, withResolvedModel } from '../../../../nodes/shared/fields/model-selection';
import { createModelServer } from '../../../../lib/servers/endpoint';
import { expectApproved } from '../../../support/approved/approved-table';
import { awaitOutcome, combine, describeNodeError } from '../../../support/approved/outcome';
import { editorContext } from '../../../support/n8n/editor-context';
import { json, useServers } from '../../../support/servers/scripted-server';
import type { Routes } from '../../../support/servers/scripted-server';
import path from 'node:path';
import { NO_EXECUTION } from '../../../support/n8n/node-host';

const start = useServers();
const list = (...data: object[]) => json({ object: 'list', data });
const routed = (id: string, value: string, more: object = {}) => ({
	id,
	object: 'model',
	owned_by: 'llamacpp',
	status: { value },
	...more,
});

const SERVERS: Readonly<Record<string, Routes>> = {
	'llama-server': {
		'GET /v1/models': list({
			id: '/models/Qwen3-8B.gguf',
			owned_by: 'llamacpp',
			meta: { n_ctx_train: 8_192, size: 4e9 },
		}),
	},
	'a router': {
		'GET /v1/models': list(
			routed('qwen', 'loaded', { aliases: ['big'] }),
			routed('bge-reranker', 'unloaded'),
			routed('nomic-embed', 'unloaded', { failed: true, exit_code: 1 }),
		),
	},
	Ollama: {
		'GET /api/version': json({ version: '0.17.4' }),
		'GET /v1/models': list(
			{ id: 'qwen3:8b', owned_by: 'library' },
			{ id: 'nomic:latest', owned_by: 'library' },
			{ id: 'oss:1b-cloud', owned_by: 'library' },
		),
		'GET /api/tags': json({
			models: [
				{
					name: 'qwen3:8b',
					model: 'qwen3:8b',
					size: 5e9,
					details: { parameter_size: '8B', family: 'qwen3' },
				},
				{
					name: 'nomic:latest',
					model: 'nomic:latest',
					size: 3e8,
					details: { family: 'nomic-bert' },
				},
			],
		}),
		'GET /api/ps': json({ models: [{ name: 'qwen3:8b', model: 'qwen3:8b' }] }),
	},
	vLLM: {
		'GET /v1/models': list(
			{ id: 'a/b', owned_by: 'vllm', max_model_len: 2_048 },
			{ id: 'c/b', owned_by: 'vllm' },
		),
	},
	'speech and images': {
		'GET /v1/models': list(
			{ id: 'whisper-large' },
			{ id: 'tts-1' },
			{ id: 'flux.1' },
			{ id: 'llama' },
		),
	},
	'no models': { 'GET /v1/models': list() },
	'no list': {},
	'a wrong key': { 'GET /v1/models': json({ error: { message: 'Invalid API Key' } }, 401) },
};

test('each list on each server', async () => {
	const searches = Object.keys(modelSearches) as Array<keyof typeof modelSearches>;
	const cases = combine({
		name: Object.keys(SERVERS),
		search: searches,
		filter: ['', ' QWEN ', 'big'],
	}).filter(({ filter, search }) => filter === '' || search === 'searchAllModels');
	const rows = [];
	for (const { name, search, filter } of cases) {
		const server = await start(SERVERS[name]!);
		const context = editorContext({ baseUrl: server.url, apiKey: 'key' });
		const outcome = await modelSearches[search]
			.call(context, filter)
			.then(
				({ results }) => results.map((one) => `${one.name}=${one.value}`).join(', '),
				describeNodeError,
			);
		rows.push({
			input: `${name}, ${search} "${filter}"`,
			outcome: outcome
				.replaceAll(server.url, 'SERVER')
				.replaceAll(`127.0.0.1:${server.port}`, 'SERVER'),
		});
	}
	expectApproved(
		path.join(__dirname, 'model-selection.any-list.approved.txt'),
		rows,
		'A list shows the models for its task',
	);
});

test('the model of an empty field', async () => {
	const tasks = ['chat', 'embeddings', 'reranking', 'images', 'transcription', 'speech'] as const;
	const rows = [];
	for (const { name, modelTask, model } of combine({
		name: Object.keys(SERVERS),
		modelTask: tasks,
		model: ['', 'mine'],
	}).filter((one, at) => one.model === '' || at % 7 === 0)) {
		const server = await start(SERVERS[name]!);
		const target = createModelServer({ baseUrl: server.url, apiKey: 'key' }, NO_EXECUTION);
		const outcome = await awaitOutcome(
			async () =>
				(await withResolvedModel({ model, retries: 0 }, { server: target, modelTask })).model,
		);
		const text = `${String(outcome)} ; ${server.requests
			.map(({ path: of }) => of)
			.sort()
			.join(' ')}`;
		rows.push({
			input: `${name}, ${modelTask}, "${model}"`,
			outcome: text
				.replaceAll(server.url, 'SERVER')
				.replaceAll(`127.0.0.1:${server.port}`, 'SERVER'),
		});
	}
	expectApproved(
		path.join(__dirname, 'model-selection.any-list.empty.approved.txt'),
		rows,
		'An empty model means the only one, or is refused',
	);
});
