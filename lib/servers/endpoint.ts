/** The endpoint and the model server of a credential. */
import type { ICredentialDataDecryptedObject } from 'n8n-workflow';
import type { EgressFilter, ServerAddress } from '../http/types';
import type { ModelServer } from './types/server-type';
import { resolveBaseUrl } from './base-url';
import { createHash } from 'node:crypto';
import { collectSecrets } from '../errors/secrets';
import { getProxyHeaders } from '../http/dispatcher';
import type { NodeHost } from './execution-memory';
import { openMemory } from './execution-memory';
import { getProfile } from './profile';
import { buildCredentialHeaders } from './credential-headers';
import { hasNativeApi } from './types';
import { lacksHeaders, readLocalLlamaCredential } from './credential';
import { createInputError } from '../errors/create-error';

/**
 * The server of a "LocalLlama API" credential.
 *
 * @param host - The context of the node: what its execution learns is kept with its ID.
 * @throws a `ServerError` of type `invalidUrl` or `invalidInput`, before anything is sent.
 */
export function createModelServer(
	data: ICredentialDataDecryptedObject,
	host: NodeHost,
): ModelServer {
	if (lacksHeaders(data))
		throw createInputError(
			'An expression in Extra Headers of the credential could not be resolved here',
			'Use fixed values: this node has no workflow data for the credential.',
		);
	const credential = readLocalLlamaCredential(data);
	const { ignoreSslIssues, maxConcurrentRequests, serverType } = credential;
	const typedUrl = resolveBaseUrl(credential.baseUrl, hasNativeApi(serverType));
	const headers = buildCredentialHeaders(credential);
	const { helpers } = host;
	const getMemory = openMemory(host);
	const server: ModelServer = {
		...createEndpoint({ url: typedUrl, headers, ignoreSslIssues, helpers }),
		/** Of Ollama, if its native API was typed. */
		get url() {
			return getProfile(server).getAddress(typedUrl);
		},
		get memory() {
			return getMemory();
		},
		configuredType: serverType,
		getApiUrl: () => getProfile(server).getApiUrl(),
		maxConcurrentRequests,
		getSlots: (model) => getProfile(server).getCachedSlots(model),
		errorContext: {
			getServerFacts: (model) => {
				const serverType = getProfile(server).getCachedType();
				const isCloudModel = serverType?.isCloudModel?.(model) === true;
				return { serverType: serverType?.name, isCloudModel: isCloudModel || undefined };
			},
		},
	};
	return server;
}

/** What a credential says about its server. */
export interface EndpointData {
	url: ServerAddress;
	/** The key and the user's extra headers, by lower-case names. */
	headers: Record<string, string>;
	ignoreSslIssues: boolean;
	/** Those of the node's context, for n8n's egress filter. */
	helpers?: object;
}

/** What every server of a credential has. */
export interface CredentialEndpoint extends Pick<
	ModelServer,
	'url' | 'id' | 'ignoreSslIssues' | 'egressFilter' | 'n8nHelpers'
> {
	headers: Record<string, string>;
	secrets: string[];
}

/** Cheap: sockets, queue and caches are shared by all endpoints with the same ID. */
export function createEndpoint({
	url,
	headers,
	ignoreSslIssues,
	helpers,
}: EndpointData): CredentialEndpoint {
	const key = createHash('sha256').update(JSON.stringify(headers)).digest('base64');
	// n8n before 2.30 has no egress filter.
	const host = helpers as { getSecureEgressFilter?(): EgressFilter | null } | undefined;
	return {
		url,
		id: JSON.stringify([url.api, key, ignoreSslIssues]),
		headers,
		ignoreSslIssues,
		egressFilter: host?.getSecureEgressFilter?.() ?? undefined,
		secrets: collectSecrets({ ...headers, ...getProxyHeaders() }),
		n8nHelpers: helpers,
	};
}
