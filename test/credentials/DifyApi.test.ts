import type { ICredentialDataDecryptedObject, IHttpRequestOptions } from 'n8n-workflow';

import { DifyApi } from '../../credentials/DifyApi.credentials';
import { startApp, startSim } from '../lib/dify/client';
import { PAGES, appKey, knowledgeKey } from '../simulators/dify';
import { testCredential } from '../support/n8n/credential-test';
import { startScripted } from '../support/servers/scripted-server';
import { useSimulator } from '../simulators/use-simulator';

const start = useSimulator(startScripted);
const WRONG = `app-${'Wrong'.repeat(5)}`;
const testWith = async (data: ICredentialDataDecryptedObject) =>
	await testCredential(new DifyApi(), data);

describe('with', () => {
	test.each(['chat', 'agent-chat', 'advanced-chat', 'completion', 'workflow'] as const)(
		'the key of an app passes, published or not: %s',
		async (mode) => {
			const sim = await startApp({ mode, published: false });
			const { url: baseUrl } = sim;
			expect(await testWith({ baseUrl, apiKey: appKey(mode), keyType: 'app' })).toBe('OK');
			const knowledge = { baseUrl, apiKey: knowledgeKey(), keyType: 'knowledge' };
			expect(await testWith(knowledge)).toBe('OK');
		},
	);

	test('a wrong key, or a key of the other type, is rejected', async () => {
		const sim = await startSim({});
		for (const [apiKey, keyType] of [
			[WRONG, 'app'],
			[knowledgeKey(), 'app'],
			[appKey('chat'), 'knowledge'],
			['', 'app'],
		] as const)
			expect(await testWith({ baseUrl: sim.url, apiKey, keyType })).toMatch(
				/^Dify, or a proxy in front of it, rejected the API key/,
			);
	});

	test.each(['', '/', '/v1/', '/v1/chat-messages', ' '])(
		'passes with %j after the Base URL',
		async (ending) => {
			const sim = await startSim({});
			expect(
				await testWith({ baseUrl: sim.origin + ending, apiKey: appKey('chat'), keyType: 'app' }),
			).toBe('OK');
		},
	);

	test('an app whose API is disabled is reported', async () => {
		const sim = await startApp({ mode: 'chat', apiEnabled: false });
		expect(await testWith({ baseUrl: sim.url, apiKey: appKey('chat'), keyType: 'app' })).toContain(
			'Backend service API',
		);
	});
});

describe('other servers than Dify', () => {
	/** Message of the test with a server that sends this response to every request. */
	async function testResponse(status: number, contentType: string, body: string): Promise<string> {
		const server = await start((_request, response) => {
			response.writeHead(status, { 'content-type': contentType, connection: 'close' });
			response.end(body);
		});
		const baseUrl = `${server.url}/v1`;
		const message = await testWith({ baseUrl, apiKey: WRONG, keyType: 'app' });
		expect(await testWith({ baseUrl, apiKey: WRONG, keyType: 'knowledge' })).toBe(message);
		return message;
	}

	test.each([
		['plain text', 'text/plain', 'pong'],
		['a login page', 'text/html', '<!doctype html><title>Sign in</title>'],
		['a page after blanks', 'text/html', '\n\n  <html><body>Welcome</body></html>'],
		['an empty body', 'text/plain', ''],
		['a JSON text', 'application/json', '"ok"'],
	])('%s with status 200', async (_what, contentType, body) => {
		expect(await testResponse(200, contentType, body)).toMatch(
			/^This address returns plain text or a web page, not the Dify API/,
		);
	});

	test.each([
		['any JSON', '{"status":"ok"}'],
		['a name, as from many programs', '{"name":"router","version":"1.2"}'],
		["a model server's list", '{"object":"list","data":[{"id":"qwen"}]}'],
		['Ollama', '{"models":[]}'],
		['null', 'null'],
	])('%s with status 200', async (_what, body) => {
		expect(await testResponse(200, 'application/json', body)).toMatch(
			/^Another program responds at this address, not Dify/,
		);
	});

	test.each([
		[403, PAGES.nginx502, /a proxy such as nginx or Cloudflare/],
		[405, '<title>405 Method Not Allowed</title>', /^No Dify API was found at this address/],
		[410, 'gone', /^No Dify API was found at this address/],
		[500, 'oops', /^Dify returned an error/],
		[502, PAGES.nginx502, /^A proxy responds, but Dify behind it does not/],
		[524, PAGES.cloudflare524, /^A proxy in front of Dify stopped waiting/],
	])('the message for status %d explains its meaning', async (status, body, message) => {
		expect(await testResponse(status, 'text/html', body)).toMatch(message);
	});
});

test('an invalid Base URL is reported with the reason', async () => {
	expect(await testWith({ baseUrl: 'http://host:port', apiKey: WRONG, keyType: 'app' })).toContain(
		'The port "port"',
	);
});

test("adds only the key to the HTTP Request node's requests", async () => {
	const authenticate = new DifyApi().authenticate as (
		data: ICredentialDataDecryptedObject,
		request: IHttpRequestOptions,
	) => Promise<IHttpRequestOptions>;
	const request: IHttpRequestOptions = {
		url: 'http://dify/v1/info',
		method: 'GET',
		headers: { 'x-own': '1' },
	};
	expect(
		await authenticate({ baseUrl: 'http://dify', apiKey: WRONG, keyType: 'app' }, request),
	).toEqual({
		...request,
		disableFollowRedirect: true,
		followRedirect: false,
		followAllRedirects: false,
		headers: { 'x-own': '1', authorization: `Bearer ${WRONG}` },
	});
	const data = { baseUrl: 'http://dify', apiKey: WRONG, keyType: 'app' };
	await expect(authenticate(data, { url: 'http://other/v1/info' })).rejects.toThrow(
		'This credential is for http://dify, so its key is not sent to http://other',
	);
});
