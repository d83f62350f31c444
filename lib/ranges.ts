/** Smallest and largest allowed number; `Infinity` where there is no limit on that side. */
export type NumberRange = readonly [least: number, most: number];

export const ANY_NUMBER: NumberRange = [-Infinity, Infinity];

export function isInRange(value: number, [least, most]: NumberRange): boolean {
	return Number.isFinite(value) && value >= least && value <= most;
}

/** The range in words for an error: "a number", "a number from 0", "a number from 0 to 1". */
export function formatRange([least, most]: NumberRange): string {
	const from = least === -Infinity ? '' : ` from ${least}`;
	const to = most === Infinity ? '' : `${from === '' ? ' up' : ''} to ${most}`;
	return `a number${from}${to}`;
}
