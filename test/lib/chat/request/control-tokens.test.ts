import fc from 'fast-check';

import { withoutControlTokens } from '../../../../lib/chat/request/control-tokens';
import type { ChatMessage, ChatRequest } from '../../../../lib/chat/types';

const VOCABULARY = ['<|im_start|>', '<|im_end|>', '<|endoftext|>', '<end_of_turn>', '</s>'];

const user = (content: string): ChatMessage => ({ role: 'user', content });
const requestOf = (messages: ChatMessage[]): ChatRequest => ({
	model: 'm',
	messages,
	parameters: {},
	serverKind: 'llamaServer',
});

const ordinary = fc.oneof(
	fc.string({ unit: 'grapheme' }),
	fc.constantFrom(
		'<b>',
		'a <| b |> c',
		'<think>',
		'<|im_',
		'start|>',
		'<',
		'|>',
		'<|',
		'\n',
		'[x]',
	),
);
const texts = fc
	.array(fc.oneof(ordinary, fc.constantFrom(...VOCABULARY)))
	.map((parts) => parts.join(''));

it('finds a control token within what is written like another one', async () => {
	const inner = fc.constantFrom('<|im_end|>', '[INST]', '</s>', '<bos>', '<start_of_turn>');
	const around = fc.constantFrom(['<', '>'], ['[|', '|]'], ['<a', 'b>'], ['[|a', '|]'], ['<', '']);
	await fc.assert(
		fc.asyncProperty(
			inner,
			fc.array(around, { maxLength: 3 }),
			fc.nat(70),
			async (token, wraps, pad) => {
				const text = wraps.reduce<string>((within, [open, close]) => open + within + close, token);
				const content = `${'x'.repeat(249_950 + pad)}${text} ${text}`;
				const { request } = await withoutControlTokens(requestOf([user(content)]));
				const sent = request.messages[0]!.content as string;
				expect(sent).not.toContain(token);
				expect(sent.replaceAll('\u200b', '')).toBe(content);
			},
		),
		{ numRuns: 50 },
	);
});

it('leaves no control token in any text, and changes nothing else', async () => {
	await fc.assert(
		fc.asyncProperty(fc.array(texts), async (contents) => {
			const { request, notes } = await withoutControlTokens(requestOf(contents.map(user)));
			const sent = request.messages.map(({ content }) => content as string);
			expect(sent.filter((text) => VOCABULARY.some((token) => text.includes(token)))).toEqual([]);
			contents.forEach((text, at) => {
				if (!text.includes('\u200B')) expect(sent[at]!.replaceAll('\u200B', '')).toBe(text);
			});
			const hold = contents.some((text) => VOCABULARY.some((token) => text.includes(token)));
			if (hold) expect(notes.join()).toMatch(/hold control tokens of models/);
		}),
	);
});

it('changes all texts of messages and tools, but nothing that the model wrote', async () => {
	const bad = 'a <|im_end|>';
	const good = 'a <\u200B|im_end|>';
	const answer = {
		role: 'assistant' as const,
		content: bad,
		reasoning: bad,
		toolCalls: [{ id: bad, name: 'f', arguments: `{"a":"${bad}"}` }],
	};
	const picture = { type: 'image' as const, url: 'http://y/<|im_end|>' };
	const schemaOf = (text: string) => ({
		properties: { [text]: { type: 'string', title: text, description: text, enum: [text, 1] } },
		required: [text],
	});
	const { request } = await withoutControlTokens({
		...requestOf([
			{ role: 'system', content: bad },
			{ role: 'user', content: [{ type: 'text', text: bad }, picture] },
			answer,
			{ role: 'tool', toolCallId: bad, name: bad, content: bad },
		]),
		tools: [{ name: bad, description: bad, parameters: schemaOf(bad) }],
	});
	expect(request.messages).toEqual([
		{ role: 'system', content: good },
		{ role: 'user', content: [{ type: 'text', text: good }, picture] },
		{ ...answer, toolCalls: [{ ...answer.toolCalls[0], id: good }] },
		{ role: 'tool', toolCallId: good, name: good, content: good },
	]);
	expect(request.tools).toEqual([{ name: good, description: good, parameters: schemaOf(good) }]);
});

/** The names that are broken up in a text of all of these. */
async function brokenUp(names: string[]) {
	const { request } = await withoutControlTokens(requestOf(names.map(user)));
	return names.filter((name, at) => request.messages[at]!.content !== name);
}

it.each([
	['most families', '<|im_end|>', '<|eot_id|>'],
	['DeepSeek', '<｜User｜>', '<｜end▁of▁sentence｜>'],
	['Gemma', '<start_of_turn>', '<end_of_turn>'],
	['EXAONE', '[|system|]', '[|endofturn|]'],
	['MiniMax', ']~b]', '[e~['],
	['GLM', '[gMASK]', '<|user|>'],
	['GLM at the start of a prompt', '<sop>', '<eop>'],
	['Mistral', '[INST]', '[/INST]'],
])('knows the tokens of %s', async (_family, first, last) => {
	const others = ['[x](y)', '[ok]', '<b>', '<think>', '</div>', '<|>', 'a <| b |> c'];
	expect(await brokenUp([first, last, ...others])).toEqual([first, last]);
});

it('finds a token behind any number of other tags', async () => {
	const tags = Array.from({ length: 3_000 }, (_, at) => `<t${at}>`);
	expect(await brokenUp([...tags, '<end_of_turn>'])).toEqual(['<end_of_turn>']);
});

it('names the tokens in the note, five of them', async () => {
	const { notes } = await withoutControlTokens(
		requestOf([user('<|im_end|><|end|><|user|><|eot_id|><turn|><|call|><|start|>')]),
	);
	expect(notes).toEqual([
		expect.stringContaining('(<|im_end|>, <|end|>, <|user|>, <|eot_id|>, <turn|> and others)'),
	]);
});
