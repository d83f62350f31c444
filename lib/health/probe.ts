/** One question of a check. None generates, loads or wakes anything. */
import { isErrorResponse } from '../errors/classify-error';
import { mask } from '../errors/mask';
import { captureError, type ServerError } from '../errors/server-error';
import type { Endpoint } from '../http/types';
import { toResponseError } from '../http/request-errors';
import { request } from '../http/request';
import { parseJson } from '../json';
import type { ProbeResponse } from '../servers/types/server-type';
import type { Expectations } from './result';
import { isRecord, type JsonRecord, truncate } from '../values';

export const DEFAULT_TIMEOUT_MS = 2_500;
/** Several questions are open at once, and anything may answer. */
const MAX_BYTES = 16 * 1024 * 1024;

export interface CheckOptions {
	expectations?: Expectations;
	/** Limit of each question in milliseconds, default 2.5 s. */
	timeoutMs?: number;
	signal?: AbortSignal;
}

/** A question with its answer. */
export interface ProbeResult extends ProbeResponse {
	method: 'GET' | 'POST';
	url: string;
	/** From sending to the last byte, or to the limit. */
	durationMs: number;
	/** 0: no answer. */
	status: number;
	/** After redirects. */
	finalUrl: string;
	/** Set where there is no JSON, or a refusal. */
	error?: ServerError;
}

/**
 * Asks once.
 *
 * @throws {ServerError} only of kind `aborted`
 */
export async function runProbe(
	server: Endpoint,
	url: string,
	{ timeoutMs = DEFAULT_TIMEOUT_MS, signal, json }: CheckOptions & { json?: JsonRecord } = {},
): Promise<ProbeResult> {
	const startedAt = performance.now();
	const timeouts = { firstTokenMs: 0, idleMs: 0, totalMs: timeoutMs };
	// An open connection occupies one of llama-server's few HTTP threads until it closes: with a dozen of them idle, the
	// next request was seen to wait for two seconds. A check must not cause that.
	const options = {
		url,
		json,
		timeouts,
		signal,
		maxBytes: MAX_BYTES,
		isIdempotent: false,
	} as const;
	const reading = request(server, { ...options, allowErrorStatus: true }, async (answer) => {
		const { status, headers } = answer;
		// The target of a redirect may repeat what was sent, as login pages do.
		const finalUrl = answer.url === url ? url : mask(answer.url, server.secrets);
		return { status, headers, finalUrl, text: await answer.text() };
	});
	const outcome = await reading.catch(captureError);
	const asked = {
		method: json === undefined ? 'GET' : 'POST',
		url,
		durationMs: elapsedMs(startedAt),
	} as const;
	if (!('failed' in outcome)) return withParsedJson(server, { ...asked, ...outcome });
	const { failed } = outcome;
	if (failed.type === 'aborted') throw failed;
	return {
		...asked,
		status: 0,
		headers: {},
		text: '',
		json: undefined,
		finalUrl: url,
		error: failed,
	};
}

function withParsedJson(server: Endpoint, probe: Omit<ProbeResult, 'json' | 'error'>): ProbeResult {
	const json = parseJson(probe.text);
	const isUsable = json !== undefined && !isErrorResponse({ status: probe.status, json });
	return isUsable ? { ...probe, json } : { ...probe, json, error: toProbeError(server, probe) };
}

/** What an answer means that is not the one that was asked for. */
export function toProbeError(
	server: Endpoint,
	probe: Omit<ProbeResult, 'json' | 'error'>,
): ServerError {
	const { url, finalUrl, status, headers, text } = probe;
	return toResponseError(server, { url }, { url: finalUrl, status, headers: { ...headers }, text });
}

/** The JSON object of a good answer; empty where there is none. */
export function getJsonObject(probe: ProbeResult | undefined): JsonRecord {
	return probe?.error === undefined && isRecord(probe?.json) ? probe.json : {};
}

/** Milliseconds of the fastest answer: almost only network time. */
export function getLatency(probes: readonly ProbeResult[]): number | null {
	const times = probes.flatMap(({ status, durationMs }) => (status > 0 ? [durationMs] : []));
	return times.length === 0 ? null : times.reduce((least, ms) => Math.min(least, ms));
}

/** One line with the question and its outcome. */
export function describeProbe({
	method,
	url,
	finalUrl,
	status,
	durationMs,
	error,
}: ProbeResult): string {
	const question = `${method} ${url}`;
	if (status === 0)
		return `${question}: ${describeFailure(error!)} after ${Math.round(durationMs)} ms`;
	const words = error?.serverText?.replace(/\s+/g, ' ').trim() ?? '';
	const quotation = words === '' ? '' : `, "${truncate(words, 120)}"`;
	const code = error?.code === undefined ? '' : ` ${error.code}`;
	const place = finalUrl === url ? '' : ` from ${finalUrl}`;
	return `${question}: HTTP ${status}${code}${place}${quotation}`;
}

function describeFailure({ type, code, detail }: ServerError): string {
	if (type === 'totalTimeout') return 'no response';
	return code !== undefined && /^[A-Z_0-9]+$/.test(code) ? code : detail;
}

export function elapsedMs(startedAt: number): number {
	return Math.round((performance.now() - startedAt) * 10) / 10;
}
