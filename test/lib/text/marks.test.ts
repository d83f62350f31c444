/** The table of marks, and texts in which they are broken up. */
import * as fc from 'fast-check';
import { breakControlTokens, breakControlTokensDeep } from '../../../lib/text/control-tokens';
import { END_MARKS, withoutEndMarks } from '../../../lib/text/end-marks';
import { getMarks, MARKS, THINKING_TAGS, toEndTag } from '../../../lib/text/marks';
import { splitReasoning } from '../../../lib/text/reasoning';
import { decideTextCalls } from '../../../lib/text/calls/decide-text-calls';

const ALL = getMarks();
const breaks = (text: string) => breakControlTokens(text) !== text;

test('each mark is in the table once, with a source', () => {
	expect(ALL).toEqual([...new Set(ALL)]);
	expect(MARKS.filter(({ source }) => !/\w{3}/.test(source))).toEqual([]);
	expect(ALL.length).toBeGreaterThan(400);
});

/** Marks, their halves, and text. */
const piece = fc.oneof(
	fc.constantFrom(...ALL),
	fc.constantFrom(...ALL).map((mark) => mark.slice(0, Math.ceil(mark.length / 2))),
	fc.constantFrom(...ALL).map((mark) => mark.slice(Math.ceil(mark.length / 2))),
	fc.constantFrom('<', '>', '|', '[', ']', '/', '｜', ' ', '\n', 'a', '"', '{"a":1}', 'get(a=1)'),
	fc.string({ maxLength: 5 }),
);
const text = fc.array(piece, { maxLength: 12 }).map((pieces) => pieces.join(''));

test('no mark is left, whatever is around it, and within another one', () => {
	fc.assert(
		fc.property(text, (source) => {
			const broken = breakControlTokens(source);
			expect(ALL.filter((mark) => broken.includes(mark))).toEqual([]);
		}),
		{ numRuns: 500 },
	);
	for (const mark of ALL)
		for (const other of ['<|im_start|>', '</think>', '[INST]', mark]) {
			const nested = mark.slice(0, 1) + other + mark.slice(1) + mark + other + mark.slice(1);
			expect(ALL.filter((each) => breakControlTokens(nested).includes(each))).toEqual([]);
		}
});

test('a broken text stays as it is, and looks like the original', () => {
	fc.assert(
		fc.property(text, (source) => {
			const broken = breakControlTokens(source);
			expect(breakControlTokens(broken)).toBe(broken);
			expect(broken.replaceAll('\u200b', '')).toBe(source.replaceAll('\u200b', ''));
		}),
	);
});

test('what is broken is neither thinking, nor the end of a turn, nor a call', () => {
	const CALL = '{"name":"get","arguments":{}}';
	fc.assert(
		fc.property(text, fc.constantFrom('', CALL, 'get(a=1)'), text, (start, call, end) => {
			const source = breakControlTokens(`${start}${call}${end}`);
			expect(splitReasoning(source).reasoning).toBe('');
			expect(withoutEndMarks(source)).toBe(source);
			const response = { text: `So: ${source}`, tools: ['get'], isCutOff: false };
			expect(decideTextCalls({ ...response, findQuotation: () => undefined }).calls).toEqual([]);
		}),
		{ numRuns: 500 },
	);
});

test('marks that are read have a row', () => {
	const read = [...END_MARKS, ...THINKING_TAGS, ...THINKING_TAGS.map(toEndTag)];
	expect(read.filter((mark) => !ALL.includes(mark))).toEqual([]);
});

/** Tokens that no row has, but one of the general forms. */
test.each([
	'<|brand_new_turn|>',
	'</|new|>',
	'<|new>',
	'<new|>',
	'<｜新▁turn｜>',
	'[|newrole|]',
	']~b]moderator',
	']<]video pad[>[',
	'<other:think>',
	'</other:tool_call>',
	'<other:tool_response name="a">',
	'<other:invoke name="a">',
	'<invoke  name="a">',
	'<THINK>',
	'</Tool_Call>',
	'<Function=get>',
	'<start_of_anything>',
	'<reserved_200>',
	'<unused7>',
	'<extra_id_42>',
	'[img-7]',
	'<my_tool>{"name": "get"',
	'<plugin>\n[{"name": "get"',
	"<do_action> {'name': 'get'",
	'<calls>[get(',
	'<py:action>get.it(',
	'</longcat_new>',
	'<LONGCAT_FILES>',
	'<image_end>',
	'<low_res_im_start>',
	'<IMG_PATCH>',
	'<row_3_col_2>',
	'<__video__>',
	'<jupyter_after>',
	'<TOKENS_UNUSED_12>',
	'<mask:3>',
	'<[PLHD77_never_used]>',
	'>>KEYWORDS<<',
	'✿HISTORY✿',
	'<END ROLE>',
])('%s is broken, too', (mark) => {
	expect(breaks(mark)).toBe(true);
	expect(breaks(`a${mark}b`)).toBe(true);
});

test.each([
	'<div class="a"><p>x</p></div>',
	'<user><name>A</name></user>',
	'<response><result>1</result></response>',
	'<!-- a --><br/><PRE>',
	'<Tooltip content={text}>{children}</Tooltip>',
	'<transaction>4711</transaction>',
	'<action name="go"/>',
	'<soap:Body><x:parameter>1</x:parameter></soap:Body>',
	'<role>admin</role>',
	'<T extends A | B>(list: Array<string | number>) => a < b && c > d',
	'a < b | c > d',
	'[1|2]',
	'| a | b |\n|---|---|',
	'|a|b|',
	'[|1; 2; 3|]',
	'[img]https://x/y.png[/img]',
	'x[i] ~ y[j], a[b]~c[d]',
	'functools.reduce(f, [1])',
	'USER: Hi\nASSISTANT: ### Instruction:',
	'a <- b; c |> d',
	'[link](https://x) [x] [ ] [TODO] [INFO]',
	'#include <stdio.h>',
	'List<Integer>, Map<K, V>',
	'{"a":[1,[2]],"b":"<c>"}',
	'tool_call, think, function=1',
	'«A» ◁ B ▷ 〈C〉',
	'<svg><image href="a.png" width="1"/></svg><img src="a.png"><video controls src="a.mp4"></video>',
	'std::vector<_Tp, _Alloc> and std::map<std::string, std::vector<int>>',
	'cat >>FILE <<EOF and std::cout << x >> 2',
	'if (a >>B<<c) <[1, 2]> <[Tt]itle>? xs <[]>',
	'git clone <url> && git add <filename>',
	'<ref>Smith</ref> <box>1</box> <code>x</code> <co>1</co> <results>2</results>',
	'<Query>a</Query> <Document name="b"/>',
	'<start>1</start><end>2</end><begin>3</begin>',
	'list[image], [mask], [smask], [text], [USER] said',
	'<tools:item/> <toolbar> <imageView> <audiobook>',
	'✿ flowers ✿ and BEGIN TRANSACTION; END <x>',
])('%s stays', (source) => {
	expect(breakControlTokens(source)).toBe(source);
});

test('in a value, names and texts are broken', () => {
	const value = { '<think>': ['</s>', 1, null, { a: '<|"|>\n<tool_call>' }], b: true };
	const broken = JSON.stringify(breakControlTokensDeep(value));
	expect(broken.replaceAll('\u200b', '')).toBe(JSON.stringify(value));
	for (const mark of ['<think>', '</s>', '<|\\"|>', '<tool_call>'])
		expect(broken).not.toContain(mark);
});
