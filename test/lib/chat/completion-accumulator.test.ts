import * as fc from 'fast-check';

import {
	CompletionAccumulator,
	type AccumulatorOptions,
} from '../../../lib/chat/completion-accumulator';
import { createQuotationCheck } from '../../../lib/chat/quotations';
import { opensReasoningInPrompt } from '../../../lib/chat/reasoning';

const chunk = (delta: object, finish: string | null = null) =>
	JSON.stringify({ choices: [{ index: 0, delta, finish_reason: finish }] });
const whole = (text: string) => [chunk({ content: text }), chunk({}, 'stop'), '[DONE]'];

/** What a reader makes of events: what it showed on the way, and the end. */
function read(events: readonly string[], options: AccumulatorOptions = {}) {
	const reader = new CompletionAccumulator(options);
	let shown = '';
	let thought = '';
	for (const event of events) {
		const { text, reasoning } = reader.push(event);
		shown += text;
		thought += reasoning;
	}
	const { rest, ...end } = reader.end();
	return { shown: shown + rest.text, thought: thought + rest.reasoning, ...end };
}

/** A text as content in pieces. */
const inPieces = (text: string, cuts: readonly number[]) => {
	const ends = [...new Set(cuts.map((cut) => cut % (text.length + 1)))].sort((a, b) => a - b);
	const pieces = [...ends, text.length].map((end, index) => text.slice(ends[index - 1] ?? 0, end));
	return [...pieces.map((content) => chunk({ content })), chunk({}, 'stop'), '[DONE]'];
};
const cuts = fc.array(fc.nat(200), { maxLength: 30 });
const offered = ['get_weather'];
const CALL = '{"name": "get_weather", "arguments": {"city": "Zürich"}}';

describe('thinking', () => {
	test.each<[string, string, boolean, string, string]>([
		['behind a tag', '<think>a</think>\n\nb', false, 'a', 'b'],
		['without an opening tag, where the template has it', 'a</think>b', true, 'a', 'b'],
		['that never ends was the answer, where no tag opened it', 'just b', true, '', 'just b'],
		['that was cut', '<think>a', false, 'a', ''],
		['as words later on', 'b <think>a</think>', false, '', 'b <think>a</think>'],
	])('%s', (_name, text, mayBeginInThinking_, reasoning, answer) => {
		fc.assert(
			fc.property(cuts, (places) => {
				const options = { mayStartInReasoning: mayBeginInThinking_ };
				const outcome = read(inPieces(text, places), options);
				expect(outcome.shown).toBe(answer);
				expect('answer' in outcome ? outcome.answer.reasoning : outcome.failure.reasoning).toBe(
					reasoning,
				);
				if (answer === '') expect(outcome).toMatchObject({ failure: { type: 'onlyThinking' } });
			}),
		);
	});

	test.each(['reasoning_content', 'reasoning', 'thinking'])('in the field %s', (field) => {
		const outcome = read([chunk({ [field]: 'a' }), ...whole('<think>b</think>')]);
		expect(outcome).toMatchObject({
			thought: 'a',
			answer: { reasoning: 'a', text: '<think>b</think>' },
		});
	});

	test.each([
		['DeepSeek-R1-Distill', true],
		['qwen3-4b-thinking-2507', true],
		['QwQ-32B', true],
		['llama-3.1', false],
	])('may begin in the prompt: %s, %j', (model, expected) => {
		expect(opensReasoningInPrompt(model)).toBe(expected);
	});
});

describe('calls in the text', () => {
	test.each([
		['Hermes', `<tool_call>\n${CALL}\n</tool_call>`],
		[
			'Qwen3-Coder',
			'<tool_call>\n<function=get_weather>\n<parameter=city>\nZürich\n</parameter>\n</function>\n</tool_call>',
		],
		['Mistral', `[TOOL_CALLS][${CALL}]`],
		['Llama 3', `<|python_tag|>${CALL.replace('arguments', 'parameters')}`],
		['JSON', CALL],
		['JSON in a fence', `\`\`\`json\n${CALL}\n\`\`\``],
	])('%s', (_name, text) => {
		fc.assert(
			fc.property(cuts, (places) => {
				const outcome = read(inPieces(text, places), { offeredTools: offered });
				expect(outcome).toMatchObject({
					shown: '',
					answer: { text: '', toolCalls: [{ name: 'get_weather' }] },
				});
				expect('answer' in outcome && JSON.parse(outcome.answer.toolCalls[0]!.arguments)).toEqual({
					city: 'Zürich',
				});
			}),
		);
	});

	test('behind a text, which is shown', () => {
		const text = `I look it up. <tool_call>${CALL}</tool_call>`;
		expect(read(inPieces(text, [20, 30]), { offeredTools: offered })).toMatchObject({
			answer: { text: 'I look it up.', toolCalls: [{ name: 'get_weather' }] },
		});
	});

	test.each([
		[
			'of a tool that is not offered',
			`<tool_call>${CALL.replace('get_weather', 'rm')}</tool_call>`,
		],
		['that is not complete', `<tool_call>${CALL}`],
		['with a text behind it', `<tool_call>${CALL}</tool_call> is how it looks`],
	])('%s is text', (_name, text) => {
		fc.assert(
			fc.property(cuts, (places) => {
				expect(read(inPieces(text, places), { offeredTools: offered })).toMatchObject({
					shown: text,
					answer: { text, toolCalls: [] },
				});
			}),
		);
	});

	test.each([
		['as it is', `Say: <tool_call>${CALL}</tool_call>`],
		['in JSON', JSON.stringify([{ response: `<tool_call>${CALL}</tool_call>` }])],
		['in JSON in JSON', JSON.stringify(JSON.stringify(`<tool_call>${CALL}</tool_call>`))],
		['in HTML', `&lt;tool_call&gt;${CALL.replaceAll('"', '&quot;')}&lt;/tool_call&gt;`],
		['in HTML by numbers', `<tool_call>${CALL.replaceAll('ü', '&#xfc;')}</tool_call>`],
	])('that was sent %s is a quotation, and runs nothing', (_name, sent) => {
		const text = `<tool_call>${CALL}</tool_call>`;
		expect(
			read(whole(text), {
				offeredTools: offered,
				isQuoted: createQuotationCheck([{ role: 'user', content: sent }]),
			}),
		).toMatchObject({
			answer: { text, toolCalls: [] },
		});
	});
});

describe('calls in pieces', () => {
	test('by index, whatever is cut', () => {
		fc.assert(
			fc.property(
				fc.array(fc.object(), { minLength: 1, maxLength: 3 }),
				fc.integer({ min: 1, max: 7 }),
				(args, size) => {
					const events = args.flatMap((value, index) => {
						const json = JSON.stringify(value);
						const pieces = json.match(new RegExp(`[^]{1,${size}}`, 'g')) ?? [];
						return [
							chunk({
								tool_calls: [
									{
										index,
										id: `call_${index}`,
										type: 'function',
										function: { name: `tool_${index}`, arguments: '' },
									},
								],
							}),
							...pieces.map((piece) =>
								chunk({ tool_calls: [{ index, function: { arguments: piece } }] }),
							),
						];
					});
					expect(read([...events, chunk({}, 'tool_calls')])).toMatchObject({
						answer: {
							toolCalls: args.map((value, index) => ({
								id: `call_${index}`,
								name: `tool_${index}`,
								arguments: JSON.stringify(value),
							})),
						},
					});
				},
			),
		);
	});

	test.each<[string, object[], Array<[string, string]>]>([
		[
			'without an index',
			[
				{ id: 'a', function: { name: 'x', arguments: '{"a"' } },
				{ function: { arguments: ':1}' } },
				{ id: 'b', function: { name: 'y', arguments: '{}' } },
			],
			[
				['x', '{"a":1}'],
				['y', '{}'],
			],
		],
		[
			'whole, all with index 0',
			[
				{ index: 0, id: 'a', function: { name: 'x', arguments: '{}' } },
				{ index: 0, id: 'b', function: { name: 'y', arguments: '{}' } },
			],
			[
				['x', '{}'],
				['y', '{}'],
			],
		],
		[
			'with an object as arguments',
			[{ index: 0, function: { name: 'x', arguments: { a: 1 } } }],
			[['x', '{"a":1}']],
		],
		['without arguments', [{ index: 0, function: { name: 'x' } }], [['x', '{}']]],
		[
			"with gpt-oss's tokens in the name",
			[{ index: 0, function: { name: 'ls<|channel|>commentary', arguments: '{}' } }],
			[['ls', '{}']],
		],
	])('%s', (_name, pieces, expected) => {
		const outcome = read([
			...pieces.map((piece) => chunk({ tool_calls: [piece] })),
			chunk({}, 'tool_calls'),
		]);
		expect(
			'answer' in outcome && outcome.answer.toolCalls.map((call) => [call.name, call.arguments]),
		).toEqual(expected);
	});

	test('a call that is cut or broken is not one', () => {
		const begun = chunk({
			tool_calls: [{ index: 0, function: { name: 'x', arguments: '{"a":' } }],
		});
		expect(read([begun, chunk({}, 'length')])).toMatchObject({
			failure: { type: 'toolCallTruncated', tool: 'x' },
		});
		expect(read([begun, chunk({}, 'stop')])).toMatchObject({
			failure: { type: 'invalidToolCall', tool: 'x' },
		});
	});
});

describe('ends', () => {
	test.each<[string, string[], object]>([
		[
			'a stream that breaks off',
			[chunk({ content: 'a' })],
			{ failure: { type: 'streamEndedEarly', text: 'a' } },
		],
		[
			'a marker without a reason',
			[chunk({ content: 'a' }), '[DONE]'],
			{ answer: { text: 'a', finishReason: 'unknown' } },
		],
		[
			'a server that sends no reasons',
			['{"choices":[{"delta":{"content":"a"}}]}'],
			{ answer: { text: 'a' } },
		],
		['nothing', [chunk({}, 'stop')], { failure: { type: 'emptyResponse' } }],
		[
			'the limit of tokens',
			[chunk({ content: 'a' }), chunk({}, 'length')],
			{ answer: { finishReason: 'length' } },
		],
		[
			'a filter',
			[chunk({ content: 'a' }), chunk({}, 'content_filter')],
			{ failure: { type: 'contentFiltered' } },
		],
		[
			'an error',
			[chunk({ content: 'a' }), '{"error":{"message":"Loading model","code":503}}'],
			{ failure: { type: 'modelLoading', text: 'a' } },
		],
		[
			'an error as text',
			['{"error":"boom"}'],
			{ failure: { type: 'streamError', serverText: 'boom' } },
		],
		[
			'what is no JSON',
			[chunk({ content: 'a' }), 'boom'],
			{ failure: { type: 'invalidResponse', text: 'a' } },
		],
		[
			'a whole message',
			[
				'{"choices":[{"message":{"content":"a"},"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":2}}',
			],
			{ answer: { text: 'a', usage: { totalTokens: 3 } } },
		],
		[
			'parts of a text',
			[chunk({ content: [{ type: 'text', text: 'a' }] }), chunk({}, 'stop')],
			{ answer: { text: 'a' } },
		],
	])('%s', (_name, events, expected) => {
		expect(read(events)).toMatchObject(expected);
	});

	test('JSON of any shape is an answer or a failure', () => {
		const odd = fc.oneof(
			fc.jsonValue(),
			fc.record({
				choices: fc.oneof(
					fc.jsonValue(),
					fc.array(
						fc.record({
							delta: fc.record({ content: fc.jsonValue(), tool_calls: fc.jsonValue() }),
							finish_reason: fc.jsonValue(),
						}),
					),
				),
			}),
		);
		fc.assert(
			fc.property(fc.array(odd, { maxLength: 5 }), (events) => {
				const outcome = read(
					events.map((event) => JSON.stringify(event)),
					{ offeredTools: offered },
				);
				expect('answer' in outcome || 'failure' in outcome).toBe(true);
			}),
		);
	});
});
