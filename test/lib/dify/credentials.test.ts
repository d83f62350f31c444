import { mask } from '../../../lib/errors/mask';
import {
	createDifyClient,
	readDifyCredential,
	resolveDifyBaseUrl,
} from '../../../lib/dify/credentials';
import { appKey } from '../../simulators/dify';
import { getError } from '../../support/jest/get-error';
import { createClient, sendMessage, startSim } from './client';
import * as fc from 'fast-check';

/** Looks like a key. */
const WRONG_KEY = `app-${'Wrong'.repeat(5)}`;

describe('access to Dify', () => {
	const start = async () => await startSim({});

	test('fields of a credential that are missing or of another type count as not set', () => {
		const notSet = { baseUrl: '', apiKey: '', keyType: 'app', ignoreSslIssues: false };
		expect(readDifyCredential({})).toEqual(notSet);
		const others = { baseUrl: 1, apiKey: 1, keyType: 'other', ignoreSslIssues: 'true' };
		expect(readDifyCredential(others)).toEqual(notSet);
		const set = { baseUrl: 'u', apiKey: 'k', keyType: 'knowledge', ignoreSslIssues: true };
		expect(readDifyCredential(set)).toEqual(set);
	});

	test('a request without a key is a credential error, and is sent once', async () => {
		const sim = await start();
		const error = await getError(
			sendMessage(createClient(sim, 'chat', { apiKey: '' }), { retries: 3 }),
		);
		expect(error).toMatchObject({
			status: 401,
			code: 'unauthorized',
			type: 'unauthorized',
			retryable: false,
		});
		expect(error.serverText).toContain(
			"Authorization header must be provided and start with 'Bearer'",
		);
		expect(error.suggestion).toContain('Dify API');
		expect(sim.requests).toHaveLength(1);
		expect(sim.requests[0]!.headers.authorization).toBeUndefined();
	});

	test('the key is sent with its scheme, even if it was pasted with one', async () => {
		const sim = await start();
		for (const apiKey of [appKey('chat'), ` ${appKey('chat')}\n`, `Bearer ${appKey('chat')}`])
			await sendMessage(createClient(sim, 'chat', { apiKey }));
		expect(sim.requests.map(({ headers }) => headers.authorization)).toEqual(
			Array(3).fill(`Bearer ${appKey('chat')}`),
		);
	});
});

describe('the API key', () => {
	test('is a secret of a client that does not send it', () => {
		const client = createDifyClient({ baseUrl: 'http://dify', apiKey: WRONG_KEY }).withoutKey();
		const { headers, secrets } = client.endpoint;
		expect(headers).toEqual({});
		expect(mask(`it was ${WRONG_KEY}`, secrets)).toBe('it was ***');
	});

	test('with characters that headers cannot contain is rejected before sending', () => {
		expect(() => createDifyClient({ baseUrl: 'http://host', apiKey: 'app-ключ' })).toThrow(
			expect.objectContaining({ type: 'invalidInput' }) as Error,
		);
	});
});

test('access to Dify: the prefix of a reverse proxy is kept', async () => {
	const sim = await startSim({ prefix: '/tools/dify' });
	await sendMessage(createClient({ url: `${sim.origin}/tools/dify/v1/` }));
	expect(sim.requests.map(({ url }) => url)).toEqual(['/tools/dify/v1/chat-messages']);
});

describe('a Base URL', () => {
	test.each([
		['https://api.dify.ai/v1', 'https://api.dify.ai/v1'],
		['https://api.dify.ai', 'https://api.dify.ai/v1'],
		['http://192.168.1.20', 'http://192.168.1.20/v1'],
		['http://192.168.1.20:5001/v1/', 'http://192.168.1.20:5001/v1'],
		[' http://host/v1 \n', 'http://host/v1'],
		['host:8088', 'http://host:8088/v1'],
		['https://x/dify/v1', 'https://x/dify/v1'],
		['https://x/dify/v1/workflows/run', 'https://x/dify/v1'],
		['https://x/dify', 'https://x/dify'],
		['http://host/v1/chat-messages/', 'http://host/v1'],
	])('%s leads to %s', (text, api) => {
		expect(resolveDifyBaseUrl(text)).toBe(api);
	});

	test.each(['', 'ftp://host', 'http://user:hunter2@host/v1', 'http://host/v1?key=x'])(
		'"%s" is rejected with an error that contains no secrets',
		(text) => {
			expect(() => createDifyClient({ baseUrl: text, apiKey: 'app-x' })).toThrow(
				expect.objectContaining({ type: 'invalidUrl' }) as Error,
			);
			expect(() => createDifyClient({ baseUrl: text, apiKey: 'app-x' })).not.toThrow(
				/hunter2|key=x/,
			);
		},
	);
});

test('any path: a resolved URL resolves to itself, without trailing slash or route', () => {
	const segment = fc.constantFrom('dify', 'v1', 'api', 'chat-messages', 'info', 'a.b', 'V1');
	fc.assert(
		fc.property(
			fc.constantFrom('http://host', 'https://host:8443', 'host:5001', ' http://10.0.0.5 '),
			fc.array(segment, { maxLength: 4 }),
			fc.constantFrom('', '/', '//'),
			(origin, path, end) => {
				const base = resolveDifyBaseUrl([origin.trim(), ...path].join('/') + end);
				expect(resolveDifyBaseUrl(base)).toBe(base);
				expect(base).not.toMatch(/\/$|[^:]\/\/|\/v1\//);
			},
		),
	);
});
