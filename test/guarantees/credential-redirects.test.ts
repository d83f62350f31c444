/** n8n's test of a credential sends the key to the Base URL alone. */
import type { ICredentialDataDecryptedObject, ICredentialType } from 'n8n-workflow';

import { DifyApi } from '../../credentials/DifyApi.credentials';
import { LocalLlamaApi } from '../../credentials/LocalLlamaApi.credentials';
import { testCredential } from '../support/n8n/credential-test';
import { json, startScripted } from '../support/servers/scripted-server';
import type { ScriptedServer } from '../support/servers/scripted-server';

const CANARY = 'local-key-1234567890';

let status = 307;
let server: ScriptedServer;
let otherServer: ScriptedServer;

beforeAll(async () => {
	otherServer = await startScripted(json({ data: [] }));
	const location = `${otherServer.url}/there`;
	server = await startScripted((_request, response) =>
		response.writeHead(status, { location }).end(),
	);
});
afterAll(async () => {
	await server.close();
	await otherServer.close();
});

const header = [{ name: 'X-Proxy-Token', value: CANARY }];
const CREDENTIALS: Array<
	[name: string, type: ICredentialType, data: ICredentialDataDecryptedObject]
> = [
	['LocalLlama API', new LocalLlamaApi(), { apiKey: CANARY, extraHeaders: { header } }],
	[
		'LocalLlama API with x-api-key',
		new LocalLlamaApi(),
		{ apiKey: CANARY, authentication: 'xApiKey' },
	],
	['Dify API', new DifyApi(), { apiKey: `app-${CANARY}`, keyType: 'app' }],
];

test.each(CREDENTIALS)('the test of %s does not follow redirects', async (_name, type, data) => {
	for (status of [301, 302, 303, 307, 308]) {
		const message = await testCredential(type, { ...data, baseUrl: server.url });
		expect(message).toMatch(/redirects.*Base URL/is);
	}
	expect(otherServer.requests).toEqual([]);
});
