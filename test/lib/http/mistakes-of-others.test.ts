import type { ICredentialDataDecryptedObject } from 'n8n-workflow';

import { connectTo } from '../../../lib/servers/connect';
import { readLocalLlamaCredential } from '../../../lib/servers/credential';
import { closeChannels } from '../../../lib/http/dispatcher';
import { failure } from '../../../lib/errors/failure';
import { httpFailure } from '../../../lib/errors/http-failure';
import { networkFailure } from '../../../lib/errors/network-failure';
import { secretsOf } from '../../../lib/errors/secrets';
import { zlib } from '../../support/node';
import { closeRawServers, rawServer, whole } from '../../support/raw-answers';
import { AT_ONCE_MS } from '../../support/time';
import { failureOf } from './client';

const SAMPLE = 'sk-0123456789abcdef0123456789';
const CONTEXT = { url: 'http://10.0.0.5:8080/v1/models', root: 'http://10.0.0.5:8080' };

afterEach(async () => {
	await closeChannels();
	await closeRawServers();
});

/** What comes back, or the error. */
async function called(baseUrl: string, options: { timeoutMs?: number; maxBytes?: number } = {}) {
	const connection = connectTo({ baseUrl });
	return await connection.call(`${baseUrl}/v1/models`, { once: true, timeoutMs: 30_000, ...options });
}

describe('answers of odd servers and proxies', () => {
	const LIST = '{"object":"list","data":[]}';

	test.each([
		['HTTP/1.0, without a length', `HTTP/1.0 200 OK\r\ncontent-TYPE: application/json\r\n\r\n${LIST}`],
		[
			'chunked, with trailers',
			`HTTP/1.1 200 OK\r\nTrailer: X-A\r\ntransfer-ENCODING: chunked\r\n\r\n${LIST.length.toString(16)}\r\n${LIST}\r\n0\r\nX-A: b\r\n\r\n`,
		],
		[
			'after early hints',
			`HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: ${LIST.length}\r\n\r\n${LIST}`,
		],
		['longer than its length', `HTTP/1.1 200 OK\r\nContent-Length: ${LIST.length}\r\n\r\n${LIST}and more`],
	])('%s', async (_name, bytes) => {
		const url = await rawServer((_path, socket) => void socket.end(bytes));
		expect(await called(url)).toMatchObject({ status: 200, json: { object: 'list' } });
	});

	test('shorter than its length', async () => {
		const url = await rawServer(
			(_path, socket) => void socket.end(`HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n${LIST}`),
		);
		expect(await failureOf(async () => await called(url))).toMatchObject({ kind: 'connectionLost' });
	});

	test('compression is named in capital letters', async () => {
		const url = await rawServer(whole('200 OK', zlib.gzipSync(LIST), { 'Content-Encoding': ' GZIP' }));
		expect(await called(url)).toMatchObject({ json: { object: 'list' } });
	});

	test.each(['gzip', 'deflate'])('an empty error answer that is labelled %s stays that error', async (encoding) => {
		const url = await rawServer(whole('502 Bad Gateway', '', { 'Content-Encoding': encoding }));
		expect(await called(url)).toMatchObject({ status: 502, text: '' });
	});

	test('headers larger than any server needs', async () => {
		const url = await rawServer(whole('200 OK', LIST, { 'X-Large': 'a'.repeat(70_000) }));
		const failed = await failureOf(async () => await called(url));
		expect(failed).toMatchObject({ kind: 'invalidAnswer', code: 'UND_ERR_HEADERS_OVERFLOW' });
	});

	test('an answer without end is given up before it fills the memory', async () => {
		let sent = 0;
		const url = await rawServer((_path, socket) => {
			socket.write('HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\n\r\n');
			const push = () => {
				while (!socket.destroyed && socket.write(Buffer.alloc(65_536, 97))) sent += 65_536;
			};
			socket.on('drain', push);
			push();
		});
		const failed = await failureOf(async () => await called(url, { maxBytes: 1_000_000 }));
		expect(failed).toMatchObject({ kind: 'invalidAnswer', status: 200 });
		expect(failed!.message).toContain('far too long for an API');
		expect(sent).toBeLessThan(40_000_000);
	});

	test('an answer of ten megabytes arrives', async () => {
		const url = await rawServer(whole('200 OK', JSON.stringify({ data: 'x'.repeat(10_000_000) })));
		expect((await called(url)).text).toHaveLength(10_000_011);
	});

	test.each([
		['headers and nothing more', ''],
		['a byte now and then', '{'],
	])('%s: the limit holds, and the error says that the answer began', async (_name, first) => {
		const url = await rawServer(
			(_path, socket) => void socket.write(`HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n${first}`),
		);
		const failed = await failureOf(async () => await called(url, { timeoutMs: 900 }));
		expect(failed).toMatchObject({ kind: 'totalLimit', facts: { answerBegan: true } });
		expect(failed!.message).toContain('The answer began, but did not end within 900 ms');
	});

	test('no answer at all is told apart', async () => {
		const url = await rawServer(() => {});
		const failed = await failureOf(async () => await called(url, { timeoutMs: 100 }));
		expect(failed!.message).toContain('No answer within 100 ms');
		expect(failed!.facts).toEqual({});
	});
});

describe('what an error answer means', () => {
	const answered = (status: number, body: string, contentType = 'text/html', challenge?: string) =>
		httpFailure({ status, body, contentType, challenge }, CONTEXT);

	test.each([520, 522, 524, 526, 530])("Cloudflare's %d in plain text: the server behind it is down", (status) => {
		const failed = answered(status, 'error code: 1033', 'text/plain');
		expect(failed.kind).toBe('gateway');
		expect(failed.remedy).toContain('cloudflared');
	});

	test('403 with a page is no matter of the key', () => {
		const failed = answered(403, '<!DOCTYPE html><title>Just a moment...</title>');
		expect(failed).toMatchObject({ kind: 'proxyRefuses', serverText: 'Just a moment...' });
		expect(failed.message).toContain('Something in front of the server');
		expect(failed.remedy).toContain('Cloudflare');
		expect(answered(403, '{"detail":"Forbidden"}', 'application/json').remedy).toContain(
			'The key may lack the permission',
		);
	});

	test('401 of a proxy that wants a password', () => {
		const failed = answered(401, '<title>401 Authorization Required</title>', 'text/html', 'Basic realm="ai"');
		expect(failed.kind).toBe('proxyPassword');
		expect(failed.message).toContain('wants a user name and a password');
		expect(failed.remedy).toContain('Extra Headers');
		expect(answered(401, '{}', 'application/json', 'Bearer').message).toContain('refuses the API key');
	});

	test('the header that says so comes over the wire', async () => {
		const url = await rawServer(whole('401 Unauthorized', '', { 'WWW-Authenticate': 'Basic realm="ai"' }));
		const connection = connectTo({ baseUrl: url });
		expect(connection.refusal(await called(url)).message).toContain('wants a user name and a password');
	});

	test.each([
		['a sentence over and over', JSON.stringify({ error: { message: 'model '.repeat(150_000) } })],
		['scripts that never end', '<script '.repeat(120_000)],
		['signs that begin tags', '<'.repeat(1_000_000)],
		['plain words', 'model name= '.repeat(80_000)],
	])('%s: a megabyte of it does not keep n8n busy', (_name, body) => {
		const startedAt = performance.now();
		answered(500, body);
		expect(performance.now() - startedAt).toBeLessThan(AT_ONCE_MS);
	});

	test('a key that lies across the end of what is shown is hidden whole', () => {
		for (let at = 170; at <= 200; at++) {
			const failed = httpFailure(
				{ status: 500, body: `${'x'.repeat(at)} ${SAMPLE} and more`, contentType: 'text/plain' },
				{ ...CONTEXT, secrets: secretsOf({ authorization: `Bearer ${SAMPLE}` }) },
			);
			expect(failed.serverText).not.toContain('sk-0');
		}
	});

	test('an address that holds the key after a redirect is shown without it', () => {
		const failed = failure('notAnApi', {
			...CONTEXT,
			url: `https://login.lan/?token=${SAMPLE}`,
			secrets: secretsOf({ authorization: `Bearer ${SAMPLE}` }),
		});
		expect(`${failed.message} ${failed.url} ${failed.remedy}`).not.toContain(SAMPLE);
		// The user's own address stays readable, also where the key is a word of it.
		expect(
			failure('gateway', { url: 'http://llama.lan/v1/models', root: 'http://llama.lan', secrets: ['llama'] }).url,
		).toBe('http://llama.lan/v1/models');
	});
});

test.each([
	['EAI_FAIL', 'dns'],
	['EAI_NONAME', 'dns'],
	['EACCES', 'unreachable'],
	['EPERM', 'unreachable'],
])('%s is %s', (code, kind) => {
	expect(networkFailure(Object.assign(new Error('connect'), { code }), CONTEXT).kind).toBe(kind);
});

test('credentials whose fields come out of expressions as another type', () => {
	const read = (data: object) => readLocalLlamaCredential(data as ICredentialDataDecryptedObject);
	expect(read({ apiKey: 123456, maxConcurrentRequests: '3' })).toMatchObject({
		apiKey: '123456',
		maxConcurrentRequests: 3,
	});
	for (const value of ['many', Infinity, NaN, '-4', true, null, [7]])
		expect(read({ maxConcurrentRequests: value }).maxConcurrentRequests).toBe(0);
});
