import { normalizeArguments } from '../../../../lib/chat/tools/arguments';

test.each([
	['', '{}'],
	[' null ', '{}'],
	['""', '{}'],
	['[]', '{}'],
	[' {"a":1} ', '{"a":1}'],
	['{"a":1.50}', '{"a":1.50}'],
	['{"a":9007199254740993}', '{"a":"9007199254740993"}'],
	[JSON.stringify('{"a":1}'), '{"a":1}'],
	['[1]', undefined],
	['"text"', undefined],
	['{"a":', undefined],
	['7', undefined],
])('the arguments %j are %j', (source, expected) => {
	expect(normalizeArguments(source)).toBe(expected);
});
