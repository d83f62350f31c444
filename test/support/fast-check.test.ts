import * as all from 'fast-check';
import fc from 'fast-check';

import { process } from './node-builtins';
import { examples } from './properties';

test('fast-check uses the seed and number of runs from the environment, however it is imported', () => {
	const set = { seed: Number(process.env.PROPERTY_SEED ?? 1), ...examples(100) };
	expect(fc.readConfigureGlobal()).toEqual(set);
	expect(all.readConfigureGlobal()).toEqual(set);
});
