/** What a server is for, and whether it reports that it is ready. */
import {
	closeRawServers,
	completeResponse,
	rawServer,
} from '../../support/servers/raw-http-server';
import type { RawHandler } from '../../support/servers/raw-http-server';
import { toPlainText } from '../../../lib/values/safe-text';
import { startWhisperSim } from '../../simulators/media/whisper';
import { useSimulator } from '../../simulators/use-simulator';
import { waitUntilReady } from '../../../lib/health/wait-until-ready';
import type { WaitOptions } from '../../../lib/health/wait-until-ready';
import { check, finding, ids, json, replayRecording, routes, SESAME } from './support';
import { startLlamaServerSim, startSilentServer } from '../../simulators/llama-server';
import type { LlamaServerSim } from '../../simulators/llama-server';
import type * as net from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { sleep } from 'n8n-workflow';
import type { CheckResult, HealthStatus } from '../../../lib/health/check-result';

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
const RERANKER = json('200 OK', {
	model_id: 'BAAI/bge',
	model_type: { reranker: { id2label: {} } },
	version: '1.8.2',
});
const NO_MODELS = json('200 OK', { data: [] });
const EMPTY = completeResponse('405 Method Not Allowed');
/** A server with both endpoints. */
const both = (info: RawHandler) =>
	routes({ '/info': info, '/v1/embeddings': EMPTY, '/rerank': EMPTY });
const UNAVAILABLE = '503 Service Unavailable';
const LOADING = { error: { code: 503, message: 'Loading model', type: 'unavailable_error' } };

describe('a server without a model list is healthy if it has endpoints for tasks', () => {
	test.each([
		[
			'embeddings, as /info says',
			both(replayRecording('tei/info.http')),
			'endpoints for embeddings',
		],
		['a reranker, as /info says', both(RERANKER), 'endpoints for reranking'],
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
	])('healthy without a model list: %s', async (_name, server, offer) => {
		const result = await check(await rawServer(server));
		expect(result).toMatchObject({ status: 'healthy', server: { type: 'openAiCompatible' } });
		expect(result.summary).toContain(`with ${offer}.`);
		expect(finding(result, 'unrecognizedServer').detail).toContain(offer);
	});

	test.each([
		{ what: 'no list', path: '/v1/audio/speech', response: notAllowed, status: 'healthy' },
		{ what: 'an empty list', path: '/v1/models', response: NO_MODELS, status: 'misconfigured' },
	])('a model that is expected is not missing in $what', async ({ path, response, status }) => {
		const server = routes({ [path]: response });
		const result = await check(await rawServer(server), { expectations: { model: 'tts-1' } });
		expect(ids(result)).not.toContain('expectedModelMissing');
		expect(result.status).toBe(status);
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

test.each([
	{ isSleeping: false, probed: ['POST /v1/embeddings'] },
	// What wakes nothing: docs/protocols/llama-server.md 2.11. It has no route for versions.
	{ isSleeping: true, probed: [] },
])('wakes no llama-server: sleeping $isSleeping', async ({ isSleeping, probed }) => {
	const paths = new Set<string>();
	const llamaServer = routes({
		'/v1/models': list('llamacpp'),
		'/props': json('200 OK', { is_sleeping: isSleeping, total_slots: 1, build_info: 'b9982-a' }),
		'/health': json('200 OK', { status: 'ok' }),
		'/metrics': completeResponse('200 OK', 'llamacpp:requests_deferred 0\n'),
	});
	const url = await rawServer((path, socket, head) => {
		paths.add(`${head.split(' ')[0]} ${path}`);
		llamaServer(path, socket, head);
	});
	expect(await check(url)).toMatchObject({ server: { type: 'llamaServer', sleeping: isSleeping } });
	expect([...paths].sort()).toEqual(
		[
			'GET /api/version',
			'GET /health',
			'GET /metrics',
			'GET /props',
			'GET /v1/models',
			'GET /version',
			...probed,
		].sort(),
	);
});

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
])('no model server: %s', async (_name, server) => {
	const result = await check(await rawServer(server));
	expect(result).toMatchObject({ healthy: false, status: 'misconfigured' });
});

describe('/health reports that the server is not ready', () => {
	test.each([
		['an empty response', list('vllm'), completeResponse(UNAVAILABLE), 'degraded'],
		['a reason', list('sglang'), json(UNAVAILABLE, { issues: ['no worker'] }), 'degraded'],
		['an error', list('tabby'), json('500 Internal Server Error', { detail: 'dead' }), 'degraded'],
		['still loading', list('llamacpp'), json(UNAVAILABLE, LOADING), 'loading'],
		['without a list', json('404 Not Found', {}), completeResponse(UNAVAILABLE), 'degraded'],
	])('not ready, as /health reports it: %s', async (_name, models, health, status) => {
		const result = await check(
			await rawServer(routes({ '/v1/models': models, '/health': health })),
		);
		expect(result).toMatchObject({ healthy: false, status });
		expect(ids(result)).toEqual([status === 'loading' ? 'modelLoading' : 'notReady']);
		expect(result.findings[0]!.observed).toContain('/health: HTTP 50');
	});

	test.each([
		// chatterbox-tts-api, and states of other servers
		[{ status: 'initializing', model_loaded: false }, 'loading'],
		[{ status: 'starting' }, 'loading'],
		[{ status: 'warming up' }, 'loading'],
		[{ status: 'error', initialization_error: 'CUDA out of memory' }, 'degraded'],
		// vox-box, which returns an exception of FastAPI
		[{ status_code: 503, detail: 'Loading model', headers: null }, 'loading'],
		[{ status_code: 500, detail: 'No model', headers: null }, 'degraded'],
	] as const)('with status 200: %j', async (health, status) => {
		const models = list('sglang');
		const result = await check(
			await rawServer(routes({ '/v1/models': models, '/health': json('200 OK', health) })),
		);
		expect(result).toMatchObject({ healthy: false, status });
	});

	test.each([{ status: 'healthy' }, { status_code: 200 }, { message: 'OK' }, { unix: 1.5 }])(
		'ready with status 200: %j',
		async (health) => {
			const models = list('sglang');
			const result = await check(
				await rawServer(routes({ '/v1/models': models, '/health': json('200 OK', health) })),
			);
			expect(result.status).not.toMatch(/loading|degraded/);
		},
	);

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

const startServer = useSimulator(startLlamaServerSim);
const startSilent = useSimulator(startSilentServer);

describe('responses that do not end', () => {
	const webCam: RawHandler = (_path, socket) => {
		socket.write('HTTP/1.1 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=x\r\n\r\n');
		const send = async () => {
			while (!socket.destroyed) {
				socket.write('--x\r\nContent-Type: image/jpeg\r\n\r\nabc\r\n');
				await delay(20);
			}
		};
		void send();
	};

	it.each([
		['a web cam', webCam],
		[
			'headers and nothing more',
			(_path: string, socket: net.Socket) =>
				void socket.write('HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n'),
		],
	])('%s: the check ends in time and reports it', async (_name, answer) => {
		const result = await check(await rawServer(answer), { timeoutMs: 1500 });
		expect(result.status).toBe('unreachable');
		expect(finding(result, 'noResponse').observed).toMatch(/: no response after \d+ ms/);
	});

	it('a flood: the server is not a model server', async () => {
		const url = await rawServer((_path, socket) => {
			socket.write('HTTP/1.1 200 OK\r\n\r\n');
			const push = () => {
				while (!socket.destroyed && socket.write(Buffer.alloc(1_000_000, 97)));
			};
			socket.on('drain', push);
			push();
		});
		expect(ids(await check(url, { timeoutMs: 60_000 }))).toEqual(['invalidResponse']);
	});
});

describe('proxies that reject requests', () => {
	it.each(['', SESAME])('an HTML page with 403 is not a key problem (key "%s")', async (apiKey) => {
		const url = await rawServer(
			completeResponse(
				'403 Forbidden',
				'<!DOCTYPE html><html><title>Just a moment...</title></html>',
				{
					'Content-Type': 'text/html',
					'cf-mitigated': 'challenge',
				},
			),
		);
		const result = await check(url, {}, { apiKey });
		expect(finding(result, 'blockedByProxy')).toMatchObject({
			detail: 'A proxy or firewall in front of the server blocks n8n',
			observed: expect.stringContaining('Just a moment') as string,
		});
	});

	it.each(['', SESAME])('a proxy requires a password (key "%s")', async (apiKey) => {
		const url = await rawServer(
			completeResponse('401 Unauthorized', '<html></html>', {
				'Content-Type': 'text/html',
				'WWW-Authenticate': 'Basic realm="x"',
			}),
		);
		const result = await check(url, {}, { apiKey });
		expect(result.status).toBe('unauthorized');
		expect(finding(result, 'proxyAuthRequired').suggestion).toContain('"Basic "');
	});

	it('Cloudflare cannot reach the tunnel', async () => {
		const result = await check(
			await rawServer(
				completeResponse('530 <none>', 'error code: 1033', { 'Content-Type': 'text/plain' }),
			),
		);
		expect(result.status).toBe('unreachable');
		expect(finding(result, 'tunnelDown').suggestion).toContain('cloudflared');
	});

	it('the forward proxy of the environment responds instead of the server', async () => {
		const result = await check(
			await rawServer(
				completeResponse('503 Service Unavailable', '<html><title>ERROR</title></html>', {
					Server: 'squid/5.7',
					'Content-Type': 'text/html',
					'X-Squid-Error': 'ERR_CONNECT_FAIL 111',
				}),
			),
		);
		expect(finding(result, 'proxyError').detail).toContain('ERR_CONNECT_FAIL 111');
		expect(finding(result, 'proxyError').suggestion).toContain('NO_PROXY');
	});
});

it.each([3e9, 1e13, 1e15])('a timeout of %d ms is the same as no timeout', async (timeoutMs) => {
	const server = await startServer();
	expect((await check(server.url, { timeoutMs })).status).toBe('healthy');
});

it('an unreachable host times out in less than 3 seconds', async () => {
	const silent = await startSilent();
	const result = await check(silent.url, { timeoutMs: undefined });
	await silent.close();
	// On a machine that hung at this moment, the total timeout may end before the connect timeout.
	expect(['connectTimeout', 'noResponse']).toEqual(expect.arrayContaining(ids(result)));
	expect(result).toMatchObject({ status: 'unreachable', findings: [{ severity: 'error' }] });
});

const QUICK: WaitOptions = { timeoutMs: 60_000, pausesMs: [10, 20, 30] };
let server: LlamaServerSim | undefined;

/** Checks that give these results one after the other, the last one again and again. */
function played(...statuses: HealthStatus[]): () => Promise<CheckResult> {
	let at = 0;
	return async () => {
		const status = statuses[Math.min(at++, statuses.length - 1)]!;
		return {
			status,
			healthy: status === 'healthy',
			summary: toPlainText(`It is ${status}.`),
			findings: [],
			server: { url: 'http://x', type: 'llamaServer', latencyMs: 1 },
			checkedAt: '',
		};
	};
}

describe('waiting until a server is ready', () => {
	it('starts no check that would end after the timeout, if it takes as long as the previous one', async () => {
		const unreachable = played('unreachable');
		const slow = async () => {
			await sleep(600);
			return await unreachable();
		};
		const result = await waitUntilReady(slow, { timeoutMs: 1_000, pausesMs: [10] });
		expect(result).toMatchObject({ wait: { checks: 1 }, healthy: false });
	});

	it('waits out loading and comes back with the healthy check', async () => {
		// A check asks three or four things: so many refusals last for two checks at least.
		server = await startServer({ apiKey: SESAME, loadingFor: 8 });
		const { url } = server;
		const result = await waitUntilReady(async () => await check(url), QUICK);
		expect(result).toMatchObject({
			status: 'healthy',
			server: { type: 'llamaServer' },
			wait: { history: [{ status: 'loading' }, { status: 'healthy' }] },
		});
		expect(result.wait.checks).toBeGreaterThan(2);
	});

	it('gives up at its timeout, and reports that the model still loads', async () => {
		const result = await waitUntilReady(played('loading'), { ...QUICK, timeoutMs: 100 });
		expect(result).toMatchObject({
			status: 'loading',
			healthy: false,
			summary: 'Not ready within 100 ms (Wait Timeout). It is loading.',
			wait: { history: [{ status: 'loading' }] },
		});
	});

	it.each([
		{ what: 'quick checks', checkMs: 0, timeoutMs: 20_000 },
		{ what: 'checks of half a second', checkMs: 500, timeoutMs: 20_000 },
		{ what: 'a check that would end too late', checkMs: 700, timeoutMs: 1_000 },
	])('reports the end of its timeout neither before nor after it: $what', async (row) => {
		jest.useFakeTimers();
		const startedAt = Date.now();
		const play = played('loading');
		const slow = async () => {
			await sleep(row.checkMs);
			return await play();
		};
		let endedAt = 0;
		const waiting = waitUntilReady(slow, { timeoutMs: row.timeoutMs }).then((result) => {
			endedAt = Date.now();
			return result;
		});
		await jest.advanceTimersByTimeAsync(2 * row.timeoutMs);
		expect((await waiting).summary).toMatch(/^Not ready within (?:20|1) s \(Wait Timeout\)/);
		expect(endedAt - startedAt).toBe(row.timeoutMs);
	});

	it('does not wait if the key is rejected', async () => {
		jest.useFakeTimers();
		const waiting = waitUntilReady(played('unauthorized'), { timeoutMs: 20_000 });
		await jest.advanceTimersByTimeAsync(20_000);
		expect(await waiting).toMatchObject({
			status: 'unauthorized',
			wait: { checks: 1, waitedMs: 0 },
		});
	});

	it.each(['misconfigured', 'degraded', 'unreachable'] as const)(
		'waits whatever else is reported: %s',
		async (status) => {
			jest.useFakeTimers();
			const check = played(status, status, 'healthy');
			const waiting = waitUntilReady(check, { timeoutMs: 20_000 });
			await jest.advanceTimersByTimeAsync(20_000);
			expect(await waiting).toMatchObject({ status: 'healthy', wait: { checks: 3 } });
		},
	);

	it('waits longer and longer between checks', async () => {
		jest.useFakeTimers();
		const startedAt = Date.now();
		const times: number[] = [];
		const play = played('loading', 'loading', 'loading', 'loading', 'healthy');
		const waiting = waitUntilReady(
			async () => {
				times.push(Date.now() - startedAt);
				return await play();
			},
			{ timeoutMs: 60_000, pausesMs: [20, 60, 100] },
		);
		await jest.advanceTimersByTimeAsync(1000);
		await waiting;
		jest.useRealTimers();
		expect(times).toEqual([0, 20, 80, 180, 280]);
	});

	it('is aborted immediately', async () => {
		const abort = new AbortController();
		const waiting = waitUntilReady(played('loading'), {
			timeoutMs: 7_200_000,
			signal: abort.signal,
			pausesMs: [3_600_000],
		});
		abort.abort(new Error('stopped'));
		await expect(waiting).rejects.toThrow('stopped');
	});
});
