import { closeChannels } from '../../../lib/http/dispatcher';
import { changeModel } from '../../../lib/servers/manage/model-work';
import { connectTo } from '../../../lib/servers/connect';
import { closeRawServers, rawServer, whole } from '../../support/raw-answers';
import { check, finding, json, routes } from './support';

afterEach(async () => {
	await closeChannels();
	await closeRawServers();
});

describe('servers that look like others', () => {
	const PAGE = whole('200 OK', '<!doctype html><title>Open WebUI</title>', {
		'Content-Type': 'text/html',
	});
	const LITELLM = {
		object: 'list',
		data: [{ id: 'gpt-4o', object: 'model', created: 1_677_610_602, owned_by: 'openai' }],
	};

	it('Open WebUI names a version where Ollama does', async () => {
		const url = await rawServer(
			routes(
				{
					'/api/version': json('200 OK', { version: '0.6.5' }),
					'/api/models': json('401 Unauthorized', { detail: 'Not authenticated' }),
				},
				PAGE,
			),
		);
		const result = await check(url);
		expect(result.server).toEqual({ kind: 'unknown', version: null });
		expect(finding(result, 'notAnApi').advice).toBe(
			`Type ${url}/api as Base URL: there the API answers.`,
		);
	});

	it.each([
		['by its list', json('200 OK', LITELLM)],
		[
			'by its headers',
			json('200 OK', { object: 'list', data: [] }, { 'x-litellm-version': '1.95.0' }),
		],
	])(
		'LiteLLM, known %s: /health, which would send a request to every model, is not asked',
		async (_name, models) => {
			const asked: string[] = [];
			const url = await rawServer((path, socket, head) => {
				asked.push(path);
				routes({ '/llm/v1/models': models })(path, socket, head);
			});
			expect((await check(`${url}/llm`)).server.kind).toBe('litellm');
			expect(asked).toContain('/llm/v1/models');
			expect(asked.filter((path) => path.endsWith('/health'))).toEqual([]);
		},
	);

	it('LM Studio answers a wrong path with status 200: its words are shown, and the right place is found', async () => {
		const no = json('200 OK', {
			error: 'Unexpected endpoint or method. (GET /llm/v1/models). Returning 200 anyway',
		});
		const url = await rawServer(
			routes(
				{
					'/v1/models': json('200 OK', {
						object: 'list',
						data: [{ id: 'qwen3', owned_by: 'organization_owner' }],
					}),
				},
				no,
			),
		);
		const result = await check(`${url}/llm`);
		expect(finding(result, 'wrongPath')).toMatchObject({
			observed: expect.stringContaining('Unexpected endpoint or method') as string,
			advice: `Type ${url} as Base URL: there the API answers.`,
		});
		expect((await check(url)).status).toBe('healthy');
	});

	it.each<[object, string, string]>([
		[
			{ error: { code: 503, message: 'Loading model', type: 'unavailable_error' } },
			'loading',
			'loading',
		],
		[{ error: { code: 401, message: 'Invalid API Key' } }, 'unauthorized', 'unauthorized'],
		[{ error: { code: '429', message: 'Rate limit' } }, 'busy', 'degraded'],
		[{ error: { message: 'x', type: 'authentication_error' } }, 'unauthorized', 'unauthorized'],
		[{ object: 'error', message: 'The engine is dead', code: 500 }, 'serverError', 'degraded'],
		[
			{ object: 'list', data: [], error: { code: 503, message: 'Loading model' } },
			'loading',
			'loading',
		],
		[{ error: 'CUDA out of memory' }, 'serverError', 'degraded'],
	])(
		'an error in a list with status 200 is read as its status would be: %j',
		async (said, id, status) => {
			const result = await check(await rawServer(routes({}, json('200 OK', said))));
			expect([result.findings[0]!.id, result.status]).toEqual([id, status]);
		},
	);

	it.each([
		{ error: { message: 'Invalid token', type: 'new_api_error' } },
		{ success: false, message: 'Invalid token' },
		{ object: 'error', message: 'Invalid token', code: 401 },
	])('a gateway says with status 200 why it refuses: its words are shown (%j)', async (said) => {
		const url = await rawServer(routes({}, json('200 OK', said)));
		const result = await check(url);
		expect(result.status).not.toBe('healthy');
		expect(result.findings[0]!.observed).toContain('Invalid token');
	});
});

describe('a model of Ollama that makes embeddings only', () => {
	it.each([
		['load', []],
		['unload', ['nomic']],
	] as const)('%s', async (action, loaded) => {
		const asked: string[] = [];
		const url = await rawServer((path, socket, head) => {
			asked.push(path);
			routes({
				'/api/ps': json('200 OK', {
					models: asked.includes('/api/embed') ? [] : loaded.map((name) => ({ name })),
				}),
				'/api/generate': json('400 Bad Request', { error: '"nomic" does not support generate' }),
				'/api/embed': json('200 OK', { model: 'nomic', embeddings: [] }),
				'/v1/models': json('200 OK', {
					object: 'list',
					data: [{ id: 'nomic:latest', owned_by: 'library' }],
				}),
			})(path, socket, head);
		});
		expect(
			await changeModel(connectTo({ baseUrl: url }), action, {
				model: 'nomic',
				wait: true,
				limitMs: 60_000,
			}),
		).toMatchObject({ changed: true });
		expect(asked).toEqual([
			'/v1/models',
			'/api/ps',
			'/api/generate',
			'/api/embed',
			...(action === 'unload' ? ['/api/ps'] : []),
		]);
	});
});
