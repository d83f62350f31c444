import { normalizeArguments, parseArguments } from '../../../../lib/chat/tools/arguments';

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

describe('long arguments are parsed once', () => {
	const items = JSON.stringify(Array.from({ length: 5_000 }, (_one, index) => ({ a: index })));

	test.each([
		{ name: 'JSON', source: `{"items":${items}}` },
		{ name: 'like Python', source: `{'items':${items}}` },
		{
			name: 'with a number that JavaScript cannot represent',
			source: `{"n":9007199254740993,"items":${items}}`,
		},
		{ name: 'in a string of JSON', source: JSON.stringify(`{"items":${items}}`) },
	])('$name', ({ source }) => {
		const { json, value } = parseArguments(source)!;
		const isSame = [source, json].map((text) => parseArguments(text)?.value === value);
		expect(isSame).toEqual([true, true]);
		expect(parseArguments(`${source} `)?.json).toBe(json);
	});

	test('and so are those that are none', () => {
		const source = `{"items":${items}`;
		expect([source, source, `${source}}`].map((text) => parseArguments(text)?.json)).toEqual([
			undefined,
			undefined,
			`${source}}`,
		]);
	});
});
