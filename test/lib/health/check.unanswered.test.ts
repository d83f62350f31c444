import type { HealthStatus } from '../../../lib/health/check-result';
import {
	closeRawServers,
	completeResponse,
	rawServer,
} from '../../support/servers/raw-http-server';
import type { RawHandler } from '../../support/servers/raw-http-server';
import { withDeadline } from '../../support/waiting/deadline';
import { check, checkDify, finding, ids, json, routes } from './support';

afterEach(closeRawServers);

const LIST = json('200 OK', {
	object: 'list',
	data: [{ id: 'qwen3', object: 'model', owned_by: 'vllm', max_model_len: 32_768 }],
});
const hang: RawHandler = () => {};
const drop: RawHandler = (_path, socket) => void socket.destroy();

describe('a /health without a response', () => {
	test.each<[string, RawHandler]>([
		['hangs', hang],
		['is dropped', drop],
	])('%s: a warning', async (_name, handler) => {
		const url = await rawServer(
			routes({
				'/v1/models': LIST,
				'/version': json('200 OK', { version: '0.9' }),
				'/health': handler,
			}),
		);
		// Enough for the others, also on a busy machine.
		const result = await check(url, { timeoutMs: 2_000 });
		expect(finding(result, 'healthUnanswered').severity).toBe('warning');
		expect(result.status).toBe<HealthStatus>('degraded');
	});

	test.each<[string, RawHandler]>([
		['works', json('200 OK', {})],
		['is missing', completeResponse('404 Not Found', 'not found')],
	])('%s: none', async (_name, handler) => {
		const result = await check(await rawServer(routes({ '/v1/models': LIST, '/health': handler })));
		expect(ids(result)).not.toContain('healthUnanswered');
		expect(result.status).toBe<HealthStatus>('healthy');
	});
});

describe('a request for details that hangs', () => {
	/** Shorter than the timeout of a request that has none of its own. */
	const DEADLINE_MS = 8_000;
	const OLLAMA_LIST = json('200 OK', {
		object: 'list',
		data: [{ id: 'qwen3:8b', object: 'model', owned_by: 'library' }],
	});
	const OLLAMA = {
		'/v1/models': OLLAMA_LIST,
		'/api/version': json('200 OK', { version: '0.35.0' }),
		'/api/tags': json('200 OK', { models: [{ name: 'qwen3:8b' }] }),
		'/api/ps': json('200 OK', { models: [] }),
	};
	const LLAMA_LIST = json(
		'200 OK',
		{ object: 'list', data: [{ id: 'a', object: 'model', owned_by: 'llamacpp' }] },
		{ Server: 'llama.cpp' },
	);

	test.each<[string, Record<string, RawHandler>]>([
		['the models on the disk of Ollama', { ...OLLAMA, '/api/tags': hang }],
		['the models in the memory of Ollama', { ...OLLAMA, '/api/ps': hang }],
		['both', { ...OLLAMA, '/api/tags': hang, '/api/ps': hang }],
		['the properties of a llama-server', { '/v1/models': LLAMA_LIST, '/props': hang }],
		['the metrics', { '/v1/models': LLAMA_LIST, '/metrics': hang }],
		['the health', { '/v1/models': LIST, '/health': hang }],
		['a task of a server without a list', { '/v1/embeddings': hang }],
	])('ends with the timeout of the check: %s', async (name, known) => {
		const url = await rawServer(routes(known));
		const result = await withDeadline(check(url, { timeoutMs: 300 }), () => name, DEADLINE_MS);
		expect(result.server.url).toBe(url);
	});

	test.each(['/parameters', '/workflows/logs?page=1&limit=1', '/datasets?page=1&limit=1'])(
		'of Dify ends with it, too: %s',
		async (path) => {
			const app = json(
				'200 OK',
				{ name: 'a', mode: 'chat' },
				{ 'X-Version': '1.16.0', 'X-Env': 'PRODUCTION' },
			);
			const url = await rawServer(routes({ '/v1/info': app, [`/v1${path}`]: hang }));
			const checking = checkDify(url, { apiKey: 'app-1', keyType: 'app' }, { timeoutMs: 300 });
			const result = await withDeadline(checking, () => path, DEADLINE_MS);
			expect(result.server.type).toBe('dify');
		},
	);
});

describe('401 on every route', () => {
	const SERVERS: Array<[string, RawHandler]> = [
		['an empty body', completeResponse('401 Unauthorized', '')],
		['JSON', json('401 Unauthorized', { detail: 'Not authenticated' })],
		['an empty object', json('401 Unauthorized', {})],
		['an empty list', json('401 Unauthorized', { data: [] })],
		['OpenAI’s error', json('401 Unauthorized', { error: { message: 'Missing bearer' } })],
		['text', completeResponse('401 Unauthorized', 'Unauthorized')],
		[
			'a page of a proxy',
			completeResponse('401 Unauthorized', '<html><title>401</title></html>', {
				'Content-Type': 'text/html',
				'WWW-Authenticate': 'Basic realm="x"',
			}),
		],
	];

	test.each(SERVERS)('without a key: %s', async (_name, handler) => {
		const result = await check(await rawServer(handler), {}, { apiKey: '' });
		expect(result.status).toBe<HealthStatus>('unauthorized');
	});

	test.each(SERVERS)('with a key: %s', async (_name, handler) => {
		expect((await check(await rawServer(handler))).status).toBe<HealthStatus>('unauthorized');
	});

	test('a list that needs no key, while all else does', async () => {
		const url = await rawServer(
			routes({ '/v1/models': LIST }, json('401 Unauthorized', { error: 'Unauthorized' })),
		);
		expect((await check(url, {}, { apiKey: '' })).status).toBe<HealthStatus>('unauthorized');
	});
});

describe('whisper-server', () => {
	const BY_WHISPER = { Server: 'whisper.cpp' };
	const missing = completeResponse('404 Not Found', 'File Not Found (/v1/models)', BY_WHISPER);

	test('on its default path: the option that moves it', async () => {
		const page = completeResponse('200 OK', '<html>whisper</html>', {
			...BY_WHISPER,
			'Content-Type': 'text/html',
		});
		const result = await check(await rawServer(routes({ '/': page }, missing)));
		expect(result.healthy).toBe(false);
		expect(finding(result, 'whisperPath').suggestion).toContain(
			'--inference-path /v1/audio/transcriptions',
		);
	});

	test('that is loading its model', async () => {
		const loading = json('503 Service Unavailable', { status: 'loading model' }, BY_WHISPER);
		const result = await check(await rawServer(routes({ '/health': loading }, missing)));
		expect(result.status).toBe<HealthStatus>('loading');
	});

	test('with the path of OpenAI', async () => {
		const rejected = json('400 Bad Request', { error: "no 'file' field" }, BY_WHISPER);
		const result = await check(
			await rawServer(routes({ '/v1/audio/transcriptions': rejected }, missing)),
		);
		expect(ids(result)).not.toContain('whisperPath');
		expect(result.healthy).toBe(true);
	});

	test('another server without a list', async () => {
		const other = completeResponse('404 Not Found', 'File Not Found', { Server: 'nginx' });
		expect(ids(await check(await rawServer(other)))).not.toContain('whisperPath');
	});
});
