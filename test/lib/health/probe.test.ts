import { forgetChecks } from '../../../lib/health/check';
import { TIME_LIMIT_MS } from '../../../lib/health/probes';
import { connectTo } from '../../../lib/servers/connect';
import { appKey, startDifySim } from '../../servers/dify';
import {
	type LlamaServerSim,
	type SimOptions,
	startLlamaServerSim,
	startSilentServer,
} from '../../servers/llama-server';
import { delay, net } from '../../support/node';
import { closeRawServers, rawServer, type RawAnswering, whole } from '../../support/raw-answers';
import { AT_ONCE_MS } from '../../support/time';
import { check, checkDify, finding, ids, json, movedTo, routes, SESAME } from './support';
import { useSimulator } from '../../servers/use-simulator';

const startServer = useSimulator(startLlamaServerSim);
const startDify = useSimulator(startDifySim);
const startSilent = useSimulator(startSilentServer);

async function sim(options: SimOptions = {}): Promise<LlamaServerSim> {
	const server = await startServer(options);
	return server;
}

beforeEach(forgetChecks);
afterEach(async () => {
	await closeRawServers();
});

describe('an address that leads on to another one', () => {
	it.each([301, 302, 303])('by %d: questions are answered there, but no generation would be', async (status) => {
		const server = await sim();
		const url = await rawServer(movedTo(server.url, status));
		const result = await check(url, {}, { apiKey: '' });
		expect(result).toMatchObject({ status: 'misconfigured', healthy: false });
		expect(finding(result, 'moved')).toMatchObject({ severity: 'error', advice: `Type ${server.url} as base URL.` });
		const connection = connectTo({ baseUrl: url });
		await expect(
			connection.json(`${connection.url.api}/chat/completions`, {
				json: { messages: [{ role: 'user', content: 'x' }] },
			}),
		).rejects.toMatchObject({ kind: 'redirect' });
	});

	it.each([307, 308])('by %d: works, with a warning', async (status) => {
		const server = await sim();
		const result = await check(await rawServer(movedTo(server.url, status)), {}, { apiKey: '' });
		expect(result.status).toBe('healthy');
		expect(finding(result, 'moved').severity).toBe('warning');
	});

	it('a slash at the end is no other address', async () => {
		const list = json('200 OK', { object: 'list', data: [{ id: 'm', owned_by: 'local' }] });
		const url = await rawServer(
			routes({
				'/v1/models': (_path, socket) =>
					void socket.end('HTTP/1.1 307 x\r\nLocation: /v1/models/\r\nContent-Length: 0\r\n\r\n'),
				'/v1/models/': list,
			}),
		);
		expect(ids(await check(url))).not.toContain('moved');
	});

	it.each([301, 308])('Dify, which gets no key there (%d): the key is not what is wrong', async (status) => {
		const dify = await startDify();
		const url = await rawServer(movedTo(new URL(dify.url).origin, status));
		const result = await checkDify(`${url}/v1`, { apiKey: appKey('chat') });
		await dify.close();
		expect(result.status).toBe('misconfigured');
		expect(finding(result, 'moved')).toMatchObject({
			severity: 'error',
			advice: `Type ${new URL(dify.url).origin} as base URL.`,
		});
	});

	it('Dify at another path of the same address', async () => {
		const app = { name: 'Helper', mode: 'chat' };
		const url = await rawServer(
			routes({ '/dify/v1/info': json('200 OK', app), '/dify/v1/parameters': json('200 OK', {}) }, movedTo('/dify')),
		);
		expect(finding(await checkDify(`${url}/v1`, { apiKey: appKey('chat') }), 'moved').advice).toBe(
			`Type ${url}/dify as base URL.`,
		);
	});

	it('the address that a redirect names is shown without the key it repeats', async () => {
		const login = await rawServer(
			whole('200 OK', '<!doctype html><title>Sign in</title>', { 'Content-Type': 'text/html' }),
		);
		const url = await rawServer(
			(_path, socket) =>
				void socket.end(`HTTP/1.1 302 x\r\nLocation: ${login}/login?key=${SESAME}\r\nContent-Length: 0\r\n\r\n`),
		);
		const result = await check(url);
		expect(finding(result, 'notAnApi').observed).toContain('/login?key=***');
		expect(JSON.stringify(result)).not.toContain(SESAME);
	});
});

describe('answers that do not end', () => {
	const webCam: RawAnswering = (_path, socket) => {
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
	])('%s: the check ends in time and says so', async (_name, answer) => {
		const startedAt = Date.now();
		const result = await check(await rawServer(answer), { timeLimitMs: 1500 });
		expect(Date.now() - startedAt).toBeLessThan(AT_ONCE_MS);
		expect(result.status).toBe('unreachable');
		expect(finding(result, 'endlessAnswer').observed).toContain('an answer without end');
	});

	it('a flood: what answers is no model server', async () => {
		const url = await rawServer((_path, socket) => {
			socket.write('HTTP/1.1 200 OK\r\n\r\n');
			const push = () => {
				while (!socket.destroyed && socket.write(Buffer.alloc(1_000_000, 97)));
			};
			socket.on('drain', push);
			push();
		});
		expect(ids(await check(url, { timeLimitMs: 60_000 }))).toEqual(['invalidAnswer']);
	});
});

describe('proxies that refuse', () => {
	it.each(['', SESAME])('a page with 403 is no matter of the key (key "%s")', async (apiKey) => {
		const url = await rawServer(
			whole('403 Forbidden', '<!DOCTYPE html><html><title>Just a moment...</title></html>', {
				'Content-Type': 'text/html',
				'cf-mitigated': 'challenge',
			}),
		);
		const result = await check(url, {}, { apiKey });
		expect(finding(result, 'proxyRefuses')).toMatchObject({
			meaning: 'Something in front of the server does not let n8n through',
			observed: expect.stringContaining('Just a moment') as string,
		});
	});

	it.each(['', SESAME])('a password is wanted (key "%s")', async (apiKey) => {
		const url = await rawServer(
			whole('401 Unauthorized', '<html></html>', {
				'Content-Type': 'text/html',
				'WWW-Authenticate': 'Basic realm="x"',
			}),
		);
		const result = await check(url, {}, { apiKey });
		expect(result.status).toBe('unauthorized');
		expect(finding(result, 'proxyPassword').advice).toContain('"Basic "');
	});

	it('Cloudflare cannot reach the tunnel', async () => {
		const result = await check(
			await rawServer(whole('530 <none>', 'error code: 1033', { 'Content-Type': 'text/plain' })),
		);
		expect(result.status).toBe('unreachable');
		expect(finding(result, 'gateway').advice).toContain('cloudflared');
	});

	it('the forward proxy of the environment answers for the server', async () => {
		const result = await check(
			await rawServer(
				whole('503 Service Unavailable', '<html><title>ERROR</title></html>', {
					Server: 'squid/5.7',
					'Content-Type': 'text/html',
					'X-Squid-Error': 'ERR_CONNECT_FAIL 111',
				}),
			),
		);
		expect(finding(result, 'proxy').meaning).toContain('ERR_CONNECT_FAIL 111');
		expect(finding(result, 'proxy').advice).toContain('NO_PROXY');
	});
});

it.each([3e9, 1e13, 1e15])('a time limit of %d ms is as good as none', async (timeLimitMs) => {
	const server = await sim();
	expect((await check(server.url, { timeLimitMs })).status).toBe('healthy');
});

it('a dead host still takes less than 3 seconds', async () => {
	expect(TIME_LIMIT_MS).toBeLessThan(3_000);
	const silent = await startSilent();
	const startedAt = Date.now();
	const result = await check(silent.url, { timeLimitMs: undefined });
	await silent.close();
	expect(Date.now() - startedAt).toBeLessThan(AT_ONCE_MS);
	// A machine that stood still just then may have come to the limit of the whole before that of connecting.
	expect(['connectTimeout', 'noAnswer']).toEqual(expect.arrayContaining(ids(result)));
	expect(result).toMatchObject({ status: 'unreachable', findings: [{ severity: 'error' }] });
});
