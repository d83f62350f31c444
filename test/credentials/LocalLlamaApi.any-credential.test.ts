/** What a request gets from each credential, and what each response to its test means. */
import { LocalLlamaApi } from '../../credentials/LocalLlamaApi.credentials';
import { expectApproved } from '../support/approved/approved-table';
import { combine } from '../support/approved/outcome';
import { listRequests, listRules } from './requests';
import path from 'node:path';

const TYPE = new LocalLlamaApi();
const HEADERS = { header: [{ name: 'X-Tenant', value: 'a' }] };
const CREDENTIALS = combine({
	baseUrl: [
		'http://server:9931',
		'http://server/v1/',
		'https://server/api/v1/chat/completions',
		'http://server:11434/api',
		'http://server/api',
	],
	authentication: ['bearer', 'xApiKey', 'basic', 'none', undefined],
	serverType: ['auto', 'ollama', 'other'],
}).map((fields) => ({ ...fields, apiKey: 'the-key', user: 'u', password: 'p' }));
const FURTHER: readonly object[] = [
	{ baseUrl: 'http://server', apiKey: '' },
	{ baseUrl: 'http://server', apiKey: ' the-key\n', extraHeaders: HEADERS },
	{ baseUrl: 'http://server', extraHeaders: { header: [{ name: 'Host', value: 'x' }] } },
	{ baseUrl: 'http://server', authentication: 'basic', user: 'u', password: '' },
	{ baseUrl: 'http://server', authentication: 'basic', user: '', password: 'p' },
	{ baseUrl: 'http://server', authentication: 'basic', user: 'a:b', password: 'p' },
	{ baseUrl: 'http://server', ignoreSslIssues: true },
	{ baseUrl: 'server' },
	{ baseUrl: '' },
];

test('each rule of the test', () => {
	expectApproved(
		path.join(__dirname, 'LocalLlamaApi.any-credential.rules.approved.txt'),
		listRules(TYPE),
		'The test of a credential calls a working server healthy, and nothing else',
	);
});

test('each credential, in its test and in another request', async () => {
	const rows = await listRequests(TYPE, [...CREDENTIALS, ...FURTHER]);
	expectApproved(
		path.join(__dirname, 'LocalLlamaApi.any-credential.requests.approved.txt'),
		rows,
		'Keys and headers go to their own server only, as the credential says',
	);
});
