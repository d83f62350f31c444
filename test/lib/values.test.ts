import fc from 'fast-check';
import {
	asArray,
	isNonEmpty,
	asNonEmptyString,
	asRecord,
	asRecords,
} from '../../lib/values/records';
import { parseBoolean } from '../../lib/values/text';
import { parseJson, parseObject } from '../../lib/values/json';
import { getUnsafeNumberWarnings, parseExactJson } from '../../lib/values/exact-json';
import { JsonBrackets } from '../../lib/values/json-brackets';
import { estimateTokens } from '../../lib/values/tokens';
import { asFiniteNumber, ANY_NUMBER, isInRange, formatRange } from '../../lib/values/numbers';
import { toPlainText } from '../../lib/values/safe-text';
import { truncate, toText } from '../../lib/values/text';
import { anyCodePoint } from '../support/texts/code-points';
import { examples } from '../support/jest/properties';
import type { IExecuteFunctions, INode } from 'n8n-workflow';
import { toNodeError } from '../../lib/errors/node-error';
import { ServerError } from '../../lib/errors/server-error';
import { summarizeFindings, findingFromError } from '../../lib/health/check-result';
import type { Finding } from '../../lib/health/check-result';
import { addHintOnce } from '../../nodes/shared/run/hints';

describe('parseBoolean', () => {
	test.each([true, 1, 'true', ' TRUE\n', '1'])('%j is true', (value) => {
		expect(parseBoolean(value)).toBe(true);
	});

	test.each([false, 0, 'false', 'False ', '0'])('%j is false', (value) => {
		expect(parseBoolean(value)).toBe(false);
	});

	test.each([
		'',
		' ',
		'perhaps',
		'yes',
		2,
		-1,
		NaN,
		null,
		undefined,
		{},
		[],
		[true],
		'constructor',
	])('%j is neither', (value) => {
		expect(parseBoolean(value)).toBeUndefined();
	});
});

test('toText: converts any JSON value', () => {
	fc.assert(fc.property(fc.jsonValue(), (value) => expect(typeof toText(value)).toBe('string')));
	expect([toText({ toString: 1 }), toText([1]), toText(null), toText('a')]).toEqual([
		'{"toString":1}',
		'[1]',
		'null',
		'a',
	]);
});

describe('values from a server', () => {
	test('null, empty, missing and values of another type are undefined or empty', () => {
		for (const none of [null, undefined, '', 5, {}]) expect(asNonEmptyString(none)).toBeUndefined();
		for (const none of [null, undefined, '5', NaN, Infinity])
			expect(asFiniteNumber(none)).toBeUndefined();
		expect([asNonEmptyString('a'), asFiniteNumber(0)]).toEqual(['a', 0]);
		expect(asArray({ length: 1 })).toEqual([]);
		expect(asRecords([{ a: 1 }, null, 'x', [2]])).toEqual([{ a: 1 }]);
		expect(asRecord([1])).toEqual({});
	});

	test('isNonEmpty', () => {
		expect([0, false, 'x', [0], { a: null }].map(isNonEmpty)).toEqual([
			true,
			true,
			true,
			true,
			true,
		]);
		expect([null, undefined, '', [], {}].map(isNonEmpty)).toEqual([
			false,
			false,
			false,
			false,
			false,
		]);
	});
});

describe('truncate', () => {
	test('never splits a character', () => {
		expect(truncate('abc', 3)).toBe('abc');
		expect(truncate('ab😀😀', 3)).toBe('ab…');
		expect(truncate('😀😀😀', 2)).toBe('😀…');
		expect(truncate('😀😀😀', 3)).toBe('😀😀😀');
	});

	test('limits the number of characters, and does not change shorter texts', () => {
		fc.assert(
			fc.property(fc.string({ unit: 'grapheme' }), fc.integer({ min: 1, max: 20 }), (text, max) => {
				const characters = [...text];
				expect(truncate(text, max)).toBe(
					characters.length <= max ? text : `${characters.slice(0, max - 1).join('')}…`,
				);
			}),
		);
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

describe('nested JSON', () => {
	const nested = (depth: number, inside: string) => '['.repeat(depth) + inside + ']'.repeat(depth);

	test('is parsed to a depth of 500, regardless of brackets in strings', () => {
		const texts = fc.string({ unit: fc.constantFrom(...'[]{}"\\ax') });
		fc.assert(
			fc.property(fc.integer({ min: 480, max: 520 }), texts, (depth, text) => {
				const json = nested(depth, JSON.stringify(text + '['.repeat(600)));
				expect(parseJson(json) !== undefined).toBe(depth <= 500);
			}),
			examples(60),
		);
	});

	test('millions of lists are not parsed', () => {
		expect(parseJson(nested(2_000_000, ''))).toBeUndefined();
		expect(parseJson('['.repeat(5_000_000))).toBeUndefined();
	});
});

test('brackets are counted in chunks of any size, also after the end of a value', () => {
	const brackets = new JsonBrackets();
	for (const chunk of ['["\\', '""]["a"', ',{']) brackets.readAll(chunk);
	expect(brackets).toMatchObject({ depth: 2, deepest: 2, isInString: false });
});

test.each([
	[[0, 1], 0, true],
	[[0, 1], 1, true],
	[[0, 1], 1.01, false],
	[[0, Infinity], -0.1, false],
	[[0, Infinity], Infinity, false],
	[ANY_NUMBER, -1e300, true],
	[ANY_NUMBER, NaN, false],
] as const)('a range of %j holds %d: %s', (range, value, held) => {
	expect(isInRange(value, range)).toBe(held);
});

test.each([
	[[-Infinity, Infinity], 'a number'],
	[[0, Infinity], 'a number from 0'],
	[[0, 1], 'a number from 0 to 1'],
	[[-Infinity, 1], 'a number up to 1'],
] as const)('%j is "%s"', (range, words) => {
	expect(formatRange(range)).toBe(words);
});

test('an estimate is a non-negative integer and grows with the text', () => {
	expect([estimateTokens(''), estimateTokens('你好，世界'), estimateTokens('four')]).toEqual([
		0, 5, 1,
	]);
	fc.assert(
		fc.property(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme' }), (one, other) => {
			const whole = estimateTokens(one + other);
			expect(whole).toBe(Math.max(0, Math.round(whole)));
			expect(whole).toBeLessThanOrEqual(estimateTokens(one) + estimateTokens(other));
		}),
	);
});

test.each([
	['', 0],
	['Hello, how are you today?', 7],
	['今天天气很好', 6],
	['Qwen 通义', 4],
])('the estimate of %j is about %i tokens', (text, tokens) => {
	expect(estimateTokens(text)).toBe(tokens);
});

test('the estimate of a long text is about the sum of its parts', () => {
	expect(estimateTokens('a'.repeat(4_000_000))).toBe(1_000_000);
	expect(estimateTokens('今天'.repeat(2_000_000))).toBe(4_000_000);
	const part = fc.constantFrom('今天天气很好', 'Hello, how are you? ', '한국어 ');
	fc.assert(
		fc.property(fc.array(part, { minLength: 1, maxLength: 9 }), (parts) => {
			const text = parts.join('');
			const times = Math.ceil(100_000 / text.length);
			const share = estimateTokens(text.repeat(times)) / (estimateTokens(text) * times);
			expect(share).toBeGreaterThan(0.8);
			expect(share).toBeLessThan(1.05);
		}),
		examples(50),
	);
});

const serverText = fc
	.array(
		fc.oneof(
			fc.constantFrom('<a href="http://evil">', '</a>', '<img src=x>', '<!--', '<?x', '<', 'b>'),
			fc.constantFrom(
				'<|im_end|>',
				'a < b',
				'1 <2',
				'\u001b[2J',
				'\u202e',
				'\u0000',
				'\u009b',
				'\n',
			),
			fc.string({ unit: anyCodePoint, maxLength: 4 }),
		),
	)
	.map((parts) => parts.join(''));
const MARKS = /<[a-z/!?]|(?![\t\n\r])\p{Cc}|[\u202a-\u202e\u2066-\u2069]/iu;
const bare = (text: string) => text.replaceAll('\u200b', '').replace(/[^\p{L}\p{N}<>|\n]/gu, '');

test('toPlainText keeps all letters and removes tags and control characters', () => {
	fc.assert(
		fc.property(serverText, (text) => {
			const plainText = toPlainText(text);
			expect(plainText).not.toMatch(MARKS);
			expect(bare(plainText)).toBe(bare(text));
			expect(toPlainText(plainText)).toBe(plainText);
		}),
	);
});

test('errors, hints and findings that quote a server are plain text', () => {
	const node = { name: 'N', type: 't' } as INode;
	fc.assert(
		fc.property(serverText, (text) => {
			const failed = new ServerError({
				type: 'serverError',
				title: `No model ${text}`,
				suggestion: `Use one of: ${text}`,
				serverText: text,
			});
			const { message, description } = toNodeError(node, failed);
			const hints: string[] = [];
			const addExecutionHints = ({ message: hint }: { message: string }) => void hints.push(hint);
			addHintOnce({ addExecutionHints } as unknown as IExecuteFunctions, text);
			const [{ observed, detail, suggestion }] = summarizeFindings([findingFromError(failed, text)])
				.findings as [Finding];
			for (const quoted of [message, description, ...hints, observed, detail, suggestion])
				expect(quoted).not.toMatch(MARKS);
		}),
	);
});
