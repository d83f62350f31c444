/** Makes up the same cases at every run, whatever library is installed: approved tables name them. */

/** Draws from a list. */
export interface Draws {
	/** One of them, the last one as often as the first. */
	oneOf<T>(values: readonly T[]): T;
	/** An integer from `min` to `max`, both included. */
	count(min: number, max: number): number;
}

/** @param seed an integer; the same one draws the same */
export function createDraws(seed: number): Draws {
	let state = seed;
	/** Mulberry32, a generator of 32 bits. @returns from 0 to less than 1 */
	const next = (): number => {
		state = Math.trunc(state + 0x6d_2b_79_f5);
		let mixed = Math.imul(state ^ (state >>> 15), state | 1);
		mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
		return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
	};
	const count = (min: number, max: number): number => min + Math.floor(next() * (max - min + 1));
	return { count, oneOf: (values) => values[count(0, values.length - 1)]! };
}
