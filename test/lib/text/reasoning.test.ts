import * as fc from 'fast-check';
import {
	hasUnopenedReasoning,
	expectSplit,
	SPLIT_REASONING,
	splitReasoning,
	startInReasoning,
} from '../../../lib/text/reasoning';
import type { SplitState } from '../../../lib/text/reasoning';
import { runStage } from '../../support/texts/run-stage';

/** The output for a text that arrives in pieces. */
function split(text: string, cuts: readonly number[], start: (state: SplitState) => SplitState) {
	const splitter = runStage(SPLIT_REASONING, start(SPLIT_REASONING.start));
	const ends = [...new Set(cuts.map((cut) => cut % (text.length + 1)))].sort((a, b) => a - b);
	const output = { text: '', reasoning: '' };
	const add = (piece: { text: string; reasoning: string }) => {
		output.text += piece.text;
		output.reasoning += piece.reasoning;
	};
	for (const [index, end] of [...ends, text.length].entries())
		add(splitter.push(text.slice(ends[index - 1] ?? 0, end)));
	add(splitter.end());
	return output;
}
const cuts = fc.array(fc.nat(300), { maxLength: 30 });

describe('channels', () => {
	interface Response {
		/** Model or format. */
		name: string;
		response: string;
		text: string;
		reasoning: string;
	}

	test.each<Response>([
		{
			name: 'Harmony',
			response:
				'<|channel|>analysis<|message|>User greets.<|end|><|start|>assistant<|channel|>final<|message|>Hello!',
			text: 'Hello!',
			reasoning: 'User greets.',
		},
		{
			name: 'Harmony, from the start of the message to its return',
			response:
				'<|start|>assistant<|channel|>analysis<|message|>2+2.<|end|>\n<|start|>assistant<|channel|>final<|message|>4<|return|>',
			text: '4',
			reasoning: '2+2.',
		},
		{
			name: 'Harmony without thinking',
			response: '<|channel|>final<|message|>42',
			text: '42',
			reasoning: '',
		},
		{
			name: 'Harmony with JSON',
			response:
				'<|channel|>analysis<|message|>x<|end|><|start|>assistant<|channel|>final <|constrain|>json<|message|>{"a":1}',
			text: '{"a":1}',
			reasoning: 'x',
		},
		{
			name: 'Harmony with a preamble before a call',
			response:
				'<|channel|>commentary<|message|>I check.<|end|><|start|>assistant<|channel|>commentary to=functions.a <|constrain|>json<|message|>{}<|call|>',
			text: 'I check.<|start|>assistant<|channel|>commentary to=functions.a <|constrain|>json<|message|>{}<|call|>',
			reasoning: '',
		},
		{
			name: 'Gemma 4',
			response: '<|channel>thought\nWeather.<channel|>Sunny',
			text: 'Sunny',
			reasoning: '\nWeather.',
		},
		{
			name: 'Gemma 4 without thinking',
			response: '<|channel>thought\n<channel|>\n\nSunny',
			text: 'Sunny',
			reasoning: '\n',
		},
		{ name: 'Magistral', response: '[THINK]Hm.[/THINK]Yes', text: 'Yes', reasoning: 'Hm.' },
		{
			name: 'Seed-OSS',
			response: '<seed:think>Hm.</seed:think>Yes',
			text: 'Yes',
			reasoning: 'Hm.',
		},
		{
			name: 'MiniMax-M3',
			response: '<mm:think>Hm </think>.</mm:think>Yes',
			text: 'Yes',
			reasoning: 'Hm </think>.',
		},
		{ name: 'Kimi-VL', response: '◁think▷Hm.◁/think▷Yes', text: 'Yes', reasoning: 'Hm.' },
		{ name: 'a tag in capitals', response: '<THINK>Hm.</THINK>Yes', text: 'Yes', reasoning: 'Hm.' },
		{
			name: 'Gemma 4 without the name',
			response: '<|channel>\nWeather.\n<channel|>\nSunny',
			text: 'Sunny',
			reasoning: '\nWeather.\n',
		},
		{
			name: 'a token',
			response: '<|think|>Hm.<|/think|>Yes',
			text: 'Yes',
			reasoning: 'Hm.',
		},
		{
			name: 'Gemma 4 with its mark twice',
			response: '<|channel><|channel>thought\n<channel|>Sunny',
			text: 'Sunny',
			reasoning: '\n',
		},
		{
			name: 'Command A',
			response: '<|START_THINKING|>Hm.<|END_THINKING|>Yes<|END_OF_TURN_TOKEN|>',
			text: 'Yes<|END_OF_TURN_TOKEN|>',
			reasoning: 'Hm.',
		},
		{
			name: 'Command A before its calls',
			response: '<|START_THINKING|>Hm.<|END_THINKING|><|START_ACTION|>[]<|END_ACTION|>',
			text: '<|START_ACTION|>[]<|END_ACTION|>',
			reasoning: 'Hm.',
		},
		{
			name: 'Command A with a response',
			response:
				'<|START_THINKING|>A rainbow.<|END_THINKING|>\n<|START_RESPONSE|>foo bar<|END_RESPONSE|>',
			text: 'foo bar',
			reasoning: 'A rainbow.',
		},
		{
			name: 'Command A without thinking',
			response: '<|START_RESPONSE|>foo <|END|> bar<|END_RESPONSE|>',
			text: 'foo <|END|> bar',
			reasoning: '',
		},
		{
			name: 'Command A that breaks off in its response',
			response: '<|START_THINKING|>Hm.<|END_THINKING|><|START_RESPONSE|>foo <|END_RESP',
			text: 'foo <|END_RESP',
			reasoning: 'Hm.',
		},
		{
			name: 'Granite 3.2',
			response: 'Here is my thought process: 2 and 2.\nHere is my response: 4',
			text: '4',
			reasoning: ' 2 and 2.\n',
		},
		{
			name: 'Granite 3.2, quantized',
			response: "Here's my thought process:Hm.Here's my response:Hi",
			text: 'Hi',
			reasoning: 'Hm.',
		},
		{
			name: 'a text that begins as thinking of Granite 3.2 does',
			response: 'Here is my thought process: first I list them, then I sort them.',
			text: 'Here is my thought process: first I list them, then I sort them.',
			reasoning: '',
		},
		{
			name: 'a text that quotes both',
			response: 'Granite writes "Here is my thought process:" and "Here is my response:".',
			text: 'Granite writes "Here is my thought process:" and "Here is my response:".',
			reasoning: '',
		},
		{
			name: 'Solar Open 2',
			response: '<|think:start|>Hm.<|think:end|>Yes',
			text: 'Yes',
			reasoning: 'Hm.',
		},
		{
			name: 'PLaMo 3',
			response: '<|plamo:begin_think:plamo|>Hm.<|plamo:end_think:plamo|>\nYes',
			text: 'Yes',
			reasoning: 'Hm.',
		},
		{
			name: 'LongCat',
			response: '<longcat_think>\nHm.\n</longcat_think>\nYes',
			text: 'Yes',
			reasoning: '\nHm.\n',
		},
		{
			name: 'a token that ends as a message of Harmony',
			response: '<|think|>Hm.<|end|>Yes',
			text: 'Yes',
			reasoning: 'Hm.',
		},
		{
			name: 'Harmony without its first token',
			response: 'final<|message|>Yes',
			text: 'Yes',
			reasoning: '',
		},
		{
			name: 'Harmony without its first tokens, with thinking',
			response: 'analysis<|message|>Hm.<|end|>final<|message|>Yes',
			text: 'Yes',
			reasoning: 'Hm.',
		},
		{
			name: 'Harmony without any token',
			response: 'analysisHm.assistantcommentary to=functions.a json{}assistantfinalYes',
			text: 'Yes',
			reasoning: 'Hm.assistantcommentary to=functions.a json{}',
		},
	])('the thinking and the text of $name', ({ response, text, reasoning }) => {
		fc.assert(
			fc.property(cuts, (places) => {
				const output = split(response, places, (state) => state);
				expect({ response, ...output, text: output.text.trimStart() }).toEqual({
					response,
					text,
					reasoning,
				});
			}),
		);
	});

	test.each([
		'The mark <|channel|>analysis<|message|> begins the thinking.<|end|>',
		'<|channel|> is a mark of Harmony',
		'[THIN] ice',
		'<b>Bold</b> and [THINKING]',
		'<thinking>Hm.</thinking>Yes',
		'<thought>Hm.</thought>Yes',
		'[think] it over',
		'<|channel>weather<channel|>',
		'<|content|',
		'<|channel><|channel>weather',
		'analysis of the data',
		'final score: 3',
		'to=user is a header',
		'to be or not to be',
		'<|START_THINKING> is no mark',
		'Yes<|START_THINKING|>No<|END_THINKING|>',
		'<|start_of_thinking> is none',
		'<|open|>tools<|sep|>',
		'<| is an operator of F#',
	])('%s is text', (text) => {
		fc.assert(
			fc.property(cuts, (places) => {
				expect(split(text, places, (state) => state)).toEqual({ text, reasoning: '' });
			}),
		);
		expect(splitReasoning(text)).toEqual({ text, reasoning: '' });
	});
});

describe('thinking that the server separates too early', () => {
	test.each([
		['rest of it</think>Hello', 'Hello', 'rest of it'],
		['</think>\n\nHello', 'Hello', ''],
		['so the sum is 4.\n</think>\n\n4', '4', 'so the sum is 4.\n'],
		['and greet back. </think>Hi', 'Hi', 'and greet back. '],
	])('thinking is separated from %j', (response, text, reasoning) => {
		fc.assert(
			fc.property(cuts, (places) => {
				const output = split(response, places, expectSplit);
				expect({ ...output, text: output.text.trimStart() }).toEqual({ text, reasoning });
			}),
		);
	});

	test.each([
		'`</think>` closes the thinking.',
		'The tag </think> closes the thinking.',
		'<think>b</think>',
		'{"tag":"</think>"}',
		'{"text":"It thinks.</think>It answers."}',
		' [{"text":"It thinks.</think>It answers."}]',
		'Use:\n```html\n<think>\n</think>\n```',
		`${'A long answer. '.repeat(10)}</think> here`,
	])('%j is text', (text) => {
		fc.assert(
			fc.property(cuts, (places) => {
				expect(split(text, places, expectSplit)).toEqual({ text, reasoning: '' });
			}),
		);
	});

	test('a response streams after a few words', () => {
		const splitter = runStage(SPLIT_REASONING, expectSplit(SPLIT_REASONING.start));
		expect(splitter.push('word '.repeat(25)).text).toBe('word '.repeat(25));
		expect(splitter.push('more').text).toBe('more');
	});
});

test.each([
	['Let me think.</think>The answer is 4.', true],
	['First this.\n</think>\n\nThen that.', true],
	['<think>a</think>b', false],
	['The answer is 4.', false],
	['`</think>` ends the thinking', false],
	['{"a":"</think>x"}', false],
	['{"a":"x</think>y"}', false],
	['Then a call.</think>', true],
	['It ends with </think>', false],
	['[THINK]a[/THINK] and </think>', false],
	['Hello <think>b</think> world', false],
	['The tag `<think>` is missing.</think>Hello', true],
	['I think.</mm:think>Hello', true],
	['I think.</thought>Hello', false],
])('ends thinking that it did not begin: %j, %j', (response, expected) => {
	expect(hasUnopenedReasoning(response)).toBe(expected);
});

describe('thinking without its opening tag that mentions the closing one', () => {
	/** Parts of a thinking; the tag in them is not its end. */
	const parts = fc.constantFrom(
		'One line.\n',
		'```\n</think>\n```\n',
		'```html\n<b>\n</think> and </think>\nx</think>\n```\n',
		'```js\na\n```\nBetween two blocks.\n',
		'   ```\n</think>\n   ```\n',
		'The tag `</think>` in a line.\n',
		'The tag </think> ends it.\n',
	);

	test('ends at the tag that is none of them, however often and wherever it mentions it', () => {
		fc.assert(
			fc.property(fc.array(parts, { minLength: 1, maxLength: 4 }), cuts, (list, places) => {
				const reasoning = list.join('');
				const splitter = runStage(SPLIT_REASONING, startInReasoning(true));
				const response = `Hm.\n${reasoning}So.</think>The answer.`;
				const ends = [...new Set(places.map((place) => place % response.length))].sort(
					(a, b) => a - b,
				);
				const output = { text: '', reasoning: '' };
				for (const [index, end] of [...ends, response.length].entries()) {
					const piece = splitter.push(response.slice(ends[index - 1] ?? 0, end));
					output.text += piece.text;
					output.reasoning += piece.reasoning;
				}
				const rest = splitter.end();
				expect({
					text: output.text + rest.text,
					reasoning: output.reasoning + rest.reasoning,
				}).toEqual({ text: 'The answer.', reasoning: `Hm.\n${reasoning}So.` });
			}),
		);
	});
});
