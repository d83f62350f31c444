/** Calls whose arguments are named by marks: what is read of them, how far, and what is wrong with them. */
import { TextCursor } from '../../../../lib/text/calls/cursor';
import { readKeyValueCall, readNamedCall } from '../../../../lib/text/calls/named-arguments';
import type { CallCandidate } from '../../../../lib/text/calls/types';

const TOKEN = ']<]minimax[>[';

/** What a reader finds at the beginning of a text. */
function read(text: string, reader: (cursor: TextCursor) => CallCandidate[] | undefined) {
	const cursor = new TextCursor(text);
	const candidates = reader(cursor);
	const rest = text.slice(cursor.at);
	const calls = candidates?.map(({ range: { from, to }, ...call }) => ({
		...call,
		read: text.slice(from, to),
	}));
	return { text, calls, rest };
}

const readNamed = (text: string, mark = '<tool_call>') =>
	read(text, (cursor) => readNamedCall(cursor, mark));
const readKeyValue = (text: string) => read(text, readKeyValueCall);

/** A call without a problem, which is all of the text. */
const complete = (text: string, name: string, args: object, more: object = {}) => ({
	text,
	calls: [
		{
			syntax: 'namedArguments',
			name,
			arguments: JSON.stringify(args),
			problems: [],
			read: text,
			...more,
		},
	],
	rest: '',
});

/** A call with a problem, of which only the beginning is read. */
const broken = (text: string, problem: string, rest: string, more: object = {}) => ({
	text,
	calls: [
		{
			syntax: 'namedArguments',
			name: 'ls',
			arguments: undefined,
			problems: [problem],
			read: text.slice(0, text.length - rest.length),
			...more,
		},
	],
	rest,
});

const nothing = (text: string) => ({ text, calls: undefined, rest: text });

describe('a call in a tag with its name', () => {
	interface Case {
		/** What is special about it. */
		has: string;
		text: string;
		args: object;
	}

	test.each<Case>([
		{
			has: 'its parameters on lines of their own',
			text: '<function=ls>\n<parameter=path>\n/tmp\n</parameter>\n<parameter=all>\nyes\n</parameter>\n</function>',
			args: { path: '/tmp', all: 'yes' },
		},
		{
			has: 'lines that belong to a value',
			text: '<function=ls><parameter=path>\n\n/tmp\n\n</parameter></function>',
			args: { path: '\n/tmp\n' },
		},
		{
			has: 'lines within a value only',
			text: '<function=ls><parameter=a>1\n2\n3</parameter></function>',
			args: { a: '1\n2\n3' },
		},
		{
			has: 'a line break at the end of a value after its tag',
			text: '<invoke name="ls"><parameter name="a">return 1\n</parameter></invoke>',
			args: { a: 'return 1\n' },
		},
		{
			has: 'a line break at the beginning of a value after its tag',
			text: '<steptml:invoke name="ls"><steptml:parameter name="a">\n  if x:</steptml:parameter></steptml:invoke>',
			args: { a: '\n  if x:' },
		},
		{
			has: 'a line break at the end of XML',
			text: '<function name="ls"><param name="a">x &amp; y\n</param></function>',
			args: { a: 'x & y\n' },
		},
		{
			has: 'values on lines of their own after tags with attributes',
			text: '<invoke name="ls">\n<parameter name="a">\nRome\n</parameter>\n</invoke>',
			args: { a: 'Rome' },
		},
		{
			has: 'line breaks around a text of DeepSeek',
			text: '<｜DSML｜invoke name="ls"><｜DSML｜parameter name="a" string="true">\nx\n</｜DSML｜parameter></｜DSML｜invoke>',
			args: { a: '\nx\n' },
		},
		{
			has: 'its name beside its type',
			text: 'function<｜tool_sep｜>ls\n<steptml:invoke name="ls"><steptml:parameter name="a"> 4 </steptml:parameter></steptml:invoke>',
			args: { a: ' 4 ' },
		},
		{
			has: 'its names in double quotes',
			text: '<invoke name="ls"><parameter name="a b">1</parameter></invoke>',
			args: { 'a b': '1' },
		},
		{
			has: 'its names in single quotes',
			text: "<invoke name='ls'><parameter name='a b'>1</parameter></invoke>",
			args: { 'a b': '1' },
		},
		{
			has: 'a prefix in each tag',
			text: '<seed:function=ls><seed:parameter=path>/</seed:parameter></seed:function>',
			args: { path: '/' },
		},
		{ has: 'no parameters', text: '<function=ls>\n</function>', args: {} },
		{
			has: 'an empty value before another one',
			text: '<function=ls><parameter=a></parameter><parameter=b>2</parameter></function>',
			args: { a: '', b: '2' },
		},
		{
			has: 'JSON as its arguments',
			text: '<function=ls> {"path":"/tmp","all":true}\n</function>',
			args: { path: '/tmp', all: true },
		},
		{
			has: 'JSON with a text "null", which JSON tells from null',
			text: '<function=ls>{"path":"null"}</function>',
			args: { path: 'null' },
		},
		{
			has: 'the type of the call before it',
			text: 'function<｜tool▁sep｜><invoke name="ls"><parameter name="a">1</parameter></invoke>',
			args: { a: '1' },
		},
		{
			has: 'elements after the token of a namespace',
			text: `${TOKEN}<invoke name="ls">${TOKEN}<path>/tmp${TOKEN}</path>${TOKEN}</invoke>`,
			args: { path: '/tmp' },
		},
		{
			has: 'elements whose token the server removed',
			text: '<invoke name="ls"><path>/tmp</path></invoke>',
			args: { path: '/tmp' },
		},
		{
			has: 'entities of XML',
			text: '<function name="ls"><param name="a">1 &lt; 2 &amp;&amp; &quot;x&quot; &gt; &apos;&amp;lt;</param></function>',
			args: { a: '1 < 2 && "x" > \'&lt;' },
		},
		{
			has: 'an entity in a text that is no XML',
			text: '<function name="ls"><param name="a">R&D &lt; 2</param></function>',
			args: { a: 'R&D &lt; 2' },
		},
		{
			has: 'an entity where no XML is written',
			text: '<function=ls><parameter=a>&lt;</parameter></function>',
			args: { a: '&lt;' },
		},
		{
			has: 'a CDATA section with marks and entities',
			text: '<function name="ls"><param name="a">\n<![CDATA[\n</param> &lt;]]>\n</param></function>',
			args: { a: '</param> &lt;' },
		},
		{
			has: 'a CDATA section that is only a part of a value',
			text: '<function=ls><parameter=a><![CDATA[x]]> y</parameter></function>',
			args: { a: '<![CDATA[x]]> y' },
		},
		{
			has: 'types of its values',
			text: '<｜DSML｜invoke name="ls"><｜DSML｜parameter name="a" string="true">\n5</｜DSML｜parameter><｜DSML｜parameter name="b" string="false">[5]</｜DSML｜parameter></｜DSML｜invoke>',
			args: { a: '\n5', b: [5] },
		},
		{
			has: 'a text "null" that is a text by its type, before a value without a type',
			text: '<invoke name="ls"><parameter name="a" string="true">null</parameter><parameter name="b">1</parameter></invoke>',
			args: { a: 'null', b: '1' },
		},
		{
			has: 'an argument whose name is null',
			text: '<function=ls><parameter=null>1</parameter></function>',
			args: { null: '1' },
		},
	])('is read if it has $has', ({ text, args }) => {
		expect(readNamed(text)).toStrictEqual(complete(text, 'ls', args));
	});

	test.each([{ value: 'null' }, { value: 'Null' }, { value: 'NULL' }])(
		'may mean null by the value $value, which has no type',
		({ value }) => {
			const text = `<function=ls><parameter=a>${value}</parameter></function>`;
			expect(readNamed(text)).toStrictEqual(
				complete(text, 'ls', { a: value }, { hasNullTexts: true }),
			);
		},
	);

	test.each([
		{ what: 'its end', text: '<function=ls><parameter=a>1</parameter>', rest: '' },
		{
			what: 'the end of a value',
			text: '<function=ls><parameter=a>1</function>',
			rest: '1</function>',
		},
		{ what: 'all but its tag', text: '<function=ls>', rest: '' },
	])('lacks $what', ({ text, rest }) => {
		expect(readNamed(text)).toStrictEqual(broken(text, 'noEnd', rest));
	});

	test.each([
		{ what: 'text', text: '<function=ls>Go!</function>', rest: 'Go!</function>' },
		{
			what: 'text after a value',
			text: '<function=ls><parameter=a>1</parameter> Go!</function>',
			rest: 'Go!</function>',
		},
		{
			what: 'a parameter after JSON',
			text: '<function=ls>{"a":1}<parameter=b>2</parameter></function>',
			rest: '<parameter=b>2</parameter></function>',
		},
		{
			what: 'a value without an end before another one',
			text: '<function=ls><parameter=a>1<parameter=b>2</parameter></function>',
			rest: '</function>',
		},
		{
			what: 'text between its elements',
			text: `${TOKEN}<invoke name="ls">${TOKEN}<a>1${TOKEN}</b>${TOKEN}</invoke>`,
			rest: `${TOKEN}</b>${TOKEN}</invoke>`,
		},
	])('does not account for $what', ({ text, rest }) => {
		expect(readNamed(text)).toStrictEqual(broken(text, 'unreadText', rest));
	});

	test.each([{ value: 'yes' }, { value: '' }, { value: '1,"b":2' }, { value: '{' }])(
		'is broken by the value $value, whose type is JSON',
		({ value }) => {
			const rest = '<parameter name="c">3</parameter></invoke>';
			const text = `<invoke name="ls"><parameter name="a" string="false">${value}</parameter>${rest}`;
			expect(readNamed(text)).toStrictEqual(broken(text, 'brokenArguments', rest));
		},
	);

	test.each([
		{ text: '<functions=ls></functions>' },
		{ text: '<function>ls</function>' },
		{ text: '<function=>1</function>' },
		{ text: ' <function=ls></function>' },
		{ text: 'ls' },
	])('is not read from "$text"', ({ text }) => {
		expect(readNamed(text)).toStrictEqual(nothing(text));
	});
});

describe('what follows a call', () => {
	const CALL = '<function=ls></function>';

	test.each([
		{ what: 'the end of a mark that the model left out', after: '</tool_call>', rest: '' },
		{ what: 'such an end on a line below', after: '\n </tool_call>\nDone', rest: '\nDone' },
	])('belongs to it if it is $what', ({ after, rest }) => {
		const text = CALL + after;
		const { calls } = complete(text, 'ls', {}, { read: text.slice(0, text.length - rest.length) });
		expect(readNamed(text, '')).toStrictEqual({ text, calls, rest });
	});

	test.each([
		{ what: 'text', mark: '', after: '\n Done' },
		{ what: 'a blank line', mark: '', after: '\n\n' },
		{ what: 'the end of its own mark', mark: '<tool_call>', after: '\n</tool_call>' },
	])('does not belong to it if it is $what', ({ mark, after }) => {
		const text = CALL + after;
		const { calls } = complete(text, 'ls', {}, { read: CALL });
		expect(readNamed(text, mark)).toStrictEqual({ text, calls, rest: after });
	});
});

const PAIRS = { syntax: 'keysAndValues' };

describe('a name with keys and values', () => {
	test.each([
		{
			has: 'lines between them',
			text: 'ls\n<arg_key>path</arg_key>\n<arg_value>/tmp</arg_value>\n<arg_key> all </arg_key>\n<arg_value> yes\n</arg_value>',
			args: { path: '/tmp', all: ' yes\n' },
		},
		{
			has: 'a prefix',
			text: 'ls<longcat_arg_key>a</longcat_arg_key><longcat_arg_value>1</longcat_arg_value>',
			args: { a: '1' },
		},
		{
			has: 'a suffix, and a mark after the name',
			text: 'ls<tool_sep:v4><arg_key:v4>a</arg_key:v4><arg_value:v4>1</arg_value:v4>',
			args: { a: '1' },
		},
		{
			has: 'an empty value',
			text: 'ls<arg_key>a</arg_key><arg_value></arg_value>',
			args: { a: '' },
		},
	])('is read if it has $has', ({ text, args }) => {
		expect(readKeyValue(text)).toStrictEqual(complete(text, 'ls', args, PAIRS));
	});

	test('may mean null by a value', () => {
		const text = 'ls<arg_key>a</arg_key><arg_value>null</arg_value>';
		expect(readKeyValue(text)).toStrictEqual(
			complete(text, 'ls', { a: 'null' }, { ...PAIRS, hasNullTexts: true }),
		);
	});

	test.each([{ end: '</tool_call>' }, { end: '</longcat_tool_call>' }, { end: '</tool_call:v4>' }])(
		'may have none before $end',
		({ end }) => {
			const text = `ls${end}`;
			const { calls } = complete(text, 'ls', {}, PAIRS);
			expect(readKeyValue(text)).toStrictEqual({ text, calls, rest: end });
		},
	);

	test.each([
		{ what: 'a key', text: 'ls<arg_key></arg_key><arg_value>1</arg_value>', rest: '' },
		{ what: 'the end of a key', text: 'ls<arg_key>a<arg_value>1</arg_value>', rest: '' },
		{ what: 'a value', text: 'ls<arg_key>a</arg_key>', rest: '' },
		{ what: 'the end of a value', text: 'ls<arg_key>a</arg_key><arg_value>1', rest: '1' },
		{ what: 'all but a tag', text: 'ls<arg_key>', rest: '' },
	])('lacks $what', ({ text, rest }) => {
		expect(readKeyValue(text)).toStrictEqual(broken(text, 'noEnd', rest, PAIRS));
	});

	test('does not account for a value without an end before another one', () => {
		const rest = '<arg_key>c</arg_key>';
		const text = `ls<arg_key>a</arg_key><arg_value>1<arg_key>b</arg_key><arg_value>2</arg_value>${rest}`;
		expect(readKeyValue(text)).toStrictEqual(broken(text, 'unreadText', rest, PAIRS));
	});

	test.each([
		{ text: 'ls<b>bold</b>' },
		{ text: 'ls </tool_response>' },
		{ text: 'ls -l <arg_key>a</arg_key><arg_value>1</arg_value>' },
		{ text: '<arg_key>a</arg_key><arg_value>1</arg_value>' },
		{ text: 'ls' },
	])('is not read from "$text"', ({ text }) => {
		expect(readKeyValue(text)).toStrictEqual(nothing(text));
	});
});
