/** Smallest and largest allowed number; infinite if there is no limit on that side. */
export type NumberRange = readonly [min: number, max: number];

export const ANY_NUMBER: NumberRange = [-Infinity, Infinity];

export function isInRange(value: number, [min, max]: NumberRange): boolean {
	return Number.isFinite(value) && value >= min && value <= max;
}

/** The range as text for an error: "a number", "a number from 0", "a number from 0 to 1". */
export function formatRange([min, max]: NumberRange): string {
	const from = min === -Infinity ? '' : ` from ${min}`;
	const to = max === Infinity ? '' : `${from === '' ? ' up' : ''} to ${max}`;
	return `a number${from}${to}`;
}
