/** Short questions to a server, outside of its queue. None loads or wakes a model. */
import type { RequestOptions } from '../http/types';
import { request } from '../http/request';
import { parseJson } from '../json';
import { isRecord, type JsonRecord } from '../values';
import type { ProbeResponse, ModelServer } from './types/server-type';

const LIMIT_MS = 10_000;

type ProbeOptions = Pick<RequestOptions, 'json' | 'method' | 'signal' | 'model'> & {
	/** Milliseconds for all of it. Default: 10 s. */
	limitMs?: number;
};

/**
 * One answer, whatever its status.
 *
 * @param path below the root of the server, or a URL
 * @throws {ServerError} if there is none
 */
export async function probe(
	server: ModelServer,
	path: string,
	{ limitMs = LIMIT_MS, ...options }: ProbeOptions = {},
): Promise<ProbeResponse> {
	const url = path.startsWith('/') ? server.url.root + path : path;
	const timeouts = { firstTokenMs: 0, idleMs: 0, totalMs: limitMs };
	// A question that changes nothing may be asked twice, also by POST.
	const ask = { ...options, url, timeouts, allowErrorStatus: true, isIdempotent: true };
	return await request(server, ask, async (answer) => {
		const text = await answer.text();
		const { status, headers } = answer;
		return { status, headers, text, json: parseJson(text) };
	});
}

/** The JSON object of a route that not every server has; undefined on any failure, which other requests will tell. */
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
	const reply = await probe(server, path, options).catch(() => undefined);
	return reply !== undefined && reply.status < 300 ? reply.json : undefined;
}
