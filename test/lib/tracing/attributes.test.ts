/** Each field of an observation, and the attributes of the span that it sets. */
import path from 'node:path';
import { toSpanAttributes, stringifyMessages } from '../../../lib/tracing/attributes';
import type { SpanData, TracedMessage } from '../../../lib/tracing/attributes';
import { expectApproved } from '../../support/approved/approved-table';

const at = (origin: string) => ({ typed: origin, origin, root: origin, api: origin });

const PLAIN: SpanData = { operation: 'chat', server: at('http://gpu:8080'), startedAt: 1000 };

const CALL = { id: '1', name: 'look', arguments: '{}' };

const MESSAGES: readonly TracedMessage[] = [
	{ role: 'system', content: 'Be kind' },
	{
		role: 'user',
		content: [{ type: 'text', text: 'Hi' }, { type: 'image' }, { type: 'text', text: '' }],
	},
	{ role: 'assistant', content: '', reasoning: 'Hm', toolCalls: [CALL, { ...CALL, id: '2' }] },
	{ role: 'tool', content: 'secret result', toolCallId: '1' },
	{ role: 'assistant', content: 'Hello', finishReason: 'stop' },
];

const FIELDS: Readonly<Record<string, Partial<SpanData>>> = {
	nothing: {},
	'https without a port': { server: at('https://gpu') },
	'http without a port': { server: at('http://gpu') },
	'the provider llamaServer': { provider: 'llamaServer' },
	'the operation rerank': { operation: 'rerank' },
	'a model': { model: 'qwen3' },
	'sampling of 0': {
		sampling: {
			temperature: 0,
			topP: 0,
			topK: 0,
			maxTokens: 0,
			seed: 0,
			frequencyPenalty: 0,
			presencePenalty: 0,
			stop: ['END'],
		},
	},
	'other sampling': { sampling: { minP: 1, extraBody: {}, stop: [] } },
	'a priority': { priority: 'batch' },
	'a session': { trace: { sessionId: 's', userId: 'u', tags: ['a', 'b'] } },
	'a conversation': { conversationId: 'c' },
	'a session and a conversation': { trace: { sessionId: 's' }, conversationId: 'c' },
	'texts that are recorded': {
		trace: { recordTexts: true },
		input: MESSAGES,
		output: MESSAGES.slice(-1),
	},
	'texts that are not recorded': { trace: { sessionId: 's' }, input: MESSAGES, output: MESSAGES },
	'a response': {
		id: 'i',
		responseModel: 'm',
		finishReason: 'length',
		toolCalls: ['look', 'secret'],
	},
	'an empty response': { responseModel: '', finishReason: '', toolCalls: [] },
	'counts of 0': {
		usage: { promptTokens: 0, completionTokens: 0, cachedTokens: 0, reasoningTokens: 0 },
	},
	counts: { usage: { promptTokens: 1, completionTokens: 2, cachedTokens: 3, reasoningTokens: 4 } },
	'a first token': { firstTokenAt: 3500 },
	'a first token before the start': { firstTokenAt: 500 },
	speeds: { tokensPerSecond: 7.5, draftAcceptanceRate: 0 },
	'no speed': { tokensPerSecond: Number.NaN },
	'an error': { errorType: 'busy' },
	'a secret in a model': { model: 'secret' },
};

const maskSecret = (text: string) => text.replaceAll('secret', '***');

test('each field sets its attributes', () => {
	const rows = Object.entries(FIELDS).map(([input, fields]) => {
		const attributes = toSpanAttributes({ ...PLAIN, ...fields }, maskSecret);
		const plain = toSpanAttributes(PLAIN, maskSecret);
		const changed = Object.entries(attributes).filter(
			([name, value]) => input === 'nothing' || plain[name] !== value,
		);
		// Its time of day depends on the process.
		const known = changed.map(([name, value]) =>
			name.endsWith('completion_start_time') ? [name, 'a time'] : [name, value],
		);
		return { input, outcome: Object.fromEntries(known) as unknown };
	});
	expectApproved(
		path.join(__dirname, 'attributes.approved.txt'),
		rows,
		'A field of an observation sets its attributes',
	);
});

test.each([
	{ lengths: [40_000, 40_000], kept: [40_000, 40_000] },
	{ lengths: [60_000, 60_000], kept: [39_946, 60_000] },
	{ lengths: [10, 120_000], kept: [100_000] },
])(
	'of messages with $lengths characters, about a hundred thousand at the end are kept: $kept',
	({ lengths, kept }) => {
		const messages = lengths.map((length) => ({ role: 'user', content: 'ä'.repeat(length) }));
		const parsed = JSON.parse(stringifyMessages(messages)) as Array<{
			parts: Array<{ content: string }>;
		}>;
		const sizes = parsed.map(({ parts }) => parts.map(({ content }) => content).join('').length);
		expect(sizes).toEqual(kept);
	},
);

const trace = (...messages: TracedMessage[]) =>
	JSON.parse(stringifyMessages(messages)) as Array<{ role: string; parts: object[] }>;

test('a message has its thinking, texts and calls in this order; of files only the type', () => {
	expect(
		trace(
			{
				role: 'user',
				content: [
					{ type: 'text', text: 'Look' },
					{ type: 'image_url' },
					{ type: 'text', text: '' },
					{ type: 'text', text: 'again' },
				],
			},
			{
				role: 'assistant',
				content: 'I look.',
				reasoning: 'A cat?',
				toolCalls: [
					{ id: 'a', name: 'see', arguments: '{"n":1}' },
					{ id: 'b', name: 'hear', arguments: '{}' },
				],
				finishReason: 'tool_calls',
			},
			{ role: 'tool', content: 'A cat.', toolCallId: 'a' },
			{ role: 'tool', content: [{ type: 'image_url' }], toolCallId: 'b' },
		),
	).toEqual([
		{
			role: 'user',
			parts: [
				{ type: 'text', content: 'Look' },
				{ type: 'image_url' },
				{ type: 'text', content: 'again' },
			],
		},
		{
			role: 'assistant',
			parts: [
				{ type: 'reasoning', content: 'A cat?' },
				{ type: 'text', content: 'I look.' },
				{ type: 'tool_call', id: 'a', name: 'see', arguments: '{"n":1}' },
				{ type: 'tool_call', id: 'b', name: 'hear', arguments: '{}' },
			],
			finish_reason: 'tool_calls',
		},
		{ role: 'tool', parts: [{ type: 'tool_call_response', id: 'a', response: 'A cat.' }] },
		{ role: 'tool', parts: [{ type: 'tool_call_response', id: 'b', response: '' }] },
	]);
});

test('of a conversation that is too long, the end stays: whole messages, and the end of the one before', () => {
	const word = 'word ';
	const long = word.repeat(18_000);
	const last = { role: 'assistant', content: 'Yes.' };
	for (const content of [long, [{ type: 'text', text: long }, { type: 'image_url' }]]) {
		const [first, second, ...more] = trace(
			{ role: 'user', content: 'Dropped' },
			{ role: 'user', content },
			{ role: 'user', content: long },
			last,
		);
		const [{ content: text }] = first!.parts as [{ content: string }];
		expect(text).toMatch(/^(?:word )+(?:word)?$/);
		expect(text.length).toBeGreaterThan(9_000);
		expect(text.length).toBeLessThan(10_000);
		expect(second!.parts).toEqual([{ type: 'text', content: long }]);
		expect(more).toEqual([{ role: 'assistant', parts: [{ type: 'text', content: 'Yes.' }] }]);
	}
});
