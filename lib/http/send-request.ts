/** Sends one request and follows redirects. */
import type { ResponseHead, RequestOptions, Endpoint } from './types';
import { decompress } from './compressed-body';
import { toConnectionContext } from './request-errors';
import { rejectOnAbort } from './abort';
import { storeAnswer } from './answered-origins';
import { throwConnectionFailure } from './connection-failure';
import { createServerError } from '../errors/create-error';
import { mask } from '../errors/mask';
import { toNetworkError } from '../errors/network-error';
import type { Dispatcher, Readable } from '../vendor';
import { sendWith, setImmediate } from '../vendor';

const MAX_REDIRECTS = 5;

const REDIRECT_STATUSES = [301, 302, 303, 307, 308];

/** The request is repeated with its method and body (RFC 9110 15.4.8 and 15.4.9). */
const REPEATING_STATUSES = [307, 308];

/** An HTTP response whose body has not been read. */
export interface RawResponse extends ResponseHead {
	/** Decompressed. */
	body: AsyncIterable<Uint8Array>;
	close(): void;
}

/** The connection for a request: an open one if available, or one that is closed afterwards (`isSingleUse`). */
export interface RequestConnection {
	dispatcher: Dispatcher;
	isSingleUse: boolean;
}

/** A request, and how it is sent. */
export interface OutgoingRequest {
	endpoint: Endpoint;
	options: RequestOptions;
	connection: RequestConnection;
	/** Aborts the request, also while it connects. */
	signal: AbortSignal;
}

/**
 * Sends a request and follows redirects: to other origins without the headers of the credential, and only requests
 * without content.
 *
 * @throws a `ServerError` of n8n's egress filter, otherwise a `ConnectionFailure`.
 */
export async function sendRequest(request: OutgoingRequest): Promise<RawResponse> {
	const { endpoint, options } = request;
	let { url } = options;
	const visited = new Set([url]);
	for (;;) {
		const response = await sendOnce({ ...request, options: { ...options, url } });
		const next = resolveRedirect(endpoint, options, response);
		// A redirect to a visited URL would loop.
		if (next === undefined || visited.has(next) || visited.size > MAX_REDIRECTS) return response;
		visited.add(next);
		response.close();
		const rejection = options.rejectRedirect?.(next);
		if (rejection) throw rejection;
		assertRedirectAllowed(endpoint, next);
		url = next;
	}
}

/** The method, by default GET without a body and POST with one. */
export function getMethod({ method, json, upload }: RequestOptions): string {
	return method ?? (!json && !upload ? 'GET' : 'POST');
}

/** The URL to follow a redirect to; undefined if it is not followed. */
function resolveRedirect(endpoint: Endpoint, options: RequestOptions, response: RawResponse) {
	const target = parseLocation(response);
	if (!target || !REDIRECT_STATUSES.includes(response.status)) return undefined;
	const { href, origin } = target;
	const hasContent = options.json !== undefined || options.upload !== undefined;
	if (getMethod(options) === 'GET' && !hasContent) {
		// Some proxies put the received headers into the URL of their login page, which another host must not see.
		const isOpen = mask(href, endpoint.secrets) === href;
		return origin === endpoint.url.origin || isOpen ? href : undefined;
	}
	// Content of users is sent only to the server of the credential. An upload can be read only once.
	const isRepeatable = REPEATING_STATUSES.includes(response.status) && options.upload === undefined;
	return isRepeatable && origin === endpoint.url.origin ? href : undefined;
}

function parseLocation({ headers, url }: RawResponse) {
	const location = headers.location?.replace(/#.*/s, '');
	if (!location || !URL.canParse(location, url)) return undefined;
	const target = new URL(location, url);
	return /^https?:$/.test(target.protocol) ? target : undefined;
}

/** @throws a `ServerError` if n8n's egress filter blocks it. */
function assertRedirectAllowed(endpoint: Endpoint, url: string) {
	try {
		endpoint.egressFilter?.validateRedirectSync(url);
	} catch (error) {
		throw toNetworkError(error, toConnectionContext(endpoint, { url }));
	}
}

async function sendOnce({
	endpoint,
	options,
	connection,
	signal,
}: OutgoingRequest): Promise<RawResponse> {
	const { url } = options;
	await assertUrlAllowed(endpoint, url, signal);
	const { headers: contentHeaders, body: content } = toRequestContent(options);
	const { origin, pathname, search } = new URL(url);
	// undici checks the signal only after connecting, which takes 10 s if packets are dropped.
	const { statusCode, headers, body } = await rejectOnAbort(signal, async () => {
		const pendingResponse = sendWith.call(connection.dispatcher, {
			reset: connection.isSingleUse,
			signal,
			// The Watchdog applies the timeouts.
			headersTimeout: 0,
			bodyTimeout: 0,
			origin,
			path: pathname + search,
			method: getMethod(options) as Dispatcher.HttpMethod,
			headers: {
				accept: `application/json, ${options.streamFormat === 'lines' ? 'application/x-ndjson' : 'text/event-stream'}`,
				// Proxies that compress a stream delay it.
				'accept-encoding': 'identity',
				...contentHeaders,
				...options.headers,
				...(origin === endpoint.url.origin ? endpoint.headers : {}),
			},
			body: content,
		});
		pendingResponse.then(
			({ body: lateBody }) => signal.aborted && lateBody.destroy(),
			() => {},
		);
		return await pendingResponse;
	}).catch(throwConnectionFailure);
	storeAnswer(origin);
	const flatHeaders = flattenHeaders(headers);
	return {
		status: statusCode,
		headers: flatHeaders,
		url,
		body: decompress({ body, signal }, flatHeaders['content-encoding']),
		close: () => discardBody(body),
	};
}

/** Most bodies end with bytes that have arrived already, which is cheaper than undici's error for an early end. */
function discardBody(body: Readable) {
	body.on('error', () => {}).resume();
	setImmediate(() => body.destroy());
}

/** @throws a `ServerError` if n8n's egress filter blocks the URL. */
async function assertUrlAllowed(endpoint: Endpoint, url: string, signal: AbortSignal) {
	const { egressFilter } = endpoint;
	if (!egressFilter) return;
	const { ok, error } = await rejectOnAbort(
		signal,
		async () => await egressFilter.validateUrl(url),
	).catch(throwConnectionFailure);
	if (ok) return;
	const context = toConnectionContext(endpoint, { url });
	throw !error || error.name.startsWith('Ssrf')
		? createServerError('blockedByPolicy', context, { facts: { reason: error?.message } })
		: toNetworkError(error, context);
}

function toRequestContent({ json, upload }: RequestOptions) {
	if (upload) {
		const { content, contentType, length } = upload;
		const headers = { 'content-type': contentType, 'content-length': String(length) };
		// undici accepts any async iterable, which its types do not declare.
		return { headers, body: content as Dispatcher.DispatchOptions['body'] };
	}
	if (!json) return {};
	return { headers: { 'content-type': 'application/json' }, body: stringifyBody(json) };
}

function flattenHeaders(
	headers: Record<string, string | string[] | undefined>,
): Record<string, string> {
	const entries = Object.entries(headers).filter(([, value]) => value !== undefined);
	return Object.fromEntries(
		entries.map(([name, value]) => [name.toLowerCase(), [value].flat().join(', ')]),
	);
}

/**
 * A request as JSON, without lone surrogates, which texts shortened by length contain: llama-server rejects them as a
 * broken body.
 */
export function stringifyBody(value: unknown): string {
	const json = JSON.stringify(value);
	if (!json.includes('\\ud')) return json;
	const wellFormed = JSON.stringify(value, (_name, field: unknown) =>
		typeof field === 'string' ? field.toWellFormed() : field,
	);
	if (!wellFormed.includes('\\ud')) return wellFormed;
	// In names, `JSON.stringify` escapes them; after a backslash, the text itself contains such an escape.
	return wellFormed.replace(/\\(?:\\|ud[89a-f]..)/g, (escape) =>
		escape === '\\\\' ? escape : '\uFFFD',
	);
}
