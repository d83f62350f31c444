import { createHash } from 'node:crypto';
import type { ICredentialDataDecryptedObject } from 'n8n-workflow';
import { secretsOf } from '../errors/mask';
import { proxyHeaders } from '../http/dispatcher';
import type { ServerAddress } from '../http/types';
import { addressOf, resolveBaseUrl, withLearnedRoot } from './base-url';
import { optional } from '../values';
import { credentialHeaders, egressFilterOf, readLocalLlamaCredential } from './credential';
import { KINDS, knownKind, knownSlots } from './types';
import type { ModelServer } from './types/server-type';

/**
 * The server of a "LocalLlama API" credential. Cheap: sockets, the queue and what is known are shared.
 *
 * @param helpers of the node's context, for n8n's egress filter
 * @throws {ServerError} of kind `invalidUrl` or `invalidInput`, before anything is sent
 */
export function serverOf(data: ICredentialDataDecryptedObject, helpers?: object): ModelServer {
	const credential = readLocalLlamaCredential(data);
	const address: ServerAddress = addressOf(() => resolveBaseUrl(credential.baseUrl));
	const headers = credentialHeaders(credential);
	const { ignoreSslIssues = false, maxConcurrentRequests = 0, serverType } = credential;
	const id = JSON.stringify([address.api, hashOf(headers), ignoreSslIssues]);
	const server: ModelServer = {
		url: withLearnedRoot(address, id),
		id,
		headers,
		ignoreSslIssues,
		maxConcurrentRequests,
		slots: (model) => knownSlots(server, model),
		egressFilter: egressFilterOf(helpers),
		secrets: secretsOf({ ...headers, ...proxyHeaders() }),
		facts: () => ({
			remedyFor: (failure) => {
				const kind = knownKind(server);
				return kind && KINDS[kind].words.remedies?.[failure];
			},
		}),
		host: helpers,
		...optional({ kindSet: serverType }),
	};
	return server;
}

function hashOf(headers: Record<string, string>): string {
	return createHash('sha256').update(JSON.stringify(headers)).digest('base64');
}
