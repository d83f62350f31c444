import type { ICredentialDataDecryptedObject } from 'n8n-workflow';

import type { Connection } from '../http/connection';
import type { EgressFilter } from '../http/types';
import { connectTo, type ServerSettings } from './connect';
import { failure } from '../errors/failure';
import { isRecord } from '../values';

/** The data of a "LocalLlama API" credential. */
export interface LocalLlamaCredential {
	baseUrl: string;
	apiKey?: string;
	authentication?: 'bearer' | 'xApiKey';
	extraHeaders?: { header?: Array<{ name?: string; value?: string }> };
	ignoreSslIssues?: boolean;
	maxConcurrentRequests?: number;
}

/** Reads the stored data; whatever is missing or of another type counts as not set. */
export function readLocalLlamaCredential(data: ICredentialDataDecryptedObject): LocalLlamaCredential {
	const headers =
		isRecord(data.extraHeaders) && Array.isArray(data.extraHeaders.header)
			? (data.extraHeaders.header as unknown[]).filter(isRecord)
			: [];
	return {
		baseUrl: typeof data.baseUrl === 'string' ? data.baseUrl : '',
		// An expression makes a number of a key such as 123456.
		apiKey: typeof data.apiKey === 'string' || typeof data.apiKey === 'number' ? String(data.apiKey) : '',
		authentication: data.authentication === 'xApiKey' ? 'xApiKey' : 'bearer',
		extraHeaders: {
			header: headers.map(({ name, value }) => ({ name: String(name ?? ''), value: String(value ?? '') })),
		},
		ignoreSslIssues: data.ignoreSslIssues === true,
		maxConcurrentRequests: countOf(data.maxConcurrentRequests),
	};
}

/** Expressions give numbers as text. */
function countOf(value: unknown): number {
	const count = typeof value === 'number' || typeof value === 'string' ? Math.floor(Number(value)) : 0;
	return Number.isFinite(count) ? Math.max(0, count) : 0;
}

/** RFC 9110: a token, and visible ASCII with blanks inside. */
const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9a-z-]+$/i;
const HEADER_VALUE = /^[\t\x20-\x7E\x80-\xFF]*$/;

/** Headers that the HTTP client sets itself. */
const RESERVED = new Set([
	'connection',
	'content-length',
	'content-type',
	'expect',
	'host',
	'keep-alive',
	// Belongs into HTTP_PROXY: undici refuses it among the headers of a request.
	'proxy-authorization',
	'te',
	'trailer',
	'transfer-encoding',
	'upgrade',
]);

/**
 * The headers a credential stands for. An empty key sends none.
 *
 * @throws {ServerError} of kind `invalidInput` naming the header, never its value
 */
export function credentialHeaders({
	apiKey = '',
	authentication,
	extraHeaders,
}: LocalLlamaCredential): Record<string, string> {
	const headers: Record<string, string> = {};
	// People paste the key with its scheme, and with the line end of the file it came from.
	const key = apiKey.trim().replace(/^(?:Authorization:\s*)?Bearer(?:\s+|$)/i, '');
	if (key !== '') {
		if (!HEADER_VALUE.test(key)) throw invalid('The API Key contains characters that cannot be sent in a header');
		if (authentication === 'xApiKey') headers['x-api-key'] = key;
		else headers.authorization = `Bearer ${key}`;
	}
	for (const [index, { name = '', value = '' }] of (extraHeaders?.header ?? []).entries()) {
		const trimmed = name.trim().toLowerCase();
		if (trimmed === '' && value.trim() === '') continue;
		// Not shown: a whole line "Authorization: Bearer KEY" is easily pasted into the name.
		if (!HEADER_NAME.test(trimmed))
			throw invalid(
				`The name of extra header ${index + 1} is not valid: letters, digits and hyphens, without the colon`,
			);
		if (RESERVED.has(trimmed))
			throw invalid(`The extra header "${trimmed}" cannot be set: the HTTP client sets it itself`);
		if (!HEADER_VALUE.test(value.trim()))
			throw invalid(`The value of extra header ${index + 1} contains characters that cannot be sent`);
		headers[trimmed] = value.trim();
	}
	return headers;
}

function invalid(message: string) {
	return failure('invalidInput', {}, { message, remedy: 'Open the credential and correct it.' });
}

/**
 * The connection of a "LocalLlama API" credential. `helpers`: those of the node's context, for n8n's egress filter.
 * `more`: what differs from the credential.
 */
export function localLlamaConnection(
	data: ICredentialDataDecryptedObject,
	helpers?: object,
	more: Partial<ServerSettings> = {},
): Connection {
	const credential = readLocalLlamaCredential(data);
	return connectTo({
		baseUrl: credential.baseUrl,
		headers: credentialHeaders(credential),
		ignoreSslIssues: credential.ignoreSslIssues,
		maxConcurrentRequests: credential.maxConcurrentRequests,
		egressFilter: egressFilterOf(helpers),
		...more,
	});
}

/** n8n's egress filter; n8n before 2.30 has none. */
export function egressFilterOf(helpers: object | undefined): EgressFilter | undefined {
	const get = helpers !== undefined && 'getSecureEgressFilter' in helpers ? helpers.getSecureEgressFilter : undefined;
	return typeof get === 'function' ? ((get as () => EgressFilter | undefined).call(helpers) ?? undefined) : undefined;
}
