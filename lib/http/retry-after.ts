import { seconds } from '../errors/remedies';
import type { ServerError } from '../errors/server-error';

/** Longest pause that is waited for. A server that asks for a longer one is not asked again. */
export const MAX_RETRY_AFTER_MS = 60_000;

/** The failure with the pause that the server asks for, if it sent one. An error says how long a long one is. */
export function withRetryAfter(failed: ServerError, header: string | undefined): ServerError {
	const pauseMs = retryAfterMs(header);
	if (pauseMs === undefined) return failed;
	const withPause = failed.withFacts({ retryAfterMs: pauseMs });
	if (pauseMs <= MAX_RETRY_AFTER_MS) return withPause;
	return withPause.withRemedy(
		`The server asks to wait ${seconds(pauseMs)} (Retry-After), so it was not asked again. ${failed.remedy}`,
	);
}

/** Milliseconds of a Retry-After header, which contains seconds or a date; undefined for anything else. */
export function retryAfterMs(header: string | undefined, now = Date.now()): number | undefined {
	const value = header?.trim() ?? '';
	if (/^\d+(?:\.\d+)?$/.test(value)) return Math.ceil(Number(value) * 1000);
	// `Date.parse` also accepts texts like "-5", so a month's name is required.
	const at = /[a-z]{3}/i.test(value) ? Date.parse(value) : NaN;
	return Number.isNaN(at) ? undefined : Math.max(0, at - now);
}
