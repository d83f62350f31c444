/** A proxy that wants a longer pause is not waited for. */
export const MAX_RETRY_AFTER_MS = 60_000;

/** Milliseconds of a Retry-After header, which has seconds or a date; undefined where it has neither. */
export function retryAfterMs(header: string | undefined, now = Date.now()): number | undefined {
	const value = header?.trim() ?? '';
	if (/^\d+(?:\.\d+)?$/.test(value)) return Math.ceil(Number(value) * 1000);
	// A date has a month; other texts are dates to `Date.parse`, too ("-5").
	const at = /[a-z]{3}/i.test(value) ? Date.parse(value) : NaN;
	return Number.isNaN(at) ? undefined : Math.max(0, at - now);
}
