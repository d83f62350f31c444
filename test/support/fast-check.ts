/**
 * The fast-check of every test (`moduleNameMapper` in `jest.config.cjs`), which knows how examples are chosen. It is set
 * up here and not before each suite: loading it takes longer than most suites that do not use it.
 */
import fc from '../../node_modules/fast-check/lib/cjs/fast-check.js';
import { configureProperties } from './properties';

configureProperties(fc);

export * from '../../node_modules/fast-check/lib/cjs/fast-check.js';
export default fc;
