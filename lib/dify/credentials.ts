import type { ICredentialDataDecryptedObject } from 'n8n-workflow';

import { addressOf, connectTo, type ServerSettings } from '../servers/connect';
import { credentialHeaders, egressFilterOf } from '../servers/credential';
import { resolveDifyBase } from './base-url';
import { DifyClient } from './client';

/** The data of a "Dify API" credential. */
interface DifyCredential {
	baseUrl: string;
	apiKey: string;
	keyType: 'app' | 'knowledge';
	ignoreSslIssues: boolean;
}

/** Reads the stored data. Fields that are missing or of another type count as not set. */
export function readDifyCredential(data: ICredentialDataDecryptedObject): DifyCredential {
	return {
		baseUrl: typeof data.baseUrl === 'string' ? data.baseUrl : '',
		apiKey: typeof data.apiKey === 'string' ? data.apiKey : '',
		keyType: data.keyType === 'knowledge' ? 'knowledge' : 'app',
		ignoreSslIssues: data.ignoreSslIssues === true,
	};
}

/** The headers of a credential. An empty key sends none, and Dify reports it as missing. */
export function difyHeaders({ baseUrl, apiKey }: DifyCredential): Record<string, string> {
	return credentialHeaders({ baseUrl, apiKey });
}

/**
 * Cheap routes that check the key and work for every app, published or not (`/v1/` checks no key). Both answer with a
 * page of a list, so that one field shows that it is Dify: n8n's rules for a test can check only one.
 */
export const KEY_TEST_PATHS = {
	app: '/apps/annotations?page=1&limit=1',
	knowledge: '/datasets?page=1&limit=1',
} as const;

/** The field of these pages that other programs' answers lack; a list of models has `data` too. */
export const KEY_TEST_FIELD = 'has_more';

/**
 * The client of a "Dify API" credential.
 *
 * @param helpers of the node's context, for n8n's egress filter
 * @param more settings that override the credential's
 * @throws {ServerError} of kind `invalidUrl` or `invalidInput`
 */
export function difyClient(
	data: ICredentialDataDecryptedObject,
	helpers?: object,
	more: Partial<ServerSettings> = {},
): DifyClient {
	const credential = readDifyCredential(data);
	const connection = connectTo({
		baseUrl: credential.baseUrl,
		headers: difyHeaders(credential),
		// Masked also where `more` sends no headers.
		keysElsewhere: difyHeaders(credential),
		ignoreSslIssues: credential.ignoreSslIssues,
		egressFilter: egressFilterOf(helpers),
		host: helpers,
		about: { service: 'dify' },
		...more,
	});
	const api = addressOf(() => resolveDifyBase(credential.baseUrl));
	return new DifyClient(connection, api);
}
