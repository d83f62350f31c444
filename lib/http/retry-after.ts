/** Longest pause that is respected: model requests then retry earlier, Dify requests fail. */
export const MAX_RETRY_AFTER_MS = 60_000;

/** Milliseconds of a Retry-After header, which contains seconds or a date; undefined for anything else. */
export function retryAfterMs(header: string | undefined, now = Date.now()): number | undefined {
	const value = header?.trim() ?? '';
	if (/^\d+(?:\.\d+)?$/.test(value)) return Math.ceil(Number(value) * 1000);
	// `Date.parse` also accepts texts like "-5", so a month's name is required.
	const at = /[a-z]{3}/i.test(value) ? Date.parse(value) : NaN;
	return Number.isNaN(at) ? undefined : Math.max(0, at - now);
}
