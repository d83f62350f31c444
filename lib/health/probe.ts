/** One probe of a check. Probes do not generate, load or wake anything. */
import { isErrorResponse } from '../errors/classify-error';
import { captureError, ServerError } from '../errors/server-error';
import type { Endpoint, RequestOptions } from '../http/types';
import { probe, toProbeError } from '../servers/probe';
import type { ProbeResponse } from '../servers/types/server-type';
import type { Expectations } from './check-result';
import { isRecord, type JsonRecord, minOf, truncate } from '../values';

export const DEFAULT_TIMEOUT_MS = 2_500;
/** Several probes run at the same time, and any server may respond. */
const MAX_BYTES = 16 * 1024 * 1024;

export interface CheckOptions {
	expectations?: Expectations;
	/** Timeout of each probe, default 2.5 s. */
	timeoutMs?: number;
	signal?: AbortSignal;
}

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

/** @throws {ServerError} only of type `aborted` */
export async function runProbe(
	server: Endpoint,
	url: string,
	{
		timeoutMs = DEFAULT_TIMEOUT_MS,
		signal,
		json,
		upload,
	}: CheckOptions & Pick<RequestOptions, 'json' | 'upload'> = {},
): Promise<ProbeResult> {
	const startedAt = performance.now();
	// An open connection occupies one of llama-server's few HTTP threads until it closes: with a dozen of them idle, the
	// next request waited for two seconds in a test. A check must not cause that.
	const options = { timeoutMs, signal, json, upload, maxBytes: MAX_BYTES, isIdempotent: false };
	const outcome = await probe(server, url, options).catch(captureError);
	const method = json === undefined && upload === undefined ? 'GET' : 'POST';
	const durationMs = Math.round((performance.now() - startedAt) * 10) / 10;
	const sent = { method, url, durationMs } as const;
	if (outcome instanceof ServerError) {
		if (outcome.type === 'aborted') throw outcome;
		return { ...NO_RESPONSE, ...sent, finalUrl: url, error: outcome };
	}
	const isUsable = outcome.json !== undefined && !isErrorResponse(outcome);
	return { ...sent, ...outcome, error: isUsable ? undefined : toProbeError(server, url, outcome) };
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
export function getLatency(probes: readonly ProbeResult[]): number | undefined {
	const times = probes.flatMap(({ status, durationMs }) => (status > 0 ? [durationMs] : []));
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
	if (status === 0)
		return `${requestLine}: ${describeFailure(error!)} after ${Math.round(durationMs)} ms`;
	const message = error?.serverText?.replace(/\s+/g, ' ').trim() ?? '';
	const quotation = message === '' ? '' : `, "${truncate(message, 120)}"`;
	const code = error?.code === undefined ? '' : ` ${error.code}`;
	const origin = finalUrl === url ? '' : ` from ${finalUrl}`;
	return `${requestLine}: HTTP ${status}${code}${origin}${quotation}`;
}

function describeFailure({ type, code, detail }: ServerError): string {
	if (type === 'totalTimeout') return 'no response';
	return code !== undefined && /^[A-Z_0-9]+$/.test(code) ? code : detail;
}
