import * as fc from 'fast-check';
import { createDifyClient, resolveDifyBaseUrl } from '../../../lib/dify/credentials';
import { createClient, sendMessage, startSim } from './client';

describe('access to Dify', () => {
	test('the prefix of a reverse proxy is kept', async () => {
		const sim = await startSim({ prefix: '/tools/dify' });
		await sendMessage(createClient({ url: `${sim.origin}/tools/dify/v1/` }));
		expect(sim.requests.map(({ url }) => url)).toEqual(['/tools/dify/v1/chat-messages']);
	});
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
