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
 * The server of a "LocalLlama API" credential.
 *
 * @param helpers of the node's context
 * @throws {ServerError} of type `invalidUrl` or `invalidInput`, before anything is sent
 */
export function createModelServer(
	data: ICredentialDataDecryptedObject,
	helpers?: object,
): ModelServer {
	const credential = readLocalLlamaCredential(data);
	const url = resolveOrThrow(() => resolveBaseUrl(credential.baseUrl));
	const headers = buildCredentialHeaders(credential);
	const { ignoreSslIssues = false, maxConcurrentRequests = 0, serverType } = credential;
	const server: ModelServer = {
		...createEndpoint(url, headers, ignoreSslIssues, helpers),
		configuredType: serverType,
		getApiUrl: () => getProfile(server).getApiUrl(),
		maxConcurrentRequests,
		getSlots: (model) => getProfile(server).getCachedSlots(model),
		errorContext: {
			getSuggestion: (errorType, model) => {
				const texts = getProfile(server).getCachedType()?.texts;
				return texts?.getModelSuggestion?.(errorType, model) ?? texts?.suggestions?.[errorType];
			},
		},
	};
	return server;
}

/**
 * What every server of a credential has. Cheap: sockets, queue and caches are shared.
 *
 * @param helpers of the node's context, for n8n's egress filter
 */
export function createEndpoint(
	url: ServerAddress,
	headers: Record<string, string>,
	ignoreSslIssues: boolean,
	helpers?: object,
) {
	const key = createHash('sha256').update(JSON.stringify(headers)).digest('base64');
	return {
		url,
		id: JSON.stringify([url.api, key, ignoreSslIssues]),
		headers,
		ignoreSslIssues,
		egressFilter: getEgressFilter(helpers),
		secrets: collectSecrets({ ...headers, ...getProxyHeaders() }),
		n8nHelpers: helpers,
	};
}
