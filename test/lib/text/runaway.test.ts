import * as fc from 'fast-check';
import { RunawayDetector } from '../../../lib/text/runaway';
import type { RunawayState } from '../../../lib/text/runaway';

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
	[
		'1,000 equal rows of a table',
		`| a | b |\n|---|---|\n${'| Berlin | 12.50 |\n'.repeat(1000)}`,
		false,
	],
	['3,000 equal rows of CSV', `city,price\n${'Berlin,12.50,open\n'.repeat(3000)}`, false],
	['3,000 rows of CSV with blanks', `city, price\n${'Berlin, 12.50, open\n'.repeat(3000)}`, false],
	['equal rows in a string', JSON.stringify({ table: '| Berlin | 12.50 |\n'.repeat(2000) }), true],
	['equal lines of code', '```\n' + '\tpush(stack, value);\n'.repeat(1500) + '```', false],
	[
		'equal elements of HTML',
		'<ul>\n' + '  <li>Item of a list</li>\n'.repeat(1500) + '</ul>',
		false,
	],
	[
		'1,500 equal objects',
		JSON.stringify(Array.from({ length: 1500 }, () => ({ name: 'Berlin', n: 1 }))),
		true,
	],
	[
		'equal objects in a text',
		'Here: ' + JSON.stringify(Array.from({ length: 1500 }, () => ({ name: 'Berlin', n: 1 }))),
		false,
	],
	['equal objects in lines', '{"city": "Berlin", "price": 12.5}\n'.repeat(1500), false],
	['equal entries of YAML', 'list:\n' + '- name: x\n  value: 0\n'.repeat(1000), false],
	['equal lines of a log', '2026-11-28 INFO heartbeat ok\n'.repeat(1000), false],
	['equal lines of a log with brackets', '[2026-11-28 10:00] heartbeat\n'.repeat(1000), false],
	['10,000 zeros in a text', `[${'0, '.repeat(10_000)}0]`, false],
	['20,000 zeros in lines', '0\n'.repeat(20_000), false],
	['base64 zeros in lines', `${'A'.repeat(76)}\n`.repeat(900), false],
	[
		'base64 zeros in lines of a string',
		JSON.stringify({ file: `${'A'.repeat(76)}\r\n`.repeat(900) }),
		true,
	],
	['ASCII art', ' /\\  /\\ \n/  \\/  \\\n'.repeat(1500), false],
	['separators', `${'-'.repeat(80)}\n`.repeat(300), false],
	['a counter', Array.from({ length: 5000 }, (_line, index) => `${index}. a `).join(''), false],
	['a refrain', 'Oh river, run to the sea, and never come back to me.\n'.repeat(200), false],
	['a long paragraph ten times', `${POEM.slice(0, 1000)}\n`.repeat(10), false],
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
	[
		'104 letters',
		'',
		`${'All words of the sentence are repeated '.repeat(2)}until nobody reads it. `.padEnd(
			104,
			'!',
		),
		16_000,
		false,
	],
	['a paragraph of 900 characters', 'Well. ', POEM.slice(0, 900), 16_000, false],
	['a paragraph of 1,900 characters', 'Well. ', POEM.slice(0, 1900), 16_000, false],
	[
		'two sentences in turn',
		'',
		'I am sorry, I cannot do that. What else can I do for you today, my dear friend? ',
		16_000,
		false,
	],
	[
		'Chinese sentences',
		'',
		'对不起，我不能这样做。请告诉我您还需要什么帮助，我会尽力。',
		16_000,
		false,
	],
	['a line of prose', '', 'I am sorry, I cannot do that.\n', 16_000, false],
	['a list of equal items', '', '- The same item again and again\n', 16_000, false],
	[
		'a sentence in a string',
		'{"a": "',
		'All words of the sentence are repeated until nobody reads them, and then once more. ',
		8000,
		true,
	],
	['rows without end', '', '|Berlin|12.50|\n'.replace('\n', '\n'), 140_434, false],
	['empty objects without end', '[', '{"a":"b"},', 128 * 1024, true],
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

test.each([
	{ before: '{"a":"', blanks: 1_500, state: 'normal' },
	{ before: '{"a":"', blanks: 3_000, state: 'runaway' },
	{ before: '{"a":1,', blanks: 1_500, state: 'runaway' },
	{ before: '{"a":1}', blanks: 1_500, state: 'complete' },
])('$blanks blanks after $before are $state, also if a repetition was forgotten between', (row) => {
	for (const forgets of [false, true]) {
		const detector = new RunawayDetector(true);
		detector.push(row.before);
		if (forgets) detector.forgetRepetition();
		detector.push(' '.repeat(row.blanks));
		expect([forgets, detector.state]).toEqual([forgets, row.state]);
	}
});
