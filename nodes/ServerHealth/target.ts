import type { ICredentialDataDecryptedObject, IExecuteFunctions } from 'n8n-workflow';

import { difyHeaders, readDifyCredential } from '../../lib/dify/credentials';
import type { Target } from '../../lib/health/probes';
import { connectTo } from '../../lib/servers/connect';
import { egressFilterOf, localLlamaConnection, readLocalLlamaCredential } from '../../lib/servers/credential';

/** How to reach the server that the credential of an item names. */
export async function targetOf(
	context: IExecuteFunctions,
	service: Target['service'],
	itemIndex: number,
): Promise<Target> {
	return service === 'dify'
		? difyTarget(await context.getCredentials('difyApi', itemIndex), context.helpers)
		: modelServerTarget(await context.getCredentials('localLlamaApi', itemIndex), context.helpers);
}

export function modelServerTarget(data: ICredentialDataDecryptedObject, helpers?: object): Target {
	const {
		apiKey = '',
		authentication = 'bearer',
		extraHeaders,
		ignoreSslIssues,
		maxConcurrentRequests = 0,
	} = readLocalLlamaCredential(data);
	const hasOwnHeader = (extraHeaders?.header ?? []).some(({ name }) =>
		/^(?:authorization|x-api-key)$/i.test(name?.trim() ?? ''),
	);
	return {
		service: 'modelServer',
		connect: (more) => localLlamaConnection(data, helpers, more),
		connectElsewhere: (baseUrl, more) =>
			connectTo({ baseUrl, ignoreSslIssues, egressFilter: egressFilterOf(helpers), ...more }),
		keySet: apiKey.trim() !== '' || hasOwnHeader,
		authentication,
		maxConcurrentRequests,
	};
}

export function difyTarget(data: ICredentialDataDecryptedObject, helpers?: object): Target {
	const credential = readDifyCredential(data);
	const { baseUrl, apiKey, keyType, ignoreSslIssues } = credential;
	const network = { ignoreSslIssues, egressFilter: egressFilterOf(helpers), about: { service: 'dify' as const } };
	return {
		service: 'dify',
		connect: (more) => connectTo({ baseUrl, headers: difyHeaders(credential), ...network, ...more }),
		connectElsewhere: (elsewhere, more) => connectTo({ baseUrl: elsewhere, ...network, ...more }),
		keySet: apiKey.trim() !== '',
		authentication: 'bearer',
		maxConcurrentRequests: 0,
		keyType,
	};
}
