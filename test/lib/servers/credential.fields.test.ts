/** Credentials with each field: the headers, the URLs, the secrets and the limits of their server, or the error. */
import path from 'node:path';
import {
	isSameForEachItem,
	lacksHeaders,
	withResolvedHeaders,
} from '../../../lib/servers/credential';
import { authenticateRequest } from '../../../lib/servers/authenticate-request';
import { createModelServer } from '../../../lib/servers/endpoint';
import { omitUndefined } from '../../../lib/values/records';
import { expectApproved } from '../../support/approved/approved-table';
import { describeError } from '../../support/approved/outcome';
import { NO_EXECUTION } from '../../support/n8n/node-host';

const header = (...rows: Array<readonly [name: unknown, value: unknown]>) => ({
	header: rows.map(([name, value]) => ({ name, value })),
});

const KEY = ['sk', '9f8e7d6c5b4a3210'].join('-');

const CREDENTIALS: ReadonlyArray<Record<string, unknown>> = [
	{},
	{ apiKey: KEY },
	{ apiKey: ` Bearer ${KEY}\n` },
	{ apiKey: `Authorization: Bearer ${KEY}` },
	{ apiKey: 'Bearer' },
	{ apiKey: 123_456 },
	{ apiKey: 'schlüssel€' },
	{ apiKey: KEY, authentication: 'xApiKey' },
	{ apiKey: KEY, authentication: 'none' },
	{ apiKey: KEY, authentication: 'unknown' },
	{ authentication: 'basic', user: ' me ', password: ' pass ' },
	{ authentication: 'basic', user: 'me' },
	{ authentication: 'basic', password: 'pass' },
	{ authentication: 'basic' },
	{ authentication: 'basic', user: 'a:b', password: 'c' },
	{ apiKey: KEY, extraHeaders: header(['X-One', 'first value'], ['x-two', 'b']) },
	{ apiKey: KEY, extraHeaders: header(['Authorization', 'Own scheme']) },
	{ authentication: 'basic', user: 'me', extraHeaders: header(['Authorization', 'Own scheme']) },
	{ extraHeaders: header(['', ''], ['X-A', '1']) },
	{ extraHeaders: header(['X-A:', '1']) },
	{ extraHeaders: header(['X-A', '1'], ['Host', 'b']) },
	{ extraHeaders: header(['X-A', 'a\r\nX-B: c']) },
	{ extraHeaders: header(['', 'value']) },
	{ extraHeaders: header(['X-A', undefined]) },
	{ extraHeaders: header(['__proto__', 'a']) },
	{ maxConcurrentRequests: 3 },
	{ maxConcurrentRequests: '2.9' },
	{ maxConcurrentRequests: -1 },
	{ maxConcurrentRequests: 'many' },
	{ ignoreSslIssues: true },
	{ ignoreSslIssues: 'true' },
	{ serverType: 'ollama' },
	{ serverType: 'unknown' },
	{ serverType: 'ollama', ignoreSslIssues: false, maxConcurrentRequests: 0 },
];

const describeServer = (data: Record<string, unknown>): unknown => {
	try {
		const server = createModelServer(
			{ baseUrl: 'http://gpu:8080', ...data } as never,
			NO_EXECUTION,
		);
		const { headers, secrets, maxConcurrentRequests, configuredType, ignoreSslIssues, url } =
			server;
		return omitUndefined({
			headers,
			secrets: secrets.filter((secret) => !Object.values(headers).includes(secret)),
			limit: maxConcurrentRequests || undefined,
			type: configuredType,
			ignoresSsl: ignoreSslIssues || undefined,
			api: url.api === 'http://gpu:8080/v1' ? undefined : url.api,
		});
	} catch (error) {
		return describeError(error);
	}
};

const REQUESTS: ReadonlyArray<Record<string, unknown>> = [
	{ url: 'http://gpu:8080/v1/models' },
	{ url: '/v1/models', baseURL: 'http://gpu:8080' },
	{ url: '/test', baseURL: 'http://gpu:8080' },
	{ uri: 'http://gpu:8080/v1' },
	{ url: 'http://gpu:8080/v1', uri: 'http://other/v1' },
	{ url: 'http://other:8080/v1' },
	{ url: 'https://gpu:8080/v1' },
	{ url: 'http://gpu:8080/v1', proxy: { host: 'proxy', port: 1 } },
	{
		url: 'http://gpu:8080/v1',
		headers: { 'x-a': '1', authorization: 'mine' },
		followRedirect: true,
	},
];

test('each credential has its server', () => {
	const servers = CREDENTIALS.map((data) => ({
		input: JSON.stringify(data),
		outcome: describeServer(data),
	}));
	const editor = CREDENTIALS.filter(
		({ extraHeaders, serverType }) => extraHeaders ?? serverType,
	).map((data) => ({
		input: `${JSON.stringify(data)} in the editor`,
		outcome: {
			lacksHeaders: lacksHeaders(data as never),
			resolved:
				withResolvedHeaders(data as never) === data
					? 'as it is'
					: withResolvedHeaders(data as never),
			isSame: isSameForEachItem({ ...data, sameForEachItem: true } as never),
		},
	}));
	const requests = REQUESTS.map((request) => {
		const credential = { baseUrl: 'http://gpu:8080', apiKey: KEY, ignoreSslIssues: true };
		const test = { path: '/test', url: 'http://gpu:8080/v1/models', baseURL: undefined };
		let outcome: unknown;
		try {
			outcome = authenticateRequest(request as never, credential, test as never);
		} catch (error) {
			outcome = describeError(error);
		}
		return { input: `request ${JSON.stringify(request)}`, outcome };
	});
	const rows = [...servers, ...editor, ...requests].map(({ input, outcome }) => ({
		input: input.replaceAll(KEY, 'KEY'),
		outcome: JSON.stringify(outcome).replaceAll(KEY, 'KEY'),
	}));
	expectApproved(
		path.join(__dirname, 'credential.fields.approved.txt'),
		rows,
		'A credential has its server, or names its field',
	);
});
