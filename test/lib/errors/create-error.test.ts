import fc from 'fast-check';

import { createServerError, parseHostAndPort } from '../../../lib/errors/create-error';

describe('a failure', () => {
	test('shows the beginning of what the server says, without half a key at its end', () => {
		const canary = 'Zk3vQ9xT7mB2nL5pR8wYc4';
		const context = { secrets: [canary] };
		fc.assert(
			fc.property(fc.nat(40), fc.constantFrom('%41', '&#65;', 'a b '), (shift, filling) => {
				const serverText = `${filling.repeat(4_000).slice(0, 15_980 + shift)} ${canary} ${filling.repeat(300_000)}`;
				const shown = createServerError('badRequest', context, { serverText }).serverText!;
				expect(shown.length).toBeLessThanOrEqual(16_000);
				expect(shown).not.toContain(canary.slice(0, 11));
			}),
			{ numRuns: 20 },
		);
	});

	test('the type of server decides which remedy is used, if both have the kind', () => {
		expect(createServerError('unauthorized', {}).suggestion).toContain('llama-server');
		expect(createServerError('unauthorized', { service: 'dify' }).suggestion).toContain(
			'"Dify API" credential',
		);
	});

	test('sentences have no gap if a fact is unknown', () => {
		expect(createServerError('modelNotFound', {}).message).toBe(
			'The server does not have the model',
		);
		expect(createServerError('dnsLookupFailed', { url: 'http://nas.lan/v1' }).message).toBe(
			'The host name "nas.lan" cannot be resolved',
		);
	});

	test('the address gives host and port, also where the port is not written', () => {
		expect([
			parseHostAndPort('http://nas.lan/v1'),
			parseHostAndPort('https://nas.lan/v1'),
			parseHostAndPort('https://[::1]:8443/'),
			parseHostAndPort('no address'),
			parseHostAndPort(undefined),
		]).toEqual([
			{ host: 'nas.lan', port: '80' },
			{ host: 'nas.lan', port: '443' },
			{ host: '[::1]', port: '8443' },
			{},
			{},
		]);
	});
});
