/** Promises to users. Connections: the Base URL in any form, and what goes with each request. */
import type { IHttpRequestOptions } from 'n8n-workflow';

import { DifyApi } from '../../credentials/DifyApi.credentials';
import { LocalLlamaApi } from '../../credentials/LocalLlamaApi.credentials';
import { CHAT, LLAMA_SERVER, text } from './support/responses';
import { chatModel, failureOf, SESAME, modelList, run } from './support/node-runner';
import { json, useServers } from '../support/servers/scripted-server';
import type { ScriptedServer } from '../support/servers/scripted-server';

type Authenticate = (data: object, request: IHttpRequestOptions) => Promise<IHttpRequestOptions>;
/** As n8n does it for a node that uses the credential. */
const authenticated: Authenticate = async (data, request) =>
	await (new LocalLlamaApi().authenticate as Authenticate)(data, request);

const start = useServers();
const answer = text('Hello.');

describe('Base URL', () => {
	/** As typed, with `HOST` for the address with its port → path of the chat route. */
	test.each([
		['http://HOST', '/v1/chat/completions'],
		['HOST', '/v1/chat/completions'],
		['http://HOST//v1//', '/v1/chat/completions'],
		['http://HOST/V1', '/v1/chat/completions'],
		['http://HOST/chat/completions', '/v1/chat/completions'],
		['http://HOST/docs', '/v1/chat/completions'],
		['http://HOST/api/tags', '/v1/chat/completions'],
		['http://HOST/v1-openai/chat/completions', '/v1-openai/chat/completions'],
		['http://HOST/llama/v1/', '/llama/v1/chat/completions'],
		['http://HOST/gateway/llm/chat/completions', '/gateway/llm/chat/completions'],
		['http：//HOST/v1', '/v1/chat/completions'],
	])('%j requests %s', async (typed, path) => {
		const server = await start({ [`POST ${path}`]: answer });
		const baseUrl = typed.replace('HOST', `127.0.0.1:${server.port}`);
		const { supplied } = await chatModel(baseUrl);
		expect((await supplied.invoke('Hi')).content).toBe('Hello.');
		expect(server.requests.filter(({ method }) => method === 'POST')).toMatchObject([{ path }]);
	});

	test.each(['', '   ', 'ftp://gpu:21', 'http://', 'http://gpu:99999', 'not a url'])(
		'%j is an error of the field',
		async (baseUrl) => {
			const work = async () => await (await chatModel(baseUrl)).supplied.invoke('Hi');
			const failed = await failureOf(work());
			expect(`${failed.message} ${failed.description}`).toContain('Base URL');
		},
	);
});

const SENT = ['authorization', 'x-api-key', 'x-proxy-token'];
const keysIn = ({ requests }: ScriptedServer) =>
	requests.map(({ headers }) => SENT.map((name) => headers[name]));

describe('the key and custom headers', () => {
	const extraHeaders = { header: [{ name: 'X-Proxy-Token', value: 'token-of-the-proxy' }] };
	const ways: Array<[string, Record<string, unknown>, Array<string | undefined>]> = [
		['bearer', { authentication: 'bearer' }, [`Bearer ${SESAME}`, undefined, undefined]],
		['x-api-key', { authentication: 'xApiKey' }, [undefined, SESAME, undefined]],
		['none', { apiKey: '' }, [undefined, undefined, undefined]],
		['own headers', { extraHeaders }, [`Bearer ${SESAME}`, undefined, 'token-of-the-proxy']],
	];

	test.each(ways)('%s: with every request', async (_name, credentials, headers) => {
		const server = await start({
			...LLAMA_SERVER,
			[`POST ${CHAT}`]: answer,
			'POST /v1/embeddings': json({ data: [{ index: 0, embedding: [1, 2] }] }),
		});
		const { supplied } = await chatModel(server.url, { credentials: credentials as never });
		await supplied.invoke('Hi');
		const data = { baseUrl: server.url, apiKey: SESAME, ...credentials } as never;
		await run(server.url, 'vector:embed', { parameters: { text: 'a' }, credentials: data });
		await modelList(server.url, credentials as never);
		const sentKeys = keysIn(server);
		expect(sentKeys.length).toBeGreaterThanOrEqual(3);
		for (const one of sentKeys) expect(one).toEqual(headers);
	});

	test.each(ways)('%s: with the test of the credential', async (_name, credentials, headers) => {
		const baseUrl = 'http://gpu:8080/v1';
		const request: IHttpRequestOptions = { url: '/models', baseURL: baseUrl };
		const data = { baseUrl, apiKey: SESAME, ...credentials } as never;
		const authenticatedRequest = await authenticated(data, request);
		const names = Object.fromEntries(
			Object.entries(authenticatedRequest.headers ?? {}).map(([name, value]) => [
				name.toLowerCase(),
				value,
			]),
		);
		expect(SENT.map((name) => names[name])).toEqual(headers);
	});
});

describe('the key is sent only to its own origin', () => {
	test.each([301, 302, 307, 308])(
		'%i to another origin: a chat and its key stay',
		async (status) => {
			const other = await start({ [`POST ${CHAT}`]: answer, [`GET ${CHAT}`]: answer });
			const moved = json({}, status, { location: other.url + CHAT });
			const server = await start({ ...LLAMA_SERVER, [`POST ${CHAT}`]: moved });
			const { supplied } = await chatModel(server.url);
			const failed = await failureOf(supplied.invoke('Hi'));
			expect(failed.description).toContain(other.url);
			expect(other.requests).toEqual([]);
		},
	);

	test('a redirected model list is requested without key and headers', async () => {
		const other = await start(LLAMA_SERVER);
		const moved = json({}, 302, { location: `${other.url}/v1/models` });
		const server = await start({ 'GET /v1/models': moved });
		const extraHeaders = { header: [{ name: 'X-Proxy-Token', value: 'token-of-the-proxy' }] };
		await modelList(server.url, { extraHeaders } as never).catch(() => undefined);
		for (const sent of keysIn(other)) expect(sent).toEqual([undefined, undefined, undefined]);
		expect(keysIn(server)[0]).toEqual([`Bearer ${SESAME}`, undefined, 'token-of-the-proxy']);
	});

	test.each<[string, string, number]>([
		['plain', `token=${SESAME}`, 0],
		['URL-encoded', `token=${encodeURIComponent(`Bearer ${SESAME}`)}`, 0],
		['no key', 'to=models', 1],
	])(
		'a redirect to another origin with the key in its URL is not followed: %s',
		async (_name, query, times) => {
			const other = await start(LLAMA_SERVER);
			const moved = json({}, 302, { location: `${other.url}/v1/models?${query}` });
			const server = await start({ 'GET /v1/models': moved });
			await modelList(server.url).catch(() => undefined);
			expect(other.requests.slice(0, 1)).toHaveLength(times);
		},
	);

	test("n8n's own HTTP Request gets the key for the credential's origin, and for no other", async () => {
		const headersFor = async (url: string) => {
			const data = { baseUrl: 'http://gpu:8080', apiKey: SESAME };
			const outcome = await authenticated(data, { url }).catch((error: unknown) => error);
			return JSON.stringify(outcome);
		};
		expect(await headersFor('http://gpu:8080/v1/models')).toContain(SESAME);
		for (const url of ['http://other:8080/v1/models', 'http://gpu:9090/', 'https://gpu:8080/'])
			expect(await headersFor(url)).not.toContain(SESAME);
	});

	const CREDENTIALS: Array<[string, Authenticate, object]> = [
		['LocalLlama API', authenticated, { baseUrl: 'http://gpu:8080', apiKey: SESAME }],
		[
			'LocalLlama API with Basic',
			authenticated,
			{ baseUrl: 'http://gpu:8080', authentication: 'basic', user: 'u', password: SESAME },
		],
		[
			'Dify API',
			async (data, request) => await (new DifyApi().authenticate as Authenticate)(data, request),
			{ baseUrl: 'http://gpu:8080/v1', apiKey: SESAME },
		],
	];

	test.each(CREDENTIALS)(
		"%s: a proxy of n8n's HTTP Request does not get the key",
		async (_name, authenticate, data) => {
			const url = 'http://gpu:8080/v1/models';
			const encoded = Buffer.from(`u:${SESAME}`).toString('base64');
			const outcomeOf = async (more: object) => {
				const request = { url, ...more } as IHttpRequestOptions;
				const outcome = await authenticate(data, request).catch((error: Error) => error.message);
				return JSON.stringify(outcome).replaceAll(encoded, SESAME);
			};
			for (const proxy of [
				'http://proxy:3128',
				'proxy:3128',
				'http://user:pass@127.0.0.1:3128',
				{ host: 'proxy', port: 3128 },
				{ host: 'gpu', port: 8080, protocol: 'http' },
			])
				for (const more of [
					{ proxy },
					{ proxy, uri: url },
					{ proxy, url: '/v1/models', baseURL: 'http://gpu:8080' },
				]) {
					const outcome = await outcomeOf(more);
					expect(outcome).not.toContain(SESAME);
					expect(outcome).toContain('proxy');
				}
			for (const more of [{ uri: 'http://other:8080/' }, { url: 'http://other:8080/', uri: url }])
				expect(await outcomeOf(more)).not.toContain(SESAME);
			for (const more of [{}, { proxy: '' }, { proxy: undefined }, { proxy: false }, { uri: url }])
				expect(await outcomeOf(more)).toContain(SESAME);
		},
	);
});
