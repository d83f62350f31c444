/** A call in the text of a response runs only if all conditions hold. Each shape is tried with each of them. */
import * as fc from 'fast-check';
import { decideTextCalls } from '../../../../lib/text/calls/decide-text-calls';
import { withoutCallMarkup } from '../../../../lib/text/calls/without-call-markup';
import type { TextCallDecision } from '../../../../lib/text/calls/decide-text-calls';
import type { RejectionReason } from '../../../../lib/rejected-call';

const tools = ['delete_mails', 'wipe_cache', 'send_newsletter', 'get_weather'];

const decide = (
	text: string,
	{ isCutOff = false, hasEnded = true, isQuotation = false } = {},
): TextCallDecision =>
	decideTextCalls({
		text,
		tools,
		isCutOff,
		hasEnded,
		findQuotation: () => (isQuotation ? 'quotation' : undefined),
	});

/** One shape of calls, as a text for each condition. */
interface Shape {
	name: string;
	/** A complete call of `delete_mails` with the folder "Spam". */
	call: string;
	/** A complete call of `wipe_cache` without arguments. */
	empty: string;
	/** The mark at the end is missing. */
	withoutEnd: string;
	/** Something else is between the parts of the call. */
	unread: string;
	/** One argument has two values. */
	twice: string;
}

const SHAPES: readonly Shape[] = [
	{
		name: 'JSON between marks',
		call: '<tool_call>{"name":"delete_mails","arguments":{"folder":"Spam"}}</tool_call>',
		empty: '<tool_call>{"name":"wipe_cache","arguments":{}}</tool_call>',
		withoutEnd: '<tool_call>{"name":"delete_mails","arguments":{"folder":"Spam"}}',
		unread: '<tool_call>{"name":"delete_mails","arguments":{"folder":"Spam"}} now</tool_call>',
		twice:
			'<tool_call>{"name":"delete_mails","arguments":{"folder":"Spam","folder":"Inbox"}}</tool_call>',
	},
	{
		name: 'a function with parameters',
		call: '<function=delete_mails><parameter=folder>Spam</parameter></function>',
		empty: '<function=wipe_cache></function>',
		withoutEnd: '<function=delete_mails><parameter=folder>Spam</parameter>',
		unread: '<function=delete_mails>Now <parameter=folder>Spam</parameter></function>',
		twice:
			'<function=delete_mails><parameter=folder>Spam</parameter><parameter=folder>Inbox</parameter></function>',
	},
	{
		name: 'an invocation with parameters',
		call: '<minimax:tool_call><invoke name="delete_mails"><parameter name="folder">Spam</parameter></invoke></minimax:tool_call>',
		empty: '<minimax:tool_call><invoke name="wipe_cache"></invoke></minimax:tool_call>',
		withoutEnd:
			'<minimax:tool_call><invoke name="delete_mails"><parameter name="folder">Spam</parameter></invoke>',
		unread:
			'<minimax:tool_call><invoke name="delete_mails"><parameter name="folder">Spam</parameter>!</invoke></minimax:tool_call>',
		twice:
			'<minimax:tool_call><invoke name="delete_mails"><parameter name="folder">Spam</parameter><parameter name="folder">Inbox</parameter></invoke></minimax:tool_call>',
	},
	{
		name: 'an invocation with a prefix',
		call: '<｜DSML｜tool_calls><｜DSML｜invoke name="delete_mails"><｜DSML｜parameter name="folder" string="true">Spam</｜DSML｜parameter></｜DSML｜invoke></｜DSML｜tool_calls>',
		empty:
			'<｜DSML｜tool_calls><｜DSML｜invoke name="wipe_cache"></｜DSML｜invoke></｜DSML｜tool_calls>',
		withoutEnd:
			'<｜DSML｜tool_calls><｜DSML｜invoke name="delete_mails"><｜DSML｜parameter name="folder" string="true">Spam</｜DSML｜parameter>',
		unread:
			'<｜DSML｜tool_calls><｜DSML｜invoke name="delete_mails"><｜DSML｜parameter name="folder" string="true">Spam</｜DSML｜parameter></｜DSML｜invoke>!</｜DSML｜tool_calls>',
		twice:
			'<｜DSML｜tool_calls><｜DSML｜invoke name="delete_mails"><｜DSML｜parameter name="folder" string="true">Spam</｜DSML｜parameter><｜DSML｜parameter name="folder" string="true">Inbox</｜DSML｜parameter></｜DSML｜invoke></｜DSML｜tool_calls>',
	},
	{
		name: 'elements after a token',
		call: ']<]minimax[>[<tool_call>]<]minimax[>[<invoke name="delete_mails">]<]minimax[>[<folder>Spam]<]minimax[>[</folder>]<]minimax[>[</invoke>]<]minimax[>[</tool_call>',
		empty:
			']<]minimax[>[<tool_call>]<]minimax[>[<invoke name="wipe_cache">]<]minimax[>[</invoke>]<]minimax[>[</tool_call>',
		withoutEnd:
			']<]minimax[>[<tool_call>]<]minimax[>[<invoke name="delete_mails">]<]minimax[>[<folder>Spam]<]minimax[>[</folder>]<]minimax[>[</invoke>',
		unread:
			']<]minimax[>[<tool_call>]<]minimax[>[<invoke name="delete_mails">now]<]minimax[>[<folder>Spam]<]minimax[>[</folder>]<]minimax[>[</invoke>]<]minimax[>[</tool_call>',
		twice:
			']<]minimax[>[<tool_call>]<]minimax[>[<invoke name="delete_mails">]<]minimax[>[<folder>Spam]<]minimax[>[</folder>]<]minimax[>[<folder>Inbox]<]minimax[>[</folder>]<]minimax[>[</invoke>]<]minimax[>[</tool_call>',
	},
	{
		name: 'keys and values',
		call: '<tool_call>delete_mails<arg_key>folder</arg_key><arg_value>Spam</arg_value></tool_call>',
		empty: '<tool_call>wipe_cache</tool_call>',
		withoutEnd: '<tool_call>delete_mails<arg_key>folder</arg_key><arg_value>Spam</arg_value>',
		unread:
			'<tool_call>delete_mails<arg_key>folder</arg_key> is <arg_value>Spam</arg_value></tool_call>',
		twice:
			'<tool_call>delete_mails<arg_key>folder</arg_key><arg_value>Spam</arg_value><arg_key>folder</arg_key><arg_value>Inbox</arg_value></tool_call>',
	},
	{
		name: 'a literal call',
		call: '<|tool_call_start|>[delete_mails(folder="Spam")]<|tool_call_end|>',
		empty: '<|tool_call_start|>[wipe_cache()]<|tool_call_end|>',
		withoutEnd: '<|tool_call_start|>[delete_mails(folder="Spam")]',
		unread: '<|tool_call_start|>[delete_mails(folder="Spam")] now<|tool_call_end|>',
		twice: '<|tool_call_start|>[delete_mails(folder="Spam", folder="Inbox")]<|tool_call_end|>',
	},
	{
		name: 'a call with a quotation token',
		call: '<|tool_call>call:delete_mails{folder:<|"|>Spam<|"|>}<tool_call|>',
		empty: '<|tool_call>call:wipe_cache{}<tool_call|>',
		withoutEnd: '<|tool_call>call:delete_mails{folder:<|"|>Spam<|"|>}',
		unread: '<|tool_call>call:delete_mails{folder:<|"|>Spam<|"|>} now<tool_call|>',
		twice:
			'<|tool_call>call:delete_mails{folder:<|"|>Spam<|"|>,folder:<|"|>Inbox<|"|>}<tool_call|>',
	},
	{
		name: 'a header and JSON',
		call: '<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>delete_mails<｜tool▁sep｜>{"folder":"Spam"}<｜tool▁call▁end｜><｜tool▁calls▁end｜>',
		empty:
			'<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>wipe_cache<｜tool▁sep｜>{}<｜tool▁call▁end｜><｜tool▁calls▁end｜>',
		withoutEnd:
			'<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>delete_mails<｜tool▁sep｜>{"folder":"Spam"}<｜tool▁call▁end｜>',
		unread:
			'<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>delete_mails<｜tool▁sep｜>{"folder":"Spam"}!<｜tool▁call▁end｜><｜tool▁calls▁end｜>',
		twice:
			'<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>delete_mails<｜tool▁sep｜>{"folder":"Spam","folder":"Inbox"}<｜tool▁call▁end｜><｜tool▁calls▁end｜>',
	},
	{
		name: 'a header with an index',
		call: '<|tool_calls_section_begin|><|tool_call_begin|>functions.delete_mails:0<|tool_call_argument_begin|>{"folder":"Spam"}<|tool_call_end|><|tool_calls_section_end|>',
		empty:
			'<|tool_calls_section_begin|><|tool_call_begin|>functions.wipe_cache:0<|tool_call_argument_begin|>{}<|tool_call_end|><|tool_calls_section_end|>',
		withoutEnd:
			'<|tool_calls_section_begin|><|tool_call_begin|>functions.delete_mails:0<|tool_call_argument_begin|>{"folder":"Spam"}',
		unread:
			'<|tool_calls_section_begin|><|tool_call_begin|>functions.delete_mails:0<|tool_call_argument_begin|>{"folder":"Spam"} or so<|tool_call_end|><|tool_calls_section_end|>',
		twice:
			'<|tool_calls_section_begin|><|tool_call_begin|>functions.delete_mails:0<|tool_call_argument_begin|>{"folder":"Spam","folder":"Inbox"}<|tool_call_end|><|tool_calls_section_end|>',
	},
	{
		name: 'a header with a channel',
		call: '<|channel|>commentary to=functions.delete_mails <|constrain|>json<|message|>{"folder":"Spam"}<|call|>',
		empty: '<|channel|>commentary to=functions.wipe_cache <|constrain|>json<|message|>{}<|call|>',
		withoutEnd:
			'<|channel|>commentary to=functions.delete_mails <|constrain|>json<|message|>{"folder":"Spam"',
		unread:
			'<|channel|>commentary to=functions.delete_mails <|constrain|>json<|message|>{"folder":"Spam"} now<|call|>',
		twice:
			'<|channel|>commentary to=functions.delete_mails <|constrain|>json<|message|>{"folder":"Spam","folder":"Inbox"}<|call|>',
	},
	{
		name: 'a header after a mark without an end',
		call: '[TOOL_CALLS]delete_mails[ARGS]{"folder":"Spam"}',
		empty: '[TOOL_CALLS]wipe_cache[ARGS]{}',
		withoutEnd: '[TOOL_CALLS]delete_mails[ARGS]{"folder":"Spam"',
		unread: '[TOOL_CALLS]delete_mails[ARGS]now {"folder":"Spam"}',
		twice: '[TOOL_CALLS]delete_mails[ARGS]{"folder":"Spam","folder":"Inbox"}',
	},
	{
		name: 'the complete response',
		call: '{"name":"delete_mails","arguments":{"folder":"Spam"}}',
		empty: '{"name":"wipe_cache","arguments":{}}',
		withoutEnd: '{"name":"delete_mails","arguments":{"folder":"Spam"}',
		unread: '{"name":"delete_mails","arguments":{"folder":"Spam"}} now',
		twice: '{"name":"delete_mails","arguments":{"folder":"Spam","folder":"Inbox"}}',
	},
];

describe.each(SHAPES)(
	'a call in the form of $name',
	({ call, empty, withoutEnd, unread, twice }) => {
		const expectText = (text: string, reason?: RejectionReason, options = {}) => {
			const decision = decide(text, options);
			expect(decision).toMatchObject({ text, calls: [] });
			expect(decision.rejectedCall).toMatchObject(
				reason === undefined ? { name: expect.any(String) as string } : { reason },
			);
		};

		test.each([
			{ hasEnded: true, how: 'in a complete response' },
			{ hasEnded: false, how: 'if the response broke off behind it' },
		])('runs if it is complete, $how', ({ hasEnded }) => {
			const options = { hasEnded };
			const { text, calls } = decide(`Now.\n${call}`.slice(call.startsWith('{') ? 5 : 0), options);
			expect(text).toBe(call.startsWith('{') ? '' : 'Now.');
			expect(calls.map(({ name }) => name)).toEqual(['delete_mails']);
			expect(JSON.parse(calls[0]!.arguments)).toEqual({ folder: 'Spam' });
		});

		test('runs without arguments if it says so', () => {
			expect(decide(empty).calls).toEqual([{ name: 'wipe_cache', arguments: '{}' }]);
		});

		test('does not run without its end if the response broke off', () => {
			expectText(withoutEnd, undefined, { hasEnded: false });
		});

		test('is the same call or none without its end in a complete response', () => {
			const { calls } = decide(withoutEnd);
			expect([[], decide(call).calls]).toContainEqual(calls);
			expectText(withoutEnd.slice(0, -3));
		});

		test('does not run with text that belongs to nothing', () => {
			expectText(unread);
		});

		test('does not run with two values for one argument', () => {
			expectText(twice, 'ambiguous');
		});

		test('does not run if its tool is not offered', () => {
			const other = call.replace('delete_mails', 'delete_mails_now');
			expect(decide(other)).toMatchObject({ calls: [], rejectedCall: { reason: 'unknownTool' } });
		});

		test('does not run in a response that was cut off', () => {
			expectText(call, 'cutOff', { isCutOff: true });
		});

		test('does not run next to a mark that is not read', () => {
			expect(decide(`<tool_call>nothing</tool_call> ${call}`).calls).toEqual([]);
		});

		test('does not run next to markup of another call', () => {
			expectText(`<call>send_newsletter to all</call> ${call}`);
		});

		test('does not run next to an incomplete call', () => {
			expectText(`${call}${withoutEnd}`, undefined, { hasEnded: false });
			expectText(`${call}${withoutEnd.slice(0, -3)}`);
		});

		test('does not run if it is quoted', () => {
			expectText(call, 'quotation', { isQuotation: true });
		});

		test('does not run in a code block between other text', () => {
			expectText(`Like this:\n\`\`\`\n${call}\n\`\`\``, 'inCodeBlock');
		});

		test('is the same call or none without any one of the characters around its values', () => {
			const expected = JSON.stringify(decide(call).calls);
			const isPartOfValue = (at: number) =>
				['delete_mails', 'folder', 'Spam'].some((word) => {
					const from = call.indexOf(word);
					return at >= from && at < from + word.length;
				});
			const otherCalls = Array.from(call, (_sign, at) => call.slice(0, at) + call.slice(at + 1))
				.filter((_text, at) => !isPartOfValue(at))
				.map((text) => ({ text, calls: JSON.stringify(decide(text).calls) }))
				.filter(({ calls }) => calls !== '[]' && calls !== expected);
			expect(otherCalls).toEqual([]);
		});

		test('is one call of the same tool or none with any sign in any place', () => {
			const sign = fc.constantFrom(
				'<',
				'>',
				'{',
				'}',
				'[',
				']',
				'"',
				' ',
				'\n',
				'a',
				'=',
				'/',
				'`',
			);
			fc.assert(
				fc.property(fc.nat(call.length), sign, (at, inserted) => {
					const { calls } = decide(call.slice(0, at) + inserted + call.slice(at));
					for (const { name, arguments: args } of calls) {
						expect(name).toBe('delete_mails');
						expect(Object.keys(JSON.parse(args) as object)).toHaveLength(1);
					}
				}),
			);
		});
	},
);

/** A model that describes its tools does not call them. */
test.each([
	'[{"name":"wipe_cache","description":"Deletes the cache"},{"name":"send_newsletter","description":"Sends it"}]',
	'```json\n[{"name":"wipe_cache","description":"Deletes the cache"}]\n```',
	'{"name":"wipe_cache","status":"available"}',
	'{"name":"wipe_cache"}',
	'{"type":"function","function":{"name":"get_weather","parameters":{"type":"object","properties":{"city":{"type":"string"}}}}}',
	'[{"type":"function","function":{"name":"wipe_cache","description":"Deletes","parameters":{"type":"object","properties":{}}}}]',
	'{"name":"get_weather","parameters":{"type":"object","properties":{"city":{"type":"string"}},"required":["city"]}}',
	'{"name":"wipe_cache","parameters":{"type":"object"}}',
	'{"tools":["wipe_cache","send_newsletter"]}',
	'{"wipe_cache":{}}',
])('is text without a hint: %s', (text) => {
	expect(decide(text)).toEqual({ text, calls: [], rejectedCall: undefined });
});

test.each([
	{
		what: 'arguments under another key',
		text: '<tool_call>{"name":"delete_mails","input":{"folder":"Spam"}}</tool_call>',
	},
	{
		what: 'a schema between marks',
		text: '<tool_call>{"name":"get_weather","parameters":{"type":"object","properties":{}}}</tool_call>',
	},
	{
		what: 'types in place of values',
		text: '{"name":"get_weather","parameters":{"city":"string"}}',
	},
	{
		what: 'fields of a schema in place of values',
		text: '{"name":"get_weather","parameters":{"city":{"type":"string","description":"A city"}}}',
	},
	{
		what: 'a name with another key',
		text: '<tool_call>{"name":"wipe_cache","status":"available"}</tool_call>',
	},
	{
		what: 'two kinds of arguments',
		text: '<tool_call>{"name":"get_weather","arguments":{},"parameters":{"city":"Rome"}}</tool_call>',
	},
	{
		what: 'two names',
		text: '<tool_call>{"name":"get_weather","name":"wipe_cache","arguments":{}}</tool_call>',
	},
	{
		what: 'a missing end of a parameter',
		text: '<tool_call><function=delete_mails><parameter=folder>Spam\n<parameter=sender>x@y.z</parameter></function></tool_call>',
	},
	{
		what: 'words between parameters',
		text: '<function=delete_mails><parameter=folder>Spam</parameter> and <parameter=sender>x</parameter></function>',
	},
	{
		what: 'a call of a tool that is not connected before a complete one',
		text: '<invoke name="get_date"></invoke><tool_call>{"name":"wipe_cache","arguments":{}}</tool_call>',
	},
	{
		what: 'one bad call in a list',
		text: '[{"name":"wipe_cache","arguments":{}},{"name":"get_weather","arguments":"{"}]',
	},
	{
		what: 'another name under `function`',
		text: '<tool_call>{"name":"wipe_cache","function":"delete_mails","arguments":{}}</tool_call>',
	},
	...[
		'tool_example',
		'tool_description',
		'function_info',
		'available_functions',
		'tool_schema',
	].map((mark) => ({
		what: `the mark ${mark}`,
		text: `<${mark}>{"name":"wipe_cache","parameters":{}}</${mark}>`,
	})),
	{ what: 'null in place of arguments', text: '{"name":"wipe_cache","parameters":null}' },
	{ what: 'half a mark', text: '<tool_call>{"name":"wipe_cache","arguments":{}}</tool_c' },
	{ what: 'a call without marks', text: 'delete_mails(folder="Spam")' },
])('does not run, and leads to a hint: $what', ({ text }) => {
	const { calls, rejectedCall, text: rest } = decide(text);
	expect({ calls, rest }).toEqual({ calls: [], rest: text });
	expect(rejectedCall).toMatchObject({ name: expect.any(String) as string });
});

test.each([
	'<foo_call name="get_date">x</foo_call>',
	'<tool_use>{"tool":"drop"}</tool_use>',
	'[TOOL_CALLS]oops',
	'<tool_call></tool_call>',
	'<tool_call>{"name": ',
	'<tool_call>wipe_cache',
	`${'get_weather '.repeat(3_000)}<foo_call tool="wipe_cache">Rome</foo_call>`,
])('a complete call after markup that is not read does not run: %#', (markup) => {
	const text = `${markup}\n<tool_call>{"name":"get_weather","arguments":{"city":"Rome"}}</tool_call>`;
	expect(decide(text).calls).toEqual([]);
});

test.each([
	'<|tool_call_start|>[wipe_cache()]<|tool_call_end|>\n<|tool_call_start|>[get_wea',
	'<|tool_call_start|>[wipe_cache()]<|tool_call_end|> text <|tool_call_start|>[drop_all()]<|tool_call_end|>',
])('a complete call before markup that is not read does not run: %#', (text) => {
	expect(decide(text).calls).toEqual([]);
});

/** A schema defines a tool in every shape. */
test.each([
	'[TOOL_CALLS]wipe_cache[ARGS]{"type":"object","properties":{}}',
	'<function=delete_mails>{"type":"object","properties":{"folder":{"type":"string"}}}</function>',
	'<｜tool▁call▁begin｜>wipe_cache<｜tool▁sep｜>{"type":"object","properties":{}}<｜tool▁call▁end｜>',
	'<|channel|>commentary to=functions.wipe_cache<|message|>{"type":"object","properties":{}}<|call|>',
	'<｜DSML｜invoke name="wipe_cache">{"type":"object","properties":{}}</｜DSML｜invoke>',
])('a schema in place of the arguments does not run: %s', (text) => {
	expect(decide(text)).toMatchObject({ calls: [], rejectedCall: { reason: 'notOnlyACall' } });
});

test.each([
	'<|channel|>commentary to=functions.wipe_cache maybe <|message|>{}<|call|>',
	'<tool_call><tool_call><function=wipe_cache></function></tool_call></tool_call>',
	'<｜DSML｜invoke name="get_weather"><｜DSML｜parameter name="city" string="false">no JSON</｜DSML｜parameter></｜DSML｜invoke>',
	'{"type":"tool_definition","function":{"name":"wipe_cache","arguments":{}}}',
	'{"type":"function","function":{"name":"wipe_cache","parameters":{}}}',
	'{"id":{"x":1},"name":"wipe_cache","arguments":{}}',
	'<tool_call>{"name":"get_weather","arguments":{"city":NaN}}</tool_call>',
	'<|tool_call_start|>[get_weather(city=Infinity)]<|tool_call_end|>',
	`{"name":"get_weather","arguments":{"city":[${'1,'.repeat(6_000)}1]}}`,
])('is not strictly a call: %#', (text) => {
	expect(decide(text)).toMatchObject({ text, calls: [] });
});

test.each([
	['<function=get_weather><parameter=city>{\n  "a": 1\n}</parameter></function>', '{\n  "a": 1\n}'],
	['<function=get_weather><parameter=city>\n[1e3]\n</parameter></function>', '[1e3]'],
	[
		'<｜DSML｜invoke name="get_weather"><｜DSML｜parameter name="city" string="true">\nx\n</｜DSML｜parameter></｜DSML｜invoke>',
		'\nx\n',
	],
	[
		'<｜DSML｜invoke name="get_weather"><｜DSML｜parameter name="city" string="false">4711</｜DSML｜parameter></｜DSML｜invoke>',
		4711,
	],
])('a value is what the model wrote: %s', (text, city) => {
	expect(JSON.parse(decide(text).calls[0]!.arguments)).toEqual({ city });
});

test.each([
	['a &lt; b &amp;&amp; c &gt; d', 'a < b && c > d'],
	['&quot;Rome&quot; and &apos;Oslo&apos;', `"Rome" and 'Oslo'`],
	['&amp;lt;', '&lt;'],
	['a &lt; b & c', 'a &lt; b & c'],
	['&nbsp;&lt;', '&nbsp;&lt;'],
	['<![CDATA[&lt;]]>', '&lt;'],
])('entities of XML in MiniCPM 5 are decoded once: %s', (value, city) => {
	const xml = `<function name="get_weather"><param name="city">${value}</param></function>`;
	expect(JSON.parse(decide(xml).calls[0]!.arguments)).toEqual({ city });
	const other = `<function=get_weather><parameter=city>${value}</parameter></function>`;
	const isSection = value.startsWith('<!');
	if (!isSection) expect(JSON.parse(decide(other).calls[0]!.arguments)).toEqual({ city: value });
});

describe.each([']<]minimax[>[', ''])('elements of MiniMax M3 after "%s"', (token) => {
	const callOf = (content: string) =>
		`<tool_call><invoke name="get_weather">${content}</invoke></tool_call>`.replaceAll(
			/<\/?\w/g,
			(tag) => token + tag,
		);

	test.each([
		['<city><tag>a</tag><tag>b</tag></city>', { tag: ['a', 'b'] }],
		['<city><tag>a</tag><n>1</n><tag>b</tag><tag>c</tag></city>', { tag: ['a', 'b', 'c'], n: '1' }],
		['<city><tag><x>1</x></tag><tag><x>2</x></tag></city>', { tag: [{ x: '1' }, { x: '2' }] }],
		['<city><tag>a</tag></city>', { tag: 'a' }],
	])('with the same name are a list: %s', (content, city) => {
		expect(JSON.parse(decide(callOf(content)).calls[0]!.arguments)).toEqual({ city });
	});

	test.each(['<city>a</city><city>b</city>', '<city><tag><item>1</item></tag><tag>b</tag></city>'])(
		'are ambiguous as arguments, or next to a list: %s',
		(content) => {
			expect(decide(callOf(content))).toMatchObject({
				calls: [],
				rejectedCall: { reason: 'ambiguous' },
			});
		},
	);
});

test.each([
	['<parameter name="folder">', '<parameter name="sender">'],
	['<parameter=folder>', '<parameter=sender>'],
	['<parameter name="folder">', '<parameter=sender>'],
])('both parameters are read in either notation: %s, %s', (folder, sender) => {
	const text = `<tool_call><function=delete_mails>${folder}Spam</parameter>${sender}x@y.z</parameter></function></tool_call>`;
	const [call] = decide(text).calls;
	expect(JSON.parse(call!.arguments)).toEqual({ folder: 'Spam', sender: 'x@y.z' });
});

test.each([
	'[TOOL_CALLS]'.repeat(80_000),
	'<tool_call>'.repeat(80_000),
	'<tool_call>{'.repeat(80_000),
	'<function=wipe_cache>'.repeat(50_000),
	`<tool_call>{"name":"wipe_cache","arguments":{"a":"${'x'.repeat(2_000_000)}`,
	'{"name":"wipe_cache","arguments":{}}'.repeat(30_000),
])('many beginnings, or one without an end, run nothing (%#)', (text) => {
	expect(decide(text).calls).toEqual([]);
});

test('keys such as __proto__ are arguments like any other', () => {
	const [call] = decide(
		'<tool_call>{"name":"get_weather","arguments":{"__proto__":{"a":1}}}</tool_call>',
	).calls;
	expect(call?.arguments).toBe('{"__proto__":{"a":1}}');
});

describe('code is no call', () => {
	const call = '<tool_call>{"name":"wipe_cache","arguments":{}}</tool_call>';

	test.each([
		['tildes', `Like this:\n~~~\n${call}\n~~~`],
		['tildes with a language', `Like this:\n~~~ json\n${call}\n~~~\nIs it?`],
		['tildes without an end', `Like this:\n~~~\n${call}`],
		['three blanks before the fence', `So:\n   \`\`\`\n${call}\n   \`\`\``],
		['a longer fence', `So:\n\`\`\`\`\n\`\`\`\n\`\`\`\n${call}\n\`\`\`\``],
		['tildes around backticks', `So:\n~~~\n\`\`\`\n\`\`\`\n${call}\n~~~`],
		['backticks around tildes', `So:\n\`\`\`\n~~~\n~~~\n${call}\n\`\`\``],
		['a fence with words after it, which ends nothing', `So:\n\`\`\`\n\`\`\` x\n${call}\n\`\`\``],
		['lines of Windows', `So:\r\n~~~\r\n${call}\r\n~~~`],
		['a language with other signs', `So:\n\`\`\`c++ {1}\n${call}\n\`\`\``],
	])('in a block: %s', (_what, text) => {
		expect(decide(text)).toMatchObject({
			text,
			calls: [],
			rejectedCall: { reason: 'inCodeBlock' },
		});
	});

	test.each([
		`Write \`${call}\` for that.`,
		`Write \`\`${call}\`\` for that.`,
		`Write \`\` \` ${call} \`\` for that.`,
		`Write \`\`\` ${call} \`\`\` for that.`,
		`Write \`\`\n${call}\n\`\` for that.`,
	])('in a line: %s', (text) => {
		expect(decide(text)).toMatchObject({ text, calls: [] });
	});

	const lfm = '<|tool_call_start|>[wipe_cache()]<|tool_call_end|>';
	const qwen = '<function=wipe_cache>\n</function>';

	test.each([
		['a quotation', `So:\n> ${call}`],
		['a quotation without a blank', `So:\n>${qwen}`],
		['a quotation with words before it', `> Write ${call}`],
		['a quotation of a quotation', `So:\n> > ${lfm}`],
		['the second line of a quotation', `> Write\n> ${call}`],
		['a quotation as the complete response', `> ${call}`],
		['a quotation in a list', `- > ${call}`],
		['a list', `So:\n- ${call}`],
		['a list with stars', `* ${qwen}`],
		['a list with plus signs', `+ ${lfm}`],
		['a list with points', `Two:\n• ${call}`],
		['a list with numbers', `So:\n1. ${call}`],
		['a list with numbers and brackets', `So:\n12) ${qwen}`],
		['a list with letters', `So:\na) ${call}`],
		['a list with words before it', `- Write this: ${call}`],
		['a list, in its second line', `- Write this:\n  ${call}`],
		['a list, after an empty line', `1. Write this:\n\n   ${call}`],
		['a list in a list', `- One\n  - ${call}`],
		['a list after a list in it', `- One\n  - two\n  ${call}`],
		['a list after a tab', `So:\n-\t${call}`],
		['a row of a table', `| Tool | Call |\n|---|---|\n| a | ${call}`],
		['four blanks', `So:\n\n    ${call}`],
		['five blanks, directly after a line', `So:\n     ${qwen}`],
		['a tab', `So:\n\n\t${call}`],
		['a tab after blanks', `So:\n\n  \t${lfm}`],
		['four blanks, and text after them', `    ${lfm}\n\nThat is how it looks.`],
		['four blanks, after a call', `${call}\n    ${call}`],
		['lines of Windows', `So:\r\n\r\n    ${call}`],
		['a line', `Write \`${call}\` for that.`],
		['a line of JSON', 'Write `{"name":"wipe_cache","arguments":{}}` for that.'],
		['the 30th piece of code', `${'`a` '.repeat(29)}\`${lfm}\``],
		['an element', `Write <code>${call}</code> for that.`],
		['an element with an attribute', `Write <code class="x">${lfm}</code> for that.`],
		['an element in capitals', `<PRE>\n${qwen}\n</PRE>`],
		['an element with lines', `<pre>\n${call}\n</pre>`],
		['an element without an end', `<pre class="x">\n${call}`],
		['code without an end', `Write <code>\n${call}`],
		['a quotation of HTML without an end', `<blockquote>\n${qwen}`],
		['an example without an end', `<example>\n${lfm}`],
		['a result without an end', `<tool_response>\n${call}`],
		['a comment', `<!-- ${call}`],
		['a backslash', `Write \\${call}`],
		['an element in an element', `<pre><code>${call}</code></pre>`],
	])('a call does not run, and leads to a hint: %s', (_what, text) => {
		expect(decide(text)).toMatchObject({
			text,
			calls: [],
			rejectedCall: { name: 'wipe_cache' },
		});
	});

	test.each([`> ${call}`, `So:\n- ${call}`, `So:\n\n    ${call}`, `So: \`${call}\`.`])(
		'the hint says that the call is code or a quotation: %s',
		(text) => {
			expect(decide(text).rejectedCall?.reason).toBe('inCodeBlock');
		},
	);

	test.each([
		['four blanks before the complete response', `    ${call}`],
		['several calls after four blanks', `\n    ${call}\n    ${call}\n`],
		['three blanks', `So:\n   ${call}`],
		['a line after a quotation', `> You asked.\n\n${call}`],
		['a line after a list', `1. Look.\n2. Tell.\n${call}`],
		['an empty line after a list', `- Look.\n\n${call}`],
		['a minus that is no list', `It is -3 - or not. ${call}`],
		['a mark within marks', `<tool_call>\n    ${qwen}\n</tool_call>`],
		[
			'JSON with lines',
			`<tool_call>\n    {"name": "wipe_cache",\n     "arguments": {}}\n</tool_call>`,
		],
		['a comparison', `3 > 2, so: ${call}`],
	])('a call runs after %s', (_what, text) => {
		expect(decide(text).calls[0]).toEqual({ name: 'wipe_cache', arguments: '{}' });
	});

	test.each([
		['~~~\n', '\n~~~'],
		['~~~json\r\n', '\r\n~~~'],
		['````\n', '\n````'],
		['```json\r\n', '\r\n```'],
	])('a response that is one block runs: %j', (open, close) => {
		expect(decide(open + call + close).calls).toEqual([{ name: 'wipe_cache', arguments: '{}' }]);
	});

	test('with any fence ends before a call that runs', () => {
		const parts = fc.record({
			sign: fc.constantFrom('`', '~'),
			length: fc.integer({ min: 3, max: 5 }),
			more: fc.nat({ max: 2 }),
			info: fc.constantFrom('', 'js', ' python '),
			blanks: fc.constantFrom('', ' ', '\t', ' \r'),
		});
		fc.assert(
			fc.property(parts, ({ sign, length, more, info, blanks }) => {
				const fence = sign.repeat(length);
				const block = `${fence}${info}\nx = 1\n${fence}${sign.repeat(more)}${blanks}`;
				const text = `${block}\n${call}`;
				expect({ text, calls: decide(text).calls }).toEqual({
					text,
					calls: [{ name: 'wipe_cache', arguments: '{}' }],
				});
			}),
		);
	});

	test.each([`A \` and a \`\`.\n\n${call}`, `~~ no code ~~\n${call}`, `A \`\`x\`y\`\` b\n${call}`])(
		'ends before a call that runs: %j',
		(text) => {
			expect(decide(text).calls).toEqual([{ name: 'wipe_cache', arguments: '{}' }]);
		},
	);
});

describe('a mark begins a call if its name says so', () => {
	const json = '{"name":"wipe_cache","arguments":{}}';
	const definition = '{"name":"wipe_cache","parameters":{}}';

	test.each([
		...[
			'toolset',
			'toolbar',
			'tool',
			'tools',
			'execute_tool',
			'my_tool',
			'tool_call_list',
			'functions',
			'function',
			'callout',
			'callback',
			'caller',
			'recall',
			'action',
			'actions',
			'transaction',
			'plugin',
			'plugins',
			'python',
			'cpython',
			'interpreter',
		].flatMap((mark) => [`<${mark}>${json}</${mark}>`, `<${mark}>${definition}</${mark}>`]),
		...['callout', 'python', 'toolset', 'action', 'function'].map(
			(mark) => `<${mark}>wipe_cache()</${mark}>`,
		),
		...['tools', 'functions', 'tool_list', 'toolbox'].map(
			(mark) => `<${mark}>[${definition}]</${mark}>`,
		),
		`<|tool|>${json}<|/tool|>`,
		`<|tool>${json}<tool|>`,
		`<|tools:begin|>${json}<|tools:end|>`,
		`<|tool:begin|>${json}<|tool:end|>`,
		`<|tool_list_start|>[${json}]<|tool_list_end|>`,
		`<|function_begin|>${json}<|function_end|>`,
		`<start_tool>${json}<end_tool>`,
		`<｜tool▁outputs▁begin｜>${json}<｜tool▁outputs▁end｜>`,
	])('%s leads to a hint', (text) => {
		expect(decide(text)).toMatchObject({ text, calls: [], rejectedCall: { name: 'wipe_cache' } });
	});

	test.each([
		...[
			'tool_use',
			'tool_code',
			'use_tool',
			'tools_call',
			'tool-call',
			'Tool_Call',
			'xlam:tool_call',
			'cofl:tool_calls',
			'functioncall',
			'call',
			'calls',
			'invoke',
			'action_call',
		].flatMap((mark) => [`<${mark}>${json}</${mark}>`, `<${mark}>${definition}</${mark}>`]),
		`<tool_code>wipe_cache()</tool_code>`,
		`<|plugin_2|>${json}<|/plugin_2|>`,
		`<foo:invoke name="wipe_cache"></foo:invoke>`,
		`<x:function=wipe_cache></x:function>`,
		`]<]other[>[<tool_call>]<]other[>[<invoke name="wipe_cache">]<]other[>[</invoke>]<]other[>[</tool_call>`,
		`[TOOL_CALL]${json}[/TOOL_CALL]`,
		`[FUNCTION_CALL] wipe_cache()`,
		`<tool_call>${json}`,
		`<ifm|tool_calls><ifm|tool_call>wipe_cache</ifm|tool_call></ifm|tool_calls>`,
		`<longcat_tool_call>wipe_cache</longcat_tool_call>`,
		`<tool_calls:6124c78e><tool_call:6124c78e>wipe_cache<tool_sep:6124c78e></tool_call:6124c78e></tool_calls:6124c78e>`,
		`<tool_calls:opensource><tool_call:opensource>wipe_cache<tool_sep:opensource></tool_call:opensource></tool_calls:opensource>`,
		`<function_call> ${json}</function_call>`,
		`<function_call> ${json}`,
		`<function_call> ${json}\n`,
		`<atem:function_calls>\n<atem:invoke name="wipe_cache">\n</atem:invoke>\n</atem:function_calls>`,
		`<｜tool_calls_begin｜><｜tool_call_begin｜>function<｜tool_sep｜><steptml:invoke name="wipe_cache"></steptml:invoke><｜tool_call_end｜><｜tool_calls_end｜>`,
		`<｜tool▁calls｜><｜tool▁call▁begin｜>wipe_cache<｜tool▁sep｜>{}<｜tool▁call▁end｜><｜tool▁calls▁end｜>`,
		`<｜tool calls begin｜><｜tool call begin｜>wipe_cache<｜tool sep｜>{}<｜tool call end｜><｜tool calls end｜>`,
		String.raw`<｜tool\_calls\_begin｜><｜tool\_call\_begin｜>wipe_cache<｜tool\_sep｜>{}<｜tool\_call\_end｜><｜tool\_calls\_end｜>`,
		`<｜DSML｜ tool_calls><｜DSML｜ invoke name="wipe_cache"></｜DSML｜ invoke></｜DSML｜ tool_calls>`,
		`<|tool_call_section_begin|><|tool_call_begin|>functions.wipe_cache:0<|tool_call_argument_begin|>{}<|tool_call_end|><|tool_call_section_end|>`,
		`<|tool_calls|><|tool_call:begin|>a1<|tool_call:name|>wipe_cache<|tool_call:args|>{}<|tool_call:end|><|calls|>`,
		`<|function_call|>${json}<|message_sep|>`,
	])('%s runs', (text) => {
		expect(decide(text)).toMatchObject({
			text: '',
			calls: [{ name: 'wipe_cache', arguments: '{}' }],
		});
	});

	test.each([
		`[${definition}]`,
		`[${definition},{"name":"send_newsletter","parameters":{}}]`,
		'[{"type":"function","name":"wipe_cache","parameters":{}}]',
	])('a list that defines tools without parameters leads to a hint: %s', (text) => {
		expect(decide(text)).toMatchObject({ text, calls: [], rejectedCall: { name: 'wipe_cache' } });
	});

	test.each([definition, '[{"name":"get_weather","parameters":{"city":"Rome"}}]', `[${json}]`])(
		'%s is a call',
		(text) => {
			expect(decide(text).calls).toHaveLength(1);
		},
	);
});

describe('gpt-oss calls on the channels commentary and analysis', () => {
	test.each([
		'<|channel|>final to=functions.wipe_cache <|constrain|>json<|message|>{}<|call|>',
		'<|channel|>Final to=functions.wipe_cache<|message|>{}<|call|>',
		'<|channel|>comment to=functions.wipe_cache<|message|>{}<|call|>',
		'<|start|>assistant<|channel|>final to=functions.wipe_cache<|message|>{}',
		'<|start|>assistant to=functions.wipe_cache<|channel|>final json<|message|>{}<|call|>',
		'<|start|>assistant<|channel|>commentary to=functions.wipe_cache<|channel|>final<|message|>{}',
		'<|start|>assistant to=functions.wipe_cache<|message|>{}<|call|>',
		'<|channel|>final<|message|>I do it.<|end|><|start|>assistant<|channel|>final to=functions.wipe_cache<|message|>{}',
	])('another one, or none, leads to a hint: %s', (text) => {
		expect(decide(text)).toMatchObject({ text, calls: [], rejectedCall: { name: 'wipe_cache' } });
	});

	test.each([
		'<|channel|>commentary to=functions.wipe_cache <|constrain|>json<|message|>{}<|call|>',
		'<|channel|>analysis to=functions.wipe_cache code<|message|>{}<|call|>',
		'<|start|>assistant<|channel|>analysis to=functions.wipe_cache<|message|>{}',
		'<|start|>assistant to=functions.wipe_cache<|channel|>commentary<|message|>{}<|call|>',
	])('%s runs', (text) => {
		expect(decide(text).calls).toEqual([{ name: 'wipe_cache', arguments: '{}' }]);
	});
});

/** JSON has no such number: a tool would get infinity or null. */
describe.each(['1e999', '-1e999', '2e308', `${'9'.repeat(400)}e5`, '9'.repeat(400)])(
	'the number %s',
	(number) => {
		test.each([
			`<tool_call>{"name":"get_weather","arguments":{"city":${number}}}</tool_call>`,
			`<tool_call>{'name': 'get_weather', 'arguments': {'city': ${number}}}</tool_call>`,
			`<|tool_call_start|>[get_weather(city=${number})]<|tool_call_end|>`,
			`<|tool_call>call:get_weather{city:${number}}<tool_call|>`,
			`[TOOL_CALLS]get_weather[ARGS]{"city":[{"a":${number}}]}`,
			`<｜DSML｜invoke name="get_weather"><｜DSML｜parameter name="city" string="false">${number}</｜DSML｜parameter></｜DSML｜invoke>`,
			`{"name":"get_weather","arguments":"{\\"city\\":${number}}"}`,
		])('is no complete value: %#', (text) => {
			expect(decide(text)).toMatchObject({
				text,
				calls: [],
				rejectedCall: { name: 'get_weather' },
			});
		});

		test('is a text between tags', () => {
			const text = `<function=get_weather><parameter=city>${number}</parameter></function>`;
			expect(JSON.parse(decide(text).calls[0]!.arguments)).toEqual({ city: number });
		});
	},
);

test.each([
	'<tool_call>{"name":["wipe_cache"],"arguments":{}}</tool_call>',
	'<tool_call>{"name":["wipe_cache"]}</tool_call>',
	'<tool_call>{"name":{"a":"wipe_cache"},"arguments":{}}</tool_call>',
	'<tool_call>{"function":["wipe_cache"]}</tool_call>',
	'<tool_call>{"function":{"name":["wipe_cache"],"arguments":{}}}</tool_call>',
	`<tool_call>{"arguments":{"note":"${'x'.repeat(500)}"},"name":["wipe_cache"]}</tool_call>`,
	'<tool_call>{"call":{"tool":{"id":["wipe_cache"]}}}</tool_call>',
	'<tool_call>Now wipe_cache, please.</tool_call>',
	'<tool_call>{"name":["wipe_cache"],"arguments":{}}',
	'[TOOL_CALLS][{"name":["wipe_cache"],"arguments":{}}]',
	'<|tool_call_start|>run("wipe_cache")<|tool_call_end|>',
	'<action>wipe_cache</action>',
	'<action> "wipe_cache" </action>',
	'<actions>\n[wipe_cache]\n</actions>',
	'<invoke>wipe_cache</invoke>',
	'<plugin>wipe_cache</plugin>',
	'<python>wipe_cache</python>',
	'<callout>wipe_cache</callout>',
	'<|tool|>wipe_cache',
	'<|action|>wipe_cache<|/action|>',
	'<wipe_cache></wipe_cache>',
	'<wipe_cache/>',
	'I do it. <wipe_cache />',
	'<get_weather><city>Rome</city></get_weather>',
	'[wipe_cache]',
	'Action: wipe_cache\nAction Input: {}',
	'Thought: I do it.\nAction: get_weather\nAction Input: Rome',
	'Function: wipe_cache\nArguments: {}',
	'I do it.\n\nTool: get_weather\nInput: {"city":"Rome"}',
	'tool_name: get_weather\nparameters: { "city": "Rome" }',
	'Function call: "get_weather"\nArguments: {"city":"Rome"}',
	'name: get_weather\narguments: {"city":"Rome"}',
	'Tool Call: get_weather\n\nArgs:\n{"city":"Rome"}',
	'<|python_tag|>import wipe_cache',
	'<|python_tag|>run wipe_cache now',
	String.raw`"{\"name\":\"wipe_cache\",\"arguments\":{}}"`,
	'✿FUNCTION✿: wipe_cache\n✿ARGS✿: {}',
	'```tool_code\nwipe_cache()\n```',
	'I look.\n```tool_code\nprint(get_weather(city="Rome"))\n```',
])('names a tool in what looks like a call, which leads to a hint: %s', (text) => {
	const { calls, rejectedCall, text: rest } = decide(text);
	expect({ calls, rest }).toEqual({ calls: [], rest: text });
	expect(rejectedCall?.name).toMatch(/wipe_cache|get_weather/);
});

test.each([
	'<b>wipe_cache</b> deletes the cache.',
	'<li>wipe_cache</li><li>get_weather</li>',
	'<td>wipe_cache</td>',
	'The <action> attribute is no name of a tool such as wipe_cache.',
	'<my_wipe_cache/>',
	'["wipe_cache","get_weather"]',
	'Action: I would use wipe_cache.',
	'Function: wipe_cache\nDescription: deletes the cache',
	'Tool: get_weather\nParameters: city',
	'Tool: get_weather\nParameters: {city: string}',
	'The name: wipe_cache\narguments: none',
	'```python\nwipe_cache()\n```',
	'<tool>The tool that deletes the cache</tool>',
])('names a tool, or none, in what is no call: %s', (text) => {
	expect(decide(text)).toEqual({ text, calls: [], rejectedCall: undefined });
});

/** The servers remove the marks around these calls, or they have no end: docs/decisions.md. */
describe.each([
	[
		'Command A',
		'<|START_ACTION|>[\n    {"tool_call_id": "0", "tool_name": "get_weather", "parameters": {"city": "Rome"}}\n]<|END_ACTION|>',
	],
	[
		'Command A without its marks',
		'[\n    {"tool_call_id": "0", "tool_name": "get_weather", "parameters": {"city": "Rome"}}\n]',
	],
	['Apertus', '<|tools_prefix|>[{"get_weather": {"city": "Rome"}}]<|tools_suffix|>'],
	['Apertus without its marks', '[{"get_weather": {"city": "Rome"}}]'],
	['Functionary 3.2', '>>>get_weather\n{"city": "Rome"}'],
	['Functionary 3.2 without its first mark', 'get_weather\n{"city": "Rome"}'],
])('a call of %s', (_family, text) => {
	test('leads to a hint', () => {
		expect(decide(text)).toMatchObject({ text, calls: [], rejectedCall: { name: 'get_weather' } });
	});
});

test.each([
	'<|START_ACTION|>[{"tool_call_id": "0", "tool_name": "get_weather", "parameters": {}}]<|END_ACTION|>',
	'<|tools_prefix|>[{"get_weather": {"city": "Rome"}}]<|tools_suffix|>',
])('markup of a call that is not read does not stay in the history: %s', (markup) => {
	expect(withoutCallMarkup(`I look. ${markup} Wait.`)).toBe('I look.  Wait.');
});

/** One sign is missing or more, so that no reader reads it: what is left of the marks still says that it was a call. */
describe('a damaged call is text, and leads to a hint', () => {
	test.each([
		{
			what: 'a mark without its first sign',
			text: 'tool_call>\n{"arguments":{},"name":"wipe_cache"}\n</tool_call>',
		},
		{ what: 'a mark without its last sign', text: '<tool_call\n wipe_cache \n</tool_call>' },
		{
			what: 'a function without its sign',
			text: '<tool_call>\n<functionget_weather>\n<parameter=city>Rome</parameter>\n</function>\n</tool_call>',
		},
		{
			what: 'an invocation without its sign',
			text: '<minimax:tool_call>\n<invoke nameget_weather>\n<parameter name="city">Rome</parameter>\n</invoke>\n</minimax:tool_call>',
		},
		{
			what: 'a function without its first sign',
			text: 'function name="get_weather"><param name="city">Rome</param></function>',
		},
		{
			what: 'keys after half a mark',
			text: 'tool_call>get_weather\n<arg_key>city</arg_key>\n<arg_value>Rome</arg_value>\n</tool_call>',
		},
		{
			what: 'a name after two marks in one',
			text: '<|tool_call>callget_weather{city:<|"|>Rome<|"|>}<tool_call|>',
		},
		{
			what: 'a header without its first sign',
			text: 'TOOL_CALLS]get_weather[ARGS]{"city":"Rome"}',
		},
		{
			what: 'a header whose second mark is broken',
			text: '[TOOL_CALLS]get_weatherARGS] {"city":"Rome"}',
		},
		{ what: 'a header with an ID', text: '[TOOL_CALLSget_weather[CALL_ID]a1[ARGS]{"city":"Rome"}' },
		{
			what: 'a recipient without its prefix',
			text: '<|channel|>commentary to=get_weather <|constrain|>json<|message|>{"city":"Rome"}<|call|>',
		},
		{
			what: 'a recipient whose key is broken',
			text: '<|channel|>commentary o=functions.get_weather <|constrain|>json<|message|>{"city":"Rome"}<|call|>',
		},
		{
			what: 'a recipient without its point',
			text: '<|channel|>commentary to=functionsget_weather<|message|>{"city":"Rome"}<|call|>',
		},
		{
			what: 'a header with blanks, cut off',
			text: '<|tool_calls_section_begin|>\n<|tool_call_begin|> functions.get_weather:0 <|tool_call_argument_begin|> ',
		},
		{
			what: 'code in marks, cut off',
			text: '<|tool_call_start|>\n```python\nget_weather(city="Rome"',
		},
		{
			what: 'code after half a mark',
			text: '|tool_call_start|>\n```python\nget_weather(city="Rome")\n```\n<|tool_call_end|>',
		},
		{
			what: 'code in a header after half a mark',
			text: '｜tool▁call▁begin｜>function<｜tool▁sep｜>get_weather\n```json\n{"city":"Rome"}\n```<｜tool▁call▁end｜>',
		},
		{
			what: 'JSON without its first bracket',
			text: '"name": "get_weather", "parameters": {"city": "Rome"}}',
		},
		{
			what: 'JSON without a colon',
			text: '{"name": "get_weather", "parameters" {"city": "Rome"}}',
		},
		{ what: 'JSON without a comma', text: '{"name": "get_weather" "arguments": {"city": "Rome"}}' },
		{
			what: 'JSON without a quotation mark',
			text: '{"name": "get_weather, "arguments": {"city": "Rome"}}',
		},
		{
			what: 'JSON without the quotation mark of a key',
			text: '{"type": "function", name": "get_weather", "parameters": {"city": "Rome"}}',
		},
		{
			what: 'a list without a bracket',
			text: "['name': 'get_weather', 'arguments': {'city': 'Rome'}}]",
		},
		{
			what: 'typographic quotation marks',
			text: '<tool_call\n{“name”: “get_weather”, “arguments”: {“city”: “Rome”}}',
		},
		{ what: 'a bold mark', text: '**[TOOL_CALLS]** get_weather {"city": "Rome"}' },
	])('$what', ({ text }) => {
		const { calls, rejectedCall, text: rest } = decide(text);
		expect({ calls, rest }).toEqual({ calls: [], rest: text });
		expect(rejectedCall?.name).toMatch(/wipe_cache|get_weather/);
	});

	test.each([
		'function=get_weather>{"city":"Rome"}</function>',
		'<functionget_weather>{"city":"Rome"}</function>',
		'<|channel|>commentary tofunctions.get_weather <|constrain|>json<|message|>{"city":"Rome"}',
	])('with half a mark: %s', (text) => {
		expect(decide(text)).toMatchObject({ text, calls: [], rejectedCall: { name: 'get_weather' } });
	});

	test.each([
		{
			what: 'JSON that is cut off',
			text: '```json\n{"name": "get_weather", "parameters": {"city": "Ro',
		},
		{
			what: 'JSON without a bracket',
			text: '```json\n{"name": "get_weather", "parameters": {"city": "Rome"}\n```',
		},
		{
			what: 'marks, cut off',
			text: '```xml\n<tool_call>\n{"name": "get_weather", "arguments": {"city"',
		},
		{
			what: 'marks without a sign',
			text: '```xml\n<tool_call>\n{"name": "get_weather", "arguments": {"city":"Rome"}\n</tool_call>\n```',
		},
		{
			what: 'a list that is cut off',
			text: '```\n[{"name": "get_weather", "arguments": {"city": "Rome"}}',
		},
		{ what: 'a call without marks', text: '```\nget_weather(city="Rome")\n```' },
		{
			what: "LangChain's agent",
			text: '```json\n{"action": "get_weather", "action_input": {"city": "Rome"}}\n```',
		},
		{
			what: "LangChain's agent, with words before it",
			text: 'Thought: I look.\nAction:\n```\n{"action": "get_weather", "action_input": {"city": "Rome"}}\n```',
		},
		{
			what: "Command R's list",
			text: 'Action: ```json\n[\n    {\n        "tool_name": "get_weather",\n        "parameters": {"city": "Rome"}\n    }\n]```',
		},
		{ what: 'tildes', text: '~~~json\n{"tool": "get_weather", "input": {"city": "Rome"}}\n~~~' },
	])('as a code block that is the complete response: $what', ({ text }) => {
		expect(decide(text)).toMatchObject({ text, calls: [], rejectedCall: { name: 'get_weather' } });
	});

	test.each([
		{
			what: 'a recipient under a key',
			text: '{"tool_uses":[{"recipient_name":"functions.get_weather","parameters":{"city":"Rome"}}]}',
		},
		{ what: 'ReAct in bold', text: '**Action:** get_weather\n**Action Input:** {"city": "Rome"}' },
		{
			what: 'ReAct with bold words',
			text: '**Action**: get_weather\n**Action Input**: {"city": "Rome"}',
		},
		{
			what: 'Kimi K3',
			text: '<|open|>tools<|sep|><|open|>call tool="get_weather" index="0"<|sep|><|open|>argument key="city" type="string"<|sep|>Rome<|close|>argument<|sep|><|close|>call<|sep|><|close|>tools<|sep|>',
		},
	])('in a format that only leads to the hint: $what', ({ text }) => {
		expect(decide(text)).toMatchObject({ text, calls: [], rejectedCall: { name: 'get_weather' } });
	});

	test.each([
		{
			what: 'a function',
			text: 'function=wipe_cache>{}</function><function=get_weather>{"city":"Rome"}</function>',
		},
		{
			what: 'a function with a sign too many',
			text: '<"function=wipe_cache>{}</function>\n<function=get_weather>{"city":"Rome"}</function>',
		},
		{
			what: 'a parameter',
			text: 'city>Rome</parameter>\n<function=get_weather>{"city":"Rome"}</function>',
		},
		{
			what: 'an element',
			text: 'function name="drop"><param name="a">1</param></function><function name="wipe_cache"></function>',
		},
		{
			what: 'a header',
			text: 'TOOL_CALLS]wipe_cache[ARGS]{}[TOOL_CALLS]get_weather[ARGS]{"city":"Rome"}',
		},
		{
			what: 'a header of an unknown tool',
			text: '[TOOL_CALLSdrop[ARGS]{}[TOOL_CALLS]get_weather[ARGS]{"city":"Rome"}',
		},
	])('and a complete one after it does not run: $what', ({ text }) => {
		expect(decide(text)).toMatchObject({
			text,
			calls: [],
			rejectedCall: { reason: 'otherMarkup' },
		});
	});

	test.each([
		'A call begins with <tool_call>. My tools are get_weather and wipe_cache.',
		'After get_weather comes </tool_call>, as in all of its calls.',
		'```python\nget_weather(city="Rome")\n```',
		'```json\n{"name": "get_weather", "description": "Reads the weather"}\n```',
		'```json\n{"weather": "get_weather", "city": {"name": "Rome"}}\n```',
		'The name is get_weather, and "arguments" are {"city": …}.',
		'**Action:** I ask get_weather.',
		'{"name": "get_weather", "result": {"city": "Rome"}}',
		'My functions.get_weather is a tool.',
		'```json\n{"paths":{"/weather":{"get":{"operationId":"get_weather","parameters":[]}}}}\n```',
		'```json\n{"operationId":"get_weather","parameters":[{"name":"city","in":"query"}]}\n```',
		'```json\n{"name":"get_weather","parameters":{"type":"object","properties":{}}}\n```',
	])('but not what only speaks of a tool: %s', (text) => {
		expect(decide(text)).toEqual({ text, calls: [], rejectedCall: undefined });
	});
});

test.each([
	'<function_call> {"name":"wipe_cache","arguments":{}}<function_call> {"name":"send_newsletter","arguments":{}}',
	'<function_call> {"name":"wipe_cache","arguments":{}}</function_call>\n<function_call> {"name":"send_newsletter","arguments":{}}',
	'<tool_call>{"name":"wipe_cache","arguments":{}}\n<tool_call>{"name":"send_newsletter","arguments":{}}',
	'<tool_call>[{"name":"wipe_cache","arguments":{}},{"name":"send_newsletter","arguments":{}}]',
])('blocks without their ends call several tools in a complete response only: %s', (text) => {
	expect(decide(text).calls.map(({ name }) => name)).toEqual(['wipe_cache', 'send_newsletter']);
	expect(decide(text, { hasEnded: false })).toMatchObject({
		text,
		calls: [],
		rejectedCall: { reason: 'noEnd' },
	});
});

test.each([
	{ rest: '', name: 'wipe_cache' },
	{ rest: '} is the call.', name: 'wipe_cache' },
	{ rest: '}<function_call> {"name":"send_', name: 'send_' },
	{ rest: '}</function_cal', name: 'wipe_cache' },
])('Granite 20B does not call $name if this follows: $rest', ({ rest, name }) => {
	const text = `<function_call> {"name":"wipe_cache","arguments":{}${rest}`;
	expect(decide(text)).toMatchObject({ text, calls: [], rejectedCall: { name } });
});

test('FunctionGemma may begin the result of its call itself', () => {
	const text = '<start_function_call>call:wipe_cache{}<end_function_call><start_function_response>';
	expect(decide(text)).toMatchObject({ text: '', calls: [{ name: 'wipe_cache' }] });
});

test('JSON of more calls than may run is not read to its end', () => {
	const call = '{"name":"wipe_cache","arguments":{}}';
	expect(decide(`${call.repeat(101)} Done.`)).toMatchObject({
		calls: [],
		rejectedCall: { name: 'wipe_cache', reason: 'tooManyCalls' },
	});
	expect(decide(call.repeat(100)).calls).toHaveLength(100);
});

describe('arguments with more than 5,000 values say so, and are not read to their end', () => {
	const list = (count: number) => `[${'1,'.repeat(count - 1)}1]`;
	const objects = (count: number) => `[${"{'a':1},".repeat(count / 2)}{}]`;

	test.each([
		{ name: 'LFM2', wrap: (a: string) => `<|tool_call_start|>[add(list=${a})]<|tool_call_end|>` },
		{ name: 'Gemma 4', wrap: (a: string) => `<|tool_call>call:add{list:${a}}<tool_call|>` },
		{
			name: 'a second call',
			wrap: (a: string) => `<tool_call>[add(a=1), add(list=${a})]</tool_call>`,
		},
		{
			name: 'MiniCPM 4',
			wrap: (a: string) =>
				`<|tool_call_start|>\n\`\`\`python\nadd(list=${a})\n\`\`\`\n<|tool_call_end|>`,
		},
	])('$name', ({ wrap }) => {
		const decide = (args: string) => {
			const { calls, rejectedCall } = decideTextCalls({
				text: wrap(args),
				tools: ['add'],
				isCutOff: false,
				hasEnded: true,
				findQuotation: () => undefined,
			});
			return rejectedCall ?? calls.at(-1)?.name;
		};
		const tooLarge = { name: 'add', reason: 'tooLarge' };
		const sizes = [list(5_000), list(5_001), objects(4_998), objects(5_000), objects(50_000)];
		expect(sizes.map(decide)).toEqual(['add', tooLarge, 'add', tooLarge, tooLarge]);
		expect(decide(objects(300_000))).toEqual({ name: 'add', reason: 'longResponse' });
	});
});

/** What did not run must not be imitated. */
describe('markup of a call that did not run does not go back to the model', () => {
	test.each([
		'<tool_call>\n{"name":"get_weather","arguments":{"city":"Rome"},"reason":"asked"}\n</tool_call>',
		'<tool_call>\n{"name":"get_weather","args":{"city":"Rome"}}\n</tool_call>',
		'<tool_call>\n{"name":"get_weather","arguments":{"city":"Rome"}}}\n</tool_call>',
		'<tool_call>\n<tool_call>\n{"name":"get_weather","arguments":{"city":"Rome"}}\n</tool_call>',
		'<tool_call>\n{"name":"get_weather","arguments":{"city":"Rome"}}\n</tool_call>\n</tool_call>',
		'<tool_call>\n<function=get_weather>\nNow\n<parameter=city>\nRome\n</parameter>\n</function>\n</tool_call>',
		'<function=get_weather>\n<parameter=city>\nRome\n</function>\n</tool_call>',
		'<function=get_weather> now <parameter=city>Rome</parameter></function>',
		'<tool_call>get_weather\n<arg_key>city</arg_key>\n<arg_value>Rome\n</tool_call>',
		'<minimax:tool_call>\n<invoke name="get_weather">\n<parameter name="city">Rome</parameter>!\n</invoke>\n</minimax:tool_call>',
		'<minimax:tool_call><invoke name="get_weather"><parameter name="city">Rome</parameter></invoke></tool_call>',
		'<tool_calls>\n{"name":"wipe_cache","arguments":{}}\n{"name":"get_weather","arguments":{"city": \n</tool_calls>',
		'[TOOL_CALLS] [{"name":"get_weather","arguments":{"city":"Rome"}}',
		'[TOOL_CALLS]get_weather[ARGS]{"city":"Rome"',
		'[TOOL_CALLS]wipe_cache[ARGS]{}[TOOL_CALLS]get_weather',
		'<|channel|>commentary to=get_weather <|constrain|>json<|message|>{"city":"Rome"}<|call|>',
		'<|channel|>commentary to=functions.get_weather <|constrain|>json<|message|>{"city":"Ro',
	])('%s', (markup) => {
		expect(withoutCallMarkup(`I look.\n${markup}`)).toBe('I look.');
	});

	test.each([
		{
			text: '<tool_call>\n{"name":"get_weather","args":{}}\n</tool_call>\nIt is warm.',
			rest: 'It is warm.',
		},
		{
			text: 'A.\n<tool_call>{"name":"x","a":1}\nB.\n<tool_call>{"name":"x","arguments":{}}</tool_call>\nC.',
			rest: 'A.\n\nB.\n\nC.',
		},
		{
			text: '<tool_call>{"name":"x","a":1}</tool_call>\nSee `</tool_call>`.',
			rest: 'See `</tool_call>`.',
		},
	])('but the text around it does: $text', ({ text, rest }) => {
		expect(withoutCallMarkup(text)).toBe(rest);
	});

	test.each([
		'The tag is <tool_call>, as always.',
		'Mistral writes [TOOL_CALLS] before them.',
		'See `[TOOL_CALLS]get_weather[ARGS]{}`.',
		'<channel>to=all</channel>',
		'<|python_tag|>{"status":400} Unfortunately, the service is down.',
	])('text about marks stays: %s', (text) => {
		expect(withoutCallMarkup(text)).toBe(text);
	});
});
