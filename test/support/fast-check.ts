/**
 * fast-check for all tests (`moduleNameMapper` in `jest.config.cjs`), with the project's settings. Configured here, not in
 * a setup file: loading it takes longer than most suites without it.
 */
import fc from '../../node_modules/fast-check/lib/cjs/fast-check.js';
import { configureProperties } from './properties';

configureProperties(fc);

export * from '../../node_modules/fast-check/lib/cjs/fast-check.js';
export default fc;
