import { ExecuteContext, RoutingNode } from 'n8n-core';
import { createEmptyRunExecutionData, Workflow } from 'n8n-workflow';
import type {
	ICredentialDataDecryptedObject,
	IHttpRequestOptions,
	INode,
	INodeType,
	INodeTypes,
	IWorkflowExecuteAdditionalData,
} from 'n8n-workflow';

import { LocalLlamaApi } from '../../../credentials/LocalLlamaApi.credentials';
import {
	credentialHeaders,
	egressFilterOf,
	localLlamaConnection,
	readLocalLlamaCredential,
} from '../../../lib/servers/credential';
import { closeChannels } from '../../../lib/http/dispatcher';
import { ServerError } from '../../../lib/errors/server-error';
import { type LlamaServerSim, reply, type SimOptions, startLlamaServerSim } from '../../servers/llama-server';
import { util } from '../../support/node';

const SAMPLE = 'local-key-1234567890';

const thrown = (act: () => unknown): ServerError => {
	let error: unknown;
	try {
		act();
	} catch (caught) {
		error = caught;
	}
	expect(error).toBeInstanceOf(ServerError);
	return error as ServerError;
};

describe('credentialHeaders', () => {
	test('Bearer, or x-api-key', () => {
		expect(credentialHeaders({ baseUrl: '', apiKey: SAMPLE })).toEqual({ authorization: `Bearer ${SAMPLE}` });
		expect(credentialHeaders({ baseUrl: '', apiKey: SAMPLE, authentication: 'bearer' })).toEqual({
			authorization: `Bearer ${SAMPLE}`,
		});
		expect(credentialHeaders({ baseUrl: '', apiKey: SAMPLE, authentication: 'xApiKey' })).toEqual({
			'x-api-key': SAMPLE,
		});
	});

	test.each([undefined, '', '  ', '\n', 'Bearer', 'Bearer '])('an empty key (%j) sends no header', (apiKey) => {
		expect(credentialHeaders({ baseUrl: '', apiKey })).toEqual({});
		expect(credentialHeaders({ baseUrl: '', apiKey, authentication: 'xApiKey' })).toEqual({});
	});

	// llama-server refuses a lower-case "bearer" and two blanks (contract 1.2).
	test.each([
		`Bearer ${SAMPLE}`,
		`bearer  ${SAMPLE}`,
		`Authorization: Bearer ${SAMPLE}`,
		`${SAMPLE}\n`,
		` ${SAMPLE}\r\n`,
		`\t${SAMPLE}`,
	])('a key pasted as %j', (apiKey) => {
		expect(credentialHeaders({ baseUrl: '', apiKey })).toEqual({ authorization: `Bearer ${SAMPLE}` });
	});

	test.each([`${SAMPLE}\n${SAMPLE}`, `${SAMPLE}\u200B`, 'schlüssel-…', 'ключ-1234567890', `${SAMPLE}\u0000`])(
		'a key that no header can carry is refused without showing it: %j',
		(apiKey) => {
			const failed = thrown(() => credentialHeaders({ baseUrl: '', apiKey }));
			expect(failed).toMatchObject({ kind: 'invalidInput', remedy: 'Open the credential and correct it.' });
			expect(util.inspect(failed)).not.toContain(apiKey.slice(0, 6));
		},
	);

	test('extra headers, in lower case and without blanks around them; the later one counts', () => {
		const header = [
			{ name: ' X-Proxy-Token ', value: ' abc ' },
			{ name: 'X-Empty', value: '' },
			{ name: '', value: '' },
			{ name: ' ', value: ' ' },
			{},
			{ name: 'authorization', value: 'Basic dXNlcjpwYXNz' },
			{ name: 'X-Note', value: 'naïve\tvalue' },
		];
		expect(credentialHeaders({ baseUrl: '', apiKey: SAMPLE, extraHeaders: { header } })).toEqual({
			authorization: 'Basic dXNlcjpwYXNz',
			'x-proxy-token': 'abc',
			'x-empty': '',
			'x-note': 'naïve\tvalue',
		});
	});

	test.each([
		[{ name: `Authorization: Bearer ${SAMPLE}`, value: '' }, 'The name of extra header 2'],
		[{ name: 'X Proxy', value: SAMPLE }, 'The name of extra header 2'],
		[{ name: '', value: SAMPLE }, 'The name of extra header 2'],
		[{ name: 'x-ключ', value: SAMPLE }, 'The name of extra header 2'],
		[{ name: 'Host', value: SAMPLE }, '"host" cannot be set'],
		[{ name: 'Content-Length', value: SAMPLE }, '"content-length" cannot be set'],
		[{ name: 'transfer-encoding', value: SAMPLE }, '"transfer-encoding" cannot be set'],
		[{ name: 'Content-Type', value: SAMPLE }, '"content-type" cannot be set'],
		[{ name: 'Proxy-Authorization', value: SAMPLE }, '"proxy-authorization" cannot be set'],
		[{ name: 'x-token', value: `${SAMPLE}\r\nx-evil: 1` }, 'The value of extra header 2'],
		[{ name: 'x-token', value: `${SAMPLE}…` }, 'The value of extra header 2'],
	])('%j is refused without showing the value', (header, said) => {
		const failed = thrown(() =>
			credentialHeaders({ baseUrl: '', extraHeaders: { header: [{ name: 'a', value: 'b' }, header] } }),
		);
		expect(failed.kind).toBe('invalidInput');
		expect(failed.message).toContain(said);
		expect(util.inspect(failed)).not.toContain(SAMPLE);
	});
});

describe('readLocalLlamaCredential', () => {
	test('what is missing or of another type counts as not set', () => {
		const unset = {
			baseUrl: '',
			apiKey: '',
			authentication: 'bearer',
			extraHeaders: { header: [] },
			ignoreSslIssues: false,
			maxConcurrentRequests: 0,
		};
		expect(readLocalLlamaCredential({})).toEqual(unset);
		const wrong = {
			baseUrl: 7,
			apiKey: null,
			authentication: 'basic',
			extraHeaders: 'x',
			ignoreSslIssues: 'true',
			maxConcurrentRequests: true,
		};
		expect(readLocalLlamaCredential(wrong as unknown as ICredentialDataDecryptedObject)).toEqual(unset);
		expect(
			readLocalLlamaCredential({
				extraHeaders: { header: [null, { name: 'a' }] },
			} as unknown as ICredentialDataDecryptedObject).extraHeaders,
		).toEqual({ header: [{ name: 'a', value: '' }] });
	});

	test.each([
		[2.7, 2],
		[-1, 0],
		[0, 0],
	])('%d concurrent requests mean %d', (typed, meant) => {
		expect(readLocalLlamaCredential({ maxConcurrentRequests: typed }).maxConcurrentRequests).toBe(meant);
	});
});

describe('localLlamaConnection', () => {
	afterEach(closeChannels);

	test('carries the key, the extra headers and the TLS setting', async () => {
		const server = await startLlamaServerSim({ tls: true, apiKey: SAMPLE });
		const data = {
			baseUrl: `${server.url}/v1/chat/completions`,
			apiKey: `${SAMPLE}\n`,
			ignoreSslIssues: true,
			extraHeaders: { header: [{ name: 'X-Tenant', value: 'a' }] },
		};
		const connection = localLlamaConnection(data);
		const answer = await connection.call(`${connection.url.api}/models`);
		await server.close();
		expect(answer.status).toBe(200);
		expect(server.requests[0]!.headers).toMatchObject({ authorization: `Bearer ${SAMPLE}`, 'x-tenant': 'a' });
	});

	test('an address that cannot be used is an error before anything is sent', () => {
		const failed = thrown(() => localLlamaConnection({ baseUrl: 'http://host:port' }));
		expect(failed).toMatchObject({ kind: 'invalidUrl', facts: { part: 'port' } });
		expect(failed.message).toContain('The port "port"');
	});

	test("n8n's egress filter is taken where n8n has one", () => {
		const filter = { validateUrl: jest.fn(), createSecureLookup: jest.fn(), validateRedirectSync: jest.fn() };
		const helpers = {
			owner: filter,
			getSecureEgressFilter() {
				return this.owner;
			},
		};
		expect(egressFilterOf(helpers)).toBe(filter);
		expect([
			egressFilterOf(undefined),
			egressFilterOf({}),
			egressFilterOf({ getSecureEgressFilter: () => null }),
		]).toEqual([undefined, undefined, undefined]);
	});
});

describe('the credential type', () => {
	const type = new LocalLlamaApi();
	const authenticate = async (data: ICredentialDataDecryptedObject, request: IHttpRequestOptions) =>
		await (
			type.authenticate as (
				data: ICredentialDataDecryptedObject,
				request: IHttpRequestOptions,
			) => Promise<IHttpRequestOptions>
		)(data, request);

	test("adds headers to the HTTP Request node's requests and leaves the rest alone", async () => {
		const request: IHttpRequestOptions = {
			url: 'http://gpu:8080/props',
			method: 'GET',
			headers: { 'x-own': '1' },
			qs: { a: 1 },
			timeout: 5,
			skipSslCertificateValidation: false,
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
			headers: { 'x-own': '1', authorization: `Bearer ${SAMPLE}`, 'x-tenant': 'a' },
		});
		expect(request).toEqual(before);
		// Old versions of the node say `uri`, and may send no headers at all.
		expect(
			await authenticate({ baseUrl: 'gpu' }, { uri: 'http://gpu/models' } as unknown as IHttpRequestOptions),
		).toEqual({ uri: 'http://gpu/models', headers: {} });
		// Another route below another base is not the test.
		expect((await authenticate(data, { baseURL: 'http://other', url: '/models' })).baseURL).toBe('http://other');
		expect((await authenticate(data, { baseURL: data.baseUrl, url: '/slots' })).baseURL).toBe(data.baseUrl);
	});

	test.each([
		['http://gpu:8080', 'http://gpu:8080/v1'],
		[' gpu:8080/v1/chat/completions ', 'http://gpu:8080/v1'],
		['http://gpu/v1-openai/', 'http://gpu/v1-openai'],
		['http://webui:3000/api/chat/completions', 'http://webui:3000/api'],
	])('the test request of %j goes below %s', async (baseUrl, api) => {
		expect(type.test.request).toMatchObject({ baseURL: '={{ $credentials.baseUrl }}', url: '/models' });
		const resolved = await authenticate(
			{ baseUrl, ignoreSslIssues: true },
			{ baseURL: baseUrl, url: type.test.request.url as string },
		);
		expect(resolved).toEqual({ baseURL: api, url: '/models', skipSslCertificateValidation: true, headers: {} });
		// n8n authenticates once more after a 401.
		expect((await authenticate({ baseUrl }, resolved)).baseURL).toBe(api);
	});

	test('the test of an address that cannot be used says why', async () => {
		await expect(
			authenticate({ baseUrl: 'http://host:port' }, { baseURL: 'http://host:port', url: '/models' }),
		).rejects.toThrow('The port "port"');
	});

	test('secrets are hidden in the form', () => {
		const hidden =
			JSON.stringify(type.properties).match(/"name":"(\w+)"[^{}]*"typeOptions":\{"password":true\}/g) ?? [];
		expect(hidden.map((found) => /"name":"(\w+)"/.exec(found)![1])).toEqual(['apiKey', 'value']);
	});
});

describe("n8n's own way of testing a credential", () => {
	/**
	 * What n8n's credentials-tester.service does: a routing node with nothing but the test request, run by n8n-core on
	 * n8n's own HTTP client. The service itself is not part of n8n-core.
	 */
	async function testCredential(data: ICredentialDataDecryptedObject): Promise<string> {
		const type = new LocalLlamaApi();
		const node: INode = {
			id: 'temp',
			name: 'Temp-Node',
			type: 'temp',
			typeVersion: 1,
			position: [0, 0],
			parameters: {},
			credentials: { [type.name]: { id: '1', name: 'x' } },
		};
		const properties = [
			{ displayName: 'Temp', name: 'temp', type: 'string', routing: { request: type.test.request }, default: '' },
		];
		const nodeType = {
			description: { name: 'temp', version: 1, credentials: [{ name: type.name, required: true }], properties },
		} as unknown as INodeType;
		const nodeTypes = {
			getByName: () => nodeType,
			getByNameAndVersion: () => nodeType,
			getKnownTypes: () => ({}),
		} as unknown as INodeTypes;
		const workflow = new Workflow({ nodes: [node], connections: {}, active: false, nodeTypes });
		const credentialsHelper = {
			getParentTypes: () => [],
			preAuthentication: async () => undefined,
			authenticate: async (credentials: ICredentialDataDecryptedObject, _name: string, request: IHttpRequestOptions) =>
				await (
					type.authenticate as (
						data: ICredentialDataDecryptedObject,
						request: IHttpRequestOptions,
					) => Promise<IHttpRequestOptions>
				)(credentials, request),
		};
		const additionalData = { credentialsHelper } as unknown as IWorkflowExecuteAdditionalData;
		const executeData = { node, data: {}, source: null };
		const input = { main: [[{ json: {} }]] };
		const context = new ExecuteContext(
			workflow,
			node,
			additionalData,
			'internal',
			createEmptyRunExecutionData(),
			0,
			[],
			input,
			executeData,
			[],
		);
		const decrypted = { id: '1', name: 'x', type: type.name, data };
		try {
			await workflow.expression.acquireIsolate();
			const outputs = await new RoutingNode(context, nodeType, decrypted).runNode();
			return pageRule(outputs?.[0]?.[0]?.json, type) ?? 'OK';
		} catch (error) {
			return messageOf(error, type);
		} finally {
			await workflow.expression.releaseIsolate();
		}
	}

	/** n8n looks up the key with lodash's get, which finds a letter of a text. */
	function pageRule(answer: unknown, { test: { rules = [] } }: LocalLlamaApi): string | undefined {
		const found = rules.find(
			({ type, properties }) =>
				type === 'responseSuccessBody' &&
				(answer as Record<string, unknown> | undefined)?.[properties.key] === properties.value,
		);
		return found?.properties.message;
	}

	function messageOf(error: unknown, type: LocalLlamaApi): string {
		const { cause, message } = error as {
			message: string;
			cause?: { code?: string; response?: { status: number; statusText: string } };
		};
		if (cause?.response === undefined) return cause?.code ?? message;
		const { status, statusText } = cause.response;
		const rule = type.test.rules?.find(
			({ type: kind, properties }) => kind === 'responseCode' && properties.value === status,
		);
		return rule?.properties.message ?? statusText;
	}

	let server: LlamaServerSim;
	const start = async (options: SimOptions) => {
		server = await startLlamaServerSim(options);
		return server.url;
	};
	afterEach(async () => await server.close());

	test.each(['', '/', '/v1', '/v1/', '/v1/chat/completions', '/chat/completions', ' '])(
		'case 12: passes with %j after the address, and checks the key',
		async (ending) => {
			const baseUrl = (await start({ apiKey: SAMPLE })) + ending;
			expect(await testCredential({ baseUrl, apiKey: SAMPLE })).toBe('OK');
			expect(await testCredential({ baseUrl: baseUrl.replace('http://', ''), apiKey: `Bearer ${SAMPLE}` })).toBe('OK');
			expect(server.requests.every(({ method, target }) => `${method} ${target}` === 'GET /v1/models')).toBe(true);
			expect(await testCredential({ baseUrl, apiKey: 'wrong' })).toMatch(
				/^The server refuses the API key\. Check the API Key/,
			);
			expect(await testCredential({ baseUrl })).toMatch(/^The server refuses the API key/);
		},
	);

	test('passes on a server without keys, and below a prefix', async () => {
		expect(await testCredential({ baseUrl: await start({}) })).toBe('OK');
		expect(server.requests[0]!.headers).not.toHaveProperty('authorization');
		await server.close();
		expect(await testCredential({ baseUrl: `${await start({ apiPrefix: '/p' })}/p` })).toBe('OK');
	});

	test.each(['ollama', 'vllm', 'gpustack', 'fastapi', 'router'] as const)('passes on %s', async (profile) => {
		expect(await testCredential({ baseUrl: await start({ profile, apiKey: SAMPLE }), apiKey: SAMPLE })).toBe('OK');
	});

	test('with the key in x-api-key, extra headers, and an untrusted certificate', async () => {
		const baseUrl = await start({ apiKey: SAMPLE, tls: true });
		const data = {
			baseUrl,
			apiKey: SAMPLE,
			authentication: 'xApiKey',
			extraHeaders: { header: [{ name: 'X-Tenant', value: 'a' }] },
		};
		expect(await testCredential({ ...data, ignoreSslIssues: true })).toBe('OK');
		expect(server.requests[0]!.headers).toMatchObject({ 'x-api-key': SAMPLE, 'x-tenant': 'a' });
		expect(await testCredential(data)).toBe('DEPTH_ZERO_SELF_SIGNED_CERT');
	});

	test('says what is wrong', async () => {
		const baseUrl = await start({});
		expect(await testCredential({ baseUrl: `${baseUrl}/nowhere` })).toMatch(
			/^The server answers, but not at this path\. Check the Base URL/,
		);
		server.setLoading(1);
		expect(await testCredential({ baseUrl })).toMatch(/^The model is still loading\. Wait/);
		server.route('GET /v1/models', reply.html(502, '<html></html>'));
		expect(await testCredential({ baseUrl })).toMatch(/^A proxy answers with 502/);
		server.route('GET /v1/models', reply.html(200, '<!doctype html><title>Open WebUI</title>'));
		expect(await testCredential({ baseUrl })).toMatch(
			/^A web page answers here, not the API\. .*for Open WebUI the path \/api/,
		);
		server.route('GET /v1/models', reply.error(530, 'error code: 1033'));
		expect(await testCredential({ baseUrl })).toContain('cloudflared');
		expect(await testCredential({ baseUrl: 'http://host:port' })).toContain('The port "port" in the Base URL');
	});
});
