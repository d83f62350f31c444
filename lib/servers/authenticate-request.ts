/** Requests of n8n's HTTP Request node with a LocalLlama credential. */
import type { IHttpRequestOptions } from 'n8n-workflow';
import { createInputError } from '../errors/create-error';
import { resolveBaseUrl } from './base-url';
import { buildCredentialHeaders } from './credential-headers';
import type { LocalLlamaCredential } from './credential';

/** Older helpers of n8n, which HTTP Request uses, name the URL and the redirect options differently. */
interface LegacyOptions {
	uri?: string;
	followRedirect?: boolean;
	followAllRedirects?: boolean;
}

/** Matches a status. */
interface StatusRule {
	type: 'responseCode';
	properties: {
		value: number;
		/** The error that n8n shows. */
		message: string;
	};
}

/** Matches a value in a body with status 200. */
interface BodyRule {
	type: 'responseSuccessBody';
	properties: BodyMatch;
}

interface BodyMatch {
	/** Path of the value. n8n passes an empty body as an empty text. */
	key: string;
	/** Compared with `===`. */
	value: unknown;
	/** The error that n8n shows. */
	message: string;
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

/**
 * Rules by which n8n checks the response to a credential test. n8n accepts both types in one list, and the first match
 * is the error (credentials-tester.service.ts); n8n's types allow only lists of one type.
 */

/** For an error status. Without a rule, n8n only shows the status text, such as "Forbidden". */
export function statusRule(status: number, message: string): StatusRule {
	return { type: 'responseCode', properties: { value: status, message } };
}

/** For a value in a body with status 200. */
export function bodyRule({ key, value, message }: BodyMatch): BodyRule {
	return { type: 'responseSuccessBody', properties: { key, value, message } };
}

/**
 * For text with status 200: a user interface, a login page, a server with one response for everything. JSON objects have
 * another constructor.
 */
export function plainTextRule(message: string): BodyRule {
	return bodyRule({ key: 'constructor', value: String, message });
}

/** For a JSON object without a field. */
export function missingFieldRule({ key, message }: Omit<BodyMatch, 'value'>): BodyRule {
	return bodyRule({ key, value: undefined, message });
}

/**
 * How long n8n waits for the response to a credential test. n8n's default is 300 s, and a timeout in the test's request
 * has no effect (docs/protocols/n8n.md 4.5): only one that `authenticate` returns does.
 */
const CREDENTIAL_TEST_TIMEOUT_MS = 10_000;

/** What the codes mean that n8n's credential test shows for a failed connection. For the description of Base URL. */
export const CONNECTION_CODES =
	'If the test shows ECONNREFUSED, nothing listens at this address and port. EPROTO: use http://. ECONNRESET: use https://.';
