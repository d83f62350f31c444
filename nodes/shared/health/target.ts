import type { FunctionsBase, ICredentialDataDecryptedObject } from 'n8n-workflow';

import { difyHeaders, readDifyCredential } from '../../../lib/dify/credentials';
import type { Target } from '../../../lib/health/probes/observe';
import { connectTo } from '../../../lib/servers/connect';
import {
	credentialHeaders,
	egressFilterOf,
	localLlamaConnection,
	readLocalLlamaCredential,
} from '../../../lib/servers/credential';

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
	const credential = readLocalLlamaCredential(data);
	const { apiKey = '', extraHeaders, ignoreSslIssues, maxConcurrentRequests = 0 } = credential;
	const hasOwnHeader = (extraHeaders?.header ?? []).some(({ name }) =>
		/^(?:authorization|x-api-key)$/i.test(name?.trim() ?? ''),
	);
	return {
		service: 'modelServer',
		connect: (more) => localLlamaConnection(data, helpers, more),
		connectElsewhere: (baseUrl, more) =>
			connectTo({
				baseUrl,
				keysElsewhere: credentialHeaders(credential),
				ignoreSslIssues,
				egressFilter: egressFilterOf(helpers),
				...more,
			}),
		keySet: apiKey.trim() !== '' || hasOwnHeader,
		authentication: credential.authentication === 'xApiKey' ? 'xApiKey' : 'bearer',
		maxConcurrentRequests,
	};
}

export function difyTarget(data: ICredentialDataDecryptedObject, helpers?: object): Target {
	const credential = readDifyCredential(data);
	const { baseUrl, apiKey, keyType, ignoreSslIssues } = credential;
	const network = {
		ignoreSslIssues,
		egressFilter: egressFilterOf(helpers),
		about: { service: 'dify' as const },
	};
	return {
		service: 'dify',
		connect: (more) =>
			connectTo({ baseUrl, headers: difyHeaders(credential), ...network, ...more }),
		connectElsewhere: (elsewhere, more) =>
			connectTo({
				baseUrl: elsewhere,
				keysElsewhere: difyHeaders(credential),
				...network,
				...more,
			}),
		keySet: apiKey.trim() !== '',
		authentication: 'bearer',
		maxConcurrentRequests: 0,
		keyType,
	};
}
