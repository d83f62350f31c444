/**
 * Settings of the property tests.
 *
 * `npm test` uses the same examples at every run, so that a green commit stays green; `npm run test:properties` uses new
 * ones, and more. Environment variables, set in `scripts/test-properties.mjs`: `PROPERTY_SEED` (an integer, default 1) and
 * `PROPERTY_RUNS` (a factor for the numbers of examples, default 1).
 */
import type fc from 'fast-check';

import process from 'node:process';

const FEW = 100;

const integer = (name: string): number => {
	const value = Number(process.env[name] ?? 1);
	if (!Number.isSafeInteger(value))
		throw new Error(`${name} must be a whole number, not "${String(process.env[name])}".`);
	return value;
};

const times = integer('PROPERTY_RUNS');

/** Whether tests take all of their rows: `npm test` takes some. */
export const isNightly: boolean = times > 1;

/**
 * Rows of a table that is crossed with another one: each night all of them, in `npm test` some.
 *
 * @param shift the number of the row of the other table, so that each row of both is played with some of the other
 * @param share which part of them, as a divisor: by default every third
 */
export const takeSome = <T>(rows: readonly T[], shift = 0, share = 3): T[] =>
	rows.filter((_row, index) => isNightly || (index + shift) % share === 0);

/** Decides what tests make up. */
export const seed: number = integer('PROPERTY_SEED');

/** Second argument of `fc.assert`: the number of examples, if the default of 100 does not fit. */
export const examples = (count: number): { numRuns: number } => ({ numRuns: count * times });

/** Called by `fast-check.ts`. */
export const configureProperties = ({
	configureGlobal,
}: Pick<typeof fc, 'configureGlobal'>): void => {
	configureGlobal({ seed, ...examples(FEW) });
};
