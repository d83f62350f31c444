import fc from 'fast-check';
import { convertMessages } from '../../../../lib/chat/prepare/convert-messages';
import type { CallLookup } from '../../../../lib/chat/prepare/convert-messages';
import { toServerToolCallId } from '../../../../lib/chat/tools/tool-call-ids';
import type { CachedToolCall } from '../../../../lib/chat/tools/tool-call-cache';
import type { InputMessage } from '../../../../lib/chat/input-message';
import type { ThinkingHistory } from '../../../../lib/chat/settings';
import { toInputMessage } from '../../../../lib/langchain/host-data';
import { examples } from '../../../support/jest/properties';
import { toInput, toShort } from '../../../support/texts/messages';
import type { ShortMessage } from '../../../support/texts/messages';

type Call = NonNullable<InputMessage['toolCalls']>[number];

const human = (content: unknown): InputMessage => toInput({ type: 'human', content });
const ai = (
	content: unknown,
	toolCalls?: Call[],
	fields: Partial<InputMessage> = {},
): InputMessage => ({
	...toInput({ type: 'ai', content, ...(toolCalls === undefined ? {} : { toolCalls }) }),
	...fields,
});
/** The ID passed to n8n for the server's `id` in the response number `turn`. */
const toN8nCallId = (id: string, turn = 1) => `n8n${String(turn).repeat(9)}0_${id}`;
/** The server's ID in such an ID; other IDs unchanged. */
const labelOf = (id: string) => id.replace(/^n8n\d{10}_/, '');
const result = (
	toolCallId: string,
	content: unknown = `result of ${labelOf(toolCallId)}`,
): InputMessage => toInput({ type: 'tool', toolCallId, content });
const call = (
	id: string,
	name = 'get_weather',
	args: Record<string, unknown> = { city: id },
): Call => ({
	id,
	name,
	args,
});
/** A call as replayed by n8n's agent: alone, with empty content, its ID written into the arguments. */
const replayed = (id: string, fields: Partial<InputMessage> = {}): InputMessage =>
	ai([], [call(id, 'get_weather', { city: labelOf(id), id })], fields);

function convert(
	source: InputMessage[],
	options: { thinkingHistory?: ThinkingHistory; getCachedCall?: CallLookup } = {},
): ShortMessage[] {
	return toShort(
		convertMessages(source, options.thinkingHistory ?? 'toolTurns', options.getCachedCall),
	);
}

/** Cached calls by the server's IDs. */
function memoryOf(calls: Record<string, Partial<CachedToolCall>>): CallLookup {
	return (callId) => {
		const id = labelOf(callId);
		const cached = calls[id];
		return cached === undefined
			? undefined
			: { text: '', reasoning: '', name: 'get_weather', arguments: `{"city": "${id}"}`, ...cached };
	};
}

const wireCall = (id: string, args = `{"city":"${labelOf(id)}"}`) => ({
	id: toServerToolCallId({ id, name: 'get_weather' }),
	name: 'get_weather',
	arguments: args,
});
const wireResult = (id: string): ShortMessage => ({
	role: 'tool',
	toolCallId: toServerToolCallId({ id, name: 'get_weather' }),
	name: 'get_weather',
	content: `result of ${labelOf(id)}`,
});

describe('plain conversations', () => {
	it('joins the system messages at the beginning, but not later ones', () => {
		const text = fc.string({ maxLength: 5 });
		fc.assert(
			fc.property(fc.array(text, { minLength: 1, maxLength: 4 }), text, (texts, late) => {
				const system = (content: string) => toInput({ type: 'system', content });
				expect(convert([...texts.map(system), human('Hi'), system(late)])).toEqual([
					{ role: 'system', content: texts.join('\n\n') },
					{ role: 'user', content: 'Hi' },
					{ role: 'system', content: late },
				]);
				expect(convert(texts.map(system))).toHaveLength(1);
			}),
		);
	});

	it.each([
		['system', 'system'],
		['developer', 'system'],
		['user', 'user'],
		['critic', 'user'],
		['tool', 'user'],
		['assistant', 'assistant'],
		['ai', 'assistant'],
		['model', 'assistant'],
	])('sends a generic message with the role %s as %s', (role, expected) => {
		expect(convert([toInputMessage({ getType: () => 'generic', role, content: 'x' })])).toEqual([
			{ role: expected, content: 'x' },
		]);
	});

	it.each([[undefined], [null], [[]], ['']])(
		'sends an empty text of a user, and omits one of the model, for %j',
		(content) => {
			expect(convert([human(content), ai(content), human('x')])).toEqual([
				{ role: 'user', content: '' },
				{ role: 'user', content: 'x' },
			]);
		},
	);

	it('never sends two text parts in a row, which templates would join without a separator', () => {
		const url = 'data:image/png;base64,iVBORw0KGgo=';
		const part = fc.oneof(
			fc.string().map((text) => ({ type: 'text', text })),
			fc.constant({ type: 'image_url', image_url: { url } }),
		);
		fc.assert(
			fc.property(fc.string(), fc.array(part), (question, parts) => {
				const picture = { type: 'image_url', image_url: { url } };
				const [message] = convert([human(question), human([...parts, picture])]);
				const sentContent = message!.content as Array<{ type: string; text?: string }>;
				const texts = sentContent.map(({ text, type }) => text ?? type);
				const written = [{ text: question, type: 'text' }, ...parts, { type: 'image' }];
				const types = sentContent.map(({ type }) => type).join(' ');
				expect(types).not.toContain('text text');
				expect(texts.join('\n')).toBe(
					written.map((one) => ('text' in one ? one.text : 'image')).join('\n'),
				);
			}),
			examples(30),
		);
	});

	it('joins an image with the question before it, as passed by n8n’s agent', () => {
		const picture = { type: 'image_url', image_url: { url: 'data:image/png;base64,iVBORw0KGgo=' } };
		expect(
			convert([
				human('Earlier'),
				ai('Yes'),
				human('What is it?'),
				human([picture]),
				replayed('a'),
				result('a'),
			]),
		).toEqual([
			{ role: 'user', content: 'Earlier' },
			{ role: 'assistant', content: 'Yes' },
			{
				role: 'user',
				content: [
					{ type: 'text', text: 'What is it?' },
					{ type: 'image', url: 'data:image/png;base64,iVBORw0KGgo=' },
				],
			},
			{ role: 'assistant', content: '', toolCalls: [wireCall('a')] },
			wireResult('a'),
		]);
	});

	it('sends results that are not text as JSON', () => {
		const source = [
			human('x'),
			ai('', [call('a'), call('b'), call('c')]),
			result('a', { ok: true }),
			result('b', [{ type: 'text', text: 'one' }, { rows: 2 }]),
			result('c', null),
		];
		expect(
			convert(source)
				.slice(2)
				.map((message) => message.content),
		).toEqual(['{"ok":true}', 'one\n{"rows":2}', '']);
	});

	it('a tool result has the name of its call, in the running turn and from the memory', () => {
		const running = convert([ai('', [call('a')]), result('a')]);
		const remembered = convert([ai('', [call('a')]), { ...result('a'), name: 'get_weather' }]);
		expect(running).toEqual(remembered);
		expect(running[1]).toEqual(wireResult('a'));
	});

	it('after a user approved or rejected a tool call, the turn is sent as the model wrote it', () => {
		const json = fc.jsonValue({ maxDepth: 2 });
		const fields = fc.dictionary(fc.constantFrom('city', 'days', 'toolParameters'), json);
		fc.assert(
			fc.property(fields, fields, (toolParameters, hitlParameters) => {
				const written = JSON.stringify({ toolParameters, hitlParameters }, null, 1);
				const getCachedCall = memoryOf({
					a: { text: 'I ask.', reasoning: 'Hm', arguments: written },
				});
				const rejected = { ...hitlParameters, toolParameters, tool: 'get_weather' };
				for (const args of [toolParameters, rejected]) {
					const replay = ai('', [
						call(toN8nCallId('a'), 'get_weather', { ...args, id: toN8nCallId('a') }),
					]);
					const [turn] = convert([replay, result(toN8nCallId('a'))], {
						getCachedCall,
						thinkingHistory: 'always',
					});
					expect(turn).toEqual({
						role: 'assistant',
						content: 'I ask.',
						reasoning: 'Hm',
						toolCalls: [wireCall(toN8nCallId('a'), written)],
					});
				}
			}),
			examples(50),
		);
	});
});

describe('turns that n8n splits into one message per call', () => {
	it('joins them by equal reasoning if their IDs have no turn', () => {
		const source = [
			human('Both?'),
			replayed('a', { reasoning: 'Hm' }),
			result('a'),
			replayed('b', { reasoning: 'Hm' }),
			result('b'),
		];
		expect(convert(source)).toEqual([
			{ role: 'user', content: 'Both?' },
			{
				role: 'assistant',
				content: '',
				reasoning: 'Hm',
				toolCalls: [wireCall('a'), wireCall('b')],
			},
			wireResult('a'),
			wireResult('b'),
		]);
	});

	it('keeps successive turns separate even if their reasoning is equal', () => {
		const ids = [
			toN8nCallId('a', 1),
			toN8nCallId('b', 2),
			toN8nCallId('c', 2),
			toN8nCallId('d', 3),
		];
		const source = [
			human('x'),
			...ids.flatMap((id) => [replayed(id, { reasoning: 'Hm' }), result(id)]),
		];
		expect(
			convert(source).map((message) =>
				message.role === 'assistant'
					? message.toolCalls?.map((toolCall) => toolCall.arguments).join('+')
					: message.role,
			),
		).toEqual([
			'user',
			'{"city":"a"}',
			'tool',
			'{"city":"b"}+{"city":"c"}',
			'tool',
			'tool',
			'{"city":"d"}',
			'tool',
		]);
	});

	it('does not join calls with different reasoning, without reasoning, or with only one of our IDs', () => {
		const differently = [
			replayed('a', { reasoning: 'One' }),
			result('a'),
			replayed('b', { reasoning: 'Two' }),
			result('b'),
		];
		const without = [replayed('a'), result('a'), replayed('b'), result('b')];
		const half = [
			replayed(toN8nCallId('a'), { reasoning: 'Hm' }),
			result(toN8nCallId('a')),
			replayed('b', { reasoning: 'Hm' }),
			result('b'),
		];
		expect(convert(differently)).toHaveLength(4);
		expect(convert(without)).toHaveLength(4);
		expect(convert(without, { getCachedCall: memoryOf({ a: {} }) })).toHaveLength(4);
		expect(convert(half)).toHaveLength(4);
	});

	it('uses the cached text only if the message has none', () => {
		const getCachedCall = memoryOf({ a: { text: 'cached' } });
		expect(convert([ai('own', [call('a')]), result('a')], { getCachedCall })[0]).toMatchObject({
			content: 'own',
		});
		expect(convert([ai('', [call('a')]), result('a')], { getCachedCall })[0]).toMatchObject({
			content: 'cached',
		});
	});

	it.each(['{"city":', '["a"]', '', 'null'])(
		'uses no cached call whose arguments are no object: %s',
		(args) => {
			const getCachedCall = memoryOf({ a: { reasoning: 'cached', arguments: args } });
			const [message] = convert([ai('', [call('a')]), result('a')], { getCachedCall });
			expect(message).toEqual({ role: 'assistant', content: '', toolCalls: [wireCall('a')] });
		},
	);

	it('uses the cache only for the same call', () => {
		const getCachedCall = memoryOf({ a: { reasoning: 'of another call' } });
		expect(
			convert([ai('', [call('a', 'other_tool')]), result('a')], { getCachedCall })[0],
		).not.toHaveProperty('reasoning');
		expect(
			convert([ai('', [call('a', 'get_weather', { city: 'elsewhere' })]), result('a')], {
				getCachedCall,
			})[0],
		).not.toHaveProperty('reasoning');
	});
});

describe('arguments that n8n adds', () => {
	const argumentsOf = (args: Record<string, unknown>, getCachedCall?: CallLookup) => {
		const [message] = convert([ai('', [{ id: 'a', name: 'get_weather', args }]), result('a')], {
			getCachedCall,
		});
		return message?.role === 'assistant' ? message.toolCalls?.[0]?.arguments : undefined;
	};

	const ROME = '"city":"Rome"';
	it.each([
		[`{${ROME},"id":"a"}`, `{${ROME}}`],
		[`{"id":"customer-7",${ROME}}`, `{"id":"customer-7",${ROME}}`],
		['{"id":7}', '{"id":7}'],
		[`{${ROME},"tool":"get_weather","id":"a"}`, `{${ROME}}`],
		[`{${ROME},"tool":"hammer","id":"a"}`, `{${ROME},"tool":"hammer"}`],
		[`{${ROME},"tool":"get_weather"}`, `{${ROME},"tool":"get_weather"}`],
	])('%s are sent as %s', (args, expected) => {
		expect(argumentsOf(JSON.parse(args) as Record<string, unknown>)).toBe(expected);
	});

	it('restores a cached ID that n8n has overwritten', () => {
		const recall = memoryOf({ a: { arguments: '{"id": "customer-7"}', reasoning: 'Hm' } });
		expect(argumentsOf({ id: 'a' }, recall)).toBe('{"id": "customer-7"}');
	});

	it('compares cached arguments regardless of order and white space', () => {
		const recall = memoryOf({ a: { arguments: '{ "b": {"y": 1, "x": [1, 2]}, "a": null }' } });
		expect(argumentsOf({ a: null, b: { x: [1, 2], y: 1 }, id: 'a' }, recall)).toBe(
			'{ "b": {"y": 1, "x": [1, 2]}, "a": null }',
		);
		expect(argumentsOf({ a: null, b: { x: [2, 1], y: 1 }, id: 'a' }, recall)).toBe(
			'{"a":null,"b":{"x":[2,1],"y":1}}',
		);
	});

	const CALLING = 'Calling get_weather with input: {"city":"Rome","id":"a"}';
	it.each<[string, string]>([
		[CALLING, ''],
		[`  ${CALLING}\n`, ''],
		...[
			CALLING.replace(',"id":"a"', ''),
			`${CALLING}!`,
			`I am ${CALLING}`,
			CALLING.replace('get_weather', 'other'),
		].map((text): [string, string] => [text, text]),
	])('n8n 2.20: %j becomes %j', (content, expected) => {
		const [message] = convert([
			ai(content, [{ id: 'a', name: 'get_weather', args: { city: 'Rome', id: 'a' } }]),
			result('a'),
		]);
		expect(message).toMatchObject({ role: 'assistant', content: expected });
	});
});

describe('reasoning', () => {
	const turn = (reasoning: string) => [ai('', [call('a')], { reasoning }), result('a')];
	const source = [
		human('one'),
		...turn('old turn'),
		ai('answer', undefined, { reasoning: 'of the answer' }),
		human('two'),
		...turn('new turn'),
	];
	const sentReasoning = (echo: ThinkingHistory) =>
		convert(source, { thinkingHistory: echo }).flatMap((message) =>
			message.role === 'assistant' && message.reasoning !== undefined ? [message.reasoning] : [],
		);

	it.each<[ThinkingHistory, string[]]>([
		['never', []],
		['toolTurns', ['new turn']],
		['always', ['old turn', 'of the answer', 'new turn']],
	])('is sent with "%s": %j', (echo, sent) => {
		expect(sentReasoning(echo)).toEqual(sent);
	});

	it('is read from the message, its blocks, its tags or the cache, in this order', () => {
		const getCachedCall = memoryOf({ a: { reasoning: 'cached' } });
		const reasoningOf = (content: unknown, more: Partial<InputMessage> = {}) => {
			const [message] = convert([ai(content, [call('a')], more), result('a')], { getCachedCall });
			return message?.role === 'assistant' ? message.reasoning : undefined;
		};
		const blocks = [
			{ type: 'thinking', thinking: 'in a block' },
			{ type: 'text', text: '<think>in tags</think>x' },
		];
		expect(reasoningOf(blocks, { reasoning: 'own' })).toBe('own');
		expect(reasoningOf(blocks)).toBe('in a block');
		expect(
			reasoningOf([
				{ type: 'reasoning', reasoning: 'in a ' },
				{ type: 'reasoning', reasoning: 'block' },
			]),
		).toBe('in a block');
		expect(reasoningOf('<think>in tags</think>x')).toBe('in tags');
		expect(reasoningOf('')).toBe('cached');
	});

	it('is removed from stored responses', () => {
		expect(convert([human('x'), ai('<think>\nHm\n</think>\n\nAnswer'), human('y')])).toEqual([
			{ role: 'user', content: 'x' },
			{ role: 'assistant', content: 'Answer' },
			{ role: 'user', content: 'y' },
		]);
	});
});

describe('incomplete calls', () => {
	it('case 75, 80: invalid calls are omitted with their results', () => {
		const source = [
			human('x'),
			ai('', [call('good')], { invalidToolCalls: [{ id: 'bad', name: 'f' }] }),
			result('bad'),
			result('good'),
		];
		expect(convert(source)).toEqual([
			{ role: 'user', content: 'x' },
			{ role: 'assistant', content: '', toolCalls: [wireCall('good')] },
			wireResult('good'),
		]);
	});

	it('a message with only invalid calls is omitted', () => {
		expect(
			convert([human('x'), ai('', [], { invalidToolCalls: [{ id: 'bad' }] }), result('bad')]),
		).toEqual([{ role: 'user', content: 'x' }]);
	});

	it('a call without a result is omitted, but its text is kept', () => {
		expect(convert([human('x'), ai('Let me see.', [call('a')]), human('y')])).toEqual([
			{ role: 'user', content: 'x' },
			{ role: 'assistant', content: 'Let me see.' },
			{ role: 'user', content: 'y' },
		]);
		expect(convert([human('x'), ai('', [call('a')]), human('y')])).toHaveLength(2);
	});

	it('calls with equal IDs keep their own results', () => {
		const source = [human('x'), ai('', [call('0')]), human('y'), ai('', [call('0')]), result('0')];
		expect(convert(source)).toEqual([
			{ role: 'user', content: 'x' },
			{ role: 'user', content: 'y' },
			{ role: 'assistant', content: '', toolCalls: [wireCall('0')] },
			wireResult('0'),
		]);
		const repeatedIds = [
			human('x'),
			ai('', [call('0')]),
			result('0', 'first'),
			ai('', [call('0')]),
			result('0', 'second'),
		];
		expect(
			convert(repeatedIds)
				.filter(({ role }) => role === 'tool')
				.map(({ content }) => content),
		).toEqual(['first', 'second']);
	});

	it('calls without IDs get their results in order', () => {
		const nameless = (city: string): Call => ({ name: 'get_weather', args: { city } });
		const source: InputMessage[] = [
			ai('', [nameless('A'), nameless('B')]),
			toInput({ type: 'tool', content: 'a' }),
			toInput({ type: 'tool', content: 'b' }),
		];
		expect(
			convert(source)
				.slice(1)
				.map(({ content }) => content),
		).toEqual(['a', 'b']);
	});

	it('a second result of a call is omitted', () => {
		expect(convert([ai('', [call('a')]), result('a', 'one'), result('a', 'two')])).toHaveLength(2);
	});
});

describe('each text keeps who wrote it', () => {
	const text = (content: string) => ({ type: 'text', text: content });
	const file = text('File: a.txt\nContent:\nhello');
	const image = { type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA' } };
	const system = (content: string) => toInput({ type: 'system', content });
	const filePart = { type: 'text' as const, text: 'B', origin: 'foreign' as const };

	it.each([
		{ what: 'a question', messages: [human('Hi')], origins: { Hi: 'user' } },
		{ what: 'a question as a block', messages: [human([text('Hi')])], origins: { Hi: 'user' } },
		{
			what: "a file of n8n's agent",
			messages: [human('Hi'), human([file, image])],
			origins: { Hi: 'user', [file.text]: 'foreign' },
		},
		{ what: 'a file alone', messages: [human([file])], origins: { [file.text]: 'foreign' } },
		{
			what: 'a file before a question',
			messages: [human([file]), human('Hi')],
			origins: { [file.text]: 'foreign', Hi: 'user' },
		},
		{
			what: 'a second text',
			messages: [human([text('Hi'), text('B')])],
			origins: { Hi: 'user', B: 'foreign' },
		},
		{
			what: 'a file of the node',
			messages: [{ ...human('Hi'), files: [filePart] }],
			origins: { Hi: 'user', B: 'foreign' },
		},
		{
			what: 'two system messages',
			messages: [system('A'), system('B'), human('Hi')],
			origins: { A: 'foreign', '': 'node', B: 'foreign', Hi: 'user' },
		},
		{
			what: 'a result with an image',
			messages: [human('Hi'), ai('Look', [call('a')]), result('a', [text('Here'), image])],
			origins: {
				Hi: 'user',
				Look: 'model',
				'Here\n[Image 1, below]': 'foreign',
				'The images from the results above:': 'node',
			},
		},
		{
			what: 'what a memory keeps of results',
			messages: [
				human('Hi'),
				ai('[Used tools: Tool: a, Input: {}, Result: b] It is'),
				human('So?'),
			],
			origins: { Hi: 'user', 'It is': 'foreign', 'So?': 'user' },
		},
	])('$what', ({ messages, origins }) => {
		const texts = convertMessages(messages, 'never').flatMap((message) =>
			message.role === 'assistant' || message.role === 'tool'
				? [[message.content, message.origin]]
				: message.content.flatMap((part) =>
						part.type === 'text' ? [[part.text, part.origin]] : [],
					),
		);
		expect(texts).toEqual(Object.entries(origins));
	});
});
