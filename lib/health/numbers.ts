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

/** Of shares from 0 to 1, to three decimals. */
export function averageShare(values: Known): number | null {
	const known = knownOf(values);
	const total = sum(known);
	return total === null ? null : Math.round((total / known.length) * 1000) / 1000;
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

export function inSeconds(ms: number | null): number | null {
	return ms === null ? null : ms / 1000;
}

/** "0.21", "12.5": seconds with as many digits as people compare. */
export function secondsInWords(ms: number): string {
	const digits = ms < 100 ? 3 : 2;
	return String(Number((ms / 1000).toFixed(ms >= 10_000 ? 1 : digits)));
}
