import * as fc from 'fast-check';
import { CompletionReader } from '../../../../lib/chat/read/completion-reader';
import type { ReaderOptions } from '../../../../lib/chat/read/completion-reader';
import { createCompletionError } from '../../../../lib/chat/read/completion-error';
import { opensReasoningInPrompt } from '../../../../lib/text/reasoning';
import { classifyErrorResponse } from '../../../../lib/errors/classify-error';
import { createServerError } from '../../../../lib/errors/create-error';

const chunk = (delta: object, finish: string | null = null) =>
	JSON.stringify({ choices: [{ index: 0, delta, finish_reason: finish }] });
const wholeText = (text: string) => [chunk({ content: text }), chunk({}, 'stop'), '[DONE]'];

/** Result of the events: the deltas on the way, and the end. */
function accumulate(events: readonly string[], options: ReaderOptions = {}) {
	const reader = new CompletionReader(options);
	let shownText = '';
	let shownReasoning = '';
	for (const event of events) {
		const { text, reasoning } = reader.push(event);
		shownText += text;
		shownReasoning += reasoning;
	}
	const { rest, ...end } = reader.end();
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
const callableNames = ['get_weather'];
const CALL = '{"name": "get_weather", "arguments": {"city": "Zürich"}}';

test('a text after any number of blanks is displayed while it arrives, also with tools', () => {
	fc.assert(
		fc.property(fc.nat(200), fc.constantFrom('', '`', '``'), (blanks, quotes) => {
			const reader = new CompletionReader({ callableNames });
			const pieces = [...' '.repeat(blanks), ...quotes, 'Hello', ' there'];
			const texts = pieces.map((content) => reader.push(chunk({ content })).text);
			expect(texts.join('').trim()).toBe(`${quotes}Hello there`);
		}),
	);
});

test('the beginning that a request gave is not shown again, and nothing else of the response is lost', () => {
	const prefill = 'The sky';
	const responses = fc.record({
		pieces: fc.array(fc.constantFrom(prefill, ' is blue', '.', ' The', ' sky'), { minLength: 1 }),
		repeated: fc.constantFrom('no', 'with the first piece', 'alone'),
	});
	fc.assert(
		fc.property(responses, ({ pieces, repeated }) => {
			const [first = '', ...others] = pieces;
			// A server that goes on does not begin again.
			fc.pre(repeated !== 'no' || first !== prefill);
			const sent = {
				no: pieces,
				'with the first piece': [prefill + first, ...others],
				alone: [prefill, ...pieces],
			}[repeated]!;
			const events = [...sent.map((content) => chunk({ content })), chunk({}, 'stop'), '[DONE]'];
			expect(accumulate(events, { prefill }).shownText.trim()).toBe(pieces.join('').trim());
		}),
	);
});

describe('reasoning', () => {
	test.each<[string, string, boolean, string, string]>([
		['after a tag', '<think>a</think>\n\nb', false, 'a', 'b'],
		['without an opening tag, because the template contains it', 'a</think>b', true, 'a', 'b'],
		['a text without any tag is the response', 'just b', true, '', 'just b'],
		['that was truncated', '<think>a', false, 'a', ''],
		['a tag after other text is text', 'b <think>a</think>', false, '', 'b <think>a</think>'],
	])(
		'text and thinking are separated: %s',
		(_name, text, mayStartInReasoning, reasoning, answer) => {
			fc.assert(
				fc.property(cuts, (places) => {
					const options = { mayStartInReasoning };
					const outcome = accumulate(inPieces(text, places), options);
					expect(outcome.shownText).toBe(answer);
					expect(outcome.completion.reasoning).toBe(reasoning);
					if (answer === '')
						expect(outcome).toMatchObject({
							completion: { failure: { errorType: 'onlyThinking' } },
						});
				}),
			);
		},
	);

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

test('tool calls in the text: after a text, which is shown', () => {
	const text = `I look it up. <tool_call>${CALL}</tool_call>`;
	expect(accumulate(inPieces(text, [20, 30]), { callableNames })).toMatchObject({
		completion: { text: 'I look it up.', toolCalls: [{ name: 'get_weather' }] },
	});
});

test('streamed tool calls: a truncated or invalid tool call is a failure', () => {
	const firstChunk = chunk({
		tool_calls: [{ index: 0, function: { name: 'x', arguments: '{"a":' } }],
	});
	expect(accumulate([firstChunk, chunk({}, 'length')])).toMatchObject({
		completion: { failure: { errorType: 'toolCallTruncated', tool: 'x' } },
	});
	expect(accumulate([firstChunk, chunk({}, 'stop')])).toMatchObject({
		completion: { failure: { errorType: 'invalidToolCall', tool: 'x' } },
	});
});

describe('a repetition that the token limit ended', () => {
	const written = (content: string) => [chunk({ content }), chunk({}, 'length')];
	const called = (args: string) => [
		chunk({ tool_calls: [{ index: 0, function: { name: 'x', arguments: args } }] }),
		chunk({}, 'length'),
	];
	const BLANKS = ' \n'.repeat(60);
	const isJson = true;

	test.each<[string, string[], ReaderOptions]>([
		['blanks', written(BLANKS), {}],
		['line ends', written('\n'.repeat(400)), {}],
		['blanks after the thinking', written(`<think>Hm.</think>${BLANKS}`), {}],
		['blanks as thinking', [chunk({ reasoning: BLANKS }), chunk({}, 'length')], {}],
		['blanks in JSON', written(`{"a": 1,${BLANKS}`), { isJson }],
		['blanks in a string', written(`{"a": "${BLANKS}`), { isJson }],
		['digits in JSON', written(`{"a": 0.${'3'.repeat(120)}`), { isJson }],
		['blanks in arguments', called(`{"a": ${BLANKS}`), {}],
	])('a repetition that the token limit ended is runaway output: %s', (_name, events, options) => {
		const { failure } = accumulate(events, options).completion;
		expect(failure).toEqual({ errorType: 'runawayOutput' });
	});

	test.each<[string, string[], ReaderOptions, string | undefined]>([
		['few blanks', written(' \n'.repeat(9)), {}, 'emptyResponse'],
		['text before the blanks', written(`Hello.${BLANKS}`), {}, undefined],
		['digits in a text', written('3'.repeat(400)), {}, undefined],
		['complete JSON before the blanks', written(`{"a": 1}${BLANKS}`), { isJson }, undefined],
		['a complete call', called(`{"a": 1}${BLANKS}`), {}, undefined],
		['JSON that is cut off', written(`{"a": "${'Hello. '.repeat(60)}`), { isJson }, undefined],
		['blanks before the end', [chunk({ content: BLANKS }), chunk({}, 'stop')], {}, 'emptyResponse'],
		['a raw text', written(BLANKS), { isRaw: true }, undefined],
	])('not: %s', (_name, events, options, errorType) => {
		expect(accumulate(events, options).completion.failure?.errorType).toBe(errorType);
	});
});

describe('end of a stream', () => {
	const A = chunk({ content: 'a' });
	const LOADING = '{"error":{"message":"Loading model","code":503}}';
	const RESTARTED = 'The engine was restarted';
	const WHOLE =
		'{"choices":[{"message":{"content":"a"},"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":2}}';
	const failed = (errorType: string, facts: object = {}) => ({ failure: { errorType, ...facts } });

	test.each<[string, string[], object]>([
		['a stream that ends early', [A], { ...failed('streamEndedEarly'), text: 'a' }],
		['[DONE] without a finish reason', [A, '[DONE]'], { text: 'a', finishReason: 'unknown' }],
		['[DONE] between spaces', [A, ' [DONE] '], { text: 'a', failure: undefined }],
		['no finish reasons', ['{"choices":[{"delta":{"content":"a"}}]}'], { text: 'a' }],
		['nothing', [chunk({}, 'stop')], failed('emptyResponse')],
		['the token limit', [A, chunk({}, 'length')], { finishReason: 'length' }],
		['a content filter', [A, chunk({}, 'content_filter')], failed('contentFiltered')],
		['a repetition that vLLM detects', [A, chunk({}, 'repetition')], failed('runawayOutput')],
		['an error', [A, LOADING], { failure: { errorEvent: LOADING }, text: 'a' }],
		['an error as text', ['{"error":"boom"}'], { failure: { errorEvent: '{"error":"boom"}' } }],
		['invalid JSON', [A, '{"boom'], { ...failed('streamBroken'), text: 'a' }],
		[
			'a text that is not JSON',
			[A, RESTARTED],
			{ ...failed('streamEndedEarly', { serverText: RESTARTED }), text: 'a' },
		],
		['a message that is not streamed', [WHOLE], { text: 'a', usage: { totalTokens: 3 } }],
		[
			'content parts',
			[chunk({ content: [{ type: 'text', text: 'a' }] }), chunk({}, 'stop')],
			{ text: 'a' },
		],
	])('the completion at the end of a stream: %s', (_name, events, completion) => {
		expect(accumulate(events)).toMatchObject({ completion });
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
					{ callableNames },
				);
				const { text, reasoning, toolCalls, failure } = outcome.completion;
				const hasOutput = text.trim() !== '' || toolCalls.length > 0;
				expect([hasOutput, failure !== undefined]).toContain(true);
				expect(typeof reasoning).toBe('string');
			}),
		);
	});
});

const withChoice = (choice: object) => JSON.stringify({ choices: [{ index: 0, ...choice }] });
const ROME = '{"city":"Rome"}';
const OSLO = '{"city":"Oslo"}';
const called = (call: object) => chunk({ tool_calls: [call] });
const weather = (args: unknown) => ({ function: { name: 'get_weather', arguments: args } });

test.each<[string, string]>([
	['of a gateway that wraps its pings', ': OPENROUTER PROCESSING'],
	['a ping as text', 'ping'],
	['a ping as JSON', '{"type":"ping"}'],
	['nothing', ''],
])('an event between deltas is ignored: %s', (_name, event) => {
	const events = [event, chunk({ content: 'Hel' }), event, ...wholeText('lo'), event];
	expect(accumulate(events).completion).toMatchObject({ failure: undefined, text: 'Hello' });
});

test.each([
	{
		name: 'an object as content',
		event: chunk({ content: { type: 'text', text: 'Hello' } }),
		text: 'Hello',
	},
	{ name: 'texts as parts', event: chunk({ content: ['Hel', 'lo'] }), text: 'Hello' },
	{
		name: 'a text in a part',
		event: chunk({ content: [{ type: 'text', text: { value: 'Hello' } }] }),
		text: 'Hello',
	},
	{ name: 'a refusal', event: chunk({ content: null, refusal: 'Hello' }), text: 'Hello' },
	{
		name: 'a message next to an empty delta',
		event: { choices: [{ index: 0, delta: {}, message: { content: 'Hello' } }] },
		text: 'Hello',
	},
	{
		name: 'a text as delta',
		event: { choices: [{ index: 0, delta: 'Hello' }] },
		text: 'Hello',
	},
	{ name: 'a text without choices', event: { text: 'Hello' }, text: 'Hello' },
	{ name: 'content without choices', event: { content: 'Hello' }, text: 'Hello' },
	{
		name: "Ollama's form",
		event: { message: { role: 'assistant', content: 'Hello' }, done: false },
		text: 'Hello',
	},
	{
		name: "Anthropic's form",
		event: { type: 'message', content: [{ type: 'text', text: 'Hello' }] },
		text: 'Hello',
	},
	{
		name: "Python's NaN",
		event: '{"choices":[{"delta":{"content":"Hello"},"logprobs":[{"logprob":-Infinity}]}]}',
		text: 'Hello',
	},
	{ name: 'a list', event: `[${chunk({ content: 'Hello' })}]`, text: 'Hello' },
	{ name: 'a number', event: chunk({ content: 4 }), text: '4' },
])('the text of an event is read from $name', ({ event, text }) => {
	const data = typeof event === 'string' ? event : JSON.stringify(event);
	const { completion } = accumulate([data, '"[DONE]"']);
	expect({ data, text: completion.text }).toEqual({ data, text });
});

test.each<[string, object]>([
	['reasoning_text', { reasoning_text: 'Hm' }],
	['reasoning_details', { reasoning_details: [{ type: 'reasoning.text', text: 'Hm' }] }],
	['an object', { reasoning: { content: 'Hm' } }],
	['a part', { content: [{ type: 'thinking', thinking: [{ type: 'text', text: 'Hm' }] }] }],
	['two fields', { reasoning: 'Hm', reasoning_content: 'Hm' }],
])('thinking: %s', (_name, delta) => {
	const { completion } = accumulate([chunk(delta), ...wholeText('Hello')]);
	expect(completion).toMatchObject({ reasoning: 'Hm', text: 'Hello' });
});

test.each<[unknown, object]>([
	...[
		'length',
		'max_tokens',
		'MAX_TOKENS',
		'maxTokens',
		'max_output_tokens',
		'max_completion_tokens',
		'max_new_tokens',
		'max_length',
		'model_length',
		'model_context_window_exceeded',
		'context_length_exceeded',
		'contextLengthReached',
		'maxPredictedTokensReached',
		'token_limit',
	].map((reason): [string, object] => [reason, { finishReason: 'length', isCutOff: true }]),
	...['stop', 'eos', 'stop_token', 'tool_calls', 'model', 'max', 'limit', 'exceeded'].map(
		(reason): [string, object] => [reason, { finishReason: reason, isCutOff: false }],
	),
	[{ type: 'abort', message: 'restarted' }, { failure: { errorType: 'streamError' } }],
	['network_error', { failure: { errorType: 'streamError' } }],
	['insufficient_system_resource', { failure: { errorType: 'streamError' } }],
	['end_turn', { finishReason: 'end_turn' }],
])('the end %j', (finish, expected) => {
	const events = [chunk({ content: 'Hello' }), withChoice({ delta: {}, finish_reason: finish })];
	expect(accumulate(events).completion).toMatchObject({ text: 'Hello', ...expected });
});

describe('tool calls', () => {
	const whole = ROME.split('');

	test.each<[string, string[]]>([
		[
			'a new ID and the name in each delta',
			whole.map((a, i) => called({ index: 0, id: `c${i}`, ...weather(a) })),
		],
		[
			'the same ID and the name in each delta',
			whole.map((a) => called({ index: 0, id: 'c', ...weather(a) })),
		],
		['the name in each delta', whole.map((a) => called({ index: 0, ...weather(a) }))],
		[
			'an object first',
			[called({ index: 0, ...weather({}) }), called({ index: 0, function: { arguments: ROME } })],
		],
		['no list', [chunk({ tool_calls: { id: 'c', ...weather(ROME) } })]],
		[
			'the older form',
			[
				chunk({ function_call: { name: 'get_weather', arguments: '' } }),
				chunk({ function_call: { arguments: ROME } }),
			],
		],
		['parameters', [called({ function: { name: 'get_weather', parameters: { city: 'Rome' } } })]],
		['input', [called({ function: { name: 'get_weather', input: { city: 'Rome' } } })]],
		['like Python', [called({ index: 0, ...weather("{'city': 'Rome',}") })]],
	])('one: %s', (_name, events) => {
		const { completion } = accumulate([...events, chunk({}, 'tool_calls')]);
		const [call, ...others] = completion.toolCalls!;
		expect([call!.name, JSON.parse(call!.arguments), others]).toEqual([
			'get_weather',
			{ city: 'Rome' },
			[],
		]);
	});

	test.each<[string, object, object]>([
		['the same index, no IDs', { index: 0 }, { index: 0 }],
		['an index that is null', { index: null }, { index: null }],
		['the same ID, no index', { id: 'call_0' }, { id: 'call_0' }],
		['the same ID, two indexes', { index: 0, id: 'call_0' }, { index: 1, id: 'call_0' }],
		['neither', {}, {}],
	])('two: %s', (_name, first, second) => {
		const events = [
			called({ ...first, ...weather(ROME) }),
			called({ ...second, ...weather(OSLO) }),
		];
		const { completion } = accumulate([...events, chunk({}, 'tool_calls')]);
		expect(completion.toolCalls!.map(({ arguments: args }) => args)).toEqual([ROME, OSLO]);
	});
});

const CONTEXT = { url: 'http://host:1/v1/chat/completions', root: 'http://host:1', model: 'm' };
const SOURCE = {
	errorContext: CONTEXT,
	toError: (body: string) => classifyErrorResponse({ status: 200, body }, CONTEXT),
};

/** The error of a line between the events. */
function errorOfLine(line: string) {
	const reader = new CompletionReader();
	reader.push(line, 'line');
	const { completion } = reader.end();
	return createCompletionError(completion.failure!, SOURCE);
}

/** The error of an event after a first text, with the same body as an error response. */
function errorOfEvent(body: string) {
	const reader = new CompletionReader();
	reader.push(JSON.stringify({ choices: [{ delta: { content: 'Hi' } }] }));
	reader.push(body);
	return createCompletionError(reader.end().completion.failure!, SOURCE);
}

test.each([
	['{"error":{"message":"too long","n_prompt_tokens":9000,"n_ctx":8192}}', 400],
	['{"error":{"message":"the input length exceeds the context length"}}', 400],
	['{"error":{"message":"llama runner process has terminated: exit status 2"}}', 500],
	['{"error":{"message":"Loading model","code":503}}', 503],
])('an error event has the title, type and numbers of an error response: %s', (body, status) => {
	const expected = classifyErrorResponse({ status, body }, CONTEXT);
	const { type, message, facts } = errorOfEvent(body);
	expect({ type, message }).toEqual({ type: expected.type, message: expected.message });
	expect(facts).toMatchObject(JSON.parse(JSON.stringify(expected.facts)) as object);
});

test.each([
	'{"error":{"message":"too long","n_prompt_tokens":9000,"n_ctx":8192}}',
	'{"error":"boom"}',
])('an error between the events has the title and numbers of an event: %s', (body) => {
	const { type, message, facts } = errorOfEvent(body);
	expect(errorOfLine(body)).toMatchObject({ type, message, facts });
});

test.each([
	['{"error":{"message":"The tenant is closed.","code":500}}', 'The tenant is closed'],
	['{"error":"Backend melted"}', 'Backend melted'],
])('an unknown error event is quoted: %s', (body, title) => {
	expect(errorOfEvent(body)).toMatchObject({ type: 'streamError', message: title });
});

test.each([
	[{ isThinkingOff: true }, 'reasoning parser'],
	[{ hasModelEnded: true }, 'turn thinking off'],
	[{ maxTokens: 20 }, 'now 20'],
])('only thinking: advice that can be followed: %j', (about, expected) => {
	const { suggestion } = createServerError('onlyThinking', {}, { about });
	expect(suggestion).toContain(expected);
	expect(suggestion.includes('turn thinking off')).toBe(!('isThinkingOff' in about));
});

describe('what the request did not ask for is not kept', () => {
	const withLogprobs = (content: unknown, text = 'word') =>
		JSON.stringify({ choices: [{ delta: { content: text }, logprobs: { content } }] });
	const option = (token: string) => ({ token, logprob: -1, bytes: [1, 2], id: 7 });
	const entry = (token: string) => ({ ...option(token), top_logprobs: [option('a'), option('b')] });

	test.each<[string, unknown]>([
		['empty objects', Array.from({ length: 1_000 }, () => ({}))],
		['tokens', [entry('word')]],
		['not a list', { token: 'word' }],
	])('probabilities: %s', (_name, content) => {
		const { completion } = accumulate([withLogprobs(content), chunk({}, 'stop')]);
		expect(completion).toMatchObject({ text: 'word', logprobs: [], failure: undefined });
	});

	test('requested probabilities have only the fields that are read', () => {
		const { completion } = accumulate([withLogprobs([entry('word')])], { keepsLogprobs: true });
		const [a, b, word] = ['a', 'b', 'word'].map((token) => ({ token, logprob: -1 }));
		expect(completion.logprobs).toEqual([{ ...word, top_logprobs: [a, b] }]);
	});

	test('far too many requested probabilities are not kept at all', () => {
		const event = withLogprobs(Array.from({ length: 1_000 }, () => entry('word')));
		const { completion } = accumulate(Array<string>(10).fill(event), { keepsLogprobs: true });
		expect(completion.logprobs).toEqual([]);
		expect(completion.text).toBe('word'.repeat(10));
	});

	test('at most 20 options of a token are kept, and none of its text without end', () => {
		const top_logprobs = Array.from({ length: 5_000 }, () => option('x'.repeat(10_000)));
		const { completion } = accumulate([withLogprobs([{ token: 'word', top_logprobs }])], {
			keepsLogprobs: true,
		});
		expect(completion.logprobs[0]!.top_logprobs).toHaveLength(20);
		expect(completion.logprobs[0]!.top_logprobs[0]!.token).toHaveLength(1_000);
	});

	test('timings: at most 50 numbers', () => {
		const timings = Object.fromEntries(
			Array.from({ length: 50_000 }, (_none, at) => [`n${at}`, at]),
		);
		const { completion } = accumulate([
			JSON.stringify({ choices: [], timings }),
			...wholeText('a'),
		]);
		expect(Object.keys(completion.timings!)).toHaveLength(50);
	});

	test.each<[string, unknown]>([
		['a long text', 'x'.repeat(1_000_000)],
		['an object', { toString: 1 }],
		['a list', [[]]],
		['null', null],
	])('the index of a tool call that is %s', (_name, index) => {
		const call = (name: string) =>
			chunk({ tool_calls: [{ index, id: `id ${name}`, function: { name, arguments: '{}' } }] });
		const { completion } = accumulate([call('a'), call('b'), chunk({}, 'tool_calls')]);
		expect(completion.toolCalls.map(({ name }) => name)).toEqual(['a', 'b']);
	});
});

describe('where the output of a response is', () => {
	const event = (choice: object) => JSON.stringify({ choices: [choice] });
	const stop = [event({ delta: {}, finish_reason: 'stop' }), '[DONE]'];

	interface Row {
		title: string;
		events: readonly string[];
		text: string;
		isJson?: boolean;
	}

	const ROWS: readonly Row[] = [
		{
			title: 'in the message beside an empty delta',
			events: [
				event({ delta: { role: 'assistant', content: '' }, message: { content: 'Hello' } }),
				...stop,
			],
			text: 'Hello',
		},
		{
			title: 'in messages that grow, beside deltas without text',
			events: [
				event({ delta: { content: '' }, message: { content: 'Hel' } }),
				event({ delta: { content: '' }, message: { content: 'Hello' } }),
				...stop,
			],
			text: 'Hello',
		},
		{
			title: 'in deltas, beside the message so far',
			events: [
				event({ delta: { content: 'Hel' }, message: { content: 'Hel' } }),
				event({ delta: { content: 'lo' }, message: { content: 'Hello' } }),
				event({ delta: { content: '' }, message: { content: 'Hello' }, finish_reason: 'stop' }),
			],
			text: 'Hello',
		},
		{
			title: 'in a refusal beside null',
			events: [event({ message: { content: null, refusal: 'No.' } }), ...stop],
			text: 'No.',
		},
		{
			title: 'an object in JSON mode',
			events: [event({ message: { content: { city: 'Rome', text: 'x' } } }), ...stop],
			text: '{"city":"Rome","text":"x"}',
			isJson: true,
		},
		{
			title: 'an object whose keys look like a part, but are not only those',
			events: [event({ message: { content: { text: 'Rome', score: 1 } } }), ...stop],
			text: '{"text":"Rome","score":1}',
		},
		{
			title: 'a list in JSON mode',
			events: [event({ message: { content: [1, { a: 2 }] } }), ...stop],
			text: '[1,{"a":2}]',
			isJson: true,
		},
		{
			title: 'a list of objects that are no parts',
			events: [event({ message: { content: [{ a: 1 }] } }), ...stop],
			text: '[{"a":1}]',
		},
		{
			title: 'parts, also in JSON mode',
			events: [event({ message: { content: [{ type: 'text', text: '{"a":1}' }] } }), ...stop],
			text: '{"a":1}',
			isJson: true,
		},
	];

	it.each(ROWS)('the text of a completion: $title', ({ events, text, isJson = false }) => {
		expect(accumulate(events, { isJson }).completion).toMatchObject({ text, failure: undefined });
	});
});

describe('a body that is one JSON document', () => {
	const whole = (finish: unknown) =>
		JSON.stringify({ choices: [{ message: { content: 'Hello' }, finish_reason: finish }] });

	it.each([[null], [''], ['stop']])('is its own end, with the finish reason %j', (finish) => {
		const reader = new CompletionReader();
		reader.push(whole(finish), 'document');
		const { completion } = reader.end();
		expect(completion).toMatchObject({ text: 'Hello', failure: undefined });
	});

	it('is not the first event of a stream that broke', () => {
		const reader = new CompletionReader();
		reader.push(whole(null));
		expect(reader.end().completion.failure).toMatchObject({ errorType: 'streamEndedEarly' });
	});
});

describe('tags where a server left them', () => {
	const reasoningEvents = (deltas: readonly string[], text = 'Done.') => [
		...deltas.map((reasoning_content) => chunk({ reasoning_content })),
		...wholeText(text),
	];

	it.each<[string, readonly string[], string]>([
		['around the thinking in its own field', ['<think>\nI look.\n</think>'], '\nI look.\n'],
		['in pieces', ['<th', 'ink>I lo', 'ok.</th', 'ink>', '\n'], 'I look.'],
		['only at its end', ['I look.\n</think>\n'], 'I look.\n'],
		['only at its beginning', ['  <think>I look.'], 'I look.'],
		['of another family', ['<seed:think>I look.</seed:think>'], 'I look.'],
		['within the thinking, where they are text', ['A </think> is a tag.'], 'A </think> is a tag.'],
		['as half of a tag', ['I look: a </thi'], 'I look: a </thi'],
	])('tags are removed from the thinking: %s', (_title, deltas, expected) => {
		const { completion, shownReasoning } = accumulate(reasoningEvents(deltas));
		expect({ ...completion, shownReasoning }).toMatchObject({
			reasoning: expected,
			shownReasoning: expected,
			text: 'Done.',
		});
	});

	it.each<[string, string, string, string]>([
		['an end as the first token', '</think>\n\nHello', '', 'Hello'],
		['an end without a blank', '</think>Hello', '', 'Hello'],
		['the end of another family', '</seed:think>\nHello', '', 'Hello'],
		['a sentence about the end', '</think> is a tag.', '', '</think> is a tag.'],
		[
			'headers of gpt-oss without their marks',
			'analysisUser greets.assistantfinalHello!',
			'User greets.',
			'Hello!',
		],
		[
			'such headers before a quotation',
			'analysis"Hi" is a greeting.assistantfinal"Hi"',
			'"Hi" is a greeting.',
			'"Hi"',
		],
		['a text that begins with that word', 'analysis of the data', '', 'analysis of the data'],
		['a name that begins with it', 'analysisTool is a class.', '', 'analysisTool is a class.'],
	])('tags are removed from the text: %s', (_title, text, reasoning, expected) => {
		fc.assert(
			fc.property(cuts, (places) => {
				const { completion, shownText } = accumulate(inPieces(text, places));
				expect({ ...completion, shownText }).toMatchObject({
					reasoning,
					text: expected,
					shownText: expected,
				});
			}),
			{ numRuns: 30 },
		);
	});

	it.each<[string, string, string]>([
		['an answer and the end of a call', 'Done.\n]<]minimax[>[</tool_call>', 'Done.'],
		['an answer and the end of a section', 'Done.<|tool_calls_section_end|>', 'Done.'],
		['an answer and the end of thinking', '<|channel>thought\n<channel|>Done.<channel|>', 'Done.'],
		['an answer and empty thinking', 'Done.<|channel>thought\n<channel|><channel|>', 'Done.'],
		['two marks after each other', 'Done.<|im_end|>\n<|im_start|>', 'Done.'],
	])('marks at either end of the text are not shown: %s', (_title, text, expected) => {
		fc.assert(
			fc.property(cuts, (places) => {
				const { completion, shownText } = accumulate(inPieces(text, places), { callableNames });
				expect({ text: completion.text, shownText: shownText.trimEnd() }).toEqual({
					text: expected,
					shownText: expected,
				});
				expect(completion.rejectedCall).toBeUndefined();
			}),
			{ numRuns: 30 },
		);
	});

	it('the end of a second call is not taken from the first one', () => {
		const call = '<tool_call>{"name":"get_weather","arguments":{}}</tool_call>';
		const [one, two] = [call, `${call}</tool_call>`].map(
			(text) => accumulate(wholeText(text), { callableNames }).completion,
		);
		expect(one!.toolCalls).toHaveLength(1);
		expect(two).toMatchObject({ toolCalls: [], rejectedCall: { reason: 'otherMarkup' } });
	});

	it('token counts as text are counts', () => {
		const usage = { prompt_tokens: '21', completion_tokens: '4', total_tokens: '25' };
		const { completion } = accumulate([...wholeText('Hi'), JSON.stringify({ choices: [], usage })]);
		expect(completion.usage).toBeUndefined();
		const early = accumulate([JSON.stringify({ choices: [], usage }), ...wholeText('Hi')]);
		expect(early.completion.usage).toMatchObject({ promptTokens: 21, totalTokens: 25 });
	});
});
