import type { FunctionsBase, ICredentialDataDecryptedObject } from 'n8n-workflow';

import { difyHeaders, readDifyCredential } from '../../../lib/dify/credentials';
import type { Target } from '../../../lib/health/probes/observe';
import { connectTo } from '../../../lib/servers/connect';
import {
	connectionOf,
	type CredentialServer,
	egressFilterOf,
	readLocalLlamaCredential,
	secretHeadersOf,
	serversOf,
} from '../../../lib/servers/credential';
import { optional } from '../../../lib/values';

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

/** The server of the Base URL, with the credential's further servers. */
export function modelServerTarget(data: ICredentialDataDecryptedObject, helpers?: object): Target {
	const servers = serversOf(readLocalLlamaCredential(data)).map((server) =>
		targetFor(server, helpers),
	);
	const [first, ...further] = servers as [Target];
	return further.length === 0 ? first : { ...first, further };
}

function targetFor(server: CredentialServer, helpers: object | undefined): Target {
	const {
		apiKey = '',
		extraHeaders,
		ignoreSslIssues,
		maxConcurrentRequests = 0,
		modelNamed,
	} = server;
	const hasOwnHeader = (extraHeaders?.header ?? []).some(({ name }) =>
		/^(?:authorization|x-api-key)$/i.test(name?.trim() ?? ''),
	);
	return {
		service: 'modelServer',
		connect: (more) => connectionOf(server, helpers, more),
		connectElsewhere: (baseUrl, more) =>
			connectTo({
				baseUrl,
				keysElsewhere: secretHeadersOf(server),
				ignoreSslIssues,
				egressFilter: egressFilterOf(helpers),
				...more,
			}),
		keySet: apiKey.trim() !== '' || hasOwnHeader,
		authentication: server.authentication ?? 'bearer',
		maxConcurrentRequests,
		...optional({ modelNamed }),
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
