import type { ICredentialType } from 'n8n-workflow';

import { DifyApi } from '../../../credentials/DifyApi.credentials';
import { LocalLlamaApi } from '../../../credentials/LocalLlamaApi.credentials';
import { startLlamaServerSim } from '../../simulators/llama-server';
import { testCredential } from '../../support/credential-test';
import { useSimulator } from '../../simulators/use-simulator';

const startServer = useSimulator(startLlamaServerSim);

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
