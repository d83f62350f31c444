import type { ICredentialDataDecryptedObject, ICredentialType } from 'n8n-workflow';

import { DifyApi } from '../../credentials/DifyApi.credentials';
import { LocalLlamaApi } from '../../credentials/LocalLlamaApi.credentials';
import { testCredential } from '../support/credential-test';
import { startListening } from '../support/listen';
import type { Listening } from '../support/listen';
import * as http from 'node:http';

const CANARY = 'local-key-1234567890';

const requestedPaths: string[] = [];
const otherServer = http.createServer((request, response) => {
	requestedPaths.push(request.url ?? '');
	response.writeHead(200, { 'content-type': 'application/json' }).end('{"data":[]}');
});
let status = 307;
let location: string;
let listening: Listening[];
const server = http.createServer(
	(_request, response) => void response.writeHead(status, { location }).end(),
);

beforeAll(async () => {
	listening = [await startListening(server), await startListening(otherServer)];
	location = `${listening[1]!.url}/there`;
});
afterAll(async () => {
	for (const { close } of listening) await close();
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
		const message = await testCredential(type, { ...data, baseUrl: listening[0]!.url });
		expect(message).toMatch(/redirects.*Base URL/is);
	}
	expect(requestedPaths).toEqual([]);
});
