/** Requests of n8n's HTTP Request node with a LocalLlama credential. */
import type { IHttpRequestOptions } from 'n8n-workflow';
import { createInputError } from '../errors/create-error';
import { resolveBaseUrl } from './base-url';
import { buildCredentialHeaders } from './credential-headers';
import type { LocalLlamaCredential } from './credential';
import { CREDENTIAL_TEST_TIMEOUT_MS } from './credential-test';

/** Older helpers of n8n, which HTTP Request uses, name the URL and the redirect options differently. */
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

/** The request of the credential test. */
export interface CredentialTest extends Pick<IHttpRequestOptions, 'baseURL' | 'url'> {
	/** Its path as n8n sends it. With the Base URL as typed, it identifies the test. */
	path: string;
}

/**
 * Adds the headers of a credential to a request of n8n.
 *
 * @param test - The URL of the credential test, so that it passes with every form of a Base URL that the nodes accept.
 * @throws a `ServerError`, also for a URL with another origin than the Base URL, and for a proxy of the request itself: it
 *   would read the key of every http URL, and the credential does not name it.
 */
export function authenticateRequest(
	request: IHttpRequestOptions & LegacyOptions,
	credential: LocalLlamaCredential & { baseUrl: string },
	{ path, ...test }: CredentialTest,
): IHttpRequestOptions {
	const { baseUrl, ignoreSslIssues } = credential;
	const isTest = request.baseURL === baseUrl && request.url === path;
	const testOptions = {
		...test,
		skipSslCertificateValidation: ignoreSslIssues,
		timeout: CREDENTIAL_TEST_TIMEOUT_MS,
	};
	const resolved = isTest ? { ...request, ...testOptions } : request;
	assertTarget(resolved, resolveBaseUrl(baseUrl).origin);
	const headers = { ...request.headers, ...buildCredentialHeaders(credential) };
	return { ...resolved, ...WITHOUT_REDIRECTS, headers };
}

/** @throws a `ServerError` for a request whose key another program than the server could read. */
function assertTarget(
	{ uri, url, baseURL, proxy }: IHttpRequestOptions & LegacyOptions,
	origin: string,
) {
	if (proxy)
		throw createInputError(
			'The request has a proxy of its own, so the key of this credential is not sent',
			'Remove the option Proxy from the node. For a proxy that all nodes use, set HTTP_PROXY or HTTPS_PROXY in the environment of n8n.',
		);
	// Which of them counts depends on the helper.
	const targets = [uri, url].filter((target) => target !== undefined && target !== '');
	for (const target of targets.length > 0 ? targets : [''])
		assertSameOrigin({ target: new URL(target!, baseURL).origin, origin });
}

function assertSameOrigin({ target, origin }: { target: string; origin: string }) {
	if (target === origin) return;
	throw createInputError(
		`This credential is for ${origin}, so its key is not sent to ${target}`,
		'Use the credential of that server, or a URL that starts with the Base URL of this one.',
	);
}
