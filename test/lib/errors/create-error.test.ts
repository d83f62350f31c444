import fc from 'fast-check';
import { createServerError, parseHostAndPort } from '../../../lib/errors/server-error';

describe('createServerError', () => {
	test('keeps the beginning of the server message, without a partial key at its end', () => {
		const canary = 'Zk3vQ9xT7mB2nL5pR8wYc4';
		const context = { secrets: [canary] };
		fc.assert(
			fc.property(fc.nat(40), fc.constantFrom('%41', '&#65;', 'a b '), (shift, filling) => {
				const serverText = `${filling.repeat(4_000).slice(0, 15_980 + shift)} ${canary} ${filling.repeat(300_000)}`;
				const serverMessage = createServerError('badRequest', context, { serverText }).serverText!;
				expect(serverMessage.length).toBeLessThanOrEqual(16_000);
				expect(serverMessage).not.toContain(canary.slice(0, 11));
			}),
			{ numRuns: 20 },
		);
	});

	test('the suggestion is that of the service if both services have the error type', () => {
		expect(createServerError('unauthorized', {}).suggestion).toContain('llama-server');
		expect(createServerError('unauthorized', { service: 'dify' }).suggestion).toContain(
			'"Dify API" credential',
		);
	});

	test('texts have no gap if a fact is unknown', () => {
		expect(createServerError('modelNotFound', {}).message).toBe(
			'The server does not have the model',
		);
		expect(createServerError('dnsLookupFailed', { url: 'http://nas.lan/v1' }).message).toBe(
			'The host name "nas.lan" cannot be resolved',
		);
	});

	test('parseHostAndPort uses the default port of the scheme', () => {
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
