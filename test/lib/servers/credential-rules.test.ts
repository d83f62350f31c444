import type { ICredentialType } from 'n8n-workflow';

import { DifyApi } from '../../../credentials/DifyApi.credentials';
import { LocalLlamaApi } from '../../../credentials/LocalLlamaApi.credentials';
import {
	CONNECTION_CODES_HINT,
	missingFieldRule,
	plainTextRule,
	statusRule,
} from '../../../lib/servers/credential';
import { reply, startLlamaServerSim } from '../../simulators/llama-server';
import { testCredential } from '../../support/credential-test';
import * as fs from 'node:fs';
import { useSimulator } from '../../simulators/use-simulator';

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
				missingFieldRule('name', 'Nobody'),
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
	])('%s', async (_what, answer, message) => {
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

it('the hint has the three likeliest causes, a line each, and no link', () => {
	const lines = CONNECTION_CODES_HINT.split('<br>');
	expect(lines).toEqual([
		expect.stringContaining('nothing listens'),
		expect.stringContaining('http://host.docker.internal:PORT'),
		expect.stringMatching(/http:.*https:/),
	]);
	expect(CONNECTION_CODES_HINT).not.toContain('href');
});

describe('a server that never responds', () => {
	const types = [
		['LocalLlama API', new LocalLlamaApi(), { apiKey: '' }],
		['Dify API', new DifyApi(), { apiKey: 'app-1234567890', keyType: 'app' }],
	] as const;

	it.each(types)(
		'%s: the test ends with the timeout set by `authenticate`',
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
});
