import { failure, hostAndPort } from '../../../lib/errors/failure';

describe('a failure', () => {
	test('the type of server decides which remedy is used, if both have the kind', () => {
		expect(failure('unauthorized', {}).remedy).toContain('llama-server');
		expect(failure('unauthorized', { service: 'dify' }).remedy).toContain('"Dify API" credential');
	});

	test('where a fact is not known, the sentences have no gap', () => {
		expect(failure('modelNotFound', {}).message).toBe('The server does not know the model');
		expect(failure('dns', { url: 'http://nas.lan/v1' }).message).toBe(
			'The host name "nas.lan" cannot be resolved',
		);
	});

	test('the address gives host and port, also where the port is not written', () => {
		expect([
			hostAndPort('http://nas.lan/v1'),
			hostAndPort('https://nas.lan/v1'),
			hostAndPort('https://[::1]:8443/'),
			hostAndPort('no address'),
			hostAndPort(undefined),
		]).toEqual([
			{ host: 'nas.lan', port: '80' },
			{ host: 'nas.lan', port: '443' },
			{ host: '[::1]', port: '8443' },
			{},
			{},
		]);
	});
});
