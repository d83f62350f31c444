/** What a check says of servers of each kind in each state: its summary, findings, facts and requests. */
import type { CheckOptions } from '../../../lib/health/check-options';
import type { CheckResult } from '../../../lib/health/check-result';
import { expectApproved } from '../../support/approved/approved-table';
import { json, useServers } from '../../support/servers/scripted-server';
import type { Answer, Routes } from '../../support/servers/scripted-server';
import { withoutIds } from '../../faults/harness';
import { check, checkDify } from './support';
import path from 'node:path';
import { describeFinding } from '../../support/approved/outcome';

const start = useServers();

const list = (...data: object[]) => json({ object: 'list', data });
const page =
	(status: number): Answer =>
	(_request, response) => {
		response.writeHead(status, { 'content-type': 'text/html' });
		response.end('<html><title>nginx</title></html>');
	};
const text =
	(body: string): Answer =>
	(_request, response) =>
		void response.end(body);
const failure = (message: string, status: number) =>
	json({ error: { message, code: status } }, status);

const MODEL = {
	id: 'm',
	object: 'model',
	owned_by: 'llamacpp',
	meta: { n_ctx_train: 32_768, size: 4e9, n_params: 7e9 },
};
const props = (fields: object = {}, context = 16_384) =>
	json({
		total_slots: 2,
		build_info: 'b100-abc',
		model_path: '/m.gguf',
		chat_template: '{% if tools %}{% endif %}',
		chat_template_caps: { supports_tools: true },
		default_generation_settings: { n_ctx: context },
		modalities: { vision: false, audio: false },
		is_sleeping: false,
		...fields,
	});
const LLAMA: Routes = {
	'GET /v1/models': list(MODEL),
	'GET /props': props(),
	'GET /health': json({ status: 'ok' }),
	'GET /metrics': text('llamacpp:requests_processing 1\nllamacpp:requests_deferred 0\n'),
	'POST /v1/embeddings': failure('"input" must be provided', 400),
};
const routed = (id: string, status: string, more: object = {}) => ({
	id,
	object: 'model',
	owned_by: 'llamacpp',
	status: { value: status, ...more },
});

/** A router has no properties but those of a model. */
const routedProps: Answer = (request, response) =>
	(request.path.includes('model=') ? props() : json({ role: 'router', model_path: 'none' }))(
		request,
		response,
	);

const SERVERS: Readonly<Record<string, Routes>> = {
	'llama-server': LLAMA,
	'llama-server without embeddings': {
		...LLAMA,
		'POST /v1/embeddings': failure('not supported', 501),
	},
	'llama-server that sleeps': { ...LLAMA, 'GET /props': props({ is_sleeping: true }) },
	'llama-server without tools': {
		...LLAMA,
		'GET /props': props({ chat_template_caps: { supports_tools: false } }),
	},
	'llama-server with a small context': { ...LLAMA, 'GET /props': props({}, 4_096) },
	'llama-server without a version': { ...LLAMA, 'GET /props': props({ build_info: 'b0-unknown' }) },
	'llama-server with a queue': {
		...LLAMA,
		'GET /metrics': text('llamacpp:requests_processing 2\nllamacpp:requests_deferred 3\n'),
	},
	'llama-server, metrics off': { ...LLAMA, 'GET /metrics': failure('not enabled', 501) },
	'llama-server that loads': {
		...LLAMA,
		'GET /v1/models': failure('Loading model', 503),
		'GET /health': failure('Loading model', 503),
		'GET /props': failure('Loading model', 503),
	},
	'llama-server, /health says loading': {
		...LLAMA,
		'GET /health': json({ status: 'loading model' }, 503),
	},
	'a /health that says error': { ...LLAMA, 'GET /health': json({ status: 'error' }) },
	'a /health that is not ready': { ...LLAMA, 'GET /health': json({ ready: false }) },
	'a /health of a proxy': { ...LLAMA, 'GET /health': page(503) },
	'a /health with an exception': {
		...LLAMA,
		'GET /health': json({ status_code: 500, detail: 'no GPU' }),
	},
	'a wrong key': {
		...LLAMA,
		'GET /v1/models': failure('Invalid API Key', 401),
		'GET /props': failure('Invalid API Key', 401),
	},
	'a key for all but the list': { ...LLAMA, 'GET /props': failure('Invalid API Key', 401) },
	'no models': { ...LLAMA, 'GET /v1/models': list() },
	'two models': {
		'GET /v1/models': list({ ...MODEL, id: 'a' }, { ...MODEL, id: 'm' }),
		'GET /health': text('OK'),
	},
	'a router': {
		'GET /v1/models': list(routed('m', 'loaded'), routed('n', 'unloaded')),
		'GET /props': routedProps,
		'GET /metrics': text('llamacpp:requests_processing 1\n'),
		'GET /health': json({ status: 'ok' }),
	},
	'llama-server whose list says more of a model than it': {
		...LLAMA,
		'GET /v1/models': list({
			...routed('m', 'loaded', { args: ['--embeddings'] }),
			meta: MODEL.meta,
		}),
		'POST /v1/embeddings': failure('not supported', 501),
	},
	'a router that loads': {
		'GET /v1/models': list(routed('m', 'loading'), routed('n', 'unloaded')),
		'GET /props': json({ role: 'router', model_path: 'none' }),
	},
	'a router with a failed model': {
		'GET /v1/models': list(
			routed('m', 'unloaded', { failed: true, exit_code: 1 }),
			routed('n', 'loaded'),
		),
		'GET /props': routedProps,
	},
	Ollama: {
		'GET /v1/models': list({ id: 'm', object: 'model', owned_by: 'library' }),
		'GET /api/version': json({ version: '0.17.4' }),
		'GET /api/tags': json({
			models: [
				{
					name: 'm',
					model: 'm',
					size: 1e9,
					details: { parameter_size: '7B', quantization_level: 'Q4' },
				},
			],
		}),
		'GET /api/ps': json({ models: [] }),
	},
	vLLM: {
		'GET /v1/models': list({ id: 'm', object: 'model', owned_by: 'vllm', max_model_len: 2_048 }),
		'GET /version': json({ version: '0.32.0' }),
		'GET /health': text(''),
		'GET /metrics': text(
			'vllm:num_requests_running 3.0\nvllm:num_requests_waiting{model="m"} 1.0\n',
		),
	},
	'an unknown server': { 'GET /v1/models': list({ id: 'm' }) },
	'FastAPI without a list': { 'GET /v1/models': json({ detail: 'Not Found' }, 404) },
	'a page': { 'GET /v1/models': page(200), 'GET /props': page(200) },
	'a proxy that is alone': { 'GET /v1/models': page(502), 'GET /props': page(502) },
	'whisper.cpp': {
		'GET /v1/models': (_request, response) => {
			response.writeHead(404, { server: 'whisper.cpp' });
			response.end('File Not Found (/v1/models)');
		},
	},
	Dify: {
		'GET /v1/models': (_request, response) => {
			response.writeHead(404, {
				'content-type': 'application/json',
				'x-version': '1.16.0',
				'x-env': 'PRODUCTION',
			});
			response.end('{"code":"not_found","message":"Not Found","status":404}');
		},
	},
	nothing: {},
};

const OPTIONS: Readonly<Record<string, CheckOptions>> = {
	'nothing expected': {},
	'model m expected': { expectations: { model: 'm' } },
	'model x expected': { expectations: { model: 'x' } },
	'20,000 tokens expected': { expectations: { minContext: 20_000 } },
};

function describeCheck({ summary, status, findings, server, models, app }: CheckResult): string {
	const { latencyMs: _measured, url: _address, ...facts } = server;
	const found = findings.map(describeFinding);
	const parts = [JSON.stringify(facts), JSON.stringify(models ?? app ?? {}), ...found];
	return [`${status}: ${summary.replace(/\d+ ms/, '… ms')}`, ...parts]
		.join(' ; ')
		.replace(/\d+ ms/g, '… ms');
}

test('each server with each expectation', async () => {
	const rows = [];
	for (const [name, routes] of Object.entries(SERVERS))
		for (const [expected, options] of Object.entries(OPTIONS)) {
			if (expected !== 'nothing expected' && /proxy|page|exception|that says|not ready/.test(name))
				continue;
			const server = await start(routes);
			const result = await check(server.url, options);
			const requests = server.requests
				.map(({ method, path: of }) => withoutIds(`${method} ${of}`))
				.sort();
			const outcome = `${describeCheck(result)} ; ${requests.join(', ')}`
				.replaceAll(server.url, 'SERVER')
				.replaceAll(`127.0.0.1:${server.port}`, 'SERVER');
			rows.push({ input: `${name}, ${expected}`, outcome });
		}
	expectApproved(
		path.join(__dirname, 'check.any-server.approved.txt'),
		rows,
		'A check reports what a server shows, and loads nothing',
	);
});

const version: Record<string, string> = { 'x-version': '1.16.0', 'x-env': 'PRODUCTION' };
const difyError = (code: string, status: number) =>
	json({ code, message: `About ${code}`, status }, status, version);
const INFO = json({ name: 'Helper', mode: 'chat' }, 200, version);
const ROUTES: Readonly<Record<string, Routes>> = {
	'an app': { 'GET /v1/info': INFO, 'GET /v1/parameters': json({}, 200, version) },
	'an app that is not published': {
		'GET /v1/info': INFO,
		'GET /v1/parameters': difyError('app_unavailable', 400),
	},
	'a disabled API': { 'GET /v1/info': difyError('app_api_disabled', 403) },
	'a wrong key': {
		'GET /v1/info': difyError('unauthorized', 401),
		'GET /v1/datasets': difyError('unauthorized', 401),
		'GET /v1/datasets?page=1&limit=1': difyError('unauthorized', 401),
	},
	'a server error': {
		'GET /v1/info': json('{}', 500, version),
		'GET /v1/datasets': json('{}', 500, version),
	},
	'no Dify': { 'GET /v1/info': page(200) },
	nothing: {},
	'knowledge bases': {
		'GET /v1/datasets': json({ data: [{ id: 'a b' }, { id: 2 }], total: 7 }, 200, version),
		'GET /v1/datasets/a%20b/documents': json({ data: [] }, 200, version),
	},
	'no knowledge bases': {
		'GET /v1/datasets': json({ data: [] }, 200, version),
	},
	'a key of the other type': {
		'GET /v1/info': difyError('unauthorized', 401),
		'GET /v1/datasets': json({ data: [], total: 0 }, 200, version),
	},
	'a key of the other type, for an app': {
		'GET /v1/info': INFO,
		'GET /v1/datasets': difyError('unauthorized', 401),
	},
	'a llama-server': {
		'GET /v1/info': json({ error: 'x' }, 404, { server: 'llama.cpp' }),
		'GET /v1/datasets': json({ error: 'x' }, 404, { server: 'llama.cpp' }),
	},
	'another API': {
		'GET /v1/info': json({ other: 1 }),
		'GET /v1/datasets': json({ other: 1 }),
	},
	...Object.fromEntries(
		[
			['failed', 'PluginInvokeError: connection refused'],
			['failed', '[openai] Error: Incorrect API key provided'],
			['failed', 'Provider langgenius/x does not exist.'],
			['failed', 'A node failed'],
			['failed', ''],
			['succeeded', 'PluginInvokeError: connection refused'],
			['failed', 'p'.repeat(300)],
		].map(([status, error]): [string, Routes] => [
			`a last run that ${status}: ${error!.slice(0, 40)}`,
			{
				'GET /v1/info': INFO,
				'GET /v1/parameters': json({}, 200, version),
				'GET /v1/workflows/logs': json(
					{
						data: [
							{ workflow_run: { status, error } },
							{ workflow_run: { status: 'failed', error: 'x' } },
						],
					},
					200,
					version,
				),
			},
		]),
	),
	...Object.fromEntries(
		[
			['waiting', 4],
			['waiting', 5],
			['waiting', 90],
			['indexing', 90],
		].map(([status, minutes]): [string, Routes] => [
			`a document that is ${status} for ${minutes} minutes`,
			{
				'GET /v1/datasets': json({ data: [{ id: 'a' }], total: 1 }, 200, version),
				'GET /v1/datasets/a/documents': (request, response) =>
					json(
						{
							data: [
								{ name: 'new', indexing_status: 'waiting', created_at: Date.now() / 1_000 },
								{
									name: 'old',
									indexing_status: status,
									created_at: Date.now() / 1_000 - Number(minutes) * 60,
								},
								{ name: 'without a time', indexing_status: 'waiting' },
							],
						},
						200,
						version,
					)(request, response),
			},
		]),
	),
};

/** Names of the servers that are checked with one type of key. */
const OF_ONE_KEY: Readonly<Record<string, RegExp>> = {
	app: /^(?!knowledge|no knowledge|a document)/,
	knowledge: /^(?!a last run)/,
};

test('each Dify with each key', async () => {
	const rows = [];
	for (const [name, routes] of Object.entries(ROUTES))
		for (const keyType of ['app', 'knowledge']) {
			if (OF_ONE_KEY[keyType]?.test(name) === false) continue;
			const server = await start(routes);
			const result = await checkDify(server.url, { apiKey: 'the-key', keyType });
			const requests = server.requests
				.map(({ method, path: of }) => withoutIds(`${method} ${of}`))
				.sort();
			const outcome = `${describeCheck(result)} ; ${requests.join(', ')}`
				.replaceAll(server.url, 'SERVER')
				.replaceAll(`127.0.0.1:${server.port}`, 'SERVER');
			rows.push({ input: `${name}, ${keyType} key`, outcome });
		}
	expectApproved(
		path.join(__dirname, 'check.any-server.dify.approved.txt'),
		rows,
		'A check reports what Dify shows, and starts nothing',
	);
});
