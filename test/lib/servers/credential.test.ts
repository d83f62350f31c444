import type { ICredentialDataDecryptedObject } from 'n8n-workflow';

import {
	credentialHeaders,
	egressFilterOf,
	localLlamaConnection,
	localLlamaServers,
	readLocalLlamaCredential,
	serversOf,
} from '../../../lib/servers/credential';
import { ServerError } from '../../../lib/errors/server-error';
import { reply, startLlamaServerSim } from '../../servers/llama-server';
import { util } from '../../support/node';
import { useSimulator } from '../../servers/use-simulator';

const startServer = useSimulator(startLlamaServerSim);

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
		expect(credentialHeaders({ baseUrl: '', apiKey: SAMPLE })).toEqual({
			authorization: `Bearer ${SAMPLE}`,
		});
		expect(credentialHeaders({ baseUrl: '', apiKey: SAMPLE, authentication: 'bearer' })).toEqual({
			authorization: `Bearer ${SAMPLE}`,
		});
		expect(credentialHeaders({ baseUrl: '', apiKey: SAMPLE, authentication: 'xApiKey' })).toEqual({
			'x-api-key': SAMPLE,
		});
	});

	test.each([undefined, '', '  ', '\n', 'Bearer', 'Bearer '])(
		'an empty key (%j) sends no header',
		(apiKey) => {
			expect(credentialHeaders({ baseUrl: '', apiKey })).toEqual({});
			expect(credentialHeaders({ baseUrl: '', apiKey, authentication: 'xApiKey' })).toEqual({});
		},
	);

	// llama-server refuses a lower-case "bearer" and two blanks (docs/protocols/llama-server.md 1.2).
	test.each([
		`Bearer ${SAMPLE}`,
		`bearer  ${SAMPLE}`,
		`Authorization: Bearer ${SAMPLE}`,
		`${SAMPLE}\n`,
		` ${SAMPLE}\r\n`,
		`\t${SAMPLE}`,
	])('a key pasted as %j', (apiKey) => {
		expect(credentialHeaders({ baseUrl: '', apiKey })).toEqual({
			authorization: `Bearer ${SAMPLE}`,
		});
	});

	test.each([
		`${SAMPLE}\n${SAMPLE}`,
		`${SAMPLE}\u200B`,
		'schlüssel-…',
		'ключ-1234567890',
		`${SAMPLE}\u0000`,
	])('a key that no header can carry is refused without showing it: %j', (apiKey) => {
		const failed = thrown(() => credentialHeaders({ baseUrl: '', apiKey }));
		expect(failed).toMatchObject({
			kind: 'invalidInput',
			remedy: 'Open the credential and correct it.',
		});
		expect(util.inspect(failed)).not.toContain(apiKey.slice(0, 6));
	});

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
		[{ name: 'Host', value: SAMPLE }, '"Host" cannot be set'],
		[{ name: 'Content-Length', value: SAMPLE }, '"Content-Length" cannot be set'],
		[{ name: 'transfer-encoding', value: SAMPLE }, '"transfer-encoding" cannot be set'],
		[{ name: 'Content-Type', value: SAMPLE }, '"Content-Type" cannot be set'],
		[{ name: 'Proxy-Authorization', value: SAMPLE }, '"Proxy-Authorization" cannot be set'],
		[
			{ name: 'x-token', value: `${SAMPLE}\r\nx-evil: 1` },
			'The value of extra header 2, "x-token",',
		],
		[{ name: 'X-Token', value: `${SAMPLE}…` }, 'The value of extra header 2, "X-Token",'],
	])('%j is refused without showing the value', (header, said) => {
		const failed = thrown(() =>
			credentialHeaders({
				baseUrl: '',
				extraHeaders: { header: [{ name: 'a', value: 'b' }, header] },
			}),
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
			furtherServers: [],
		};
		expect(readLocalLlamaCredential({})).toEqual(unset);
		const wrong = {
			baseUrl: 7,
			apiKey: null,
			authentication: 'basic',
			extraHeaders: 'x',
			ignoreSslIssues: 'true',
			maxConcurrentRequests: true,
			furtherServers: 'http://gpu2:8080',
		};
		expect(readLocalLlamaCredential(wrong as unknown as ICredentialDataDecryptedObject)).toEqual(
			unset,
		);
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
		expect(readLocalLlamaCredential({ maxConcurrentRequests: typed }).maxConcurrentRequests).toBe(
			meant,
		);
	});
});

describe('localLlamaConnection', () => {
	test('carries the key, the extra headers and the TLS setting', async () => {
		const server = await startServer({ tls: true, apiKey: SAMPLE });
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
		expect(server.requests[0]!.headers).toMatchObject({
			authorization: `Bearer ${SAMPLE}`,
			'x-tenant': 'a',
		});
	});

	test('an address that cannot be used is an error before anything is sent', () => {
		const failed = thrown(() => localLlamaConnection({ baseUrl: 'http://host:port' }));
		expect(failed).toMatchObject({ kind: 'invalidUrl', facts: { part: 'port' } });
		expect(failed.message).toContain('The port "port"');
	});

	test("n8n's egress filter is taken where n8n has one", () => {
		const filter = {
			validateUrl: jest.fn(),
			createSecureLookup: jest.fn(),
			validateRedirectSync: jest.fn(),
		};
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

test('credentials whose fields come out of expressions as another type', () => {
	const read = (data: object) => readLocalLlamaCredential(data as ICredentialDataDecryptedObject);
	expect(read({ apiKey: 123456, maxConcurrentRequests: '3' })).toMatchObject({
		apiKey: '123456',
		maxConcurrentRequests: 3,
	});
	for (const value of ['many', Infinity, NaN, '-4', true, null, [7]])
		expect(read({ maxConcurrentRequests: value }).maxConcurrentRequests).toBe(0);
});

describe('further servers', () => {
	const data = (server: object[], more: object = {}) =>
		({
			baseUrl: 'http://gpu1:8080',
			apiKey: SAMPLE,
			furtherServers: { server },
			...more,
		}) as unknown as ICredentialDataDecryptedObject;
	const certainKeysOf = (given: ICredentialDataDecryptedObject) =>
		serversOf(readLocalLlamaCredential(given)).map((server) => [
			server.baseUrl,
			credentialHeaders(server).authorization,
		]);

	test('have the key of the credential, or one of their own that no other server gets', () => {
		expect(
			certainKeysOf(
				data([
					{ baseUrl: 'http://gpu2:8080' },
					{ baseUrl: 'http://gpu3:8080', apiKey: ' own-key-987654321 ' },
				]),
			),
		).toEqual([
			['http://gpu1:8080', `Bearer ${SAMPLE}`],
			['http://gpu2:8080', `Bearer ${SAMPLE}`],
			['http://gpu3:8080', 'Bearer own-key-987654321'],
		]);
	});

	test('no server shows the key of another, in an answer or an error, nor gets it', async () => {
		const [one, two] = ['7Rm2Xk9Lp4Zq8Tv1Wn6Bs3', 'Hd5Yc8Gf2Jw7Nt4Qe9Ka6V'];
		const sims = [await startServer(), await startServer()];
		const list = { object: 'list', data: [{ id: `of ${one} and ${two}` }] };
		const refused = { error: { message: `neither ${one} nor ${two}` } };
		for (const sim of sims) {
			sim.route('GET /v1/models', reply.json(list));
			sim.route('GET /props', reply.error(400, refused));
		}
		const [baseUrl, further] = sims.map(({ url }) => url);
		const typed = data([{ baseUrl: further, apiKey: two }], { baseUrl, apiKey: one });
		const { connections } = localLlamaServers(typed);
		for (const connection of [...connections, localLlamaConnection(typed)]) {
			const models = await connection.call(`${connection.url.api}/models`);
			const failed = connection.refusal(await connection.call(`${connection.url.root}/props`));
			const shown = models.text + util.inspect(failed, { depth: 9 });
			expect(shown).toContain('of *** and ***');
			expect(shown).toContain('neither *** nor ***');
			for (const key of [one, two]) expect(shown).not.toContain(key);
		}
		const sent = sims.map(({ requests }) => requests.map(({ headers }) => headers.authorization));
		expect(sent.map((each) => [...new Set(each)])).toEqual([[`Bearer ${one}`], [`Bearer ${two}`]]);
	});

	test('a server that is named twice counts once, however its address is written', () => {
		const twice = [
			'gpu1:8080/v1',
			'http://gpu2:8080',
			'http://gpu2:8080/v1/chat/completions',
			'http://gpu2:8081',
		];
		expect(
			localLlamaServers(data(twice.map((baseUrl) => ({ baseUrl })))).connections.map(
				({ url }) => url.root,
			),
		).toEqual(['http://gpu1:8080', 'http://gpu2:8080', 'http://gpu2:8081']);
	});

	test.each([
		[{ baseUrl: 'http://gpu2:port' }, 'invalidUrl', 'Further server 2: The port "port"'],
		[{ baseUrl: '', model: 'x' }, 'invalidUrl', 'Further server 2: The Base URL is empty'],
		[
			{ baseUrl: 'http://gpu2', apiKey: 'ключ' },
			'invalidInput',
			'Further server 2: The API Key contains',
		],
	])('a wrong entry is named before anything is sent: %j', (entry, kind, said) => {
		const failed = thrown(() => localLlamaServers(data([{ baseUrl: 'http://gpu3' }, entry])));
		expect(failed).toMatchObject({ kind, message: expect.stringContaining(said) as string });
		expect(failed.meaning).toContain(said);
	});

	test('a key that went out encrypted is not sent in the clear to another server', () => {
		const secure = { baseUrl: 'https://gpu1' };
		const failed = thrown(() => localLlamaServers(data([{ baseUrl: 'http://gpu2' }], secure)));
		expect(failed).toMatchObject({ kind: 'invalidInput' });
		expect(failed.message).toMatch(/^Further server 1: The API Key .* without encryption$/);
		expect(util.inspect(failed)).not.toContain(SAMPLE);
		const headers = (name: string) => ({
			...secure,
			extraHeaders: { header: [{ name, value: SAMPLE }] },
		});
		const own = [{ baseUrl: 'http://gpu2', apiKey: 'typed-on-purpose' }];
		const header = thrown(() => localLlamaServers(data(own, headers('x-tenant'))));
		expect(header.message).toMatch(/^Further server 1: A secret in the extra headers .* without/);
		expect(util.inspect(header)).not.toContain(SAMPLE);
		const allowed = [
			data(own, headers('x-request-id')),
			data([{ baseUrl: 'http://gpu2', apiKey: 'typed-on-purpose' }], secure),
			data([{ baseUrl: 'http://gpu2' }], { ...secure, apiKey: '' }),
			data([{ baseUrl: 'https://gpu2' }], secure),
			data([{ baseUrl: 'http://gpu2' }]),
		];
		for (const given of allowed) expect(localLlamaServers(given).hasSeveral).toBe(true);
	});

	test('rows that were added and left empty, and what is no list, count for nothing', () => {
		for (const furtherServers of [
			undefined,
			null,
			'x',
			{},
			{ server: 'x' },
			{ server: [null, {}, { baseUrl: ' ' }] },
		])
			expect(localLlamaServers(data([], { furtherServers })).hasSeveral).toBe(false);
	});
});
