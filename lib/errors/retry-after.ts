/** Milliseconds of a Retry-After header, which contains seconds or a date; undefined for anything else. */
export function parseRetryAfter(header = '', now: number = Date.now()): number | undefined {
	const value = header.trim();
	if (/^\d+(?:\.\d+)?$/.test(value)) return Math.ceil(Number(value) * 1000);
	// `Date.parse` also accepts texts like "-5", so a month's name is required.
	const time = /[a-z]{3}/i.test(value) ? Date.parse(value) : NaN;
	return Number.isNaN(time) ? undefined : Math.max(0, time - now);
}
