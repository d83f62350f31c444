/**
 * Settings of the property tests.
 *
 * `npm test` uses the same examples at every run, so that a green commit stays green; `npm run test:properties` uses new
 * ones, and more. Environment variables, set in `scripts/test-properties.mjs`: `PROPERTY_SEED` (an integer, default 1) and
 * `PROPERTY_RUNS` (a factor for the numbers of examples, default 1).
 */
import type fc from 'fast-check';

import { process } from './node';

const FEW = 100;

const wholeNumber = (name: string): number => {
	const value = Number(process.env[name] ?? 1);
	if (!Number.isSafeInteger(value))
		throw new Error(`${name} must be a whole number, not "${String(process.env[name])}".`);
	return value;
};

const times = wholeNumber('PROPERTY_RUNS');

/** Second argument of `fc.assert`: the number of examples, if the default of 100 does not fit. */
export const examples = (count: number): { numRuns: number } => ({ numRuns: count * times });

/**
 * Part of all pairs of two lists: each element of one list meets every third of the other. `npm run test:properties` takes
 * all pairs.
 */
export function pairs<First, Second>(
	firsts: readonly First[],
	seconds: readonly Second[],
): Array<[First, Second]> {
	const step = times === 1 ? EVERY_THIRD : 1;
	return firsts.flatMap((first, index) =>
		seconds
			.filter((_, at) => (index + at) % step === 0)
			.map((second): [First, Second] => [first, second]),
	);
}

const EVERY_THIRD = 3;

/** Called by `fast-check.ts`. */
export const configureProperties = ({
	configureGlobal,
}: Pick<typeof fc, 'configureGlobal'>): void => {
	configureGlobal({ seed: wholeNumber('PROPERTY_SEED'), ...examples(FEW) });
};
