import type { FunctionsBase, ICredentialDataDecryptedObject } from 'n8n-workflow';

import { resolveDifyBase } from '../../../lib/dify/base-url';
import { difyHeaders, readDifyCredential } from '../../../lib/dify/credentials';
import { describeDifyFailure } from '../../../lib/dify/errors/classify';
import { failure } from '../../../lib/errors/failure';
import { secretsOf } from '../../../lib/errors/mask';
import type { Target } from '../../../lib/health/check';
import type { DifyServer } from '../../../lib/health/dify';
import { proxyHeaders } from '../../../lib/http/proxy-secrets';
import { resolveBaseUrl } from '../../../lib/servers/base-url';
import { addressOf } from '../../../lib/servers/connect';
import { egressFilterOf } from '../../../lib/servers/credential';
import { serverOf } from '../../../lib/servers/server';

/** The target of an item's credential. A polling node has no items: index 0. */
export async function targetOf(
	context: Pick<FunctionsBase, 'getCredentials'> & { helpers: object },
	service: Target['service'],
	itemIndex: number,
): Promise<Target> {
	return service === 'dify'
		? difyTarget(await context.getCredentials('difyApi', itemIndex), context.helpers)
		: modelServerTarget(await context.getCredentials('localLlamaApi', itemIndex), context.helpers);
}

export function modelServerTarget(data: ICredentialDataDecryptedObject, helpers?: object): Target {
	return { service: 'modelServer', open: () => serverOf(data, helpers) };
}

export function difyTarget(data: ICredentialDataDecryptedObject, helpers?: object): Target {
	return { service: 'dify', open: () => difyServer(data, helpers) };
}

/** @throws {ServerError} of kind `invalidUrl` or `invalidInput` */
function difyServer(data: ICredentialDataDecryptedObject, helpers?: object): DifyServer {
	const credential = readDifyCredential(data);
	const { ignoreSslIssues, keyType } = credential;
	const base = addressOf(() => resolveDifyBase(credential.baseUrl));
	const url = { ...resolveBaseUrl(credential.baseUrl), root: base, api: base };
	const headers = difyHeaders(credential);
	return {
		keyType,
		url,
		id: `health ${base}`,
		headers,
		ignoreSslIssues,
		maxConcurrentRequests: 0,
		slots: () => undefined,
		egressFilter: egressFilterOf(helpers),
		secrets: secretsOf({ ...headers, ...proxyHeaders() }),
		facts: () => ({ service: 'dify' }),
		refuse: ({ status, text, headers: answered }, context) => {
			const refused = describeDifyFailure({
				status,
				body: text,
				secrets: context.secrets,
				contentType: answered['content-type'],
				challenge: answered['www-authenticate'],
			});
			const { kind, code, serverText } = refused;
			const about = { status: refused.status, keyMissing: Object.keys(headers).length === 0 };
			return failure(kind, context, { status: refused.status, code, serverText, about });
		},
	};
}
