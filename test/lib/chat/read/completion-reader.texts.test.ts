/** What is read of a text that a model writes: thinking, calls, what is shown, and why a call does not run. */
import path from 'node:path';
import { describeRejectedCall } from '../../../../lib/errors/chapters/turns';
import { CompletionReader } from '../../../../lib/chat/read/completion-reader';
import { other } from '../../../../lib/servers/types/other';
import { withoutCallMarkup } from '../../../../lib/text/calls/without-call-markup';
import { createQuotationCheck } from '../../../../lib/text/calls/quotations';
import { splitReasoning } from '../../../../lib/text/reasoning';
import { omitUndefined } from '../../../../lib/values/records';
import { expectApproved } from '../../../support/approved/approved-table';

const JSON_CALL = '{"name":"look","arguments":{"at":"a"}}';

const TEXTS = [
	'plain',
	' blanks at both ends ',
	// Thinking
	'<think>Hm</think>Hi',
	'<think>\nHm\n</think>\n\nHi',
	'<thinking>Hm</thinking>Hi',
	'<think></think>Hi',
	'Hm</think>Hi',
	'Hi <think>Hm</think> there',
	'<think>Hm</think>Hi<think>Hm</think>there',
	'<think>Hm <think>more</think>Hi',
	'<think>Hm',
	'<thi',
	'[THINK]Hm[/THINK]Hi',
	'◁think▷Hm◁/think▷Hi',
	'<|channel|>analysis<|message|>Hm<|end|><|start|>assistant<|channel|>final<|message|>Hi',
	'<|channel>thought\nHm<channel|>Hi',
	'`<think>` is a tag',
	'<answer>Hi</answer>',
	'Hi<|im_end|>',
	'Hi</s>',
	'Hi<|eot_id|><|start_header_id|>',
	// Calls
	JSON_CALL,
	`[${JSON_CALL},${JSON_CALL}]`,
	'{"name":"look","parameters":{"at":"a"}}',
	'{"function":{"name":"look","arguments":"{\\"at\\":\\"a\\"}"}}',
	'{"name":"look"}',
	'{"name":"look","arguments":{"at":"a"},"more":1}',
	'{"name":"other","arguments":{}}',
	`Text ${JSON_CALL}`,
	`${JSON_CALL} text`,
	`\`\`\`json\n${JSON_CALL}\n\`\`\``,
	`<tool_call>${JSON_CALL}</tool_call>`,
	`<tool_call>${JSON_CALL}`,
	`<tool_call>\n${JSON_CALL}\n</tool_call>\n<tool_call>\n${JSON_CALL}\n</tool_call>`,
	`Text\n<tool_call>${JSON_CALL}</tool_call>`,
	`<tool_call>${JSON_CALL}</tool_call>text`,
	`<tool_call>[${JSON_CALL}]</tool_call>`,
	'<tool_call>{"name":"look","arguments":{"at":"a"',
	'<tool_call>{"name":"look","arguments":{"at":"a","at":"b"}}</tool_call>',
	'<tool_call>{"name":"other","arguments":{}}</tool_call>',
	`<tool_call>{"name":"other","arguments":{}}</tool_call><tool_call>${JSON_CALL}</tool_call>`,
	'<tool_call></tool_call>',
	'<tool_call>look</tool_call>',
	'<tool_call>look\n<arg_key>at</arg_key>\n<arg_value>a</arg_value>\n</tool_call>',
	'<function=look><parameter=at>a</parameter></function>',
	'<tool_call><function=look>\n<parameter=at>\na\n</parameter>\n</function></tool_call>',
	'<function=look>{"at":"a"}</function>',
	'<function=look>',
	'<invoke name="look"><parameter name="at">a</parameter></invoke>',
	'<function_calls><invoke name="look"><parameter name="at">null</parameter></invoke></function_calls>',
	'<look><at>a</at></look>',
	'<use_mcp_tool><tool_name>look</tool_name><arguments>{"at":"a"}</arguments></use_mcp_tool>',
	`[TOOL_CALLS][${JSON_CALL}]`,
	'[TOOL_CALLS]look[ARGS]{"at":"a"}',
	'[TOOL_CALLS]look{"at":"a"}',
	`<|python_tag|>${JSON_CALL}`,
	'<|python_tag|>look(at="a")',
	'[look(at="a")]',
	'look(at="a")',
	'look({"at":"a"})',
	'```tool_code\nlook(at="a")\n```',
	`functools[${JSON_CALL}]`,
	'<|channel|>commentary to=functions.look <|constrain|>json<|message|>{"at":"a"}<|call|>',
	'<|tool_calls_section_begin|><|tool_call_begin|>functions.look:0<|tool_call_argument_begin|>{"at":"a"}<|tool_call_end|><|tool_calls_section_end|>',
	'<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>look\n```json\n{"at":"a"}\n```<｜tool▁call▁end｜><｜tool▁calls▁end｜>',
	'<|tool_call_start|>[look(at="a")]<|tool_call_end|>',
	'<|tool_call>call:look{at:<|"|>a<|"|>}<tool_call|>',
	'>>>look\n{"at":"a"}',
	'Action: look\nAction Input: {"at":"a"}',
	'name: look\nat: a',
	'I call `look(at="a")` now',
	`> <tool_call>${JSON_CALL}</tool_call>`,
	`- <tool_call>${JSON_CALL}</tool_call>`,
	`<code><tool_call>${JSON_CALL}</tool_call></code>`,
	`<think>I call <tool_call>${JSON_CALL}</tool_call></think>Hi`,
	`<think>Hm</think><tool_call>${JSON_CALL}</tool_call>`,
	'<tool_call>{"name":"look","arguments":{"at":"quoted"}}</tool_call>',
	'<tool_call>{"name":"look","arguments":{}}</tool_call>',
	'<tool_call>{"name":"server_look","arguments":{"at":"a"}}</tool_call>',
	'<tool_response>{"at":"a"}</tool_response>',
	'</tool_call>',
	'Hi</tool_call>',
	'<tools>look</tools>',
];

const NAMES = new Map([
	['look', 'look'],
	['send', 'send'],
]);

interface Circumstances {
	finish: string;
	callableNames: readonly string[];
	mayStartInReasoning?: boolean;
}

const read = (text: string, { finish, callableNames, mayStartInReasoning }: Circumstances) => {
	const reader = new CompletionReader({
		callableNames,
		mayStartInReasoning,
		findQuotation: createQuotationCheck(['{"name":"look","arguments":{"at":"quoted"}}']),
	});
	const shown = [
		...[...text].map((content) =>
			reader.push(JSON.stringify({ choices: [{ delta: { content } }] })),
		),
		reader.push(JSON.stringify({ choices: [{ delta: {}, finish_reason: finish }] })),
	];
	const { rest, completion } = reader.end();
	const { toolCalls, rejectedCall, failure } = completion;
	const shownText = shown.map((part) => part.text).join('') + rest.text;
	return omitUndefined({
		shown: shownText === text ? undefined : shownText,
		thinking: completion.reasoning || undefined,
		text: completion.text === shownText ? undefined : completion.text,
		calls:
			toolCalls.length > 0
				? toolCalls.map(
						(call) => `${call.name} ${call.arguments}${call.hasNullTexts ? ' null?' : ''}`,
					)
				: undefined,
		rejected: rejectedCall && `${rejectedCall.name}: ${rejectedCall.reason}`,
		failure: failure?.errorType,
		isEmpty: completion.hasEmptyReasoning || undefined,
	});
};

const PLACES: Readonly<Record<string, Circumstances>> = {
	tools: { finish: 'stop', callableNames: [...NAMES.keys()] },
	'no tools': { finish: 'stop', callableNames: [] },
	'the token limit': { finish: 'length', callableNames: [...NAMES.keys()] },
	'thinking in the prompt': {
		finish: 'stop',
		callableNames: [...NAMES.keys()],
		mayStartInReasoning: true,
	},
};

test('each text of a model is shown, thought, called or rejected', () => {
	const rows = TEXTS.flatMap((text) => {
		const byOutcome = new Map<string, string[]>();
		for (const [place, circumstances] of Object.entries(PLACES)) {
			const outcome = JSON.stringify(read(text, circumstances));
			byOutcome.set(outcome, [...(byOutcome.get(outcome) ?? []), place]);
		}
		// What is shown as it was written has no row.
		const changes = [...byOutcome].filter(([outcome]) => outcome !== '{}');
		const ofText = changes.map(([outcome, places]) => ({
			input: `${JSON.stringify(text)} with ${places.join(', ')}`,
			outcome,
		}));
		const later = { history: withoutCallMarkup(text), thinking: splitReasoning(text).reasoning };
		const isChanged = later.history !== text || later.thinking !== '';
		return isChanged
			? [...ofText, { input: `${JSON.stringify(text)} in the history`, outcome: later }]
			: ofText;
	});
	expectApproved(
		path.join(__dirname, 'completion-reader.texts.approved.txt'),
		rows,
		'A text is shown, thought or called as the model meant it, and nothing of it is lost',
	);
});

test('each reason why a call does not run has its hint', () => {
	const reasons = [
		'noArguments',
		'brokenArguments',
		'notOnlyACall',
		'tooLarge',
		'ambiguous',
		'unreadText',
		'noEnd',
		'unknownSyntax',
		'unknownTool',
		'cutOff',
		'textAfter',
		'otherMarkup',
		'inCodeBlock',
		'tooManyCalls',
		'longResponse',
		'quotation',
		'notCompared',
		'otherCalls',
	] as const;
	const rows = reasons.map((reason) => ({
		input: reason,
		outcome: describeRejectedCall({ name: 'look', reason }, other.name, { shownLength: 0 }),
	}));
	expectApproved(
		path.join(__dirname, 'completion-reader.reasons.approved.txt'),
		rows,
		'A call in a text that does not run has its hint',
	);
});
