import { describeError as wholeText } from '../../../lib/errors/describe-error';
import type { ErrorType } from '../../../lib/errors/error-types';
import { createServerError } from '../../../lib/errors/create-error';
import { toNetworkError } from '../../../lib/errors/network-error';
import { Agent, request } from '../../support/undici';
import { startLlamaServerSim, startSilentServer } from '../../simulators/llama-server';
import { closedPort, startTcpServer } from '../../support/listen';
import { failDnsLookups } from '../../support/failing-dns';
import { useSimulator } from '../../simulators/use-simulator';

const startServer = useSimulator(startLlamaServerSim);
const startSilent = useSimulator(startSilentServer);

const URL_ASKED = 'http://10.0.0.5:8080/v1/chat/completions';
const CONTEXT = { url: URL_ASKED, root: 'http://10.0.0.5:8080', model: 'qwen3' };

describe('the network', () => {
	/** The error that a request really raises, as undici gives it. */
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

	test('case 1: nothing listens', async () => {
		const port = await closedPort();
		const failed = await explain(`http://127.0.0.1:${port}/v1/models`);
		expect(failed).toMatchObject({ type: 'connectionRefused', code: 'ECONNREFUSED' });
		expect(failed.message).toBe(`Nothing is listening on 127.0.0.1:${port}, as seen from n8n`);
		expect(failed.suggestion).toContain(`http://host.docker.internal:${port}`);
		// Several addresses of one name: an AggregateError.
		expect((await explain(`http://localhost:${port}/`)).type).toBe('connectionRefused');
	});

	test('packets are dropped', async () => {
		const server = await startSilent();
		const failed = await explain(`${server.url}/v1/models`, { connect: { timeout: 50 } });
		await server.close();
		expect(failed).toMatchObject({ type: 'connectTimeout', code: 'UND_ERR_CONNECT_TIMEOUT' });
		expect(failed.suggestion).toContain(`ufw allow ${server.port}/tcp`);
	});

	test('the name cannot be resolved', async () => {
		failDnsLookups();
		const failed = await explain('http://no-such-host.invalid:8080/v1/models');
		jest.restoreAllMocks();
		expect(failed.type).toBe('dnsLookupFailed');
		expect(failed.message).toContain('"no-such-host.invalid"');
	});

	test('case 13: https to an http port', async () => {
		const server = await startTcpServer((socket) =>
			socket.once('data', () =>
				socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n'),
			),
		);
		const failed = await explain(`https://127.0.0.1:${server.port}/v1/models`);
		await server.close();
		expect(failed).toMatchObject({
			type: 'tlsMismatch',
			code: expect.stringMatching(/^ERR_SSL_|^EPROTO$/),
		});
		expect(failed.message).toMatch(/^The server does not support https on this port/);
		expect(failed.suggestion).toContain(`http://127.0.0.1:${server.port}`);
	});

	test('http to an https port', async () => {
		const server = await startServer({ tls: true });
		const failed = await explain(`http://127.0.0.1:${server.port}/v1/models`);
		await server.close();
		expect(['closedBeforeResponse', 'notHttp']).toContain(failed.type);
		expect(failed.suggestion).toContain('https');
	});

	test('a certificate that nobody trusts', async () => {
		const server = await startServer({ tls: true });
		const failed = await explain(`${server.url}/v1/models`);
		await server.close();
		expect(failed).toMatchObject({ type: 'tlsUntrusted', code: 'DEPTH_ZERO_SELF_SIGNED_CERT' });
		expect(failed.message).toContain('DEPTH_ZERO_SELF_SIGNED_CERT');
		expect(failed.suggestion).toContain('NODE_EXTRA_CA_CERTS');
	});

	test('https to a port that closes on it', async () => {
		const server = await startTcpServer((socket) => socket.once('data', () => socket.destroy()));
		const failed = await explain(`https://127.0.0.1:${server.port}/v1/models`);
		await server.close();
		expect(failed.type).toBe('closedBeforeResponse');
		expect(failed.suggestion).toContain('The request is not retried');
	});

	test('a port that speaks something else', async () => {
		const server = await startServer({
			connections: () => ({ greet: 'SSH-2.0-OpenSSH_9.2p1\r\n' }),
		});
		const failed = await explain(`${server.url}/v1/models`);
		await server.close();
		expect(failed).toMatchObject({
			type: 'notHttp',
		});
	});

	test.each(['fin', 'rst'] as const)('case 2: closed by %s before the answer', async (how) => {
		const server = await startServer({ connections: () => how });
		const failed = await explain(`${server.url}/v1/models`);
		await server.close();
		expect(failed).toMatchObject({
			type: 'closedBeforeResponse',
			code: how === 'fin' ? 'UND_ERR_SOCKET' : 'ECONNRESET',
		});
	});

	test.each<[code: string, kind: ErrorType]>([
		['EAI_AGAIN', 'dnsLookupFailed'],
		['ETIMEDOUT', 'connectTimeout'],
		['EHOSTUNREACH', 'hostUnreachable'],
		['ENETUNREACH', 'hostUnreachable'],
		['EHOSTDOWN', 'hostUnreachable'],
		['EPIPE', 'closedBeforeResponse'],
		['CERT_HAS_EXPIRED', 'tlsUntrusted'],
		['SELF_SIGNED_CERT_IN_CHAIN', 'tlsUntrusted'],
		['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'tlsUntrusted'],
		['ERR_TLS_CERT_ALTNAME_INVALID', 'tlsUntrusted'],
		['HPE_INVALID_CONSTANT', 'notHttp'],
	])('%s', (code, type) => {
		const failed = toNetworkError(
			new Error('fetch failed', { cause: Object.assign(new Error('x'), { code }) }),
			CONTEXT,
		);
		expect(failed).toMatchObject({ type, code });
	});

	test('a TLS handshake that fails for another reason than plain text', () => {
		const context = { url: 'https://gpu/v1/models', root: 'https://gpu' };
		const failed = toNetworkError(
			Object.assign(new Error('x'), { code: 'ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE' }),
			context,
		);
		expect(failed.type).toBe('tlsMismatch');
		expect(failed.message).toContain(
			'handshake with the server failed (ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE)',
		);
	});

	test('case 52: what breaks after answer bytes had arrived is a lost connection', () => {
		expect(
			toNetworkError(
				Object.assign(new Error('bad chunk'), { name: 'HTTPParserError' }),
				CONTEXT,
				true,
			).type,
		).toBe('connectionLost');
		for (const code of ['UND_ERR_SOCKET', 'ECONNRESET', 'HPE_INVALID_CHUNK_SIZE', 'Z_BUF_ERROR']) {
			expect(
				toNetworkError(Object.assign(new Error('terminated'), { code }), CONTEXT, true),
			).toMatchObject({
				type: 'connectionLost',
				code,
			});
		}
	});

	test('unknown errors are shown unchanged; technical texts stay in the details', () => {
		const failed = toNetworkError(new Error('something new'), CONTEXT);
		expect(failed).toMatchObject({
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
			expect(wholeText(toNetworkError(parser, CONTEXT, started))).not.toMatch(/EOF|HTTP\/1/);
	});

	test('an attempt to reach another port or host than that of the URL is one to reach a proxy', () => {
		const refused = Object.assign(new Error('connect'), {
			code: 'ECONNREFUSED',
			address: '10.9.9.9',
			port: 3128,
		});
		expect(toNetworkError(refused, CONTEXT)).toMatchObject({
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
		const own = Object.assign(new Error('lookup'), { code: 'ENOTFOUND', hostname: 'gpu' });
		expect(toNetworkError(own, { url: 'http://GPU:8080/v1/models' }).type).toBe('dnsLookupFailed');
	});

	test('a typed error stays what it is', () => {
		const failed = createServerError('busy', CONTEXT);
		expect(toNetworkError(failed, { url: 'http://other/' })).toBe(failed);
	});
});

test.each([
	['EAI_FAIL', 'dnsLookupFailed'],
	['EAI_NONAME', 'dnsLookupFailed'],
	['EACCES', 'hostUnreachable'],
	['EPERM', 'hostUnreachable'],
	['ERR_INVALID_IP_ADDRESS', 'dnsLookupFailed'],
])('%s is %s', (code, kind) => {
	expect(toNetworkError(Object.assign(new Error('connect'), { code }), CONTEXT).type).toBe(kind);
});
