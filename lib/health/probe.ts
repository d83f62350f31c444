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
	timeLimitMs?: number;
	signal?: AbortSignal;
}

/** A question with its answer. */
export interface ProbeResult extends ProbeResponse {
	method: 'GET' | 'POST';
	url: string;
	/** From sending to the last byte, or to the limit. */
	ms: number;
	/** 0: no answer. */
	status: number;
	/** After redirects. */
	endedAt: string;
	/** Set where there is no JSON, or a refusal. */
	failure?: ServerError;
}

/**
 * Asks once.
 *
 * @throws {ServerError} only of kind `aborted`
 */
export async function runProbe(
	server: Endpoint,
	url: string,
	{ timeLimitMs = DEFAULT_TIMEOUT_MS, signal, json }: CheckOptions & { json?: JsonRecord } = {},
): Promise<ProbeResult> {
	const startedAt = performance.now();
	const limits = { firstTokenMs: 0, idleMs: 0, totalMs: timeLimitMs };
	// An open connection occupies one of llama-server's few HTTP threads until it closes: with a dozen of them idle, the
	// next request was seen to wait for two seconds. A check must not cause that.
	const options = { url, json, limits, signal, maxBytes: MAX_BYTES, isIdempotent: false } as const;
	const reading = request(server, { ...options, takesRefusals: true }, async (answer) => {
		const { status, headers } = answer;
		// The target of a redirect may repeat what was sent, as login pages do.
		const endedAt = answer.url === url ? url : mask(answer.url, server.secrets);
		return { status, headers, endedAt, text: await answer.text() };
	});
	const outcome = await reading.catch(captureError);
	const asked = {
		method: json === undefined ? 'GET' : 'POST',
		url,
		ms: elapsedMs(startedAt),
	} as const;
	if (!('failed' in outcome)) return withParsedJson(server, { ...asked, ...outcome });
	const { failed } = outcome;
	if (failed.kind === 'aborted') throw failed;
	return {
		...asked,
		status: 0,
		headers: {},
		text: '',
		json: undefined,
		endedAt: url,
		failure: failed,
	};
}

function withParsedJson(
	server: Endpoint,
	probe: Omit<ProbeResult, 'json' | 'failure'>,
): ProbeResult {
	const json = parseJson(probe.text);
	const isUsable = json !== undefined && !isErrorResponse({ status: probe.status, json });
	return isUsable ? { ...probe, json } : { ...probe, json, failure: toProbeError(server, probe) };
}

/** What an answer means that is not the one that was asked for. */
export function toProbeError(
	server: Endpoint,
	probe: Omit<ProbeResult, 'json' | 'failure'>,
): ServerError {
	const { url, endedAt, status, headers, text } = probe;
	return toResponseError(server, { url }, { url: endedAt, status, headers: { ...headers }, text });
}

/** The JSON object of a good answer; empty where there is none. */
export function getJsonObject(probe: ProbeResult | undefined): JsonRecord {
	return probe?.failure === undefined && isRecord(probe?.json) ? probe.json : {};
}

/** Milliseconds of the fastest answer: almost only network time. */
export function getLatency(probes: readonly ProbeResult[]): number | null {
	const times = probes.flatMap(({ status, ms }) => (status > 0 ? [ms] : []));
	return times.length === 0 ? null : times.reduce((least, ms) => Math.min(least, ms));
}

/** One line with the question and its outcome. */
export function describeProbe({ method, url, endedAt, status, ms, failure }: ProbeResult): string {
	const question = `${method} ${url}`;
	if (status === 0) return `${question}: ${describeFailure(failure!)} after ${Math.round(ms)} ms`;
	const words = failure?.serverText?.replace(/\s+/g, ' ').trim() ?? '';
	const quotation = words === '' ? '' : `, "${truncate(words, 120)}"`;
	const code = failure?.code === undefined ? '' : ` ${failure.code}`;
	const place = endedAt === url ? '' : ` from ${endedAt}`;
	return `${question}: HTTP ${status}${code}${place}${quotation}`;
}

function describeFailure({ kind, code, meaning }: ServerError): string {
	if (kind === 'totalLimit') return 'no response';
	return code !== undefined && /^[A-Z_0-9]+$/.test(code) ? code : meaning;
}

export function elapsedMs(startedAt: number): number {
	return Math.round((performance.now() - startedAt) * 10) / 10;
}
