import fc from 'fast-check';
import { parseJsonToSend, toExactNumber } from '../../../lib/values/exact-json';
import { parseObject } from '../../../lib/values/json';
import { getUnsafeNumberWarnings, parseExactJson } from '../../../lib/values/exact-json';
import { anyCodePoint } from '../../support/texts/code-points';

describe('JSON that a user wrote, as it is sent', () => {
	it.each([
		['an ID', '{"id":9007199254740993}'],
		['a seed of 64 bits', '{"seed":18446744073709551615}'],
		['a negative number in lists', '[[-9007199254740993],{"a":[9007199254740995]}]'],
		['decimals', '{"n":0.12345678901234567890123}'],
		['a number beyond all numbers of JavaScript', '{"n":1e400}'],
		['400 digits', `{"n":${'7'.repeat(400)}}`],
		['digits in a text', '{"text":"9007199254740993, and \\"18446744073709551615\\""}'],
		['a name like a property of objects', '{"__proto__":{"n":9007199254740993}}'],
	])('%s keeps its digits', (_title, json) => {
		expect(JSON.stringify(parseJsonToSend(json))).toBe(json);
	});

	it('is undefined for anything else', () => {
		expect(
			['', '{', 'x', '{"n":01}', `${'['.repeat(600)}${']'.repeat(600)}`].map(parseJsonToSend),
		).toEqual(Array.from({ length: 5 }, () => undefined));
	});

	it('is the same as with JSON.parse, for values without such numbers', () => {
		fc.assert(
			fc.property(fc.json(), (json) => {
				expect(JSON.stringify(parseJsonToSend(json))).toBe(JSON.stringify(JSON.parse(json)));
			}),
		);
	});

	it('keeps each integer of any length', () => {
		fc.assert(
			fc.property(fc.array(fc.bigInt()), (integers) => {
				const json = `{"list":[${integers.join(',')}]}`;
				expect(JSON.stringify(parseJsonToSend(json))).toBe(json);
			}),
		);
	});
});

describe('a number to send', () => {
	it.each([
		['7', '7'],
		[' 9007199254740993 ', '9007199254740993'],
		['-18446744073709551616', '-18446744073709551616'],
		['-0', '0'],
		[0.5, '0.5'],
		[9007199254740991, '9007199254740991'],
	])('%j is sent as %s', (value, json) => {
		expect(JSON.stringify(toExactNumber(value))).toBe(json);
	});

	it.each(['', 'x', '1,5', undefined, null, {}, 'NaN'])('%j is none', (value) => {
		expect(toExactNumber(value)).toBeUndefined();
	});
});

interface Written {
	json: string;
	value: unknown;
}

const asText = (json: string): Written => ({ json, value: json });
const asJson = (value: unknown): Written => ({ json: JSON.stringify(value), value });

function decimal(digits: bigint, places: number): string {
	const [sign, all] = digits < 0n ? ['-', String(-digits)] : ['', String(digits)];
	const padded = all.padStart(places + 1, '0');
	const point = padded.length - places;
	return `${sign}${padded.slice(0, point)}.${padded.slice(point)}0`;
}

/** A decimal number as a fraction of two integers. */
function fractionOf(text: string): [bigint, bigint] {
	const [mantissa = '', exponent = '0'] = text.toLowerCase().split('e');
	const [whole = '', places = ''] = mantissa.split('.');
	const scale = Number(exponent) - places.length;
	const [factor, divisor] = scale < 0 ? [0, -scale] : [scale, 0];
	return [BigInt(whole + places) * 10n ** BigInt(factor), 10n ** BigInt(divisor)];
}

/** Whether a double, written with as many digits, is the same number. */
function isKept(json: string): boolean {
	const count = json.toLowerCase().split('e')[0]!.replace(/[-.]/g, '').replace(/^0+/, '').length;
	const [above, below] = fractionOf(json);
	const [otherAbove, otherBelow] = fractionOf(Number(json).toPrecision(Math.max(1, count)));
	return above * otherBelow === otherAbove * below;
}

/** What servers write, and what it stands for. */
const { written } = fc.letrec<{ written: Written }>((tie) => ({
	written: fc.oneof(
		{ maxDepth: 4 },
		fc.constant('1e400').map(asText),
		fc
			.bigInt()
			.map(String)
			.map((json) => (String(Number(json)) === json ? asJson(Number(json)) : asText(json))),
		fc
			.tuple(fc.bigInt(), fc.nat(30), fc.constantFrom('', 'e3', 'E-5', 'e+90', 'e-350'))
			.map(([digits, places, exponent]) => decimal(digits, places) + exponent)
			.map((json) => (isKept(json) ? asJson(Number(json)) : asText(json))),
		fc
			.oneof(
				fc.string({ unit: anyCodePoint }),
				fc.integer(),
				fc.double({ noNaN: true }),
				fc.boolean(),
			)
			.map((value) =>
				Number.isFinite(value) || typeof value !== 'number' ? asJson(value) : asJson(null),
			),
		fc.constantFrom('NaN, "Infinity', '\\', '12345678901234567890', ':NaN}', null).map(asJson),
		fc.array(tie('written')).map((items) => ({
			json: `[${items.map(({ json }) => json).join(', ')}]`,
			value: items.map(({ value }) => value),
		})),
		fc
			.uniqueArray(fc.tuple(fc.string(), tie('written')), { selector: ([name]) => name })
			.map((fields) => ({
				json: `{${fields.map(([name, { json }]) => `${JSON.stringify(name)}: ${json}`).join(', ')}}`,
				value: Object.fromEntries(fields.map(([name, { value }]) => [name, value])),
			})),
	),
}));

test('any JSON is parsed without changing a number', () => {
	fc.assert(
		fc.property(written, ({ json, value }) => {
			expect(JSON.stringify(parseExactJson(json).value)).toBe(JSON.stringify(value));
		}),
		{ numRuns: 500 },
	);
});

test('JSON without unsafe numbers is parsed like JSON.parse', () => {
	fc.assert(
		fc.property(fc.json(), (text) =>
			expect(parseExactJson(text)).toEqual({
				json: text,
				value: JSON.parse(text) as unknown,
				unsafeNumbers: [],
			}),
		),
	);
});

test.each(['', '{"a":NaN', 'NaNa', '[NaN,]', '{"a":\\"NaN}', '<p>NaN</p>'])(
	'%j is not JSON',
	(text) => {
		expect(parseExactJson(text).value).toBeUndefined();
	},
);

test('the warning names each unsafe number once, and at most five', () => {
	expect(getUnsafeNumberWarnings([])).toEqual([]);
	expect(getUnsafeNumberWarnings(['1e400', '1e400'])).toEqual([
		'1e400 exceeds number precision and was kept as text.',
	]);
	expect(
		getUnsafeNumberWarnings(Array.from({ length: 99 }, (_, index) => String(index)))[0],
	).toContain('0, 1, 2, 3, 4 exceeds number precision and was kept as text.');
});

describe('parseObject', () => {
	test.each(['', 'null', '[1]', '"{}"', '{', 'text', '1'])('%j is not an object', (text) => {
		expect(parseObject(text)).toBeUndefined();
	});

	test('an object with blanks around it', () => {
		expect(parseObject(' \n{"a":1}\n')).toEqual({ a: 1 });
	});
});

test.each([
	['12345678901234567.89', true],
	['1234567890123456.7', true],
	['12345678.123456789012', true],
	['0.30000000000000004', false],
	['-1030444907911107.2', false],
	['851150091860545.2', false],
	['8.511500918605452e+14', false],
	['8511500918605452.7', true],
	['0.1000000000000000055511151231257827', false],
	['1.50000000000000000000', false],
	['0.0000000000000000000', false],
	['1e-400', true],
])('%s is kept as text: %j', (number, isText) => {
	const { value, unsafeNumbers } = parseExactJson(`{"x":${number}}`);
	expect(value).toEqual({ x: isText ? number : Number(number) });
	expect(unsafeNumbers).toEqual(isText ? [number] : []);
});
