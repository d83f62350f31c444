import fc from 'fast-check';
import { END_MARKS } from '../../../lib/text/end-marks';
import { createPartialMarkFinder } from '../../../lib/text/partial-marks';

const MARKS = ['<think>', '</think>', '[THINK]', '◁think▷', 'assistantfinal'];
const getPartialLength = createPartialMarkFinder(MARKS);

test.each([
	['', 0],
	['a word', 0],
	// Only the beginning of a mark
	['Hello <', 1],
	['Hello <th', 3],
	['Hello </think', 7],
	['[THIN', 5],
	['◁', 1],
	['Hello assistant', 9],
	// The longest beginning
	['<<thi', 4],
	['<think<', 1],
	// Complete marks, and beginnings with something after them
	['<think>', 0],
	['<think> and', 0],
	['<th ', 0],
	['< b', 0],
	['<THINK', 0],
])('the end of %j that may become a mark has %d characters', (text, length) => {
	expect(getPartialLength(text)).toBe(length);
});

test('without marks, nothing may become one', () => {
	expect(createPartialMarkFinder([])('<')).toBe(0);
});

test('the whole text may be shorter than a mark, or much longer', () => {
	expect(getPartialLength('<')).toBe(1);
	expect(getPartialLength(`${'a<b '.repeat(10_000)}</thi`)).toBe(5);
});

/** The definition: the longest end of a text that a mark continues. */
function definePartialLength(text: string, marks: readonly string[]): number {
	const lengths = Array.from({ length: text.length }, (_none, at) => text.length - at);
	const isBeginning = (end: string) => marks.some((mark) => mark !== end && mark.startsWith(end));
	return Math.max(0, ...lengths.filter((length) => isBeginning(text.slice(-length))));
}

test('any end of a text is found as defined, for the marks that end a response', () => {
	const marks = END_MARKS;
	const getLength = createPartialMarkFinder(marks);
	const cutMark = fc
		.tuple(fc.constantFrom(...marks), fc.nat(30))
		.map(([mark, length]) => mark.slice(0, length));
	const text = fc
		.array(fc.oneof(cutMark, fc.string({ maxLength: 4 }), fc.constantFrom('<', '|', '[', ' ')), {
			maxLength: 4,
		})
		.map((parts) => parts.join(''));
	fc.assert(
		fc.property(text, (value) => {
			expect(getLength(value)).toBe(definePartialLength(value, marks));
		}),
		{ numRuns: 2_000 },
	);
});
