import { getTruncationHints } from '../../../lib/tasks/texts';

const kept = (...lengths: number[]) =>
	lengths.map((keptLength, index) => ({ index, length: 2_000, keptLength }));

test.each([
	{ lengths: [], hints: [] },
	{
		lengths: [1_500],
		hints: [
			'Document 1 of 9 was truncated: the server accepted its first 1,500 characters, and refused more.',
		],
	},
	{
		lengths: [500, 500],
		hints: [
			'2 of 9 documents were truncated: the server accepted their first 500 characters, and refused more.',
		],
	},
	{
		lengths: [700, 1_500, 900],
		hints: [
			'3 of 9 documents were truncated: the server accepted their first 700 to 1,500 characters, and refused more.',
		],
	},
])('the hint about texts of which $lengths characters were kept', ({ lengths, hints }) => {
	expect(getTruncationHints(kept(...lengths), { count: 9, noun: 'Document' })).toEqual(hints);
});
