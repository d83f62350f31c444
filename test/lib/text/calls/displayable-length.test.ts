import { getDisplayableLength } from '../../../../lib/text/calls/displayable-length';

test.each<[string, isFirst: boolean, shown: number]>([
	['Hello', true, 5],
	['Hello', false, 5],
	['', true, 0],
	['  \n', true, 0],
	['{"a"', true, 0],
	[' [1', true, 0],
	['{"a"', false, 4],
	['[1', false, 2],
	['`', true, 0],
	['``', true, 0],
	['```js', true, 0],
	['``x', true, 3],
	['`x`', true, 3],
	['x```', true, 4],
	['```', false, 3],
	['a < b', false, 5],
	['a <', false, 2],
	['a <|', false, 2],
	['a <tool', false, 2],
	['a <b', false, 2],
	['a [TOOL', false, 2],
	['a [TOOL_CALLS]x', false, 2],
	['a <function=x <tool_call>', false, 2],
	['a <tool_call>x <function=', false, 2],
	['<', true, 0],
	['a < b [c', false, 8],
])('of %j (at the start: %s), %d characters can be shown', (pending, isFirst, shown) => {
	expect(getDisplayableLength(pending, { isFirst, hasTools: true })).toBe(shown);
});

test.each(['{"a"', 'a <tool_call>x'])('without tools, all of %j can be shown', (pending) => {
	expect(getDisplayableLength(pending, { isFirst: true, hasTools: false })).toBe(pending.length);
});
