/** Headers of a LocalLlama credential. */
import { createInputError } from '../errors/create-error';
import type { ExtraHeader, LocalLlamaCredential } from './credential';
import { setOwn } from '../values/own-properties';

/** RFC 9110: a token; visible ASCII, spaces and tabs. */
const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9a-z-]+$/i;

const HEADER_VALUE = /^[\t\x20-\x7E\x80-\xFF]*$/;

/** Headers that the HTTP client sets itself. */
const RESERVED_HEADERS = new Set([
	'connection',
	'content-length',
	'content-type',
	'expect',
	'host',
	'keep-alive',
	// Belongs in HTTP_PROXY: undici rejects it as a request header.
	'proxy-authorization',
	'te',
	'trailer',
	'transfer-encoding',
	'upgrade',
]);

/**
 * The headers of a credential, by lower-case names. An empty key adds none.
 *
 * @throws a `ServerError` of type `invalidInput` that names the header, never its value.
 */
export function buildCredentialHeaders(credential: LocalLlamaCredential): Record<string, string> {
	const { extraHeaders = [], authentication } = credential;
	const headers = buildKeyHeader(credential);
	for (const [index, { name, value }] of extraHeaders.entries()) {
		if (name === '' && value === '') continue;
		assertHeader({ name, value }, index + 1);
		if (authentication === 'basic' && name.toLowerCase() === 'authorization')
			throw createCredentialError(
				'Basic and an extra header Authorization cannot be combined: the server reads only one',
			);
		setOwn(headers, name.toLowerCase(), value);
	}
	return headers;
}

function buildKeyHeader(credential: LocalLlamaCredential): Record<string, string> {
	const { apiKey = '', authentication } = credential;
	if (authentication === 'none') return {};
	if (authentication === 'basic') return buildBasicHeader(credential);
	// Keys are pasted with their scheme, and with the line end of a file.
	const key = apiKey.trim().replace(/^(?:Authorization:\s*)?Bearer(?:\s+|$)/i, '');
	if (key === '') return {};
	if (!HEADER_VALUE.test(key))
		throw createCredentialError('The API Key contains characters that are not allowed in a header');
	return authentication === 'xApiKey' ? { 'x-api-key': key } : { authorization: `Bearer ${key}` };
}

/** RFC 7617: a colon ends the user. */
function buildBasicHeader({
	user = '',
	password = '',
}: LocalLlamaCredential): Record<string, string> {
	const name = user.trim();
	if (name === '' && password === '') return {};
	if (name.includes(':'))
		throw createCredentialError('The user name for Basic must not contain a colon');
	return { authorization: `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}` };
}

/** @param position - Number (from 1) of the header in the form. */
function assertHeader({ name, value }: ExtraHeader, position: number) {
	// The name is not shown: people paste whole lines "Authorization: Bearer KEY" into it.
	if (!HEADER_NAME.test(name))
		throw createCredentialError(
			`The name of extra header ${position} is invalid: use letters, digits and hyphens, without the colon`,
		);
	if (RESERVED_HEADERS.has(name.toLowerCase()))
		throw createCredentialError(
			`The extra header "${name}" cannot be set, because the HTTP client sets it`,
		);
	if (!HEADER_VALUE.test(value))
		throw createCredentialError(
			`The value of extra header ${position}, "${name}", contains characters that are not allowed`,
		);
}

function createCredentialError(message: string) {
	return createInputError(message, 'Open the credential and correct it.');
}
