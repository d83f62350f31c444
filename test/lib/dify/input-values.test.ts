import {
	convertFormValue,
	parseExactNumber,
	parseJsonInputs,
} from '../../../lib/dify/input-values';
import type { AppFormField } from '../../../lib/dify/app-form';

test.each<[AppFormField['type'], unknown, unknown]>([
	['text-input', 5, '5'],
	['text-input', '', ''],
	['text-input', null, undefined],
	['paragraph', { a: 1 }, '{"a":1}'],
	['select', '', undefined],
	['select', 'x', 'x'],
	['number', '2.5', 2.5],
	['number', ' ', undefined],
	['number', 'many', 'many'],
	['checkbox', 'true', true],
	['checkbox', 0, false],
	['checkbox', 'perhaps', 'perhaps'],
	['json_object', { a: 1 }, { a: 1 }],
	['json_object', '{', '{'],
])('a field of type %s converts %j to %j', (type, value, expected) => {
	expect(convertFormValue({ type } as AppFormField, value)).toEqual(expected);
});

test.each([
	['number', '12345678901234567890', '12345678901234567890'],
	['number', ' -9007199254740993 ', '-9007199254740993'],
	['number', '0.1234567890123456789', '0.1234567890123456789'],
	['json_object', '{"a":12345678901234567890}', '{"a":12345678901234567890}'],
	['json_object', '[1,{"b":[1e400]}]', '[1,{"b":[1e400]}]'],
	['text-input', 9007199254740991, '"9007199254740991"'],
])('a field of type %s sends %j as %s', (type, value, json) => {
	expect(JSON.stringify(convertFormValue({ type } as AppFormField, value))).toBe(json);
});

test.each([
	['7', 7],
	[7, 7],
	['9007199254740993', '9007199254740993'],
	['', undefined],
	['x', undefined],
	[undefined, undefined],
])('%j as an exact number', (value, expected) => {
	expect(parseExactNumber(value)).toBe(expected);
});

test('inputs are an object, or nothing', () => {
	expect(parseJsonInputs(' ')).toEqual({});
	expect(JSON.stringify(parseJsonInputs('{"id":9007199254740993}'))).toBe(
		'{"id":9007199254740993}',
	);
	for (const value of ['[1]', '5', 'x', null, [1]])
		expect(() => parseJsonInputs(value)).toThrow('The inputs are not a JSON object');
});
