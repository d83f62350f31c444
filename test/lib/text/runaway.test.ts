import * as fc from 'fast-check';
import { RunawayDetector, type RunawayState } from '../../../lib/text/runaway';

/** The first state that ends the output, and how much of it was read. */
function detect(text: string, isJson: boolean, size = 7): { state: RunawayState; read: number } {
	const detector = new RunawayDetector(isJson);
	for (let at = 0; at < text.length; at += size) {
		detector.push(text.slice(at, at + size));
		if (detector.state !== 'normal') return { state: detector.state, read: at + size };
	}
	return { state: 'normal', read: text.length };
}

const POEM = Array.from(
	{ length: 400 },
	(_line, index) =>
		`Verse ${index}: the river runs, the river runs,\nthe river runs to sea.\n\n    Oh river, river, river!\n`,
).join('');
const TABLE = `| a | b |\n|${'-'.repeat(3000)}|${'-'.repeat(3000)}|\n| 1 | 2 |\n`;

test.each<[string, string, boolean]>([
	['1,000 nulls', `[${'null,'.repeat(1000)}null]`, true],
	['5,000 zeros', `[${'0,'.repeat(5000)}0]`, true],
	['64 KB of base64 zeros', `{"file":"${'A'.repeat(64 * 1024)}"}`, true],
	['a table of dashes', TABLE, false],
	['a table of dashes in JSON', JSON.stringify({ table: TABLE }), true],
	['240 times [BLANK_AUDIO]', '[BLANK_AUDIO]\n'.repeat(240), false],
	['a poem', POEM, false],
	['a poem in JSON', JSON.stringify({ poem: POEM }), true],
	[
		'indented JSON',
		JSON.stringify(
			Array.from({ length: 900 }, () => [[[[1]]]]),
			null,
			8,
		),
		true,
	],
	['a long number in a string', JSON.stringify({ number: '1234567890'.repeat(500) }), true],
	['brackets and quotes in strings', JSON.stringify({ a: '{"[\\"'.repeat(900) }), true],
])('good output: %s', (_name, text, isJson) => {
	expect(detect(text, isJson).state).toBe('normal');
});

test.each<[string, string, string, number, boolean]>([
	['blanks in JSON', '{"a": ', ' ', 500, true],
	['blanks before JSON', '', ' ', 500, true],
	['line ends in JSON', '{"a": ', '\n\t', 500, true],
	['digits in JSON', '{"a": 0.', '3', 400, true],
	['blanks in a string', '{"a": "', ' ', 2000, true],
	['a piece in a string', '{"a": "', 'abc ', 8000, true],
	['escaped line ends in a string', '{"a": "', '\\n', 8000, true],
	['blanks', 'Hello', ' \n', 2000, false],
	['a sentence', 'Hello. ', 'I am sorry, I cannot do that. ', 16_000, false],
	['one character', '', '@', 16_000, false],
	['base64 zeros without end', '{"file":"', 'A', 128 * 1024, true],
])('output that runs away: %s', (_name, start, piece, limit, isJson) => {
	const text = start + piece.repeat(Math.ceil((limit + 2500) / piece.length));
	const { state, read } = detect(text, isJson);
	expect(state).toBe('runaway');
	expect(read).toBeGreaterThan(limit);
	expect(read).toBeLessThan(start.length + limit + 1100);
});

test('JSON that is complete ends before the blanks after it', () => {
	expect(detect(`{"a": [1, "}"]}${' '.repeat(9000)}`, true)).toMatchObject({ state: 'complete' });
	expect(detect(`{"a": [1, "}"]${' '.repeat(9000)}`, true)).toMatchObject({ state: 'runaway' });
});

test('words in any order are good output, however they are cut', () => {
	const pieces = fc.array(fc.constantFrom('river', 'sea', '\n', ' ', '0', '{', '"', '\\'), {
		minLength: 2000,
		maxLength: 5000,
	});
	fc.assert(
		fc.property(pieces, fc.boolean(), fc.integer({ min: 1, max: 3000 }), (parts, isJson, size) => {
			expect(detect(parts.join(''), isJson, size).state).toBe('normal');
		}),
	);
});
