import { largestOf, smallestOf } from '../values';

/** Values that may be unknown. Results are null where all are. */
type Known = ReadonlyArray<number | null | undefined>;

export function sum(values: Known): number | null {
	const known = knownOf(values);
	return known.length === 0 ? null : known.reduce((total, value) => total + value, 0);
}

export function average(values: Known): number | null {
	const total = sum(values);
	return total === null ? null : rounded(total / knownOf(values).length);
}

export function greatest(values: Known): number | null {
	const known = knownOf(values);
	return known.length === 0 ? null : largestOf(known);
}

export function least(values: Known): number | null {
	const known = knownOf(values);
	return known.length === 0 ? null : smallestOf(known);
}

/** To one decimal. */
export function rounded(value: number | null): number | null {
	return value === null ? null : Math.round(value * 10) / 10;
}

function knownOf(values: Known): number[] {
	return values.filter((value) => typeof value === 'number');
}

export function gigabytes(bytes: number): number {
	return Math.round(bytes / 1e8) / 10;
}
