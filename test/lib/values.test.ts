import fc from 'fast-check';

import {
	asList,
	excessIn,
	finiteNumber,
	isFilled,
	nonEmptyText,
	parseJson,
	parseJsonSteps,
	parseObject,
	recordOf,
	recordsIn,
	shortened,
	booleanOf,
	words,
} from '../../lib/values';
import { resultOf } from '../../lib/generators';
import { examples } from '../support/properties';

describe('booleanOf', () => {
	test.each([true, 1, 'true', ' TRUE\n', '1', 'yes', 'On'])('%j is on', (value) => {
		expect(booleanOf(value)).toBe(true);
	});

	test.each([false, 0, 'false', 'False ', '0', 'no', 'OFF'])('%j is off', (value) => {
		expect(booleanOf(value)).toBe(false);
	});

	test.each(['', ' ', 'perhaps', 'ja', 2, -1, NaN, null, undefined, {}, [], [true], 'constructor'])(
		'%j says neither',
		(value) => {
			expect(booleanOf(value)).toBeUndefined();
		},
	);
});

describe('words', () => {
	test('any JSON value has some, and none of them throws', () => {
		fc.assert(fc.property(fc.jsonValue(), (value) => expect(typeof words(value)).toBe('string')));
		expect([words({ toString: 1 }), words([1]), words(null), words('a')]).toEqual([
			'{"toString":1}',
			'[1]',
			'null',
			'a',
		]);
	});
});

describe('parseObject', () => {
	test.each(['', 'null', '[1]', '"{}"', '{', 'text', '1'])('%j is no object', (text) => {
		expect(parseObject(text)).toBeUndefined();
	});

	test('an object with blanks around it', () => {
		expect(parseObject(' \n{"a":1}\n')).toEqual({ a: 1 });
	});
});

describe('what a server sent, whatever its type', () => {
	test('null, empty and absent are the same; another type is as good as nothing', () => {
		for (const none of [null, undefined, '', 5, {}]) expect(nonEmptyText(none)).toBeUndefined();
		for (const none of [null, undefined, '5', NaN, Infinity])
			expect(finiteNumber(none)).toBeUndefined();
		expect([nonEmptyText('a'), finiteNumber(0)]).toEqual(['a', 0]);
		expect(asList({ length: 1 })).toEqual([]);
		expect(recordsIn([{ a: 1 }, null, 'x', [2]])).toEqual([{ a: 1 }]);
		expect(recordOf([1])).toEqual({});
	});

	test('what is filled', () => {
		expect([0, false, 'x', [0], { a: null }].map(isFilled)).toEqual([true, true, true, true, true]);
		expect([null, undefined, '', [], {}].map(isFilled)).toEqual([
			false,
			false,
			false,
			false,
			false,
		]);
	});
});

describe('shortened', () => {
	test('a text is cut between characters', () => {
		expect(shortened('abc', 3)).toBe('abc');
		expect(shortened('ab😀😀', 3)).toBe('ab…');
		expect(shortened('😀😀😀', 2)).toBe('😀…');
		expect(shortened('😀😀😀', 3)).toBe('😀😀😀');
	});

	test('it has at most as many characters, and is whole where it has no more', () => {
		fc.assert(
			fc.property(
				fc.string({ unit: 'grapheme' }),
				fc.integer({ min: 1, max: 20 }),
				(text, most) => {
					const whole = [...text];
					expect(shortened(text, most)).toBe(
						whole.length <= most ? text : `${whole.slice(0, most - 1).join('')}…`,
					);
				},
			),
		);
	});
});

describe('JSON of very many values', () => {
	const LIMIT = 1_000_000;

	it.each(['{}', '[]', '{"a":[]}'])(
		'%s, over and over, is read up to a million objects and lists',
		(value) => {
			const each = value.replace(/[^[{]/g, '').length;
			const listOf = (count: number) => `[${`${value},`.repeat(count - 1)}${value}]`;
			const most = Math.floor((LIMIT - 1) / each);
			expect(parseJson(listOf(most))).toHaveLength(most);
			expect(parseJson(listOf(most + 1))).toBeUndefined();
			expect(excessIn(listOf(most + 1))).toBe('JSON with more than 1000000 objects and lists');
		},
	);

	it('texts may hold any number of brackets', () => {
		expect(parseJson(JSON.stringify(['{['.repeat(LIMIT)]))).toHaveLength(1);
	});
});

describe('JSON in steps', () => {
	test('is read as in one go, whatever it is', () => {
		const source = fc.oneof(
			fc.json(),
			fc.string(),
			fc.json().map((json) => json.slice(1)),
		);
		fc.assert(
			fc.property(source, (json) => {
				expect(resultOf(parseJsonSteps(json))).toEqual(parseJson(json));
			}),
			examples(100),
		);
	});

	test('a long one has breaks before, between and behind', () => {
		const steps = [...parseJsonSteps(`[${'1,'.repeat(2_000_000)}1]`)];
		expect(steps.length).toBeGreaterThan(4);
	});
});

describe('nested JSON', () => {
	const nested = (depth: number, inside: string) => '['.repeat(depth) + inside + ']'.repeat(depth);

	test('is parsed to a depth of 500, whatever its texts hold', () => {
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
