/** One probe of a check, and what its response shows. */
import type { ProbeResponse } from '../servers/types/server-type';
import type { JsonRecord } from '../values/records';
import { isRecord } from '../values/records';
import { minOf, round } from '../values/numbers';
import { truncate } from '../values/text';
import type { Endpoint, RequestOptions } from '../http/types';
import { isErrorResponse } from '../errors/error-body';
import { asServerErrorOrThrow, ServerError } from '../errors/server-error';
import { probe, toProbeError } from '../servers/probe';
import { toUrl } from '../servers/server-urls';
import { DEFAULT_TIMEOUT_MS } from './check-options';
import type { CheckOptions } from './check-options';

/** A probe with a body is a POST, any other a GET. */
interface CheckProbeOptions
	extends Pick<CheckOptions, 'timeoutMs' | 'signal'>, Pick<RequestOptions, 'json' | 'upload'> {}

/** A probe with its response. */
export interface ProbeResult extends ProbeResponse {
	method: 'GET' | 'POST';
	url: string;
	/** From sending to the last byte, or to the timeout. */
	durationMs: number;
	/** 0: no response. */
	status: number;
	/** Set if the response is an error or not JSON. */
	error?: ServerError;
}

/**
 * Sends one request of a check, outside of the queue and without retries.
 *
 * @param path - Below the root of the server, or a URL
 * @returns the response; without one, status 0 and the error
 * @throws a `ServerError` only of type `aborted`
 */
export async function runProbe(
	server: Endpoint,
	path: string,
	{ timeoutMs = DEFAULT_TIMEOUT_MS, signal, json, upload }: CheckProbeOptions = {},
): Promise<ProbeResult> {
	const startedAt = performance.now();
	const url = toUrl(server, path);
	// An open connection occupies one of llama-server's few HTTP threads until it closes: with a dozen of them idle, the
	// next request waited for two seconds in a test. A check must not cause that.
	const options = { timeoutMs, signal, json, upload, isIdempotent: false };
	const outcome = await probe(server, url, options).catch(asServerErrorOrThrow);
	const method = json === undefined && upload === undefined ? 'GET' : 'POST';
	const durationMs = round(performance.now() - startedAt);
	const details = { method, url, durationMs } as const;
	if (outcome instanceof ServerError) {
		if (outcome.type === 'aborted') throw outcome;
		return { ...NO_RESPONSE, ...details, finalUrl: url, error: outcome };
	}
	const isUsable = outcome.json !== undefined && !isErrorResponse(outcome);
	return {
		...details,
		...outcome,
		error: isUsable ? undefined : toProbeError(server, url, outcome),
	};
}

const NO_RESPONSE = { status: 0, headers: {}, text: '', json: undefined };

/** The JSON object of a successful response, otherwise an empty one. */
export function getJsonObject(probe: ProbeResult | undefined): JsonRecord {
	return probe?.error === undefined && isRecord(probe?.json) ? probe.json : {};
}

/** Whether a response is HTML: it is not from an API. */
export function isPage({ headers, text }: ProbeResult): boolean {
	return /^\s*</.test(text) || /\bhtml\b/i.test(headers['content-type'] ?? '');
}

/** Milliseconds of the fastest response: almost only network time. */
export function getLatency(probes: ReadonlyArray<ProbeResult | undefined>): number | undefined {
	const times = probes.flatMap((probe) => (probe && probe.status > 0 ? [probe.durationMs] : []));
	return times.length === 0 ? undefined : Math.round(minOf(times));
}

/** One line with the request and its response. */
export function describeProbe({
	method,
	url,
	finalUrl,
	status,
	durationMs,
	error,
}: ProbeResult): string {
	const requestLine = `${method} ${url}`;
	if (status === 0) {
		return `${requestLine}: ${describeFailure(error!)} after ${Math.round(durationMs)} ms`;
	}
	const message = error?.serverText?.replace(/\s+/g, ' ').trim() ?? '';
	const quotation = message === '' ? '' : `, "${truncate(message, 120)}"`;
	const code = error?.code === undefined ? '' : ` ${error.code}`;
	const origin = finalUrl === url ? '' : ` from ${finalUrl}`;
	return `${requestLine}: HTTP ${status}${code}${origin}${quotation}`;
}

function describeFailure({ type, code, detail }: ServerError) {
	if (type === 'totalTimeout') return 'no response';
	return code !== undefined && /^[A-Z_0-9]+$/.test(code) ? code : detail;
}
