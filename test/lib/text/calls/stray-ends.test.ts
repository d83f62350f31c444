import { withoutStrayEnds } from '../../../../lib/text/calls/stray-ends';

test.each([
	{ text: 'The build is green now.\n]<]minimax[>[</tool_call>', rest: 'The build is green now.' },
	{ text: 'normal text<|tool_calls_section_end|>', rest: 'normal text' },
	{ text: 'Done.</tool_call>\n', rest: 'Done.' },
	{ text: 'Done.\n</minimax:tool_call>', rest: 'Done.' },
	{ text: 'Done.</｜DSML｜function_calls>', rest: 'Done.' },
	{ text: 'Done.[END_TOOL_REQUEST]', rest: 'Done.' },
	{ text: 'Done.<tool_call|><tool_call|>', rest: 'Done.' },
	{ text: 'Done.<｜tool▁call▁end｜><｜tool▁calls▁end｜>', rest: 'Done.' },
])('a mark that ends a call is removed from the end of $text', ({ text, rest }) => {
	expect(withoutStrayEnds(text)).toBe(rest);
});

test.each([
	'A block ends with </tool_call>',
	'A block ends with `</tool_call>`',
	'The mark </tool_call> ends a block.',
	'It is:\n\n"</tool_call>"',
	'Done.<tool_call>',
	'Done.</b>',
	'',
])('a text about a mark, or with another one, stays as it is: %j', (text) => {
	expect(withoutStrayEnds(text)).toBe(text);
});
