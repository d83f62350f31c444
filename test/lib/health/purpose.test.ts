/** What a server is for, and whether it reports that it is ready. */
import {
	closeRawServers,
	completeResponse,
	rawServer,
	type RawHandler,
} from '../../support/raw-http-server';
import { startWhisperSim } from '../../simulators/media/whisper';
import { useSimulator } from '../../simulators/use-simulator';
import { waitUntilReady } from '../../../lib/health/check';
import { check, finding, ids, json, replayRecording, routes } from './support';

afterEach(closeRawServers);

const startWhisper = useSimulator(startWhisperSim);

const notAllowed = json('405 Method Not Allowed', { detail: 'Method Not Allowed' });
const page = (status: string) =>
	completeResponse(status, '<!doctype html><p>Hi', { 'Content-Type': 'text/html' });
const isPost = (head: string) => head.startsWith('POST ');
/** GET is not found; POST gets this response. */
const posted =
	(response: RawHandler): RawHandler =>
	(path, socket, head) =>
		(isPost(head) ? response : json('404 Not Found', { detail: 'Not Found' }))(path, socket, head);
const list = (owner: string) => json('200 OK', { data: [{ id: 'm', owned_by: owner }] });
const info = (modelType: object) =>
	json('200 OK', { model_id: 'BAAI/bge', model_type: modelType, version: '1.8.2' });

describe('a server without a model list is healthy if it has endpoints for tasks', () => {
	test.each([
		[
			'embeddings only, as /info says',
			routes({
				'/info': replayRecording('tei/info.http'),
				'/v1/embeddings': completeResponse('405 Method Not Allowed'),
				'/rerank': completeResponse('405 Method Not Allowed'),
			}),
			'endpoints for embeddings',
		],
		[
			'a reranker, as /info says',
			routes({
				'/info': info({ reranker: { id2label: {} } }),
				'/v1/embeddings': completeResponse('405 Method Not Allowed'),
				'/rerank': completeResponse('405 Method Not Allowed'),
			}),
			'endpoints for reranking',
		],
		['speech with FastAPI', routes({ '/v1/audio/speech': notAllowed }), 'endpoints for speech'],
		[
			'images: a broken body is an error',
			routes({
				'/v1/images/generations': posted(json('400 Bad Request', { error: 'parse error' })),
			}),
			'endpoints for images',
		],
		[
			'chats and completions: an incomplete body is an error',
			routes({
				'/v1/chat/completions': posted(json('422 Unprocessable Entity', { detail: [] })),
				'/v1/completions': notAllowed,
			}),
			'endpoints for chats and completions',
		],
	])('%s', async (_name, server, offer) => {
		const result = await check(await rawServer(server));
		expect(result).toMatchObject({ status: 'healthy', server: { type: 'openAiCompatible' } });
		expect(result.summary).toContain(`with ${offer}.`);
		expect(finding(result, 'unrecognizedServer').detail).toContain(offer);
	});

	test('whisper.cpp, also for Wait Until Ready', async () => {
		const { url } = await startWhisper();
		const result = await waitUntilReady(async () => await check(url), { timeoutMs: 10_000 });
		expect(result).toMatchObject({ healthy: true, wait: { checks: 1 } });
		expect(finding(result, 'unrecognizedServer').detail).toContain('transcription');
	});

	test('no valid body is sent', async () => {
		const bodies: string[] = [];
		const server = routes({ '/v1/audio/speech': posted(notAllowed) });
		const url = await rawServer((path, socket, head) => {
			if (isPost(head)) bodies.push(head.split('\r\n\r\n')[1]!);
			server(path, socket, head);
		});
		expect(await check(url)).toMatchObject({ healthy: true });
		expect(new Set(bodies)).toEqual(new Set(['{']));
	});
});

describe('no model server', () => {
	test.each<[string, RawHandler]>([
		[
			'nginx',
			(path, socket, head) =>
				page(isPost(head) ? '405 Not Allowed' : '404 Not Found')(path, socket, head),
		],
		['a single-page app', (path, socket, head) => page('200 OK')(path, socket, head)],
		[
			'pages, and 405 for every POST (Open WebUI)',
			(path, socket, head) =>
				(isPost(head) ? notAllowed : json('404 Not Found', {}))(path, socket, head),
		],
		['405 for every path', (path, socket, head) => notAllowed(path, socket, head)],
		[
			'pages, and JSON for every POST (n8n)',
			routes(
				{ '/healthz': json('200 OK', { status: 'ok' }) },
				posted(json('404 Not Found', { code: 404, message: 'not found' })),
			),
		],
		[
			'endpoints that only a key opens',
			routes({ '/v1/chat/completions': json('403 Forbidden', { detail: 'Forbidden' }) }),
		],
		['a page at one path', routes({ '/v1/completions': page('405 Not Allowed') })],
		['endpoints that fail', routes({ '/v1/embeddings': json('500 Internal Server Error', {}) })],
	])('%s', async (_name, server) => {
		const result = await check(await rawServer(server));
		expect(result).toMatchObject({ healthy: false, status: 'misconfigured' });
	});
});

describe('/health reports that the server is not ready', () => {
	test.each([
		['an empty response', list('vllm'), completeResponse('503 Service Unavailable'), 'degraded'],
		[
			'a reason',
			list('sglang'),
			json('503 Service Unavailable', { status: 'unhealthy', issues: ['no worker'] }),
			'degraded',
		],
		['an error', list('tabby'), json('500 Internal Server Error', { detail: 'dead' }), 'degraded'],
		[
			'still loading',
			list('llamacpp'),
			json('503 Service Unavailable', {
				error: { code: 503, message: 'Loading model', type: 'unavailable_error' },
			}),
			'loading',
		],
		[
			'without a list',
			json('404 Not Found', {}),
			completeResponse('503 Service Unavailable'),
			'degraded',
		],
	])('%s', async (_name, models, health, status) => {
		const result = await check(
			await rawServer(routes({ '/v1/models': models, '/health': health })),
		);
		expect(result).toMatchObject({ healthy: false, status });
		expect(ids(result)).toEqual([status === 'loading' ? 'modelLoading' : 'notReady']);
		expect(result.findings[0]!.observed).toContain('/health: HTTP 50');
	});

	test.each([
		['the page of a proxy', page('503 Service Unavailable')],
		['no such endpoint', json('501 Not Implemented', {})],
	])('%s does not count', async (_name, health) => {
		const server = routes({ '/v1/models': list('vllm'), '/health': health });
		expect(await check(await rawServer(server))).toMatchObject({ healthy: true });
	});

	test('a gateway that would ask its models is not asked', async () => {
		const asked: string[] = [];
		const server = routes({
			'/v1/models': json(
				'200 OK',
				{ data: [{ id: 'm', owned_by: 'openai', created: 1_677_610_602 }] },
				{ 'x-litellm-version': '1' },
			),
		});
		const url = await rawServer((path, socket, head) => {
			asked.push(path);
			server(path, socket, head);
		});
		expect(await check(url)).toMatchObject({ healthy: true, server: { type: 'litellm' } });
		expect(asked).not.toContain('/health');
	});
});
