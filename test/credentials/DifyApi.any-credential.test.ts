/** What a request gets from each credential, and what each response to its test means. */
import { DifyApi } from '../../credentials/DifyApi.credentials';
import { expectApproved } from '../support/approved/approved-table';
import { combine } from '../support/approved/outcome';
import { listRequests, listRules } from './requests';
import path from 'node:path';

const TYPE = new DifyApi();
const CREDENTIALS: readonly object[] = [
	...combine({
		baseUrl: ['http://dify', 'http://dify/v1/', 'https://dify/v1/chat-messages'],
		keyType: ['app', 'knowledge', undefined],
		apiKey: ['app-1', 'dataset-1'],
	}),
	{ baseUrl: 'http://dify', apiKey: ' app-1\n', ignoreSslIssues: true },
	{ baseUrl: 'http://dify', apiKey: '' },
	{ baseUrl: 'dify', apiKey: 'app-1' },
];

test('each rule of the test', () => {
	expectApproved(
		path.join(__dirname, 'DifyApi.any-credential.rules.approved.txt'),
		listRules(TYPE),
		'The test of a credential calls a working Dify healthy, and nothing else',
	);
});

test('each credential, in its test and in another request', async () => {
	const rows = await listRequests(TYPE, CREDENTIALS);
	expectApproved(
		path.join(__dirname, 'DifyApi.any-credential.requests.approved.txt'),
		rows,
		'A key goes to its own Dify only, in its header only',
	);
});
