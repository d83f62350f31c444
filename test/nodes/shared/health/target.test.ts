import type { ICredentialDataDecryptedObject } from 'n8n-workflow';

import { run, SESAME, sim, useServer } from '../../ServerHealth/run-node';

useServer();

describe('the server that the credential names', () => {
	it.each([{}, [], 'http://', 7, null])(
		'a base URL that an expression got wrong is a result: %j',
		async (baseUrl) => {
			await sim();
			const outputs = await run({
				credentials: { baseUrl, apiKey: SESAME } as unknown as ICredentialDataDecryptedObject,
			});
			expect(outputs[1]).toMatchObject([
				{ json: { status: 'misconfigured', findings: [{ id: 'invalidUrl' }] } },
			]);
		},
	);
});
