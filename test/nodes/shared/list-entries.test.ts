import fc from 'fast-check';

import { toListEntries } from '../../../nodes/shared/list-entries';

const UNSAFE = /<[a-z/!?]|[\u202a-\u202e\u2066-\u2069]|(?![\t\n\r])\p{Cc}/iu;

test('names of a list are plain text, and neither names nor values are expressions', () => {
	const sign = fc.constantFrom(
		'<',
		'img',
		'>',
		'/',
		'=',
		'{{',
		'}}',
		'\u202e',
		'\0',
		'\u001b',
		'a',
	);
	const text = fc.array(sign, { maxLength: 8 }).map((signs) => signs.join(''));
	const entry = fc.record({ name: text, value: fc.oneof(text, fc.integer()), description: text });
	fc.assert(
		fc.property(fc.array(entry), (entries) => {
			const listed = toListEntries(entries);
			const expected = entries.filter(({ value }) => !String(value).startsWith('='));
			expect(listed.map(({ value }) => value)).toEqual(expected.map(({ value }) => value));
			for (const { name } of listed) expect(name).not.toMatch(/^=/);
			for (const { name, description = '' } of listed)
				expect(`${name}\n${description}`).not.toMatch(UNSAFE);
		}),
	);
	expect(toListEntries([{ name: 'a', value: 'b' }])).toEqual([{ name: 'a', value: 'b' }]);
});
