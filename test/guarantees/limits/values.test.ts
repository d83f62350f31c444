import { sanitizeFileName } from '../../../lib/file-name';
import { keepWithin } from '../../../lib/kept';
import { isTooDeep, parseJson } from '../../../lib/values/json';
import { getUnsafeNumberWarnings, parseExactJson } from '../../../lib/values/exact-json';
import { testLimit, textOfCharacters } from '../../support/jest/limits';

const nested = (depth: number) => `${'['.repeat(depth)}${']'.repeat(depth)}`;

testLimit('lib/file-name.ts#MAX_LENGTH', {
	limit: 120,
	of: 'wide characters',
	outcome: (length) => {
		const name = sanitizeFileName(textOfCharacters(length), 'file');
		return { isWhole: [...name].length === length, isWellFormed: name.isWellFormed() };
	},
	within: { isWhole: true, isWellFormed: true },
	beyond: { isWhole: false, isWellFormed: true },
});
testLimit('lib/kept.ts#MANY', {
	limit: 1_000,
	outcome: (count) => {
		const store = keepWithin<number>('executions');
		for (let at = 0; at < count; at++) store.set(String(at), at);
		return store.get('0');
	},
	within: 0,
	beyond: undefined,
});
testLimit('lib/kept.ts#SOME', {
	limit: 50,
	outcome: (count) => {
		const store = keepWithin<number>('lessons');
		for (let at = 0; at < count; at++) store.set(String(at), at);
		return store.get('0');
	},
	within: 0,
	beyond: undefined,
});
testLimit('lib/values/json.ts#MAX_DEPTH', {
	limit: 500,
	of: 'levels of a text',
	outcome: (depth) => parseJson(nested(depth)) !== undefined,
	within: true,
	beyond: false,
});
testLimit('lib/values/json.ts#MAX_DEPTH', {
	limit: 500,
	of: 'levels of a value',
	outcome: (depth) => isTooDeep(JSON.parse(nested(depth))),
	within: false,
	beyond: true,
});
testLimit('lib/values/exact-json.ts#MAX_NAMED', {
	limit: 5,
	outcome: (count) => {
		const numbers = Array.from({ length: count }, (_none, at) => `9${at}`);
		return getUnsafeNumberWarnings(numbers)[0]!.includes(numbers.at(-1)!);
	},
	within: true,
	beyond: false,
});
testLimit('lib/values/exact-json.ts#MAX_DIGITS', {
	limit: 100,
	// A power of two has all of its digits: 0.5 to the power of the count ends with 5.
	outcome: (digits) => {
		const number = `0.5${'0'.repeat(digits - 1)}`;
		const json = `{"a":${number}}`;
		return parseExactJson(json, JSON.parse(json)).unsafeNumbers.length === 0;
	},
	within: true,
	beyond: false,
});
