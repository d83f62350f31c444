/**
 * How property tests choose their examples.
 *
 * `npm test` tries the same ones at every run, so that a commit which was green stays green; `npm run test:properties`
 * tries others, and more of them. Both go by two variables of the environment, set in `scripts/test-properties.mjs`:
 * `PROPERTY_SEED` (a whole number; 1 when not set) and `PROPERTY_RUNS` (by how much every number of examples is
 * multiplied; 1 when not set).
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

/** As the second argument of `fc.assert`: how many examples are tried where one hundred are too many or too few. */
export const examples = (count: number): { numRuns: number } => ({ numRuns: count * times });

/** Called where fast-check is loaded (`fast-check.ts`). */
export const configureProperties = ({ configureGlobal }: Pick<typeof fc, 'configureGlobal'>): void => {
	configureGlobal({ seed: wholeNumber('PROPERTY_SEED'), ...examples(FEW) });
};
