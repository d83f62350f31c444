import type { ICredentialDataDecryptedObject } from 'n8n-workflow';

import type { EgressFilter } from '../http/types';
import { invalidInput } from '../errors/failure';
import type { KindName } from './kinds/kind';
import { optional, recordOf, recordsIn } from '../values';

/** The kinds of server that can be chosen. */
export const SERVER_TYPES = [
	'llamaServer',
	'ollama',
	'vllm',
	'other',
] as const satisfies readonly KindName[];

/** How the key is sent. */
type Authentication = 'bearer' | 'xApiKey' | 'basic' | 'none';

const AUTHENTICATIONS: readonly Authentication[] = ['xApiKey', 'basic', 'none'];

/** The data of a "LocalLlama API" credential. */
interface LocalLlamaCredential {
	baseUrl: string;
	apiKey?: string;
	authentication?: Authentication;
	user?: string;
	password?: string;
	extraHeaders?: { header?: Array<{ name?: string; value?: string }> };
	ignoreSslIssues?: boolean;
	maxConcurrentRequests?: number;
	/** Absent: the server is asked. */
	serverType?: KindName;
}

/** Reads the stored data; missing values, and those of another type, count as not set. */
export function readLocalLlamaCredential(
	data: ICredentialDataDecryptedObject,
): LocalLlamaCredential {
	const headers = recordsIn(recordOf(data.extraHeaders).header);
	return {
		baseUrl: typeof data.baseUrl === 'string' ? data.baseUrl : '',
		apiKey: textIn(data.apiKey),
		authentication: AUTHENTICATIONS.find((one) => one === data.authentication) ?? 'bearer',
		user: textIn(data.user),
		password: textIn(data.password),
		extraHeaders: {
			header: headers.map(({ name, value }) => ({
				name: String(name ?? ''),
				value: String(value ?? ''),
			})),
		},
		ignoreSslIssues: data.ignoreSslIssues === true,
		maxConcurrentRequests: countOf(data.maxConcurrentRequests),
		...optional({ serverType: SERVER_TYPES.find((type) => type === data.serverType) }),
	};
}

/** In an expression, a key such as 123456 becomes a number. */
function textIn(value: unknown): string {
	return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
}

/** A whole number from 0 on, also as text, which expressions may give. */
function countOf(value: unknown): number {
	const count =
		typeof value === 'number' || typeof value === 'string' ? Math.floor(Number(value)) : 0;
	return Number.isFinite(count) ? Math.max(0, count) : 0;
}

/** RFC 9110: a token; visible ASCII, spaces and tabs. */
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
	// Belongs in HTTP_PROXY: undici refuses it as a request header.
	'proxy-authorization',
	'te',
	'trailer',
	'transfer-encoding',
	'upgrade',
]);

/**
 * The headers of a credential, by lower-case names. An empty key adds none.
 *
 * @throws {ServerError} of kind `invalidInput` that names the header, never its value
 */
export function credentialHeaders(credential: LocalLlamaCredential): Record<string, string> {
	const { extraHeaders } = credential;
	const headers = keyHeader(credential);
	for (const [index, { name = '', value = '' }] of (extraHeaders?.header ?? []).entries()) {
		const [header, content] = [name.trim(), value.trim()];
		if (header === '' && content === '') continue;
		checkHeader(index + 1, header, content);
		if (credential.authentication === 'basic' && header.toLowerCase() === 'authorization')
			throw invalid(
				'Basic and an extra header Authorization exclude each other: the server reads one of them',
			);
		headers[header.toLowerCase()] = content;
	}
	return headers;
}

function keyHeader(credential: LocalLlamaCredential): Record<string, string> {
	const { apiKey = '', authentication } = credential;
	if (authentication === 'none') return {};
	if (authentication === 'basic') return basicHeader(credential);
	// Keys are pasted with their scheme, and with the line end of a file.
	const key = apiKey.trim().replace(/^(?:Authorization:\s*)?Bearer(?:\s+|$)/i, '');
	if (key === '') return {};
	if (!HEADER_VALUE.test(key))
		throw invalid('The API Key contains characters that cannot be sent in a header');
	return authentication === 'xApiKey' ? { 'x-api-key': key } : { authorization: `Bearer ${key}` };
}

/** RFC 7617: a colon ends the user. */
function basicHeader({ user = '', password = '' }: LocalLlamaCredential): Record<string, string> {
	const name = user.trim();
	if (name === '' && password === '') return {};
	if (name.includes(':')) throw invalid('The User of Basic must not contain a colon');
	return { authorization: `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}` };
}

function checkHeader(position: number, header: string, content: string): void {
	// The name is not shown: people paste whole lines "Authorization: Bearer KEY" into it.
	if (!HEADER_NAME.test(header))
		throw invalid(
			`The name of extra header ${position} is not valid: letters, digits and hyphens, without the colon`,
		);
	if (RESERVED.has(header.toLowerCase()))
		throw invalid(`The extra header "${header}" cannot be set: the HTTP client sets it itself`);
	if (!HEADER_VALUE.test(content))
		throw invalid(
			`The value of extra header ${position}, "${header}", contains characters that cannot be sent`,
		);
}

function invalid(message: string) {
	return invalidInput(message, 'Open the credential and correct it.');
}

/** n8n's egress filter; n8n before 2.30 has none. */
export function egressFilterOf(helpers: object | undefined): EgressFilter | undefined {
	const get =
		helpers !== undefined && 'getSecureEgressFilter' in helpers
			? helpers.getSecureEgressFilter
			: undefined;
	return typeof get === 'function'
		? ((get as () => EgressFilter | undefined).call(helpers) ?? undefined)
		: undefined;
}
