import * as fc from 'fast-check';
import type { INodeProperties } from 'n8n-workflow';

import { ServerError } from '../../../lib/errors/server-error';
import {
	asChoice,
	asNumber,
	asObject,
	asBoolean,
	asText,
	findField,
	isUnset,
	quoteValue,
	createFieldError,
} from '../../../nodes/shared/parameters';
import { PROPERTIES } from './properties';

describe('the description of a field', () => {
	it('is found inside collections, and inside groups of fields', () => {
		expect(findField(PROPERTIES, 'options.share').label).toBe('Share');
		expect(findField(PROPERTIES, 'files.file.name').label).toBe('Name of the File');
		expect(() => findField(PROPERTIES, 'options.shar')).toThrow(
			'The node has no field options.shar',
		);
	});

	it('has the choices of all fields of that name', () => {
		const sameNamed = ['a', 'b'].map(
			(value): INodeProperties => ({
				displayName: 'Operation',
				name: 'operation',
				type: 'options',
				options: [{ name: value, value }],
				default: value,
			}),
		);
		expect(findField(sameNamed, 'operation').choices).toEqual(['a', 'b']);
	});

	it('has its range, and whether it is an integer', () => {
		expect(findField(PROPERTIES, 'options.share')).toMatchObject({
			range: [0, 1],
			isInteger: false,
		});
		expect(findField(PROPERTIES, 'options.count')).toMatchObject({
			range: [-Infinity, Infinity],
			isInteger: true,
		});
		expect(findField(PROPERTIES, 'kind').choices).toEqual(['a', 'b']);
	});
});

describe('a value of a field', () => {
	it.each([
		['1e3', 1000],
		[' -2.9 ', -2],
		[7.9, 7],
	])('%j as an integer', (value, number) => {
		expect(asNumber({ label: 'Count', isInteger: true }, value)).toBe(number);
	});

	it.each([true, [], '', ' ', '1 apple', Infinity, {}])('%j is not a number', (value) => {
		expect(() => asNumber({ label: 'Count' }, value)).toThrow(
			'The field "Count" must be a number, but is',
		);
	});

	it('is unset if the field is empty; 0, false and blanks are values', () => {
		expect([undefined, null, ''].map(isUnset)).toEqual([true, true, true]);
		expect([0, false, ' ', []].map(isUnset)).toEqual([false, false, false, false]);
	});

	it('is quoted as JSON, truncated', () => {
		expect(quoteValue(10n)).toBe('10');
		expect(quoteValue(undefined)).toBe('undefined');
		expect(quoteValue('x'.repeat(200))).toHaveLength(100);
		fc.assert(
			fc.property(fc.anything(), (value) =>
				expect(quoteValue(value).length).toBeLessThanOrEqual(100),
			),
		);
	});

	it('is converted to the type of the field, or rejected with its name', () => {
		const field = { label: 'Own', choices: ['a'] };
		fc.assert(
			fc.property(fc.oneof(fc.anything(), fc.json()), (value) => {
				const forms: Array<[() => unknown, (given: unknown) => boolean]> = [
					[() => asNumber(field, value), Number.isFinite],
					[() => asBoolean(field, value), (given) => typeof given === 'boolean'],
					[() => asChoice(field, value), (given) => given === 'a'],
					[() => asText(field, value), (given) => typeof given === 'string'],
					[
						() => asObject(field, value),
						(given) => typeof given === 'object' && given !== null && !Array.isArray(given),
					],
				];
				for (const [take, fits] of forms) {
					let result: unknown;
					try {
						result = take();
					} catch (error) {
						expect(error).toBeInstanceOf(ServerError);
						expect((error as ServerError).message).toContain('The field "Own" ');
						continue;
					}
					expect(fits(result)).toBe(true);
				}
			}),
		);
	});

	it('that is wrong is an error with a suggestion', () => {
		expect(createFieldError('Own', 'is empty')).toMatchObject({
			type: 'invalidInput',
			message: 'The field "Own" is empty',
			suggestion: 'Enter a value, or correct the expression.',
		});
		expect(createFieldError('Own', 'is empty', 'Fill it.').suggestion).toBe('Fill it.');
	});
});
