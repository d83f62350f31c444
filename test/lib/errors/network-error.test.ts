import { describeError } from '../../../lib/errors/describe-error';
import type { ErrorType } from '../../../lib/errors/error-types';
import { createServerError } from '../../../lib/errors/create-error';
import { toNetworkError } from '../../../lib/errors/network-error';
import { Agent, request } from '../../support/servers/undici';
import { startLlamaServerSim, startSilentServer } from '../../simulators/llama-server';
import { closedPort, startTcpServer } from '../../support/servers/listen';
import { failDnsLookups } from '../../support/servers/failing-dns';
import { useSimulator } from '../../simulators/use-simulator';

const startServer = useSimulator(startLlamaServerSim);
const startSilent = useSimulator(startSilentServer);

const REQUEST_URL = 'http://10.0.0.5:8080/v1/chat/completions';
const CONTEXT = { url: REQUEST_URL, root: 'http://10.0.0.5:8080', model: 'qwen3' };

describe('toNetworkError', () => {
	/** The error that undici throws for a real request. */
	async function raised(
		url: string,
		options: ConstructorParameters<typeof Agent>[0] = {},
	): Promise<unknown> {
		const dispatcher = new Agent({
			...options,
			connect: { autoSelectFamily: true, ...(options.connect as object) },
		});
		const outcome = await request(url, { dispatcher }).then(
			() => undefined,
			(error: unknown) => error,
		);
		await dispatcher.destroy();
		return outcome;
	}
	const explain = async (url: string, options?: ConstructorParameters<typeof Agent>[0]) =>
		toNetworkError(await raised(url, options), { url, root: new URL(url).origin });

	test('a port on which nothing listens', async () => {
		const port = await closedPort();
		const error = await explain(`http://127.0.0.1:${port}/v1/models`);
		expect(error).toMatchObject({ type: 'connectionRefused', code: 'ECONNREFUSED' });
		expect(error.message).toBe(`Nothing is listening on 127.0.0.1:${port}, as seen from n8n`);
		expect(error.suggestion).toContain(`http://host.docker.internal:${port}`);
		// Several addresses of one name: an AggregateError.
		expect((await explain(`http://localhost:${port}/`)).type).toBe('connectionRefused');
	});

	test('dropped packets', async () => {
		const server = await startSilent();
		const error = await explain(`${server.url}/v1/models`, { connect: { timeout: 50 } });
		expect(error).toMatchObject({ type: 'connectTimeout', code: 'UND_ERR_CONNECT_TIMEOUT' });
		expect(error.suggestion).toContain(`ufw allow ${server.port}/tcp`);
	});

	test('a host name that cannot be resolved', async () => {
		failDnsLookups();
		const error = await explain('http://no-such-host.invalid:8080/v1/models');
		jest.restoreAllMocks();
		expect(error.type).toBe('dnsLookupFailed');
		expect(error.message).toContain('"no-such-host.invalid"');
	});

	test('https on an http port', async () => {
		const server = await startTcpServer((socket) =>
			socket.once('data', () =>
				socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n'),
			),
		);
		const error = await explain(`https://127.0.0.1:${server.port}/v1/models`);
		await server.close();
		expect(error).toMatchObject({
			type: 'tlsMismatch',
			code: expect.stringMatching(/^ERR_SSL_|^EPROTO$/),
		});
		expect(error.message).toMatch(/^The server does not support https on this port/);
		expect(error.suggestion).toContain(`http://127.0.0.1:${server.port}`);
	});

	test('http on an https port', async () => {
		const server = await startServer({ tls: true });
		const error = await explain(`http://127.0.0.1:${server.port}/v1/models`);
		expect(['closedBeforeResponse', 'notHttp']).toContain(error.type);
		expect(error.suggestion).toContain('https');
	});

	test('https on a port that closes the connection', async () => {
		const server = await startTcpServer((socket) => socket.once('data', () => socket.destroy()));
		const error = await explain(`https://127.0.0.1:${server.port}/v1/models`);
		await server.close();
		expect(error.type).toBe('closedBeforeResponse');
		expect(error.suggestion).toContain('try http:// in the Base URL');
	});

	test('a port that does not use HTTP', async () => {
		const server = await startServer({
			connections: () => ({ greet: 'SSH-2.0-OpenSSH_9.2p1\r\n' }),
		});
		const error = await explain(`${server.url}/v1/models`);
		expect(error.type).toBe('notHttp');
	});

	test.each(['fin', 'rst'] as const)(
		'a connection closed by %s before the response',
		async (how) => {
			const server = await startServer({ connections: () => how });
			const error = await explain(`${server.url}/v1/models`);
			expect(error).toMatchObject({
				type: 'closedBeforeResponse',
				code: how === 'fin' ? 'UND_ERR_SOCKET' : 'ECONNRESET',
			});
		},
	);

	test.each<{ code: string; type: ErrorType }>([
		{ code: 'EAI_AGAIN', type: 'dnsLookupFailed' },
		{ code: 'ETIMEDOUT', type: 'connectTimeout' },
		{ code: 'EHOSTUNREACH', type: 'hostUnreachable' },
		{ code: 'ENETUNREACH', type: 'hostUnreachable' },
		{ code: 'EHOSTDOWN', type: 'hostUnreachable' },
		{ code: 'EPIPE', type: 'closedBeforeResponse' },
		{ code: 'CERT_HAS_EXPIRED', type: 'tlsUntrusted' },
		{ code: 'SELF_SIGNED_CERT_IN_CHAIN', type: 'tlsUntrusted' },
		{ code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE', type: 'tlsUntrusted' },
		{ code: 'ERR_TLS_CERT_ALTNAME_INVALID', type: 'tlsUntrusted' },
		{ code: 'HPE_INVALID_CONSTANT', type: 'notHttp' },
		{ code: 'EAI_FAIL', type: 'dnsLookupFailed' },
		{ code: 'EAI_NONAME', type: 'dnsLookupFailed' },
		{ code: 'EACCES', type: 'hostUnreachable' },
		{ code: 'EPERM', type: 'hostUnreachable' },
		{ code: 'ERR_INVALID_IP_ADDRESS', type: 'dnsLookupFailed' },
	])('the code $code is an error of type $type', ({ code, type }) => {
		const error = toNetworkError(
			new Error('fetch failed', { cause: Object.assign(new Error('x'), { code }) }),
			CONTEXT,
		);
		expect(error).toMatchObject({ type, code });
	});

	test('a TLS handshake that fails although the server uses TLS', () => {
		const context = { url: 'https://gpu/v1/models', root: 'https://gpu' };
		const error = toNetworkError(
			Object.assign(new Error('x'), { code: 'ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE' }),
			context,
		);
		expect(error.type).toBe('tlsMismatch');
		expect(error.message).toContain(
			'handshake with the server failed (ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE)',
		);
	});

	test('an error after the first bytes of a response is a lost connection', () => {
		const badChunk = Object.assign(new Error('bad chunk'), { name: 'HTTPParserError' });
		expect(toNetworkError(badChunk, CONTEXT, true).type).toBe('connectionLost');
		for (const code of ['UND_ERR_SOCKET', 'ECONNRESET', 'HPE_INVALID_CHUNK_SIZE', 'Z_BUF_ERROR']) {
			const terminated = Object.assign(new Error('terminated'), { code });
			const error = toNetworkError(terminated, CONTEXT, true);
			expect(error).toMatchObject({ type: 'connectionLost', code });
		}
	});

	test('unknown errors are included unchanged; texts of the HTTP parser are not', () => {
		const error = toNetworkError(new Error('something new'), CONTEXT);
		expect(error).toMatchObject({
			type: 'closedBeforeResponse',
			message: 'The request failed before a response arrived',
			detail: 'The request failed before a response arrived: something new',
			facts: { reason: 'something new' },
		});
		expect(toNetworkError('text', CONTEXT).facts.reason).toBe('text');
		const parser = Object.assign(
			new Error('Response does not match the HTTP/1.1 protocol (Invalid EOF state)'),
			{
				name: 'HTTPParserError',
			},
		);
		for (const started of [false, true])
			expect(describeError(toNetworkError(parser, CONTEXT, started))).not.toMatch(/EOF|HTTP\/1/);
	});

	test('a failed connection to another host or port than in the URL is a proxy error', () => {
		const rejection = Object.assign(new Error('connect'), {
			code: 'ECONNREFUSED',
			address: '10.9.9.9',
			port: 3128,
		});
		expect(toNetworkError(rejection, CONTEXT)).toMatchObject({
			type: 'proxyError',
			code: 'ECONNREFUSED 10.9.9.9:3128',
		});
		const unknown = Object.assign(new Error('lookup'), {
			code: 'ENOTFOUND',
			hostname: 'proxy.lan',
		});
		expect(toNetworkError(unknown, CONTEXT)).toMatchObject({
			type: 'proxyError',
			code: 'ENOTFOUND proxy.lan',
		});
	});

	test.each([
		['gpu', 'http://GPU:8080/v1/models'],
		['GPU', 'http://gpu:8080/v1/models'],
		['Gpu.Lan', 'http://gpu.LAN/v1/models'],
		['gpu', 'https://gpu/v1/models'],
		['XN--bcher-kva.example', 'http://bücher.example/v1/models'],
	])('a failed lookup of %s is that of %s, in any letters', (hostname, url) => {
		const lookup = Object.assign(new Error('lookup'), { code: 'ENOTFOUND', hostname });
		const { type, code } = toNetworkError(lookup, { url });
		expect({ type, code }).toEqual({ type: 'dnsLookupFailed', code: 'ENOTFOUND' });
	});

	test('a ServerError is returned unchanged', () => {
		const error = createServerError('busy', CONTEXT);
		expect(toNetworkError(error, { url: 'http://other/' })).toBe(error);
	});
});
