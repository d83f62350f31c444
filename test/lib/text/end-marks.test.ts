/** Marks at the end of a response. */
import { END_MARKS, withoutEndMarks } from '../../../lib/text/end-marks';

test.each(END_MARKS)('%s at the end is removed, also several times', (mark) => {
	expect(withoutEndMarks(`Done.${mark}`)).toBe('Done.');
	expect(withoutEndMarks(`Done.\n${mark}\n${mark}\n`)).toBe('Done.');
});

test.each([
	['Done. <|im_end|>\n<|im_end|>', 'Done.'],
	['Done.</s> <|im_end|>', 'Done.'],
	['Done.<|end_of_reply|>', 'Done.'],
	['He said "yes"<|im_end|>', 'He said "yes"'],
	['Run `ls`\n<|im_end|>', 'Run `ls`'],
	['```\nls\n```\n<|im_end|>\n<|im_end|>', '```\nls\n```'],
	// The text is about the mark.
	['It ends with <|im_end|>', 'It ends with <|im_end|>'],
	['Write `<|im_end|>`', 'Write `<|im_end|>`'],
	['Write "<|im_end|><|im_end|>', 'Write "<|im_end|><|im_end|>'],
	['Write\n```\n<|im_end|>', 'Write\n```\n<|im_end|>'],
	['See <|file-528|>', 'See <|file-528|>'],
	['<|im_end|> ends a turn.', '<|im_end|> ends a turn.'],
])('%j becomes %j', (text, expected) => {
	expect(withoutEndMarks(text)).toBe(expected);
});

test.each([0, 1, 99, 100, 101, 5_000])(
	'what stands before it decides, after %d characters',
	(length) => {
		const before = 'x'.repeat(length);
		expect(withoutEndMarks(`${before} is \`<|im_end|>`)).toBe(`${before} is \`<|im_end|>`);
		expect(withoutEndMarks(`\`a\` ${before}.<|im_end|>`)).toBe(`\`a\` ${before}.`);
	},
);
