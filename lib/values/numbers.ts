/** Numbers and ranges of them. */

/** Undefined for anything but a finite number, also for one written as text. */
export function asFiniteNumber(value: unknown): number | undefined {
	return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}

/** A finite number, also one written as text; undefined for anything else. */
export function parseNumber(value: unknown): number | undefined {
	if (typeof value !== 'string') return asFiniteNumber(value);
	const isNumber = /^[+-]?\d+(?:\.\d*)?(?:e[+-]?\d+)?$/i.test(value.trim());
	return isNumber ? asFiniteNumber(Number(value)) : undefined;
}

/**
 * The largest of any number of values.
 *
 * @param min - Lower bound of the result, returned for an empty list.
 */
export function maxOf(numbers: readonly number[], min: number = -Infinity): number {
	return numbers.reduce((largest, number) => Math.max(largest, number), min);
}

/**
 * The smallest of any number of values.
 *
 * @param max - Upper bound of the result, returned for an empty list.
 */
export function minOf(numbers: readonly number[], max: number = Infinity): number {
	return numbers.reduce((smallest, number) => Math.min(smallest, number), max);
}

/** Rounds a number to this many decimals. Default: one. */
export function round(value: number, decimals = 1): number {
	return Math.round(value * 10 ** decimals) / 10 ** decimals;
}

/** Smallest and largest allowed number; infinite if there is no limit on that side. */
export type NumberRange = readonly [min: number, max: number];

/** No limits. */
export const ANY_NUMBER: NumberRange = [-Infinity, Infinity];

/** Whether a number is finite and within the range, its limits included. */
export function isInRange(value: number, [min, max]: NumberRange): boolean {
	return Number.isFinite(value) && value >= min && value <= max;
}

/** The range as text for an error: "a number", "a number from 0", "a number from 0 to 1". */
export function formatRange([min, max]: NumberRange): string {
	const from = min === -Infinity ? '' : ` from ${min}`;
	const to = max === Infinity ? '' : `${from === '' ? ' up' : ''} to ${max}`;
	return `a number${from}${to}`;
}
