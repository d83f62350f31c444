import {
	type LlamaServerSim,
	type SimOptions,
	startLlamaServerSim,
	startSilentServer,
} from '../../simulators/llama-server';
import * as net from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import {
	closeRawServers,
	type RawHandler,
	rawServer,
	completeResponse,
} from '../../support/raw-http-server';
import { check, finding, ids, SESAME } from './support';
import { useSimulator } from '../../simulators/use-simulator';

const startServer = useSimulator(startLlamaServerSim);
const startSilent = useSimulator(startSilentServer);

async function sim(options: SimOptions = {}): Promise<LlamaServerSim> {
	const server = await startServer(options);
	return server;
}

afterEach(async () => {
	await closeRawServers();
});

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
		expect(finding(result, 'badGateway').suggestion).toContain('cloudflared');
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
	const server = await sim();
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
