import { createHash } from 'node:crypto';
import type { ICredentialDataDecryptedObject } from 'n8n-workflow';
import { collectSecrets } from '../errors/mask';
import { getProxyHeaders } from '../http/dispatcher';
import type { ServerAddress } from '../http/types';
import { resolveOrThrow, resolveBaseUrl } from './base-url';
import { buildCredentialHeaders, getEgressFilter, readLocalLlamaCredential } from './credential';
import { getProfile } from './profile';
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
	const url: ServerAddress = resolveOrThrow(() => resolveBaseUrl(credential.baseUrl));
	const headers = buildCredentialHeaders(credential);
	const { ignoreSslIssues = false, maxConcurrentRequests = 0, serverType } = credential;
	const id = JSON.stringify([url.api, hashHeaders(headers), ignoreSslIssues]);
	const server: ModelServer = {
		url,
		id,
		getApiUrl: () => getProfile(server).getApiUrl(),
		headers,
		ignoreSslIssues,
		maxConcurrentRequests,
		getSlots: (model) => getProfile(server).getCachedSlots(model),
		egressFilter: getEgressFilter(helpers),
		secrets: collectSecrets({ ...headers, ...getProxyHeaders() }),
		errorContext: {
			getSuggestion: (errorType) =>
				getProfile(server).getCachedType()?.texts.suggestions?.[errorType],
		},
		n8nHelpers: helpers,
		configuredType: serverType,
	};
	return server;
}

function hashHeaders(headers: Record<string, string>): string {
	return createHash('sha256').update(JSON.stringify(headers)).digest('base64');
}
