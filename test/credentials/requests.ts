/** What a request gets from a credential, and the rules of its test, as tables show them. */
import type {
	ICredentialDataDecryptedObject,
	ICredentialType,
	IHttpRequestOptions,
} from 'n8n-workflow';

import type { ApprovedRow } from '../support/approved/approved-table';
import { awaitOutcome } from '../support/approved/outcome';

/** Each rule of the test of a credential, in their order. */
export function listRules({
	test: { request, rules = [] } = { request: {} },
}: ICredentialType): ApprovedRow[] {
	return [
		{ input: 'request', outcome: request },
		...rules.map((rule, at) => ({ input: `rule ${at + 1}`, outcome: rule })),
	];
}

/** The request of the test with each credential, and other requests with the first one. */
export async function listRequests(
	type: ICredentialType,
	credentials: readonly object[],
): Promise<ApprovedRow[]> {
	const rows: ApprovedRow[] = [];
	for (const data of credentials)
		rows.push({ input: JSON.stringify(data), outcome: await describeRequest(type, data) });
	const [first] = credentials;
	for (const url of ['http://elsewhere/x', 'http://dify/v1/info', 'http://server:9931/v1/models'])
		rows.push({
			input: `${JSON.stringify(first)} for ${url}`,
			outcome: await describeRequest(type, first!, {
				baseURL: undefined,
				url,
				headers: { Accept: 'a/b' },
			}),
		});
	return rows;
}

/** n8n evaluates the expression of the Base URL before. */
async function describeRequest(
	{ authenticate, test: { request } = { request: {} } }: ICredentialType,
	data: object,
	options: object = { baseURL: (data as ICredentialDataDecryptedObject).baseUrl },
): Promise<string> {
	const authenticated = await awaitOutcome(
		async () =>
			await (
				authenticate as (
					data: ICredentialDataDecryptedObject,
					request: IHttpRequestOptions,
				) => Promise<IHttpRequestOptions>
			)(data as ICredentialDataDecryptedObject, { ...request, ...options } as IHttpRequestOptions),
	);
	return typeof authenticated === 'string' ? authenticated : JSON.stringify(authenticated);
}
