/** Requests that n8n sends with a credential: the test of the credential, and those of HTTP Request nodes. */
import type { IHttpRequestOptions } from 'n8n-workflow';

import { invalidInput } from '../errors/failure';
import { resolveBaseUrl } from './base-url';

/** Older helpers of n8n, which HTTP Request uses, have their own names for the address and for redirects. */
interface LegacyOptions {
	uri?: string;
	followRedirect?: boolean;
	followAllRedirects?: boolean;
}

/** n8n would send the key and the extra headers on to another host. */
const WITHOUT_REDIRECTS = {
	disableFollowRedirect: true,
	followRedirect: false,
	followAllRedirects: false,
};

/** Whether a request is that of the credential test, which carries the Base URL as typed. */
export function isCredentialTest(
	{ baseURL, url }: IHttpRequestOptions,
	typedBaseUrl: unknown,
	testPath: string,
): boolean {
	return baseURL === typedBaseUrl && url === testPath;
}

/**
 * Adds the headers of a credential to a request of n8n.
 *
 * @throws {ServerError} for an address of another origin than that of the Base URL
 * @throws {BaseUrlError}
 */
export function withHeaders(
	request: IHttpRequestOptions & LegacyOptions,
	baseUrl: string,
	headers: Record<string, string>,
): IHttpRequestOptions {
	const { origin } = resolveBaseUrl(baseUrl);
	const target = new URL(request.uri ?? request.url, request.baseURL).origin;
	if (target !== origin)
		throw invalidInput(
			`This credential is for ${origin}, and its key is not sent to ${target}`,
			'Take the credential of that server, or type an address that begins as the Base URL of this one.',
		);
	return { ...request, ...WITHOUT_REDIRECTS, headers: { ...request.headers, ...headers } };
}
