import fc from 'fast-check';

import { type ConversionOptions, convertMessages } from '../../../lib/chat/convert-messages';
import { type CachedToolCall, toServerToolCallId } from '../../../lib/chat/tool-calls';
import type { ChatMessage, InputMessage } from '../../../lib/chat/types';
import { examples } from '../../support/properties';

type Call = NonNullable<InputMessage['toolCalls']>[number];

const human = (content: unknown): InputMessage => ({ type: 'human', content });
const ai = (
	content: unknown,
	toolCalls?: Call[],
	more: Partial<InputMessage> = {},
): InputMessage => ({
	type: 'ai',
	content,
	...(toolCalls === undefined ? {} : { toolCalls }),
	...more,
});
/** An id as n8n gets it, of the call that the server named `id`, in the answer number `turn`. */
const own = (id: string, turn = 1) => `n8n${String(turn).repeat(9)}0_${id}`;
const result = (
	toolCallId: string,
	content: unknown = `result of ${toServerToolCallId(toolCallId)}`,
): InputMessage => ({
	type: 'tool',
	toolCallId,
	content,
});
const call = (
	id: string,
	name = 'get_weather',
	args: Record<string, unknown> = { city: id },
): Call => ({
	id,
	name,
	args,
});
/** As n8n's agent replays a call: alone, with empty content, its id put over the arguments. */
const replayed = (id: string, more: Partial<InputMessage> = {}): InputMessage =>
	ai([], [call(id, 'get_weather', { city: toServerToolCallId(id), id })], more);

function convert(source: InputMessage[], options: Partial<ConversionOptions> = {}): ChatMessage[] {
	return convertMessages(source, { thinkingHistory: 'toolTurns', ...options });
}

/** Remembers calls by the server's ids. */
function memoryOf(
	calls: Record<string, Partial<CachedToolCall>>,
): NonNullable<ConversionOptions['getCachedCall']> {
	return (callId) => {
		const id = toServerToolCallId(callId);
		const known = calls[id];
		return known === undefined
			? undefined
			: { text: '', reasoning: '', name: 'get_weather', arguments: `{"city": "${id}"}`, ...known };
	};
}

const wireCall = (id: string, args = `{"city":"${id}"}`) => ({
	id,
	name: 'get_weather',
	arguments: args,
});
const wireResult = (id: string): ChatMessage => ({
	role: 'tool',
	toolCallId: id,
	name: 'get_weather',
	content: `result of ${id}`,
});

describe('plain conversations', () => {
	it('keeps roles, order and text', () => {
		expect(
			convert([{ type: 'system', content: 'Be brief.' }, human('Hi'), ai('Hello'), human('Bye')]),
		).toEqual([
			{ role: 'system', content: 'Be brief.' },
			{ role: 'user', content: 'Hi' },
			{ role: 'assistant', content: 'Hello' },
			{ role: 'user', content: 'Bye' },
		]);
	});

	it('joins the texts of the system at the beginning, and nothing behind them', () => {
		const text = fc.string({ maxLength: 5 });
		fc.assert(
			fc.property(fc.array(text, { minLength: 1, maxLength: 4 }), text, (texts, late) => {
				const system = (content: string) => ({ type: 'system' as const, content });
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
		['assistant', 'assistant'],
		['ai', 'assistant'],
		['model', 'assistant'],
	])('gives a generic message of the role %s the role %s', (role, expected) => {
		expect(convert([{ type: 'generic', role, content: 'x' }])).toEqual([
			{ role: expected, content: 'x' },
		]);
	});

	it('sends an empty text for an empty list', () => {
		expect(convert([human([]), ai([])])).toEqual([
			{ role: 'user', content: '' },
			{ role: 'assistant', content: '' },
		]);
	});

	it.each([[undefined], [null]])('sends an empty text for %s', (content) => {
		expect(
			convert([human(content), ai(content), human('x')]).map((message) => message.content),
		).toEqual(['', '', 'x']);
	});

	it('joins blocks of text to a string', () => {
		expect(
			convert([
				human([{ type: 'text', text: 'a' }, 'b', { type: 'text', text: 'c' }]),
				ai([
					{ type: 'text', text: 'd' },
					{ type: 'text', text: 'e' },
				]),
			]),
		).toEqual([
			{ role: 'user', content: 'a\nb\nc' },
			{ role: 'assistant', content: 'd\ne' },
		]);
	});

	it('keeps pictures in the same message as their text, in their order', () => {
		const [message] = convert([
			human([
				{ type: 'text', text: 'Compare' },
				{ type: 'image_url', image_url: { url: 'data:image/png;base64,iVBO\nRw0=' } },
				{ type: 'image', mimeType: 'image/jpeg', data: '_9j_' },
				{ type: 'text', text: 'these two.' },
			]),
		]);
		expect(message).toEqual({
			role: 'user',
			content: [
				{ type: 'text', text: 'Compare' },
				{ type: 'image', url: 'data:image/png;base64,iVBORw0=' },
				{ type: 'image', url: 'data:image/jpeg;base64,/9j/' },
				{ type: 'text', text: 'these two.' },
			],
		});
	});

	it('fast-check: no two texts in a row are left for a template to write without anything between', () => {
		const url = 'data:image/png;base64,iVBORw0=';
		const part = fc.oneof(
			fc.string().map((text) => ({ type: 'text', text })),
			fc.constant({ type: 'image_url', image_url: { url } }),
		);
		fc.assert(
			fc.property(fc.string(), fc.array(part), (question, parts) => {
				const picture = { type: 'image_url', image_url: { url } };
				const [message] = convert([human(question), human([...parts, picture])]);
				const sent = message!.content as Array<{ type: string; text?: string }>;
				const texts = sent.map(({ text, type }) => text ?? type);
				const written = [{ text: question, type: 'text' }, ...parts, { type: 'image' }];
				expect(sent.some(({ type }, at) => type === 'text' && sent[at + 1]?.type === 'text')).toBe(
					false,
				);
				expect(texts.join('\n')).toBe(
					written.map((one) => ('text' in one ? one.text : 'image')).join('\n'),
				);
			}),
			examples(30),
		);
	});

	it('joins a picture with the question before it, as the agent of n8n hands them over', () => {
		const picture = { type: 'image_url', image_url: { url: 'data:image/png;base64,iVBORw0=' } };
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
					{ type: 'image', url: 'data:image/png;base64,iVBORw0=' },
				],
			},
			{ role: 'assistant', content: '', toolCalls: [wireCall('a')] },
			wireResult('a'),
		]);
	});

	it('joins a text file with the question before it, and leaves two questions apart', () => {
		expect(
			convert([
				human('Sum up'),
				human([{ type: 'text', text: 'File: a.csv' }]),
				ai('3'),
				human('x'),
				human('y'),
			]),
		).toEqual([
			{ role: 'user', content: 'Sum up\nFile: a.csv' },
			{ role: 'assistant', content: '3' },
			{ role: 'user', content: 'x' },
			{ role: 'user', content: 'y' },
		]);
	});

	it('keeps instructions apart from what follows them', () => {
		expect(
			convert([
				{ type: 'system', content: 'Be brief.' },
				human([{ type: 'text', text: 'Hi' }]),
				{ type: 'generic', role: 'developer', content: ['x'] },
			]),
		).toEqual([
			{ role: 'system', content: 'Be brief.' },
			{ role: 'user', content: 'Hi' },
			{ role: 'system', content: 'x' },
		]);
	});

	it('puts text files into the text', () => {
		const file = {
			type: 'file',
			source_type: 'base64',
			mime_type: 'text/csv',
			data: Buffer.from('a,b').toString('base64'),
		};
		expect(convert([human([{ type: 'text', text: 'Sum up' }, file])])).toEqual([
			{ role: 'user', content: 'Sum up\na,b' },
		]);
	});

	it('refuses a PDF and names it', () => {
		const pdf = {
			type: 'file',
			source_type: 'base64',
			mime_type: 'application/pdf',
			data: 'JVBERi0=',
			metadata: { filename: 'offer.pdf' },
		};
		expect(() => convert([human([{ type: 'text', text: 'Read' }, pdf])])).toThrow('offer.pdf');
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

	it('a result has the name of its call, in the running turn as from the memory', () => {
		const running = convert([ai('', [call('a')]), result('a')]);
		const remembered = convert([ai('', [call('a')]), { ...result('a'), name: 'get_weather' }]);
		expect(running).toEqual(remembered);
		expect(running[1]).toEqual(wireResult('a'));
	});

	it('a turn comes back as the model wrote it after a person approved or rejected its call', () => {
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
					const replay = ai('', [call(own('a'), 'get_weather', { ...args, id: own('a') })]);
					const [turn] = convert([replay, result(own('a'))], {
						getCachedCall,
						thinkingHistory: 'always',
					});
					expect(turn).toEqual({
						role: 'assistant',
						content: 'I ask.',
						reasoning: 'Hm',
						toolCalls: [{ id: 'a', name: 'get_weather', arguments: written }],
					});
				}
			}),
			examples(50),
		);
	});
});

describe('turns that n8n splits', () => {
	it('joins them by their ids, with the remembered arguments as the model wrote them', () => {
		const source = [
			human('Both?'),
			replayed(own('a')),
			result(own('a')),
			replayed(own('b')),
			result(own('b')),
		];
		expect(
			convert(source, {
				getCachedCall: memoryOf({
					a: { text: 'Let me see.', reasoning: 'Hm' },
					b: { text: 'Let me see.', reasoning: 'Hm' },
				}),
			}),
		).toEqual([
			{ role: 'user', content: 'Both?' },
			{
				role: 'assistant',
				content: 'Let me see.',
				reasoning: 'Hm',
				toolCalls: [wireCall('a', '{"city": "a"}'), wireCall('b', '{"city": "b"}')],
			},
			wireResult('a'),
			wireResult('b'),
		]);
	});

	it('joins them by the same thinking where their ids do not tell', () => {
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

	it('joins three parallel calls', () => {
		const source = [
			human('All?'),
			...['a', 'b', 'c'].map((id) => own(id)).flatMap((id) => [replayed(id), result(id)]),
		];
		const [, turn, ...results] = convert(source, {
			getCachedCall: memoryOf({ a: {}, b: {}, c: {} }),
		});
		expect(turn).toMatchObject({ toolCalls: [{ id: 'a' }, { id: 'b' }, { id: 'c' }] });
		expect(results).toEqual([wireResult('a'), wireResult('b'), wireResult('c')]);
		// The same where another worker made the calls, so that nothing is remembered.
		expect(convert(source)[1]).toMatchObject({
			toolCalls: [{ id: 'a' }, { id: 'b' }, { id: 'c' }],
		});
	});

	it('keeps turns apart that follow each other, though they think the same', () => {
		const ids = [own('a', 1), own('b', 2), own('c', 2), own('d', 3)];
		const source = [
			human('x'),
			...ids.flatMap((id) => [replayed(id, { reasoning: 'Hm' }), result(id)]),
		];
		expect(
			convert(source).map((message) =>
				message.role === 'assistant'
					? message.toolCalls?.map(({ id }) => id).join('+')
					: message.role,
			),
		).toEqual(['user', 'a', 'tool', 'b+c', 'tool', 'tool', 'd', 'tool']);
	});

	it('three rounds of a server that names every call call_0 are three turns with three thoughts (SGLang, vLLM issue 50295)', () => {
		const ids = [1, 2, 3].map((turn) => own('call_0', turn));
		const source = [
			human('x'),
			...ids.flatMap((id, index) => [
				replayed(id, { reasoning: `thought ${index}` }),
				result(id, `result ${index}`),
			]),
		];
		expect(convert(source, { thinkingHistory: 'always' })).toEqual([
			{ role: 'user', content: 'x' },
			...[0, 1, 2].flatMap((index) => [
				{
					role: 'assistant',
					content: '',
					reasoning: `thought ${index}`,
					toolCalls: [{ id: 'call_0', name: 'get_weather', arguments: '{"city":"call_0"}' }],
				},
				{ role: 'tool', toolCallId: 'call_0', name: 'get_weather', content: `result ${index}` },
			]),
		]);
	});

	it('does not join what thinks differently, does not think, or is only half ours', () => {
		const differently = [
			replayed('a', { reasoning: 'One' }),
			result('a'),
			replayed('b', { reasoning: 'Two' }),
			result('b'),
		];
		const without = [replayed('a'), result('a'), replayed('b'), result('b')];
		const half = [
			replayed(own('a'), { reasoning: 'Hm' }),
			result(own('a')),
			replayed('b', { reasoning: 'Hm' }),
			result('b'),
		];
		expect(convert(differently)).toHaveLength(4);
		expect(convert(without)).toHaveLength(4);
		expect(convert(without, { getCachedCall: memoryOf({ a: {} }) })).toHaveLength(4);
		expect(convert(half)).toHaveLength(4);
	});

	it('does not join over a question', () => {
		expect(
			convert([
				replayed('a', { reasoning: 'Hm' }),
				result('a'),
				human('and?'),
				replayed('b', { reasoning: 'Hm' }),
				result('b'),
			]),
		).toHaveLength(5);
	});

	it('joins calls whose results all come behind them', () => {
		const source = [
			replayed('a', { reasoning: 'Hm' }),
			replayed('b', { reasoning: 'Hm' }),
			result('b'),
			result('a'),
		];
		expect(convert(source)).toEqual([
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

	it('gives every call its own results where they cannot be joined', () => {
		expect(convert([replayed('a'), replayed('b'), result('a'), result('b')])).toEqual([
			{ role: 'assistant', content: '', toolCalls: [wireCall('a')] },
			wireResult('a'),
			{ role: 'assistant', content: '', toolCalls: [wireCall('b')] },
			wireResult('b'),
		]);
	});

	it('leaves a turn that came whole as it is', () => {
		const source = [
			human('Both?'),
			ai('Let me see.', [call('a'), call('b')], { reasoning: 'Hm' }),
			result('a'),
			result('b'),
			ai('Done.'),
		];
		expect(convert(source)).toEqual([
			{ role: 'user', content: 'Both?' },
			{
				role: 'assistant',
				content: 'Let me see.',
				reasoning: 'Hm',
				toolCalls: [wireCall('a'), wireCall('b')],
			},
			wireResult('a'),
			wireResult('b'),
			{ role: 'assistant', content: 'Done.' },
		]);
	});

	it('takes the remembered text only where the message has none', () => {
		const getCachedCall = memoryOf({ a: { text: 'remembered' } });
		expect(convert([ai('own', [call('a')]), result('a')], { getCachedCall })[0]).toMatchObject({
			content: 'own',
		});
		expect(convert([ai('', [call('a')]), result('a')], { getCachedCall })[0]).toMatchObject({
			content: 'remembered',
		});
	});

	it('uses the memory only for the same call', () => {
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

describe('what n8n puts into the arguments', () => {
	const argumentsOf = (
		args: Record<string, unknown>,
		getCachedCall?: ConversionOptions['getCachedCall'],
	) => {
		const [message] = convert([ai('', [{ id: 'a', name: 'get_weather', args }]), result('a')], {
			getCachedCall,
		});
		return message?.role === 'assistant' ? message.toolCalls?.[0]?.arguments : undefined;
	};

	it('takes the injected id out', () => {
		expect(argumentsOf({ city: 'Rome', id: 'a' })).toBe('{"city":"Rome"}');
	});

	it('keeps an id that is another', () => {
		expect(argumentsOf({ id: 'customer-7', city: 'Rome' })).toBe(
			'{"id":"customer-7","city":"Rome"}',
		);
		expect(argumentsOf({ id: 7 })).toBe('{"id":7}');
	});

	it('brings the id back that n8n has written over, where it is remembered', () => {
		const recall = memoryOf({ a: { arguments: '{"id": "customer-7"}', reasoning: 'Hm' } });
		expect(argumentsOf({ id: 'a' }, recall)).toBe('{"id": "customer-7"}');
	});

	it('takes the name of the tool out that toolkits get, only beside the id', () => {
		expect(argumentsOf({ city: 'Rome', tool: 'get_weather', id: 'a' })).toBe('{"city":"Rome"}');
		expect(argumentsOf({ city: 'Rome', tool: 'hammer', id: 'a' })).toBe(
			'{"city":"Rome","tool":"hammer"}',
		);
		expect(argumentsOf({ city: 'Rome', tool: 'get_weather' })).toBe(
			'{"city":"Rome","tool":"get_weather"}',
		);
	});

	it('finds a call of a toolkit in the memory', () => {
		const recall = memoryOf({ a: { arguments: '{"city": "Rome"}' } });
		expect(argumentsOf({ city: 'Rome', tool: 'get_weather', id: 'a' }, recall)).toBe(
			'{"city": "Rome"}',
		);
	});

	it('compares remembered arguments whatever their order and white space', () => {
		const recall = memoryOf({ a: { arguments: '{ "b": {"y": 1, "x": [1, 2]}, "a": null }' } });
		expect(argumentsOf({ a: null, b: { x: [1, 2], y: 1 }, id: 'a' }, recall)).toBe(
			'{ "b": {"y": 1, "x": [1, 2]}, "a": null }',
		);
		expect(argumentsOf({ a: null, b: { x: [2, 1], y: 1 }, id: 'a' }, recall)).toBe(
			'{"a":null,"b":{"x":[2,1],"y":1}}',
		);
	});

	it.each([
		['Calling get_weather with input: {"city":"Rome","id":"a"}', ''],
		['  Calling get_weather with input: {"city":"Rome","id":"a"}\n', ''],
		[
			'Calling get_weather with input: {"city":"Rome"}',
			'Calling get_weather with input: {"city":"Rome"}',
		],
		[
			'Calling get_weather with input: {"city":"Rome","id":"a"}!',
			'Calling get_weather with input: {"city":"Rome","id":"a"}!',
		],
		[
			'I am Calling get_weather with input: {"city":"Rome","id":"a"}',
			'I am Calling get_weather with input: {"city":"Rome","id":"a"}',
		],
		[
			'Calling other with input: {"city":"Rome","id":"a"}',
			'Calling other with input: {"city":"Rome","id":"a"}',
		],
	])('n8n 2.20: %j becomes %j', (content, expected) => {
		const [message] = convert([
			ai(content, [{ id: 'a', name: 'get_weather', args: { city: 'Rome', id: 'a' } }]),
			result('a'),
		]);
		expect(message).toMatchObject({ role: 'assistant', content: expected });
	});

	it('puts the remembered text in the place of that of n8n 2.20', () => {
		const content = 'Calling get_weather with input: {"city":"a","id":"a"}';
		const [message] = convert(
			[ai(content, [call('a', 'get_weather', { city: 'a', id: 'a' })]), result('a')],
			{
				getCachedCall: memoryOf({ a: { text: 'Let me see.' } }),
			},
		);
		expect(message).toMatchObject({ content: 'Let me see.' });
	});
});

describe('thinking', () => {
	const turn = (reasoning: string) => [ai('', [call('a')], { reasoning }), result('a')];
	const source = [
		human('one'),
		...turn('old turn'),
		ai('answer', undefined, { reasoning: 'of the answer' }),
		human('two'),
		...turn('new turn'),
	];
	const sent = (echo: ConversionOptions['thinkingHistory']) =>
		convert(source, { thinkingHistory: echo }).flatMap((message) =>
			message.role === 'assistant' && message.reasoning !== undefined ? [message.reasoning] : [],
		);

	it('is not sent back when never', () => {
		expect(sent('never')).toEqual([]);
	});
	it('is sent back in the running tool turn', () => {
		expect(sent('toolTurns')).toEqual(['new turn']);
	});
	it('is sent back with every message when always', () => {
		expect(sent('always')).toEqual(['old turn', 'of the answer', 'new turn']);
	});

	it('is taken from the message, from its blocks, from its tags, or from the memory, in this order', () => {
		const getCachedCall = memoryOf({ a: { reasoning: 'remembered' } });
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
		expect(reasoningOf('')).toBe('remembered');
	});

	it('is taken out of stored answers', () => {
		expect(convert([human('x'), ai('<think>\nHm\n</think>\n\nAnswer'), human('y')])).toEqual([
			{ role: 'user', content: 'x' },
			{ role: 'assistant', content: 'Answer' },
			{ role: 'user', content: 'y' },
		]);
	});

	it('blocks of calls and thinking are no text', () => {
		const content = [
			{ type: 'redacted_thinking', data: 'x' },
			{ type: 'text', text: 'See:' },
			{ type: 'tool_use', id: 'a', name: 'get_weather', input: {} },
		];
		expect(convert([ai(content, [call('a')]), result('a')])[0]).toMatchObject({ content: 'See:' });
	});
});

describe('incomplete calls', () => {
	it('case 75, 80: broken calls are dropped with their results', () => {
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

	it('a message with nothing but broken calls goes', () => {
		expect(
			convert([human('x'), ai('', [], { invalidToolCalls: [{ id: 'bad' }] }), result('bad')]),
		).toEqual([{ role: 'user', content: 'x' }]);
	});

	it('a call without a result is dropped, its text kept', () => {
		expect(convert([human('x'), ai('Let me see.', [call('a')]), human('y')])).toEqual([
			{ role: 'user', content: 'x' },
			{ role: 'assistant', content: 'Let me see.' },
			{ role: 'user', content: 'y' },
		]);
		expect(convert([human('x'), ai('', [call('a')]), human('y')])).toHaveLength(2);
	});

	it('a result without a call is dropped', () => {
		expect(convert([result('a'), human('x'), result('b')])).toEqual([
			{ role: 'user', content: 'x' },
		]);
	});

	it('a memory window that cuts between call and result leaves neither', () => {
		const whole = [
			human('x'),
			ai('', [call('a'), call('b')]),
			result('a'),
			result('b'),
			ai('Done.'),
			human('y'),
		];
		expect(convert(whole.slice(2))).toEqual([
			{ role: 'assistant', content: 'Done.' },
			{ role: 'user', content: 'y' },
		]);
		expect(convert(whole.slice(0, 3))[1]).toMatchObject({ toolCalls: [{ id: 'a' }] });
	});

	it('repeated ids are kept apart', () => {
		const source = [human('x'), ai('', [call('0')]), human('y'), ai('', [call('0')]), result('0')];
		expect(convert(source)).toEqual([
			{ role: 'user', content: 'x' },
			{ role: 'user', content: 'y' },
			{ role: 'assistant', content: '', toolCalls: [wireCall('0')] },
			wireResult('0'),
		]);
		const again = [
			human('x'),
			ai('', [call('0')]),
			result('0', 'first'),
			ai('', [call('0')]),
			result('0', 'second'),
		];
		expect(
			convert(again)
				.filter(({ role }) => role === 'tool')
				.map(({ content }) => content),
		).toEqual(['first', 'second']);
	});

	it('calls without ids get their results in order', () => {
		const nameless = (city: string): Call => ({ name: 'get_weather', args: { city } });
		const source: InputMessage[] = [
			ai('', [nameless('A'), nameless('B')]),
			{ type: 'tool', content: 'a' },
			{ type: 'tool', content: 'b' },
		];
		expect(
			convert(source)
				.slice(1)
				.map(({ content }) => content),
		).toEqual(['a', 'b']);
	});

	it('a second result of a call is dropped', () => {
		expect(convert([ai('', [call('a')]), result('a', 'one'), result('a', 'two')])).toHaveLength(2);
	});
});

describe('whatever the conversation', () => {
	const ids = fc.constantFrom('a', 'b', 'c', '0', own('a', 1), own('b', 1), own('a', 2));
	const reasoning = fc.constantFrom(undefined, '', 'Hm', 'Ah');
	const content = fc.constantFrom<unknown>(
		'',
		'text',
		[],
		'<think>t</think>x',
		[{ type: 'text', text: 'block' }],
		[{ type: 'thinking', thinking: 'b' }],
	);
	const calls = fc.array(
		fc.record({
			id: ids,
			name: fc.constantFrom('f', 'g'),
			args: fc.constantFrom<Record<string, unknown>>({}, { id: 'a' }, { x: 1, id: 'b' }),
		}),
		{ maxLength: 3 },
	);
	const message: fc.Arbitrary<InputMessage> = fc.oneof(
		fc.record({ type: fc.constant('human' as const), content: fc.constantFrom('q1', 'q2') }),
		fc.record({ type: fc.constant('system' as const), content: fc.constant('s') }),
		fc.record({
			type: fc.constant('ai' as const),
			content,
			toolCalls: calls,
			reasoning,
			invalidToolCalls: fc.constantFrom<Array<{ id: string }>>([], [{ id: 'c' }]),
		}),
		fc.record({
			type: fc.constant('ai' as const),
			content,
			toolCalls: calls.map((all) => all.slice(0, 1)),
			reasoning,
		}),
		fc.record({
			type: fc.constant('tool' as const),
			toolCallId: ids,
			content: fc.constantFrom('r1', 'r2'),
		}),
		fc.record({
			type: fc.constant('tool' as const),
			toolCallId: ids,
			content: fc.constantFrom('r1', 'r2'),
		}),
	);
	const conversations = fc.array(message, { maxLength: 14 });
	const getCachedCall: NonNullable<ConversionOptions['getCachedCall']> = (id) =>
		id === '0' ? undefined : { text: 'T', reasoning: 'R', name: 'f', arguments: '{}' };

	it('every result has its call right before it, and every call its result', () => {
		fc.assert(
			fc.property(conversations, fc.boolean(), (source, remembers) => {
				let open: string[] = [];
				for (const sent of convert(source, remembers ? { getCachedCall } : {})) {
					if (sent.role === 'tool') {
						expect(open[0]).toBe(sent.toolCallId);
						open.shift();
						continue;
					}
					expect(open).toEqual([]);
					open = sent.role === 'assistant' ? (sent.toolCalls ?? []).map(({ id }) => id) : [];
				}
				expect(open).toEqual([]);
			}),
			examples(1000),
		);
	});

	it('the same conversation gives the same bytes, and is not changed', () => {
		fc.assert(
			fc.property(conversations, (source) => {
				const before = JSON.stringify(source);
				const first = JSON.stringify(convert(source, { getCachedCall }));
				expect(JSON.stringify(convert(structuredClone(source), { getCachedCall }))).toBe(first);
				expect(JSON.stringify(source)).toBe(before);
			}),
		);
	});

	it('a longer conversation begins with the bytes of the shorter one, question by question', () => {
		fc.assert(
			fc.property(conversations, conversations, (earlier, later) => {
				// Up to a question nothing depends on what follows, apart from the thinking of the running turn.
				const options = { thinkingHistory: 'never' as const, getCachedCall };
				const short = convert([...earlier, human('q')], options);
				const long = convert([...earlier, human('q'), ...later], options);
				expect(long.slice(0, short.length)).toEqual(short);
			}),
		);
	});

	it('what was joined stays as it is when it is converted again', () => {
		const back = (sent: ChatMessage): InputMessage => {
			switch (sent.role) {
				case 'assistant':
					return ai(
						sent.content,
						sent.toolCalls?.map(({ id, name, arguments: args }) => ({
							id,
							name,
							args: JSON.parse(args) as Record<string, unknown>,
						})),
						{ reasoning: sent.reasoning },
					);
				case 'tool':
					return { type: 'tool', toolCallId: sent.toolCallId, content: sent.content };
				default:
					return { type: sent.role === 'system' ? 'system' : 'human', content: sent.content };
			}
		};
		fc.assert(
			fc.property(conversations, (source) => {
				// The ids that go to the server do not tell any more which calls were of one answer.
				fc.pre(!JSON.stringify(source).includes('n8n'));
				const once = convert(source, { thinkingHistory: 'always' });
				expect(convert(once.map(back), { thinkingHistory: 'always' })).toEqual(once);
			}),
			examples(500),
		);
	});
});
