/**
 * fast-check for all tests (`moduleNameMapper` in `jest.config.cjs`), with the project's settings. Configured here, not in
 * a setup file: loading it takes longer than most suites without it.
 *
 * Texts, keys and values are of all scripts unless a test names a `unit`: fast-check's own default is ASCII, with which a
 * byte, a UTF-16 unit and a character are the same.
 */
import original from '../../../node_modules/fast-check/lib/cjs/fast-check.js';
import { configureProperties } from './properties';

configureProperties(original);

type FastCheck = typeof original;

const ALL_SCRIPTS = 'grapheme';

export const string = ((constraints) =>
	original.string({ unit: ALL_SCRIPTS, ...constraints })) as FastCheck['string'];

export const json = ((constraints) =>
	original.json({ stringUnit: ALL_SCRIPTS, ...constraints })) as FastCheck['json'];

export const jsonValue = ((constraints) =>
	original.jsonValue({ stringUnit: ALL_SCRIPTS, ...constraints })) as FastCheck['jsonValue'];

export const object = ((constraints) =>
	original.object({ stringUnit: ALL_SCRIPTS, ...constraints })) as FastCheck['object'];

export const anything = ((constraints) =>
	original.anything({ stringUnit: ALL_SCRIPTS, ...constraints })) as FastCheck['anything'];

export * from '../../../node_modules/fast-check/lib/cjs/fast-check.js';
export default { ...original, string, json, jsonValue, object, anything };
