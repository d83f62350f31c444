import type { ICredentialDataDecryptedObject } from 'n8n-workflow';

import { difyTarget, modelServerTarget } from '../../../../nodes/shared/health/target';
import { run, SESAME, server, sim, useServer } from '../../ServerHealth/run-node';

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
				{ json: { status: 'misconfigured', url: null, findings: [{ id: 'invalidUrl' }] } },
			]);
		},
	);

	it('has its key under whichever name, as the credential says', () => {
		const keySet = (data: object) =>
			modelServerTarget({ baseUrl: 'http://llama:8080', ...data }).keySet;
		expect(keySet({})).toBe(false);
		expect(keySet({ apiKey: '  ' })).toBe(false);
		expect(keySet({ apiKey: SESAME })).toBe(true);
		expect(keySet({ extraHeaders: { header: [{ name: ' X-API-Key', value: SESAME }] } })).toBe(
			true,
		);
		expect(keySet({ extraHeaders: { header: [{ name: 'X-Proxy', value: SESAME }] } })).toBe(false);
	});

	it('is asked elsewhere, where its address is wrong, without its key', async () => {
		await sim();
		for (const target of [
			modelServerTarget({ baseUrl: 'http://elsewhere:1', apiKey: SESAME }),
			difyTarget({ baseUrl: 'http://elsewhere:1', apiKey: SESAME }),
		]) {
			const connection = target.connectElsewhere(server().url, {});
			await connection.call(`${connection.url.root}/health`, {});
			expect(JSON.stringify(server().requests.at(-1)!.headers)).not.toContain(SESAME);
			expect(connection.mask(`it was ${SESAME}`)).toBe('it was ***');
		}
	});
});
