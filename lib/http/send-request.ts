/** Sends one request over the network, and follows redirects. */
import type { ResponseHead, RequestOptions, Endpoint } from './types';
import { decompress } from './response-body';
import { toErrorContext } from './request-errors';
import { rejectOnAbort } from './sleep';
import { createServerError } from '../errors/create-error';
import { mask } from '../errors/mask';
import { toNetworkError } from '../errors/network-error';
import { omitUndefined } from '../values';
import { type Dispatcher, type Readable, sendWith, setImmediate } from '../vendor';

const MAX_REDIRECTS = 5;

const REDIRECTS = [301, 302, 303, 307, 308];

/** The request is repeated with its method and body (RFC 9110 15.4.8 and 15.4.9). */
const REPEATS_REQUEST = [307, 308];

/** An HTTP answer whose body has not been read. */
export interface RawResponse extends ResponseHead {
	body: AsyncIterable<Uint8Array>;
	close(): void;
}

/** The connection for a request: an open one if there is, or a new one (`reset`). */
export interface Channel {
	dispatcher: Dispatcher;
	reset: boolean;
}

/**
 * Sends a request and follows redirects: to other origins without the headers of the credential, and only requests
 * without content.
 *
 * @throws {ServerError} of n8n's egress filter, else the network's own errors
 */
export async function sendRequest(
	target: Endpoint,
	ask: RequestOptions,
	channel: Channel,
	signal: AbortSignal,
): Promise<RawResponse> {
	let { url } = ask;
	const visited = new Set([url]);
	for (;;) {
		const answer = await sendOnce(target, { ...ask, url }, channel, signal);
		const next = visited.size <= MAX_REDIRECTS ? redirectTarget(target, ask, answer) : undefined;
		// A redirect to where the request has been repeats it without an end.
		if (next === undefined || visited.has(next)) return answer;
		visited.add(next);
		answer.close();
		const refused = ask.rejectRedirect?.(next);
		if (refused !== undefined) throw refused;
		assertRedirectAllowed(target, url, next);
		url = next;
	}
}

export function getMethod({ method, json, upload }: RequestOptions): string {
	return method ?? (json === undefined && upload === undefined ? 'GET' : 'POST');
}

function isPlainGet(ask: RequestOptions): boolean {
	return getMethod(ask) === 'GET' && ask.json === undefined && ask.upload === undefined;
}

/** Where a redirect is followed to; undefined where it is not. */
function redirectTarget(
	target: Endpoint,
	ask: RequestOptions,
	answer: RawResponse,
): string | undefined {
	const location = answer.headers.location?.replace(/#.*/s, '');
	if (!REDIRECTS.includes(answer.status) || !location) return undefined;
	if (!URL.canParse(location, answer.url)) return undefined;
	const { href, origin, protocol } = new URL(location, answer.url);
	if (!/^https?:$/.test(protocol)) return undefined;
	if (isPlainGet(ask)) {
		// Some proxies put the headers that they got into the URL of their login page, which another host must not see.
		const isOpen = mask(href, target.secrets) === href;
		return origin === target.url.origin || isOpen ? href : undefined;
	}
	// What users wrote is for the server of the credential only. An upload can be read only once.
	const isRepeatable = REPEATS_REQUEST.includes(answer.status) && ask.upload === undefined;
	return isRepeatable && origin === target.url.origin ? href : undefined;
}

/** @throws {ServerError} where n8n's egress filter refuses it */
function assertRedirectAllowed(target: Endpoint, from: string, to: string): void {
	try {
		target.egressFilter?.validateRedirectSync(to);
	} catch (error) {
		throw toNetworkError(error, { ...toErrorContext(target, from), url: to });
	}
}

async function sendOnce(
	target: Endpoint,
	ask: RequestOptions,
	channel: Channel,
	signal: AbortSignal,
): Promise<RawResponse> {
	const { url } = ask;
	await assertUrlAllowed(target, url, signal);
	const { dispatcher, reset } = channel;
	const { headers: ownHeaders, body: content } = contentOf(ask);
	const { origin, pathname, search } = new URL(url);
	// undici looks at the signal only when it has connected, which takes 10 s where packets are dropped.
	const { statusCode, headers, body } = await rejectOnAbort(signal, async () => {
		const sending = sendWith.call(dispatcher, {
			reset,
			signal,
			// The Watchdog has the limits.
			headersTimeout: 0,
			bodyTimeout: 0,
			origin,
			path: pathname + search,
			method: getMethod(ask) as Dispatcher.HttpMethod,
			headers: {
				accept: `application/json, ${ask.streamFormat === 'lines' ? 'application/x-ndjson' : 'text/event-stream'}`,
				// Proxies that compress a stream hold it back.
				'accept-encoding': 'identity',
				...ownHeaders,
				...ask.headers,
				...(origin === target.url.origin ? target.headers : {}),
			},
			...omitUndefined({ body: content }),
		});
		sending.then(
			({ body: late }) => signal.aborted && late.destroy(),
			() => {},
		);
		return await sending;
	});
	const flat = flatten(headers);
	return {
		status: statusCode,
		headers: flat,
		url,
		body: decompress(body, flat['content-encoding']),
		close: () => discardBody(body),
	};
}

/** Most bodies end with the bytes that are here already, which is cheaper than undici's error for an early end. */
function discardBody(body: Readable): void {
	body.on('error', () => {}).resume();
	setImmediate(() => body.destroy());
}

/** @throws {ServerError} where n8n's egress filter refuses the address */
async function assertUrlAllowed(target: Endpoint, url: string, signal: AbortSignal): Promise<void> {
	const { egressFilter } = target;
	if (egressFilter === undefined) return;
	const { ok, error } = await rejectOnAbort(
		signal,
		async () => await egressFilter.validateUrl(url),
	);
	if (ok) return;
	const context = toErrorContext(target, url);
	throw error === undefined || error.name.startsWith('Ssrf')
		? createServerError('blockedByPolicy', context, { facts: { reason: error?.message } })
		: toNetworkError(error, context);
}

interface RequestContent {
	headers: Record<string, string>;
	body?: Dispatcher.DispatchOptions['body'];
}

function contentOf({ json, upload }: RequestOptions): RequestContent {
	if (upload !== undefined) {
		const { content, contentType, length } = upload;
		const headers: Record<string, string> = { 'content-type': contentType };
		if (length !== undefined) headers['content-length'] = String(length);
		// undici takes any async iterable, which its types do not say.
		return { headers, body: content as RequestContent['body'] };
	}
	if (json === undefined) return { headers: {} };
	return { headers: { 'content-type': 'application/json' }, body: stringifyBody(json) };
}

function flatten(headers: Record<string, string | string[] | undefined>): Record<string, string> {
	const entries = Object.entries(headers).filter(([, value]) => value !== undefined);
	return Object.fromEntries(
		entries.map(([name, value]) => [name.toLowerCase(), [value].flat().join(', ')]),
	);
}

/**
 * A request as JSON, without lone surrogates, which texts cut by length contain: llama-server refuses them as a broken
 * body.
 */
export function stringifyBody(value: unknown): string {
	const json = JSON.stringify(value);
	if (!json.includes('\\ud')) return json;
	// `JSON.stringify` escapes lone surrogates; behind a backslash, the text itself contains such an escape.
	return json.replace(/\\(?:\\|ud[89a-f]..)/g, (escape) => (escape === '\\\\' ? escape : '\uFFFD'));
}
