import type { ICredentialDataDecryptedObject, IHttpRequestOptions } from 'n8n-workflow';
import { createInputError } from '../errors/server-error';
import type { EgressFilter, ServerAddress } from '../http/types';
import type { ModelServer } from './types/server-type';
import { asRecord, asRecords } from '../values/records';
import { resolveBaseUrl } from './base-url';
import { createHash } from 'node:crypto';
import { collectSecrets } from '../errors/mask';
import { getProxyHeaders } from '../http/dispatcher';
import { getProfile } from './profile';

const AUTHENTICATIONS = ['xApiKey', 'basic', 'none'] as const;
/** Types that can be selected. */
const SERVER_TYPES = ['llamaServer', 'ollama', 'vllm', 'other'] as const;

/** The data of a "LocalLlama API" credential. */
type LocalLlamaCredential = Partial<ReturnType<typeof readLocalLlamaCredential>>;

/** Reads the stored data; missing values, and those of another type, count as not set. */
export function readLocalLlamaCredential(data: ICredentialDataDecryptedObject): {
	baseUrl: string;
	apiKey: string;
	authentication: string;
	user: string;
	password: string;
	extraHeaders: {
		name: string;
		value: string;
	}[];
	ignoreSslIssues: boolean;
	maxConcurrentRequests: number;
	serverType: 'llamaServer' | 'ollama' | 'vllm' | 'other' | undefined;
} {
	return {
		baseUrl: typeof data.baseUrl === 'string' ? data.baseUrl : '',
		apiKey: toText(data.apiKey),
		authentication: AUTHENTICATIONS.find((option) => option === data.authentication) ?? 'bearer',
		user: toText(data.user),
		password: toText(data.password),
		extraHeaders: readHeaderRows(data).map(({ name, value }) => ({
			name: String(name ?? '').trim(),
			value: String(value ?? '').trim(),
		})),
		ignoreSslIssues: data.ignoreSslIssues === true,
		maxConcurrentRequests: parseCount(data.maxConcurrentRequests),
		serverType: SERVER_TYPES.find((type) => type === data.serverType),
	};
}

/** Whether no field contains an expression, which could give each item another value. n8n hides those in rows from the mark. */
export function isSameForEachItem(data: ICredentialDataDecryptedObject): boolean {
	return data.sameForEachItem === true && readHeaderRows(data).length === 0;
}

function readHeaderRows(data: ICredentialDataDecryptedObject) {
	return asRecords(asRecord(data.extraHeaders).header);
}

/** In an expression, a key such as 123456 becomes a number. */
function toText(value: unknown) {
	return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
}

/** An integer from 0, also as text, which expressions may return. */
function parseCount(value: unknown) {
	const count =
		typeof value === 'number' || typeof value === 'string' ? Math.floor(Number(value)) : 0;
	return Number.isFinite(count) ? Math.max(0, count) : 0;
}

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
 * Throws a `ServerError` of type `invalidInput` that names the header, never its value.
 */
export function buildCredentialHeaders(credential: LocalLlamaCredential): Record<string, string> {
	const { extraHeaders = [], authentication } = credential;
	const headers = buildKeyHeader(credential);
	for (const [index, { name, value }] of extraHeaders.entries()) {
		if (name === '' && value === '') continue;
		assertHeader(index + 1, name, value);
		if (authentication === 'basic' && name.toLowerCase() === 'authorization')
			throw createCredentialError(
				'Basic and an extra header Authorization cannot be combined: the server reads only one',
			);
		headers[name.toLowerCase()] = value;
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

function assertHeader(position: number, header: string, content: string) {
	// The name is not shown: people paste whole lines "Authorization: Bearer KEY" into it.
	if (!HEADER_NAME.test(header))
		throw createCredentialError(
			`The name of extra header ${position} is invalid: use letters, digits and hyphens, without the colon`,
		);
	if (RESERVED_HEADERS.has(header.toLowerCase()))
		throw createCredentialError(
			`The extra header "${header}" cannot be set, because the HTTP client sets it`,
		);
	if (!HEADER_VALUE.test(content))
		throw createCredentialError(
			`The value of extra header ${position}, "${header}", contains characters that are not allowed`,
		);
}

function createCredentialError(message: string) {
	return createInputError(message, 'Open the credential and correct it.');
}

/**
 * Rules by which n8n checks the response to a credential test. n8n accepts both types in one list, and the first match
 * is the error (credentials-tester.service.ts); n8n's types allow only lists of one type.
 */

/** For an error status. Without a rule, n8n only shows the status text, such as "Forbidden". */
export function statusRule(
	status: number,
	message: string,
): {
	type: 'responseCode';
	properties: {
		value: number;
		message: string;
	};
} {
	return { type: 'responseCode' as const, properties: { value: status, message } };
}

/** For a value in a body with status 200. n8n passes an empty body as an empty text. */
export function bodyRule(
	key: string,
	value: unknown,
	message: string,
): {
	type: 'responseSuccessBody';
	properties: {
		key: string;
		value: unknown;
		message: string;
	};
} {
	return { type: 'responseSuccessBody' as const, properties: { key, value, message } };
}

/**
 * For text with status 200: a user interface, a login page, a server with one response for everything. JSON objects have
 * another constructor.
 */
export function plainTextRule(message: string): {
	type: 'responseSuccessBody';
	properties: {
		key: string;
		value: unknown;
		message: string;
	};
} {
	return bodyRule('constructor', String, message);
}

/** For a JSON object without a field. */
export function missingFieldRule(
	field: string,
	message: string,
): {
	type: 'responseSuccessBody';
	properties: {
		key: string;
		value: unknown;
		message: string;
	};
} {
	return bodyRule(field, undefined, message);
}

/**
 * How long n8n waits for the response to a credential test. n8n's default is 300 s, and a timeout in the test's request
 * has no effect (docs/protocols/n8n.md 4.5): only one that `authenticate` returns does.
 */
const CREDENTIAL_TEST_TIMEOUT_MS = 10_000;

/** The hint below Base URL: for a failed connection, n8n's credential test shows only the code. */
export const CONNECTION_CODES_HINT =
	'ECONNREFUSED in the test: nothing listens at this address and port.<br>If n8n runs in Docker: http://host.docker.internal:PORT instead of localhost.<br>EPROTO: use http://. ECONNRESET: use https://.';

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

/**
 * Adds the headers of a credential to a request of n8n. That of the credential test carries the Base URL as typed, and
 * its own path.
 * `test` resolves both, so that the test passes with every form of a Base URL that the nodes accept.
 * Throws a `ServerError`, also for a URL with another origin than the Base URL, and for a proxy of the request itself: it
 * would read the key of every http URL, and the credential does not name it.
 */
export function authenticateRequest(
	request: IHttpRequestOptions & LegacyOptions,
	credential: LocalLlamaCredential & { baseUrl: string },
	testPath: string,
	test: Pick<IHttpRequestOptions, 'baseURL' | 'url'>,
): IHttpRequestOptions {
	const { baseUrl, ignoreSslIssues } = credential;
	const isTest = request.baseURL === baseUrl && request.url === testPath;
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

/** Throws a `ServerError` for a request whose key another program than the server could read. */
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
		assertSameOrigin(new URL(target!, baseURL).origin, origin);
}

function assertSameOrigin(target: string, origin: string) {
	if (target === origin) return;
	throw createInputError(
		`This credential is for ${origin}, so its key is not sent to ${target}`,
		'Use the credential of that server, or a URL that starts with the Base URL of this one.',
	);
}

/**
 * The server of a "LocalLlama API" credential.
 * `helpers`: those of the node's context.
 * Throws a `ServerError` of type `invalidUrl` or `invalidInput`, before anything is sent.
 */
export function createModelServer(
	data: ICredentialDataDecryptedObject,
	helpers?: object,
): ModelServer {
	const credential = readLocalLlamaCredential(data);
	const url = resolveBaseUrl(credential.baseUrl);
	const headers = buildCredentialHeaders(credential);
	const { ignoreSslIssues, maxConcurrentRequests, serverType } = credential;
	const server: ModelServer = {
		...createEndpoint(url, headers, ignoreSslIssues, helpers),
		configuredType: serverType,
		getApiUrl: () => getProfile(server).getApiUrl(),
		maxConcurrentRequests,
		getSlots: (model) => getProfile(server).getCachedSlots(model),
		errorContext: {
			getSuggestion: (errorType, model) => {
				const texts = getProfile(server).getCachedType()?.texts;
				return texts?.getModelSuggestion?.(errorType, model) ?? texts?.suggestions?.[errorType];
			},
		},
	};
	return server;
}

/**
 * What every server of a credential has. Cheap: sockets, queue and caches are shared.
 * `helpers`: those of the node's context, for n8n's egress filter.
 */
export function createEndpoint(
	url: ServerAddress,
	headers: Record<string, string>,
	ignoreSslIssues: boolean,
	helpers?: object,
): {
	url: ServerAddress;
	id: string;
	headers: Record<string, string>;
	ignoreSslIssues: boolean;
	egressFilter: EgressFilter | undefined;
	secrets: string[];
	n8nHelpers: object | undefined;
} {
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
