/** The "Dify API" credential, and the client for it. */
import type { FunctionsBase, ICredentialDataDecryptedObject } from 'n8n-workflow';
import { resolveBaseUrl } from '../servers/base-url';
import { createEndpoint } from '../servers/endpoint';
import { buildCredentialHeaders } from '../servers/credential-headers';
import { asString } from '../values/records';
import { DifyClient } from './client';
import { toDifyResponseError } from './response-error';
import { createLocalError } from './create-error';

export type DifyKeyType = 'app' | 'knowledge';

export interface DifyCredential {
	/** As typed: not checked, possibly empty. */
	baseUrl: string;
	/** Possibly empty. */
	apiKey: string;
	keyType: DifyKeyType;
	ignoreSslIssues: boolean;
}

/** Reads the data of a "Dify API" credential. Fields that are missing or of another type count as not set. */
export function readDifyCredential(data: ICredentialDataDecryptedObject): DifyCredential {
	const keyType: DifyKeyType = data.keyType === 'knowledge' ? 'knowledge' : 'app';
	return {
		baseUrl: asString(data.baseUrl) ?? '',
		apiKey: asString(data.apiKey) ?? '',
		keyType,
		ignoreSslIssues: data.ignoreSslIssues === true,
	};
}

/**
 * Cheap routes that check the key and work for every app, published or not (`/v1/` checks no key). Both return a
 * page of a list, whose field identifies Dify: n8n's credential tests can check only one field.
 */
export const KEY_TEST_PATHS = {
	app: '/apps/annotations?page=1&limit=1',
	knowledge: '/datasets?page=1&limit=1',
} as const;

/** Field of these pages that responses of other programs lack; a list of models has `data` too. */
export const KEY_TEST_FIELD = 'has_more';

/**
 * The client of a "Dify API" credential.
 *
 * @param helpers of the node's context, for n8n's egress filter
 * @throws {ServerError} of type `invalidUrl` or `invalidInput`
 */
export function createDifyClient(
	data: ICredentialDataDecryptedObject,
	helpers?: object,
): DifyClient {
	const credential = readDifyCredential(data);
	const { baseUrl, ignoreSslIssues } = credential;
	// An empty key sends no header, and Dify reports it as missing.
	const headers = buildCredentialHeaders(credential);
	const url = { ...resolveBaseUrl(baseUrl), api: resolveDifyBaseUrl(baseUrl) };
	return new DifyClient({
		...createEndpoint({ url, headers, ignoreSslIssues, helpers }),
		maxConcurrentRequests: 0,
		getSlots: () => undefined,
		toResponseError: toDifyResponseError,
		errorContext: { service: 'dify' },
	});
}

/** A type of key, for errors. */
interface KeyTypeTexts {
	/** How Dify's keys begin. Gateways may have other keys. */
	prefix: string;
	name: string;
	/** What to do if the credential has another key. */
	suggestion: string;
}

const KEY_TYPES: Record<DifyKeyType, KeyTypeTexts> = {
	app: {
		prefix: 'app-',
		name: 'an app key',
		suggestion:
			'Select a credential with the key of the app ("app-…"), from API Access of the app in Dify.',
	},
	knowledge: {
		prefix: 'dataset-',
		name: 'a knowledge key',
		suggestion:
			'Select a credential with a knowledge key ("dataset-…"), from Knowledge, Service API in Dify.',
	},
};

/**
 * The client of an item's credential.
 *
 * @param keyType that the node supports
 * @throws {ServerError} also if the prefix of the key shows the other type
 */
export async function openDifyClient(
	context: Pick<FunctionsBase, 'getCredentials'> & { helpers: object },
	keyType: DifyKeyType,
	itemIndex?: number,
): Promise<DifyClient> {
	const client = createDifyClient(
		await context.getCredentials('difyApi', itemIndex),
		context.helpers,
	);
	const other = KEY_TYPES[keyType === 'app' ? 'knowledge' : 'app'];
	const { authorization } = client.endpoint.headers;
	if (authorization?.startsWith(`Bearer ${other.prefix}`) !== true) return client;
	const expected = KEY_TYPES[keyType];
	throw createLocalError('unauthorized', {
		title: `The credential has ${other.name}, and this node requires ${expected.name}`,
		suggestion: expected.suggestion,
	});
}

/**
 * Base URL of Dify's Service API: the input up to the first `/v1`, which is added to a bare origin only, to keep the
 * prefix of a reverse proxy (docs/protocols/dify.md 1.1). No trailing slash: Dify does not support `//chat-messages`.
 *
 * @throws {ServerError} of type `invalidUrl` that names the invalid part
 */
export function resolveDifyBaseUrl(text: string): string {
	const { origin, root, api } = resolveBaseUrl(text);
	const path = /^.*?\/v1(?=\/|$)/.exec(api.slice(origin.length))?.[0];
	const isPrefixOnly = root !== origin && !/\/v1(?:\/|\s*$)/i.test(text);
	return path === undefined || isPrefixOnly ? root : origin + path;
}
