import { getErrorText } from '../../../../lib/errors/texts';
import { createServerError } from '../../../../lib/errors/create-error';
import { NETWORK_ERROR_TEXTS } from '../../../../lib/errors/texts/network';

describe('texts of network errors', () => {
	test('the suggestion mentions Docker only for localhost', () => {
		expect(
			createServerError('connectionRefused', { url: 'http://localhost:8080/v1' }).suggestion,
		).toContain('If n8n runs in Docker');
		expect(createServerError('connectionRefused', { url: 'http://10.0.0.5/v1' })).toMatchObject({
			message: 'The machine "10.0.0.5" is reachable, but nothing is listening on port 80',
			url: 'http://10.0.0.5/v1',
			suggestion: expect.stringContaining('--host 0.0.0.0'),
		});
	});

	test('the suggestion contains the URL with the other scheme', () => {
		const { tlsMismatch, connectTimeout } = NETWORK_ERROR_TEXTS;
		const [plain, tls] = ['http://10.0.0.5:8080', 'https://10.0.0.5:8080'];
		expect(tlsMismatch({ url: `${plain}/v1`, root: plain })).toMatchObject({
			title: 'The server expects https on this port',
			suggestion: `Use https:// in the Base URL: ${tls}.`,
		});
		expect(tlsMismatch({ url: `${tls}/v1`, root: tls, code: 'EPROTO' }).suggestion).toContain(
			`Base URL: ${plain},`,
		);
		// The server uses TLS, so http would be a wrong suggestion.
		const failed = tlsMismatch({
			url: `${tls}/v1`,
			root: tls,
			code: 'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION',
		});
		expect(failed.title).toContain('ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION');
		expect(failed.suggestion).not.toContain(plain);
		// llama-server without TLS waits for the rest of a request line, so that this looks like a firewall.
		expect(connectTimeout({ url: `${tls}/v1`, root: tls, port: '8080' }).suggestion).toContain(
			`: ${plain}. Otherwise:`,
		);
		expect(
			connectTimeout({ url: `${plain}/v1`, root: plain, port: '8080' }).suggestion,
		).not.toContain('https');
	});
});

test.each(['8080', '9931'])(
	'if nothing listens on port %s, the suggestion names both default ports',
	(port) => {
		for (const host of ['10.0.0.5', '127.0.0.1'])
			expect(getErrorText('connectionRefused', { host, port }).suggestion).toContain(
				'(llama-server: 9931, older versions: 8080)',
			);
		expect(
			getErrorText('connectionRefused', { host: '10.0.0.5', port: '80' }).suggestion,
		).not.toContain('9931');
	},
);
