/** Short requests to a server, outside of its queue. None loads or wakes a model. */
import type { RequestOptions } from '../http/types';
import { request } from '../http/request';
import { parseJson } from '../json';
import { isRecord, type JsonRecord } from '../values';
import type { ProbeResponse, ModelServer } from './types/server-type';

const PROBE_TIMEOUT_MS = 10_000;

type ProbeOptions = Pick<RequestOptions, 'json' | 'method' | 'signal' | 'model'> & {
	/** Total timeout in milliseconds. Default: 10 s. */
	timeoutMs?: number;
};

/**
 * The response, whatever its status.
 *
 * @param path below the root of the server, or a URL
 * @throws {ServerError} if there is none
 */
export async function probe(
	server: ModelServer,
	path: string,
	{ timeoutMs: timeoutMs = PROBE_TIMEOUT_MS, ...options }: ProbeOptions = {},
): Promise<ProbeResponse> {
	const url = path.startsWith('/') ? server.url.root + path : path;
	const timeouts = { firstTokenMs: 0, idleMs: 0, totalMs: timeoutMs };
	// Probes change nothing, so they may be repeated, also with POST.
	const requestOptions = { ...options, url, timeouts, allowErrorStatus: true, isIdempotent: true };
	return await request(server, requestOptions, async (response) => {
		const text = await response.text();
		const { status, headers } = response;
		return { status, headers, text, json: parseJson(text) };
	});
}

/** The JSON object of a route that not every server has; undefined on any error, which other requests will report. */
export async function tryProbeObject(
	server: ModelServer,
	path: string,
	options?: ProbeOptions,
): Promise<JsonRecord | undefined> {
	const json = await tryProbeJson(server, path, options);
	return isRecord(json) ? json : undefined;
}

/** The same for any JSON. */
export async function tryProbeJson(
	server: ModelServer,
	path: string,
	options?: ProbeOptions,
): Promise<unknown> {
	const response = await tryProbe(server, path, options);
	return response !== undefined && response.status < 300 ? response.json : undefined;
}

/** The response, whatever its status; undefined if there is none. */
export async function tryProbe(
	server: ModelServer,
	path: string,
	options?: ProbeOptions,
): Promise<ProbeResponse | undefined> {
	return await probe(server, path, options).catch(() => undefined);
}
