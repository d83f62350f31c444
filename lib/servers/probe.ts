/** Short requests to a server, outside of its queue. */
import { isMissingStatus } from '../errors/missing-route';
import { mask } from '../errors/mask';
import type { ServerError } from '../errors/server-error';
import { asServerErrorOrThrow } from '../errors/server-error';
import { TASK_LIMITS } from '../task-limits';
import type { Endpoint, RequestOptions } from '../http/types';
import { request } from '../http/request';
import { toResponseError } from '../http/request-errors';
import { isRecord } from '../values/records';
import { parseJson } from '../values/json';
import type { JsonRecord } from '../values/records';
import type { ProbeResponse, ModelServer } from './types/server-type';
import { toUrl } from './server-urls';
import type { TimeLimit } from './time-limit';
import { toTotalTimeout } from '../http/timeouts';

/** Of a probe without a timeout of its own. */
export const PROBE_TIMEOUT_MS = 10_000;

/** How a probe is sent. A probe with a body is a POST. */
export interface ProbeOptions extends Pick<
	RequestOptions,
	'json' | 'upload' | 'signal' | 'isIdempotent'
> {
	/** Total timeout in milliseconds. Default: 10 s. */
	timeoutMs?: number;
}

/**
 * The response, whatever its status. A probe neither loads nor wakes a model.
 *
 * @param path - Below the root of the server, or a URL.
 * @throws a `ServerError` if there is none.
 */
export async function probe(
	server: Endpoint,
	path: string,
	{ timeoutMs = PROBE_TIMEOUT_MS, ...options }: ProbeOptions = {},
): Promise<ProbeResponse> {
	const url = toUrl(server, path);
	const timeouts = toTotalTimeout(timeoutMs);
	// Probes change nothing, so they may be repeated, also with POST.
	const requestOptions = {
		isIdempotent: true,
		limits: TASK_LIMITS.probe.received,
		...options,
		url,
		timeouts,
		allowErrorStatus: true,
	};
	try {
		return await request(server, requestOptions, async (response) => {
			const text = await response.text();
			const { status, headers } = response;
			// The target of a redirect may repeat the request, as login pages do.
			const finalUrl = response.url === url ? url : mask(response.url, server.secrets);
			return { status, headers, finalUrl, text, json: parseJson(text) };
		});
	} catch (error) {
		const serverError = asServerErrorOrThrow(error);
		if (serverError.type !== 'totalTimeout') throw serverError;
		throw serverError.withFacts({ probeTimeoutMs: timeoutMs });
	}
}

/** The error of a response to a probe. */
export function toProbeError(
	server: Endpoint,
	url: string,
	{ finalUrl, status, headers, text }: Omit<ProbeResponse, 'json'>,
): ServerError {
	return toResponseError(server, { url }, { url: finalUrl, status, headers, text });
}

/** The JSON object of a route that not every server has; undefined on any error, which other requests will report. */
export async function tryProbeObject(
	server: ModelServer,
	path: string,
	options?: ProbeOptions,
): Promise<JsonRecord | undefined> {
	const { status = 0, json } = (await tryProbe(server, path, options)) ?? {};
	return status < 300 && isRecord(json) ? json : undefined;
}

/** The response, whatever its status; undefined if there is none. */
export async function tryProbe(
	server: ModelServer,
	path: string,
	options?: ProbeOptions,
): Promise<ProbeResponse | undefined> {
	return await probe(server, path, options).catch(() => undefined);
}

/** A probe within a timeout that it shares with other requests. */
interface LimitedProbe extends Pick<ProbeOptions, 'json'> {
	limit: TimeLimit;
	signal?: AbortSignal;
}

/**
 * The response, whatever its status; undefined if there is none, although there was time for one.
 *
 * @throws a `ServerError` if the time is over: what is not known then must not look like a state of the server.
 */
export async function tryProbeWithin(
	server: ModelServer,
	path: string,
	{ limit, signal, json }: LimitedProbe,
): Promise<ProbeResponse | undefined> {
	const timeoutMs = limit.capMs(PROBE_TIMEOUT_MS);
	return await probe(server, path, { signal, json, timeoutMs }).catch((error: unknown) => {
		if (limit.isOver) throw error;
		return undefined;
	});
}

/** Whether the API of the server may exist without a model list. */
export function isListMissing({ status }: Pick<ProbeResponse, 'status'>): boolean {
	return isMissingStatus(status) || status === 501;
}
