/** Vector arithmetic. Pure. */

/** The vector, scaled to length 1. */
export function normalised(vector: readonly number[]): number[] {
	// Scaled first: squares of large numbers would be infinite.
	const largest = vector.reduce((max, value) => Math.max(max, Math.abs(value)), 0);
	if (largest === 0) return [...vector];
	const scaled = vector.map((value) => value / largest);
	const length = Math.sqrt(scaled.reduce((sum, value) => sum + value * value, 0));
	return scaled.map((value) => value / length);
}

/**
 * The first `dimensions` numbers of a vector, scaled to length 1, as models trained with Matryoshka representation
 * learning allow. A shorter vector is returned as it is.
 */
export function cutTo(vector: number[], dimensions: number | undefined): number[] {
	return dimensions === undefined || vector.length <= dimensions
		? vector
		: normalised(vector.slice(0, dimensions));
}
