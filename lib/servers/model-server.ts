import { createHash } from 'node:crypto';
import type { ICredentialDataDecryptedObject } from 'n8n-workflow';
import { collectSecrets } from '../errors/mask';
import { getProxyHeaders } from '../http/dispatcher';
import type { ServerAddress } from '../http/types';
import { resolveOrThrow, resolveBaseUrl, withCachedApiRoot } from './base-url';
import { omitUndefined } from '../values';
import { buildCredentialHeaders, getEgressFilter, readLocalLlamaCredential } from './credential';
import { SERVER_TYPES, getCachedTypeName, getCachedSlots } from './types';
import type { ModelServer } from './types/server-type';

/**
 * The server of a "LocalLlama API" credential. Cheap: sockets, queue and caches are shared.
 *
 * @param helpers of the node's context, for n8n's egress filter
 * @throws {ServerError} of type `invalidUrl` or `invalidInput`, before anything is sent
 */
export function createModelServer(
	data: ICredentialDataDecryptedObject,
	helpers?: object,
): ModelServer {
	const credential = readLocalLlamaCredential(data);
	const address: ServerAddress = resolveOrThrow(() => resolveBaseUrl(credential.baseUrl));
	const headers = buildCredentialHeaders(credential);
	const { ignoreSslIssues = false, maxConcurrentRequests = 0, serverType } = credential;
	const id = JSON.stringify([address.api, hashHeaders(headers), ignoreSslIssues]);
	const server: ModelServer = {
		url: withCachedApiRoot(address, id),
		id,
		headers,
		ignoreSslIssues,
		maxConcurrentRequests,
		getSlots: (model) => getCachedSlots(server, model),
		egressFilter: getEgressFilter(helpers),
		secrets: collectSecrets({ ...headers, ...getProxyHeaders() }),
		getErrorContext: () => ({
			getSuggestion: (errorType) => {
				const typeName = getCachedTypeName(server);
				return typeName && SERVER_TYPES[typeName].texts.suggestions?.[errorType];
			},
		}),
		n8nHelpers: helpers,
		...omitUndefined({ configuredType: serverType }),
	};
	return server;
}

function hashHeaders(headers: Record<string, string>): string {
	return createHash('sha256').update(JSON.stringify(headers)).digest('base64');
}
