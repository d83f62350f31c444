import type { ICredentialDataDecryptedObject, ICredentialType } from 'n8n-workflow';
import { readLocalLlamaCredential } from '../../../lib/servers/credential';
import { createModelServer } from '../../../lib/servers/endpoint';
import {
	CONNECTION_CODES,
	missingFieldRule,
	plainTextRule,
	statusRule,
} from '../../../lib/servers/credential-test';
import { buildCredentialHeaders } from '../../../lib/servers/credential-headers';
import { ServerError } from '../../../lib/errors/server-error';
import * as util from 'node:util';
import { DifyApi } from '../../../credentials/DifyApi.credentials';
import { LocalLlamaApi } from '../../../credentials/LocalLlamaApi.credentials';
import { reply, startLlamaServerSim } from '../../simulators/llama-server';
import { testCredential } from '../../support/n8n/credential-test';
import * as fs from 'node:fs';
import { useSimulator } from '../../simulators/use-simulator';
import { NO_EXECUTION } from '../../support/n8n/node-host';

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
	test('Basic: user and password', () => {
		const basic = {
			baseUrl: '',
			authentication: 'basic',
			user: 'anna',
			password: 'a:b ü',
		} as const;
		expect(buildCredentialHeaders(basic)).toEqual({ authorization: 'Basic YW5uYTphOmIgw7w=' });
		expect(buildCredentialHeaders({ ...basic, user: '', password: '' })).toEqual({});
		expect(thrown(() => buildCredentialHeaders({ ...basic, user: 'an:na' }))).toMatchObject({
			type: 'invalidInput',
			message: 'The user name for Basic must not contain a colon',
		});
		const header = [{ name: 'Authorization', value: 'Bearer x' }];
		expect(
			thrown(() => buildCredentialHeaders({ ...basic, extraHeaders: header })).message,
		).toContain('cannot be combined');
	});

	test('None: no header, even if other fields are set', () => {
		expect(buildCredentialHeaders({ baseUrl: '', authentication: 'none', apiKey: SAMPLE })).toEqual(
			{},
		);
	});

	test.each([undefined, '', '  ', '\n', 'Bearer', 'Bearer '])(
		'an empty key (%j) sends no header',
		(apiKey) => {
			expect(buildCredentialHeaders({ baseUrl: '', apiKey })).toEqual({});
			expect(buildCredentialHeaders({ baseUrl: '', apiKey, authentication: 'xApiKey' })).toEqual(
				{},
			);
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
		expect(buildCredentialHeaders({ baseUrl: '', apiKey })).toEqual({
			authorization: `Bearer ${SAMPLE}`,
		});
	});

	test.each([
		`${SAMPLE}\n${SAMPLE}`,
		`${SAMPLE}\u200B`,
		'schlüssel-…',
		'ключ-1234567890',
		`${SAMPLE}\u0000`,
	])('a key that is invalid in a header is rejected without showing it: %j', (apiKey) => {
		const failed = thrown(() => buildCredentialHeaders({ baseUrl: '', apiKey }));
		expect(failed).toMatchObject({
			type: 'invalidInput',
			suggestion: 'Open the credential and correct it.',
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
		expect(
			buildCredentialHeaders(
				readLocalLlamaCredential({ apiKey: SAMPLE, extraHeaders: { header } }),
			),
		).toEqual({
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
	])('%j is rejected without showing the value', (header, said) => {
		const failed = thrown(() =>
			buildCredentialHeaders({
				baseUrl: '',
				extraHeaders: [{ name: 'a', value: 'b' }, header],
			}),
		);
		expect(failed.type).toBe('invalidInput');
		expect(failed.message).toContain(said);
		expect(util.inspect(failed)).not.toContain(SAMPLE);
	});
});

describe('readLocalLlamaCredential', () => {
	test('missing values and those of another type count as not set', () => {
		const unset = {
			baseUrl: '',
			apiKey: '',
			authentication: 'bearer',
			user: '',
			password: '',
			extraHeaders: [],
			ignoreSslIssues: false,
			maxConcurrentRequests: 0,
		};
		expect(readLocalLlamaCredential({})).toEqual(unset);
		const wrong = {
			baseUrl: 7,
			apiKey: null,
			authentication: 'digest',
			extraHeaders: 'x',
			ignoreSslIssues: 'true',
			maxConcurrentRequests: true,
		};
		expect(readLocalLlamaCredential(wrong as unknown as ICredentialDataDecryptedObject)).toEqual(
			unset,
		);
		expect(
			readLocalLlamaCredential({
				extraHeaders: { header: [null, { name: 'a' }] },
			} as unknown as ICredentialDataDecryptedObject).extraHeaders,
		).toEqual([{ name: 'a', value: '' }]);
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

test('the model server of a credential: an invalid Base URL is an error before anything is sent', () => {
	const failed = thrown(() => createModelServer({ baseUrl: 'http://host:port' }, NO_EXECUTION));
	expect(failed).toMatchObject({ type: 'invalidUrl', facts: { part: 'port' } });
	expect(failed.message).toContain('The port "port"');
});

test('credential fields that expressions return as another type are converted', () => {
	const read = (data: object) => readLocalLlamaCredential(data as ICredentialDataDecryptedObject);
	expect(read({ apiKey: 123456, maxConcurrentRequests: '3' })).toMatchObject({
		apiKey: '123456',
		maxConcurrentRequests: 3,
	});
	for (const value of ['many', Infinity, NaN, '-4', true, null, [7]])
		expect(read({ maxConcurrentRequests: value }).maxConcurrentRequests).toBe(0);
});

const startServer = useSimulator(startLlamaServerSim);

type Rules = NonNullable<ICredentialType['test']>['rules'];

/** A credential with these rules alone, tested as n8n does it. */
async function testResponse(answer: ReturnType<typeof reply.json>): Promise<string> {
	const sim = await startServer();
	sim.route('GET /me', answer);
	const type: ICredentialType = {
		name: 'ruled',
		displayName: 'Ruled',
		properties: [],
		authenticate: async (_data, request) => request,
		test: {
			request: { baseURL: sim.url, url: '/me' },
			rules: [
				statusRule(403, 'Not for you'),
				plainTextRule('A page'),
				missingFieldRule({ key: 'name', message: 'Nobody' }),
			] as Rules,
		},
	};
	return await testCredential(type, {});
}

describe('what n8n’s test reports for a response', () => {
	it.each([
		['a response as expected', () => reply.json({ name: 'llama' }), 'OK'],
		['a status with a rule', () => reply.error(403, { error: 'Forbidden' }), 'Not for you'],
		['text with status 200', () => reply.html(200, '<html></html>'), 'A page'],
		['JSON without the field', () => reply.json({ title: 'x' }), 'Nobody'],
	])('the test of a credential: %s', async (_what, answer, message) => {
		expect(await testResponse(answer())).toBe(message);
	});

	it('the documents explain the error codes that n8n shows without a message', () => {
		const page = fs.readFileSync('docs/troubleshooting.md', 'utf8');
		const [, section] = page.split('\n## The test of the credential\n');
		for (const code of [
			'ECONNREFUSED',
			'ENOTFOUND',
			'ECONNABORTED',
			'EPROTO',
			'ECONNRESET',
			'CERT',
		])
			expect(section!.split('\n## ')[0]).toContain(code);
	});
});

it.each([
	['LocalLlama API', new LocalLlamaApi()],
	['Dify API', new DifyApi()],
])('%s: codes are explained in the description, and the hint is about Docker', (_name, type) => {
	const { description, hint } = type.properties.find(({ name }) => name === 'baseUrl')!;
	expect(description).toContain(CONNECTION_CODES);
	expect(hint).toMatch(/^If n8n runs in Docker: http:\/\/host\.docker\.internal/);
	expect(hint).not.toMatch(/ECONN|EPROTO/);
});

const types = [
	['LocalLlama API', new LocalLlamaApi(), { apiKey: '' }],
	['Dify API', new DifyApi(), { apiKey: 'app-1234567890', keyType: 'app' }],
] as const;

it.each(types)(
	'a server that never responds: %s: the test ends with the timeout set by `authenticate`',
	async (_name, type, data) => {
		const sim = await startServer({ connections: () => 'silent' });
		const timeouts: unknown[] = [];
		const withShortTimeout: ICredentialType = {
			...type,
			authenticate: async (credentials, request) => {
				if (typeof type.authenticate !== 'function') throw new Error('No function');
				const authenticated = await type.authenticate(credentials, request);
				timeouts.push(authenticated.timeout);
				return { ...authenticated, timeout: 200 };
			},
		};
		expect(await testCredential(withShortTimeout, { ...data, baseUrl: sim.url })).toBe(
			'ECONNABORTED',
		);
		expect(timeouts).toEqual([10_000]);
	},
);
