import { toVariableValue, withTypedValue } from '../../../lib/dify/variables';
import { cpuMilliseconds, LINEAR_CPU_MS } from '../../support/measures/cpu-time';

test.each([
	['boolean', 'False', false],
	['boolean', 'true', true],
	['boolean', 'maybe', 'maybe'],
	['number', '5', 5],
	['number', '2.50', 2.5],
	['integer', '9007199254740993', '9007199254740993'],
	['string', '5', '5'],
	['secret', 'False', 'False'],
	[
		'object',
		"{'a': True, 'b': [None, 1.5], 'c': \"it's\"}",
		{ a: true, b: [null, 1.5], c: "it's" },
	],
	['object', '{"a": {"b": "True"}}', { a: { b: 'True' } }],
	['object', "{'id': 9007199254740993}", { id: '9007199254740993' }],
	[
		'array[string]',
		"['True', 'it\\'s', 'a\\nb', '\\xe9\\u4f60\\U0001f600']",
		['True', "it's", 'a\nb', 'é你😀'],
	],
	['array[object]', '[]', []],
	['array[number]', '[1, 2', '[1, 2'],
	['object', "{'a': <File object>}", "{'a': <File object>}"],
	['file', "{'a': 1}", "{'a': 1}"],
	['object', { a: 1 }, { a: 1 }],
	['object', "{'a': 1} {'b': 2}", "{'a': 1} {'b': 2}"],
	['array[object]', "[{'a': (1, 2)}]", "[{'a': (1, 2)}]"],
	['array[number]', '[1e+16, -0.5, nan]', '[1e+16, -0.5, nan]'],
	['array[string]', "['\\U00110000', '\\ud83d\\ude00']", ['\\U00110000', '😀']],
])('a variable of type %s with the value %j is %j', (type, value, expected) => {
	expect(withTypedValue({ name: 'v', value_type: type, value })).toEqual({
		name: 'v',
		value_type: type,
		value: expected,
	});
});

test.each([
	['string', 5, '"5"'],
	['string', 'true', '"true"'],
	['boolean', 'False', 'false'],
	['number', '7', '7'],
	['number', '12345678901234567890', '12345678901234567890'],
	['object', '{"a":1}', '{"a":1}'],
	['array[string]', ['a'], '["a"]'],
])('the value for a variable of type %s given as %j is sent as %s', (type, value, json) => {
	expect(JSON.stringify(toVariableValue({ value_type: type }, value))).toBe(json);
});

test('text of Python is read in linear time', () => {
	for (const piece of ["'", "\\'", '"\'', '{', "'\\"]) {
		const value = `[${piece.repeat(200_000)}`;
		let read: unknown;
		const work = () => void ({ value: read } = withTypedValue({ value_type: 'object', value }));
		expect(cpuMilliseconds(work)).toBeLessThan(LINEAR_CPU_MS);
		expect(read).toBe(value);
	}
});
