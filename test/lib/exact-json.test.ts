import { exactJson, keptAsText } from '../../lib/values';
import fc from 'fast-check';

import { anyCodePoint } from '../support/code-points';

interface Written {
	json: string;
	value: unknown;
}

const asText = (json: string): Written => ({ json, value: json });
const asJson = (value: unknown): Written => ({ json: JSON.stringify(value), value });

/** What Python writes, and what it stands for. */
const { written } = fc.letrec<{ written: Written }>((tie) => ({
	written: fc.oneof(
		{ maxDepth: 4 },
		fc.constantFrom('NaN', 'Infinity', '-Infinity', '1e400').map(asText),
		fc
			.bigInt()
			.map(String)
			.map((json) => (String(Number(json)) === json ? asJson(Number(json)) : asText(json))),
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

test('whatever Python writes is read, and no number changes', () => {
	fc.assert(
		fc.property(written, ({ json, value }) => {
			expect(JSON.stringify(exactJson(json).value)).toBe(JSON.stringify(value));
		}),
		{ numRuns: 500 },
	);
});

test('what JSON.parse reads without a loss is what JSON.parse reads', () => {
	fc.assert(
		fc.property(fc.json(), (text) =>
			expect(exactJson(text)).toEqual({ value: JSON.parse(text) as unknown, large: [] }),
		),
	);
});

test.each(['', '{"a":NaN', 'NaNa', '[NaN,]', '{"a":\\"NaN}', '<p>NaN</p>'])(
	'%j is no JSON in Python either',
	(text) => {
		expect(exactJson(text).value).toBeUndefined();
	},
);

test('megabytes of escapes and quotes take no time, and overflow nothing', () => {
	const long = '\\n'.repeat(4_000_000);
	expect(exactJson(`{"a":"${long}","b":NaN}`).value).toEqual({
		a: '\n'.repeat(4_000_000),
		b: 'NaN',
	});
	expect(exactJson('\\"'.repeat(1_000_000) + 'NaN').value).toBeUndefined();
});

test('what is said of them: each once, and not hundreds', () => {
	expect(keptAsText([])).toEqual([]);
	expect(keptAsText(['NaN', 'NaN'])).toEqual([
		'No number of JavaScript holds NaN exactly: kept as text.',
	]);
	expect(keptAsText(Array.from({ length: 99 }, (_, index) => String(index)))[0]).toContain(
		'0, 1, 2, 3, 4, …',
	);
});
