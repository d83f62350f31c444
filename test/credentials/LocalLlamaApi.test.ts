import type { ICredentialDataDecryptedObject, IHttpRequestOptions } from 'n8n-workflow';

import { LocalLlamaApi } from '../../credentials/LocalLlamaApi.credentials';
import { reply, startLlamaServerSim } from '../simulators/llama-server';
import type { LlamaServerSim, SimOptions } from '../simulators/llama-server';
import { testCredential } from '../support/n8n/credential-test';
import { useSimulator } from '../simulators/use-simulator';

const startServer = useSimulator(startLlamaServerSim);

const SAMPLE = 'local-key-1234567890';
/** In the names of n8n's helpers, new and old. */
const WITHOUT_REDIRECTS = {
	disableFollowRedirect: true,
	followRedirect: false,
	followAllRedirects: false,
};

const testWith = async (data: ICredentialDataDecryptedObject) =>
	await testCredential(new LocalLlamaApi(), data);

describe('the credential type', () => {
	const type = new LocalLlamaApi();

	test('has no default Base URL', () => {
		const baseUrl = type.properties.find(({ name }) => name === 'baseUrl')!;
		expect(baseUrl).toMatchObject({ default: '', required: true });
		expect(baseUrl.placeholder).toContain(':9931');
	});

	const authenticate = async (data: ICredentialDataDecryptedObject, request: IHttpRequestOptions) =>
		await (
			type.authenticate as (
				data: ICredentialDataDecryptedObject,
				request: IHttpRequestOptions,
			) => Promise<IHttpRequestOptions>
		)(data, request);

	test("adds only headers to the HTTP Request node's requests", async () => {
		const request: IHttpRequestOptions = {
			url: 'http://gpu:8080/props',
			method: 'GET',
			headers: { 'x-own': '1' },
			qs: { a: 1 },
			timeout: 5,
			skipSslCertificateValidation: false,
			disableFollowRedirect: false,
		};
		const before = structuredClone(request);
		const data = {
			baseUrl: 'http://gpu:8080/v1',
			apiKey: SAMPLE,
			ignoreSslIssues: true,
			extraHeaders: { header: [{ name: 'X-Tenant', value: 'a' }] },
		};
		expect(await authenticate(data, request)).toEqual({
			...before,
			...WITHOUT_REDIRECTS,
			headers: { 'x-own': '1', authorization: `Bearer ${SAMPLE}`, 'x-tenant': 'a' },
		});
		expect(request).toEqual(before);
		// Old versions of the node say `uri`, and may send no headers at all.
		expect(
			await authenticate({ baseUrl: 'gpu' }, {
				uri: 'http://gpu/models',
			} as unknown as IHttpRequestOptions),
		).toEqual({ uri: 'http://gpu/models', ...WITHOUT_REDIRECTS, headers: {} });
		// Another route is not the test.
		expect((await authenticate(data, { baseURL: data.baseUrl, url: '/slots' })).baseURL).toBe(
			data.baseUrl,
		);
	});

	test.each([
		['http://gpu:8080', 'http://gpu:8080/v1'],
		[' gpu:8080/v1/chat/completions ', 'http://gpu:8080/v1'],
		['http://gpu/v1-openai/', 'http://gpu/v1-openai'],
		['http://webui:3000/api/chat/completions', 'http://webui:3000/api'],
	])('the test request of %j is sent below %s', async (baseUrl, api) => {
		expect(type.test.request).toMatchObject({
			baseURL: '={{ $credentials.baseUrl }}',
			url: '/models',
		});
		const resolved = await authenticate(
			{ baseUrl, ignoreSslIssues: true },
			{ baseURL: baseUrl, url: type.test.request.url as string },
		);
		expect(resolved).toEqual({
			baseURL: api,
			url: '/models',
			skipSslCertificateValidation: true,
			...WITHOUT_REDIRECTS,
			timeout: 10_000,
			headers: {},
		});
		// n8n authenticates again after a 401.
		expect((await authenticate({ baseUrl }, resolved)).baseURL).toBe(api);
	});

	test.each([
		{ baseURL: 'http://other', url: '/models' },
		{ url: 'http://gpu:8081/props' },
		{ url: 'https://gpu:8080/props' },
		{ url: 'http://gpu:8080@other/props' },
		{ baseURL: 'http://gpu:8080', url: '//other/props' },
		{ url: '', uri: 'http://other/props' },
	])('no key is sent to another origin: %j', async (request) => {
		const data = { baseUrl: 'http://gpu:8080/v1', apiKey: SAMPLE };
		await expect(authenticate(data, request)).rejects.toThrow(
			'This credential is for http://gpu:8080, so its key is not sent to',
		);
	});

	test('the test of an invalid Base URL reports the reason', async () => {
		await expect(
			authenticate(
				{ baseUrl: 'http://host:port' },
				{ baseURL: 'http://host:port', url: '/models' },
			),
		).rejects.toThrow('The port "port"');
	});

	test('secrets are hidden in the form', () => {
		const fields = type.properties.flatMap(({ options = [], ...field }) => [
			field,
			...options.flatMap((option) => ('values' in option ? option.values : [])),
		]);
		const hidden = fields.filter(({ typeOptions }) => typeOptions?.password === true);
		expect(hidden.map(({ name }) => name)).toEqual(['apiKey', 'password', 'value']);
	});
});

describe("n8n's credential test", () => {
	let server: LlamaServerSim;
	const start = async (options: SimOptions) => {
		server = await startServer(options);
		return server.url;
	};
	test.each(['', '/', '/v1', '/v1/', '/v1/chat/completions', '/chat/completions', ' '])(
		'passes with %j after the Base URL, and checks the key',
		async (ending) => {
			const baseUrl = (await start({ apiKey: SAMPLE })) + ending;
			expect(await testWith({ baseUrl, apiKey: SAMPLE })).toBe('OK');
			expect(
				await testWith({ baseUrl: baseUrl.replace('http://', ''), apiKey: `Bearer ${SAMPLE}` }),
			).toBe('OK');
			expect(
				server.requests.every(({ method, path }) => `${method} ${path}` === 'GET /v1/models'),
			).toBe(true);
			expect(await testWith({ baseUrl, apiKey: 'wrong' })).toMatch(
				/^The server rejected the API key\. .* Check the API Key/,
			);
			expect(await testWith({ baseUrl })).toMatch(
				/\. If API Key is empty, the server requires one\. Extra Headers are not part of this test if .*\. Check/,
			);
		},
	);

	test('passes on a server without keys, and below a prefix', async () => {
		expect(await testWith({ baseUrl: await start({}) })).toBe('OK');
		expect(server.requests[0]!.headers).not.toHaveProperty('authorization');
		await server.close();
		expect(await testWith({ baseUrl: `${await start({ apiPrefix: '/p' })}/p` })).toBe('OK');
	});

	test.each(['ollama', 'vllm', 'gpustack', 'fastapi', 'router'] as const)(
		'passes on %s',
		async (profile) => {
			expect(
				await testWith({ baseUrl: await start({ profile, apiKey: SAMPLE }), apiKey: SAMPLE }),
			).toBe('OK');
		},
	);

	test.each([
		['/api', 'ollama'],
		['/api/', 'ollama'],
		['/api/chat', 'ollama'],
		['/api/tags', 'ollama'],
		// Only Ollama has these routes.
		['/api/chat', 'auto'],
		['/api/embed', 'auto'],
	])(
		'passes on Ollama with %s after the Base URL on any port, with Server Type %s',
		async (ending, serverType) => {
			const baseUrl = (await start({ profile: 'ollama' })) + ending;
			expect(await testWith({ baseUrl, serverType })).toBe('OK');
			expect(server.requests.map(({ path }) => path)).toEqual(['/v1/models']);
		},
	);

	// The test is one request, and its address may as well be that of Open WebUI.
	test.each(['/api', '/api/', '/API'])(
		'says what to change on Ollama with %s after the Base URL and the default Server Type',
		async (ending) => {
			const baseUrl = (await start({ profile: 'ollama' })) + ending;
			expect(await testWith({ baseUrl })).toContain(
				'For Ollama, remove /api from the Base URL or set Server Type to Ollama to pass it.',
			);
		},
	);

	test('with the key in x-api-key, extra headers, and an untrusted certificate', async () => {
		const baseUrl = await start({ apiKey: SAMPLE, tls: true });
		const data = {
			baseUrl,
			apiKey: SAMPLE,
			authentication: 'xApiKey',
			extraHeaders: { header: [{ name: 'X-Tenant', value: 'a' }] },
		};
		expect(await testWith({ ...data, ignoreSslIssues: true })).toBe('OK');
		expect(server.requests[0]!.headers).toMatchObject({ 'x-api-key': SAMPLE, 'x-tenant': 'a' });
		expect(await testWith(data)).toBe('DEPTH_ZERO_SELF_SIGNED_CERT');
	});

	test('reports the problem', async () => {
		const baseUrl = await start({});
		expect(await testWith({ baseUrl: `${baseUrl}/nowhere` })).toMatch(
			/^The server responds, but has no model list at this path\. .* A prefix .* belongs in the Base URL/,
		);
		server.setLoading(1);
		expect(await testWith({ baseUrl })).toMatch(
			/^The model is still loading, or a gateway has no available server or key .* Wait.*test again\.$/,
		);
		expect(await testWith({ baseUrl: 'http://host:port' })).toContain(
			'The port "port" in the Base URL',
		);
	});

	const WEB_PAGE = /^The Base URL returns a web page, not the API/;
	const EMPTY =
		/^The response is empty\. mlx_lm\.server responds this way while no model is available on its machine/;
	const NO_LIST =
		/^(?=.*still work with the nodes)(?=.*keep the credential)(?=.*Server Health \(Check\))The server responds/s;
	const PROXY = /a proxy in front of it.*Extra Headers/;
	const NO_MODELS = /^The connection works, but .* no models\./;

	test.each<[string, ReturnType<typeof reply.json>, RegExp]>([
		['a proxy without its server', reply.html(502, '<html></html>'), /^A proxy responds with 502/],
		[
			'a web interface',
			reply.html(200, '<!doctype html><title>Open WebUI</title>'),
			/^The Base URL returns a web page, not the API\. .*its path \/api/,
		],
		['a tunnel without its server', reply.error(530, 'error code: 1033'), /cloudflared/],
		['405', reply.error(405, 'Method Not Allowed'), /^The server responds, but has no model list/],
		['plain text', reply.error(200, 'pong'), WEB_PAGE],
		['a page after blanks', reply.html(200, '\n <html></html>'), WEB_PAGE],
		['any JSON', reply.json({ status: 'ok' }), /not a model list as in the OpenAI API/],
		['204', reply.error(204, ''), EMPTY],
		['an empty body', reply.error(200, ''), EMPTY],
		[
			'an error with status 200',
			reply.json({ error: { code: 503, message: 'Loading model' } }),
			/The model is still loading/,
		],
		['Text Embeddings Inference', reply.error(404, ''), NO_LIST],
		['whisper.cpp', reply.html(404, 'File Not Found (/v1/models)'), NO_LIST],
		['FastAPI with only a chat route', reply.error(404, { detail: 'Not Found' }), NO_LIST],
		['404 with status 200', reply.json({ error: { code: 404, message: '' } }), NO_LIST],
		['Cloudflare Access', reply.html(403, '<title>Error ・ Cloudflare Access</title>'), PROXY],
		['a firewall', reply.html(403, '<h1>403 Forbidden</h1>'), PROXY],
		['a login proxy', reply.error(403, 'Forbidden'), PROXY],
		['403 of the server itself', reply.error(403, { error: 'forbidden' }), PROXY],
		['Ollama without models', reply.json({ object: 'list', data: null }), NO_MODELS],
		['a server without models', reply.json({ object: 'list', data: [] }), NO_MODELS],
	])('does not accept %s, and says what to do', async (_what, answer, message) => {
		const baseUrl = await start({});
		server.route('GET /v1/models', answer);
		expect(await testWith({ baseUrl })).toMatch(message);
	});

	test('no message names an option that only nodes have', () => {
		expect(JSON.stringify(new LocalLlamaApi().test.rules)).not.toContain('Timeout');
	});
});
