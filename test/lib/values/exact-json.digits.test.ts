import * as fc from 'fast-check';
import { parseExactJson } from '../../../lib/values/exact-json';

describe('numbers that JavaScript cannot represent', () => {
	/** As a reviver of `JSON.parse` sees them, in the order of the text. */
	function parseByReviver(json: string): unknown {
		return JSON.parse(json, ((
			_key: string,
			entry: unknown,
			{ source = '' }: { source?: string } = {},
		) =>
			typeof entry === 'number' && parseExactJson(`[${source}]`).unsafeNumbers.length > 0
				? source
				: entry) as never);
	}

	const digits = fc.stringMatching(/^-?[1-9]\d{0,30}(\.\d{1,20})?(e[+-]?\d{1,4})?$/);
	const text = fc.oneof(
		fc.string(),
		digits,
		digits.map((number) => `,${number},`),
		digits.map((number) => `\\",${number}\\"`),
	);
	const json = fc.letrec<{ value: string }>((tie) => ({
		value: fc.oneof(
			{ maxDepth: 3 },
			digits,
			text.map((value) => JSON.stringify(value)),
			fc.array(tie('value'), { maxLength: 4 }).map((list) => `[${list.join(', ')}]`),
			fc.dictionary(text, tie('value'), { maxKeys: 3 }).map(
				(record) =>
					`{${Object.entries(record)
						.map(([name, value]) => `${JSON.stringify(name)}:${value}`)
						.join()}}`,
			),
		),
	})).value;

	it('become strings with all of their digits, at each place and only outside of strings', () => {
		fc.assert(
			fc.property(json, (source) => {
				expect(parseExactJson(source).value).toEqual(parseByReviver(source));
			}),
			{ numRuns: 1_000 },
		);
	});

	it('are found beside a million others', () => {
		const list = `[${'0.1234567890123456,'.repeat(300_000)}12345678901234567890,"12345678901234567891"]`;
		const { value, unsafeNumbers } = parseExactJson(list);
		expect(unsafeNumbers).toEqual(['12345678901234567890']);
		expect((value as unknown[]).slice(-2)).toEqual([
			'12345678901234567890',
			'12345678901234567891',
		]);
	});
});
