import * as fc from 'fast-check';

import {
	createEmptyFieldError,
	createFieldError,
	quoteValue,
} from '../../../lib/fields/field-errors';

const OWN = { label: 'Own' };

test('a value is quoted as JSON, truncated', () => {
	const circular: Record<string, unknown> = {};
	circular.self = circular;
	expect(quoteValue(circular)).toBe('[object Object]');
	expect(quoteValue(undefined)).toBe('undefined');
	expect(quoteValue('x'.repeat(200))).toHaveLength(100);
	fc.assert(
		fc.property(fc.anything(), (value) =>
			expect([...quoteValue(value)].length).toBeLessThanOrEqual(100),
		),
	);
});

test('a field that is empty or wrong is an error with a suggestion', () => {
	expect(createEmptyFieldError(OWN)).toMatchObject({
		type: 'invalidInput',
		field: 'Own',
		inputProblem: 'empty',
		message: 'The field "Own" is empty',
		suggestion: 'Enter a value, or correct the expression.',
	});
	expect(createFieldError(OWN, 'has no rows')).toMatchObject({
		message: 'The field "Own" has no rows',
		suggestion: 'Correct the field in the node.',
		field: 'Own',
		inputProblem: 'wrong',
	});
	expect(createEmptyFieldError(OWN, 'Fill it.')).toMatchObject({
		suggestion: 'Fill it.',
		field: 'Own',
		inputProblem: 'empty',
	});
});
