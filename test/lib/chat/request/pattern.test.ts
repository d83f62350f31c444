import fc from 'fast-check';

import { grammarPattern } from '../../../../lib/chat/request/pattern';
import { examples } from '../../../support/properties';

/** What a text looks like inside the quotes of a JSON string: that is what a grammar generates. */
const quoted = (text: string) => JSON.stringify(text).slice(1, -1);

describe('patterns in the language of llama.cpp', () => {
	it.each([
		['^abc$', '^abc$'],
		['^$', '^$'],
		['^[a-z]{2,4}\\.[A-Z_]+$', '^[a-z]{2,4}\\.[A-Z_]+$'],
		['^(?:yes|no)?$', '^(?:yes|no)?$'],
		['^(a|)$', '^(a|)$'],
		['^[-+]?[0-9]*$', '^[-+]?[0-9]*$'],
		['^[+-]{1,}$', '^[+-]{1,}$'],
		['^Grüße 🦙$', '^Grüße 🦙$'],
	])('leaves %s as it is', (pattern, expected) => {
		expect(grammarPattern(pattern)).toEqual({ pattern: expected });
	});

	it.each([
		['shorthands', '^\\d{3}-\\w+\\s$', '^[0-9]{3}-[0-9A-Z_a-z]+[ ]$'],
		[
			'their complements, without what JSON cannot hold',
			'^\\D\\W\\S$',
			'^[^0-9"\\\\\\x7F\\x00-\\x1F][^0-9A-Z_a-z"\\\\\\x7F\\x00-\\x1F][^ "\\\\\\x7F\\x00-\\x1F]$',
		],
		['shorthands in a class', '^[\\w.-]+@[\\d]$', '^[0-9A-Z_a-z.-]+@[0-9]$'],
		[
			'a class of everything',
			'^[\\s\\S]*[\\d\\D][^]$',
			'^[^"\\\\\\x7F\\x00-\\x1F]*[^"\\\\\\x7F\\x00-\\x1F][^"\\\\\\x7F\\x00-\\x1F]$',
		],
		['a complement alone in a class', '^[\\D][^\\D]$', '^[^0-9"\\\\\\x7F\\x00-\\x1F][0-9]$'],
		['a dot, which would eat the closing quote', '^.{1,50}$', '^[^"\\\\\\x7F\\x00-\\x1F]{1,50}$'],
		['a negated class, which would too', '^[^@ ]+$', '^[^@ "\\\\\\x7F\\x00-\\x1F]+$'],
		['a range over the quote and the backslash', '^[!-~]$', '^[!#-[\\]-~]$'],
		['a quote and a backslash, as JSON writes them', '^"\\\\$', '^\\\\"\\\\\\\\$'],
		['line breaks and tabs, as JSON writes them', '^a\\nb\\tc\\r$', '^a\\\\nb\\\\tc\\\\r$'],
		['repeated escapes, of which llama.cpp repeats too much', '^ab\\.*c\\+?$', '^ab(\\.)*c(\\+)?$'],
		['repeated letters beyond ASCII, of which it repeats half', '^né+🦙{2}$', '^n(é)+(🦙){2}$'],
		['a repeated quote', '^"+$', '^(\\\\")+$'],
		['lazy repetition', '^a+?b*?c??d{2,3}?$', '^a+b*c?d{2,3}$'],
		['escapes by number', '^\\x41\\u00e9$', '^Aé$'],
		['escaped signs that mean themselves', '^\\/\\-\\_[\\/\\-]$', '^/-_[/-]$'],
		['brackets that are only signs', '^a]b}c{d{$', '^a\\]b\\}c\\{d\\{$'],
		[
			'a minus sign and a caret in a class, moved to where they mean themselves',
			'^[\\-a\\^][\\^][\\^\\-]$',
			'^[a^-](\\^)(\\^|-)$',
		],
		['a bracket in a class', '^[\\]a[]$', '^[\\]a[]$'],
		['ranges that begin or end with a sign', '^[\\--9\\^-a+-\\]]$', '^[\\x2D-9\\x5E-a+-[\\]]$'],
		['a group with a name', '^(?<name>a)$', '^(a)$'],
		['a character by its number in Unicode mode', '^\\u{1F999}+$', '^(🦙)+$'],
		['a character beyond 16 bits outside Unicode mode', '^\\-🦙$', '^-🦙$'],
		['a backspace, which JSON cannot hold', '^[\\ba]$', '^[a]$'],
	])('rewrites %s', (_what, pattern, expected) => {
		expect(grammarPattern(pattern)).toEqual({ pattern: expected });
	});

	it.each([
		['abc', 'pattern without ^ and $'],
		['^abc', 'pattern without ^ and $'],
		['^abc\\$', 'pattern without ^ and $'],
		['^(?=a)b$', 'pattern with look-around'],
		['^(?<=a)b$', 'pattern with look-around'],
		['^(?i:a)$', 'pattern with modifiers'],
		['^\\-\\q$', 'pattern with \\q'],
		['^\\-🦙{2}$', 'pattern that repeats half of a character'],
		['^\\-[🦙]$', 'pattern with half of a character'],
		['^a$b$', 'pattern with an inner anchor'],
		['^^a$', 'pattern with an inner anchor'],
		['^\\bword\\b$', 'pattern with \\b'],
		['^\\p{L}+$', 'pattern with \\p'],
		['^(a)\\1$', 'pattern with \\1'],
		['^a{2001}$', 'pattern that repeats more than 2000 times'],
		['^a{0,2001}$', 'pattern that repeats more than 2000 times'],
		['^a{,3}$', 'pattern with {,n}'],
		['^(a$', 'not a regular expression'],
		['^a)$', 'not a regular expression'],
		['^[a$', 'not a regular expression'],
		['^*a$', 'not a regular expression'],
		['^(?i)a$', 'not a regular expression'],
		['^[]$', 'pattern with characters that JSON cannot hold'],
		['^["\\\\]$', 'pattern with characters that JSON cannot hold'],
		['^[\\W_]$', 'pattern with a mixed character class'],
		['^[^\\W_]$', 'pattern with a mixed character class'],
		['^\\x00$', 'pattern with a control character'],
	])('gives %s up with a reason', (pattern, reason) => {
		expect(grammarPattern(pattern)).toEqual({ reason });
	});

	it('takes a pattern that only Unicode mode knows', () => {
		expect(grammarPattern('^[😀-😂]$')).toEqual({ pattern: '^[😀-😂]$' });
	});

	const PATTERNS = [
		'^\\d{1,3}$',
		'^[\\w.-]+@[\\w-]+\\.[a-z]{2,}$',
		'^[^@\\s]+$',
		'^.{0,4}$',
		'^\\S+ \\D\\W$',
		'^[!-~]*$',
		'^a+?b\\.*c$',
		'^"?\\\\*\\n$',
		'^[\\^\\-\\]]+$',
		'^(?:a|é+)?x$',
	];
	const pieces = fc.constantFrom(
		'a',
		'b',
		'c',
		'x',
		'é',
		'@',
		'.',
		'-',
		'^',
		']',
		' ',
		'1',
		'23',
		'"',
		'\\',
		'\n',
		'\t',
		'_',
		'~',
		'Z',
		'🦙',
	);

	it.each(PATTERNS)('never allows what %s forbids', (pattern) => {
		const result = grammarPattern(pattern);
		const translated = 'pattern' in result ? new RegExp(result.pattern, 'u') : /$^/;
		const original = new RegExp(pattern, 'u');
		fc.assert(
			fc.property(
				fc.array(pieces, { maxLength: 6 }).map((parts) => parts.join('')),
				(text) => {
					const allowed = translated.test(quoted(text));
					expect(allowed && !original.test(text)).toBe(false);
					// Without signs that JSON has to escape both mean the same.
					if (quoted(text) === text) expect(allowed).toBe(original.test(text));
				},
			),
			examples(300),
		);
	});
});
