import fc from 'fast-check';

import { NdjsonDecoder } from '../../../lib/http/ndjson';
import { BodyTooLongError } from '../../../lib/http/too-long';

function decode(...pieces: string[]) {
	const decoder = new NdjsonDecoder();
	const events = [...pieces.flatMap((piece) => decoder.push(piece)), ...decoder.end()];
	return { values: events.map(({ data }) => data), stray: decoder.strayLines };
}

const letters = (text: string) => text.split('');

describe('what a stream of JSON lines may look like', () => {
	test.each<[name: string, body: string, values: string[], stray?: string[]]>([
		['one value per line', '{"a":1}\n{"b":2}\n', ['{"a":1}', '{"b":2}']],
		['CRLF and blank lines', '{"a":1}\r\n\r\n{"b":2}\r\n', ['{"a":1}', '{"b":2}']],
		['no line end at the end', '{"a":1}\n{"b":2}', ['{"a":1}', '{"b":2}']],
		['a byte-order mark', '\uFEFF{"a":1}\n', ['{"a":1}']],
		['several values in one line', '{"a":1}{"b":2} {"c":3}\n', ['{"a":1}', '{"b":2}', '{"c":3}']],
		[
			'a value over several lines',
			'{\n  "a": [\n    1\n  ]\n}\n{"b":2}\n',
			['{\n  "a": [\n    1\n  ]\n}', '{"b":2}'],
		],
		['elements of one list', '{"a":1},\n{"b":2},\n', ['{"a":1}', '{"b":2}']],
		['brackets and line ends inside strings', '{"a":"}{\\n\\"]"}\n', ['{"a":"}{\\n\\"]"}']],
		['a last value that was cut', '{"a":1}\n{"b":"x', ['{"a":1}', '{"b":"x']],
		['a line that was cut inside a string', '{"a":"x\n{"b":2}\n', ['{"a":"x', '{"b":2}']],
		[
			'a last word of a proxy',
			'{"a":1}\nupstream error: closed\n',
			['{"a":1}'],
			['upstream error: closed'],
		],
		['words in between', 'ok\n{"a":1}\nbye', ['{"a":1}'], ['ok', 'bye']],
		['nothing', '', []],
		['pings', '\n\n\n', []],
	])('%s, wherever it is cut', (_name, body, values, stray = []) => {
		expect(decode(body)).toEqual({ values, stray });
		expect(decode(...letters(body))).toEqual({ values, stray });
		for (let at = 1; at < body.length; at++)
			expect(decode(body.slice(0, at), body.slice(at))).toEqual({ values, stray });
	});

	test('a value is handed out when its last bracket arrives, not with its line end', () => {
		const decoder = new NdjsonDecoder();
		expect(decoder.push('{"a":')).toEqual([]);
		expect(decoder.push('1}')).toEqual([{ data: '{"a":1}' }]);
		expect(decoder.push('\n{"b":2}\n')).toEqual([{ data: '{"b":2}' }]);
		expect(decoder.end()).toEqual([]);
	});

	test('any objects come out as they went in, however they are cut', () => {
		const objects = fc.array(fc.dictionary(fc.string({ unit: 'grapheme' }), fc.jsonValue()), {
			minLength: 1,
		});
		fc.assert(
			fc.property(
				objects,
				fc.constantFrom('\n', '\r\n', ''),
				fc.integer({ min: 1, max: 40 }),
				(given, lineEnd, size) => {
					const lines = given.map((value) => JSON.stringify(value));
					const pieces = lines
						.map((line) => line + lineEnd)
						.join('')
						.match(new RegExp(`[^]{1,${size}}`, 'g'))!;
					expect(decode(...pieces)).toEqual({ values: lines, stray: [] });
				},
			),
		);
	});

	test('no more than 20 stray lines are kept, each no longer than 500 characters', () => {
		const { stray } = decode(
			Array.from({ length: 30 }, (_, index) => `${index}-${'x'.repeat(600)}\n`).join(''),
		);
		expect(stray).toHaveLength(20);
		expect(stray.every((line) => line.length === 500)).toBe(true);
	});

	test.each(['{"a":"', 'words '])(
		'a line without end is given up before it fills the memory (%j)',
		(beginning) => {
			const decoder = new NdjsonDecoder();
			decoder.push(beginning);
			let pushed = 0;
			const piece = 'x'.repeat(1024 * 1024);
			expect(() => {
				for (; pushed < 100; pushed++) decoder.push(piece);
			}).toThrow(BodyTooLongError);
			expect(pushed).toBeLessThan(20);
		},
	);

	test('a value of a megabyte in pieces of a few characters is one value', () => {
		const piece = 'abcdefgh';
		const decoder = new NdjsonDecoder();
		decoder.push('{"a":"');
		for (let at = 0; at < 131_072; at++) decoder.push(piece);
		expect(decoder.push('"}')).toHaveLength(1);
	});
});
