import { parseHostAndPort } from '../../../lib/errors/host-and-port';

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
