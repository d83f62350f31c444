import * as fc from 'fast-check';
import {
	CompletionAccumulator,
	type AccumulatorOptions,
} from '../../../lib/chat/completion-accumulator';
import { createQuotationCheck } from '../../../lib/text/quotations';
import { opensReasoningInPrompt } from '../../../lib/text/reasoning';

const chunk = (delta: object, finish: string | null = null) =>
	JSON.stringify({ choices: [{ index: 0, delta, finish_reason: finish }] });
const wholeText = (text: string) => [chunk({ content: text }), chunk({}, 'stop'), '[DONE]'];

/** Result of the events: the deltas on the way, and the end. */
function accumulate(events: readonly string[], options: AccumulatorOptions = {}) {
	const accumulator = new CompletionAccumulator(options);
	let shownText = '';
	let shownReasoning = '';
	for (const event of events) {
		const { text, reasoning } = accumulator.push(event);
		shownText += text;
		shownReasoning += reasoning;
	}
	const { rest, ...end } = accumulator.end();
	return {
		shownText: shownText + rest.text,
		shownReasoning: shownReasoning + rest.reasoning,
		...end,
	};
}

/** A text as several content deltas. */
const inPieces = (text: string, cuts: readonly number[]) => {
	const ends = [...new Set(cuts.map((cut) => cut % (text.length + 1)))].sort((a, b) => a - b);
	const pieces = [...ends, text.length].map((end, index) => text.slice(ends[index - 1] ?? 0, end));
	return [...pieces.map((content) => chunk({ content })), chunk({}, 'stop'), '[DONE]'];
};
const cuts = fc.array(fc.nat(200), { maxLength: 30 });
const offeredTools = ['get_weather'];
const CALL = '{"name": "get_weather", "arguments": {"city": "Zürich"}}';

describe('reasoning', () => {
	test.each<[string, string, boolean, string, string]>([
		['after a tag', '<think>a</think>\n\nb', false, 'a', 'b'],
		['without an opening tag, because the template contains it', 'a</think>b', true, 'a', 'b'],
		['a text without any tag is the response', 'just b', true, '', 'just b'],
		['that was truncated', '<think>a', false, 'a', ''],
		['a tag after other text is text', 'b <think>a</think>', false, '', 'b <think>a</think>'],
	])('%s', (_name, text, mayStartInReasoning, reasoning, answer) => {
		fc.assert(
			fc.property(cuts, (places) => {
				const options = { mayStartInReasoning };
				const outcome = accumulate(inPieces(text, places), options);
				expect(outcome.shownText).toBe(answer);
				expect(outcome.completion.reasoning).toBe(reasoning);
				if (answer === '')
					expect(outcome).toMatchObject({ completion: { errorType: 'onlyThinking' } });
			}),
		);
	});

	test.each(['reasoning_content', 'reasoning', 'thinking'])('in the field %s', (field) => {
		const outcome = accumulate([chunk({ [field]: 'a' }), ...wholeText('<think>b</think>')]);
		expect(outcome).toMatchObject({
			shownReasoning: 'a',
			completion: { reasoning: 'a', text: '<think>b</think>' },
		});
	});

	test.each(['reasoning_content', 'reasoning', 'thinking'])(
		'in the field %s, with its end in the text',
		(field) => {
			const events = [chunk({ [field]: 'a, ' }), ...wholeText('rest of it</think>Hello')];
			expect(accumulate(events)).toMatchObject({
				shownText: 'Hello',
				shownReasoning: 'a, rest of it',
				completion: { reasoning: 'a, rest of it', text: 'Hello' },
			});
			expect(accumulate(events, { mentionsTags: true }).shownText).toBe('rest of it</think>Hello');
		},
	);

	test.each([
		['DeepSeek-R1-Distill', true],
		['qwen3-4b-thinking-2507', true],
		['QwQ-32B', true],
		['llama-3.1', false],
	])('may start in the prompt: %s, %j', (model, expected) => {
		expect(opensReasoningInPrompt(model)).toBe(expected);
	});
});

describe('tool calls in the text', () => {
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
				const outcome = accumulate(inPieces(text, places), { offeredTools });
				expect(outcome).toMatchObject({
					shownText: '',
					completion: { text: '', toolCalls: [{ name: 'get_weather' }] },
				});
				expect(JSON.parse(outcome.completion.toolCalls![0]!.arguments)).toEqual({
					city: 'Zürich',
				});
			}),
		);
	});

	test('after a text, which is shown', () => {
		const text = `I look it up. <tool_call>${CALL}</tool_call>`;
		expect(accumulate(inPieces(text, [20, 30]), { offeredTools })).toMatchObject({
			completion: { text: 'I look it up.', toolCalls: [{ name: 'get_weather' }] },
		});
	});

	test.each([
		[
			'of a tool that is not offered',
			`<tool_call>${CALL.replace('get_weather', 'rm')}</tool_call>`,
		],
		['that is not complete', `<tool_call>${CALL}`],
		['followed by text', `<tool_call>${CALL}</tool_call> is how it looks`],
	])('%s is text', (_name, text) => {
		fc.assert(
			fc.property(cuts, (places) => {
				expect(accumulate(inPieces(text, places), { offeredTools })).toMatchObject({
					shownText: text,
					completion: { text, toolCalls: [] },
				});
			}),
		);
	});

	test.each([
		['unchanged', `Say: <tool_call>${CALL}</tool_call>`],
		['in JSON', JSON.stringify([{ response: `<tool_call>${CALL}</tool_call>` }])],
		['in JSON in JSON', JSON.stringify(JSON.stringify(`<tool_call>${CALL}</tool_call>`))],
		['in HTML', `&lt;tool_call&gt;${CALL.replaceAll('"', '&quot;')}&lt;/tool_call&gt;`],
		['in HTML with numeric entities', `<tool_call>${CALL.replaceAll('ü', '&#xfc;')}</tool_call>`],
	])('that was sent %s is a quotation and is not run', (_name, sent) => {
		const text = `<tool_call>${CALL}</tool_call>`;
		expect(
			accumulate(wholeText(text), {
				offeredTools,
				isQuotation: createQuotationCheck([sent]),
			}),
		).toMatchObject({
			completion: { text, toolCalls: [] },
		});
	});
});

describe('streamed tool calls', () => {
	test('are assembled by index, with arguments split anywhere', () => {
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
					expect(accumulate([...events, chunk({}, 'tool_calls')])).toMatchObject({
						completion: {
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
			'complete, all with index 0',
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
		const outcome = accumulate([
			...pieces.map((piece) => chunk({ tool_calls: [piece] })),
			chunk({}, 'tool_calls'),
		]);
		expect(outcome.completion.toolCalls?.map((call) => [call.name, call.arguments])).toEqual(
			expected,
		);
	});

	test('a truncated or invalid tool call is a failure', () => {
		const firstChunk = chunk({
			tool_calls: [{ index: 0, function: { name: 'x', arguments: '{"a":' } }],
		});
		expect(accumulate([firstChunk, chunk({}, 'length')])).toMatchObject({
			completion: { errorType: 'toolCallTruncated', tool: 'x' },
		});
		expect(accumulate([firstChunk, chunk({}, 'stop')])).toMatchObject({
			completion: { errorType: 'invalidToolCall', tool: 'x' },
		});
	});
});

describe('end of a stream', () => {
	test.each<[string, string[], object]>([
		[
			'a stream that ends early',
			[chunk({ content: 'a' })],
			{ completion: { errorType: 'streamEndedEarly', text: 'a' } },
		],
		[
			'[DONE] without a finish reason',
			[chunk({ content: 'a' }), '[DONE]'],
			{ completion: { text: 'a', finishReason: 'unknown' } },
		],
		[
			'a server that sends no finish reasons',
			['{"choices":[{"delta":{"content":"a"}}]}'],
			{ completion: { text: 'a' } },
		],
		['nothing', [chunk({}, 'stop')], { completion: { errorType: 'emptyResponse' } }],
		[
			'the token limit',
			[chunk({ content: 'a' }), chunk({}, 'length')],
			{ completion: { finishReason: 'length' } },
		],
		[
			'a content filter',
			[chunk({ content: 'a' }), chunk({}, 'content_filter')],
			{ completion: { errorType: 'contentFiltered' } },
		],
		[
			'an error',
			[chunk({ content: 'a' }), '{"error":{"message":"Loading model","code":503}}'],
			{ completion: { errorType: 'modelLoading', text: 'a' } },
		],
		[
			'an error as text',
			['{"error":"boom"}'],
			{ completion: { errorType: 'streamError', serverText: 'boom' } },
		],
		[
			'invalid JSON',
			[chunk({ content: 'a' }), 'boom'],
			{ completion: { errorType: 'invalidResponse', text: 'a' } },
		],
		[
			'a message that is not streamed',
			[
				'{"choices":[{"message":{"content":"a"},"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":2}}',
			],
			{ completion: { text: 'a', usage: { totalTokens: 3 } } },
		],
		[
			'content parts',
			[chunk({ content: [{ type: 'text', text: 'a' }] }), chunk({}, 'stop')],
			{ completion: { text: 'a' } },
		],
	])('%s', (_name, events, expected) => {
		expect(accumulate(events)).toMatchObject(expected);
	});

	test('any JSON results in a completion or a failure', () => {
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
				const outcome = accumulate(
					events.map((event) => JSON.stringify(event)),
					{ offeredTools },
				);
				expect(outcome.completion.type).toMatch(/^(?:completed|failed)$/);
			}),
		);
	});
});
