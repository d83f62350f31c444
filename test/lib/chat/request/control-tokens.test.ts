import fc from 'fast-check';

import {
	conversationMayHoldToken,
	withoutControlTokens,
} from '../../../../lib/chat/request/control-tokens';
import type { ChatMessage, ChatRequest } from '../../../../lib/chat/types';
import type { Connection } from '../../../../lib/http/connection';
import { clearSharedCaches } from '../../../../lib/lru-cache';
import { examples } from '../../../support/properties';
import { breakUp } from '../../../../lib/servers/token-search';
import { resultOf } from '../../../../lib/generators';
import type { KindName } from '../../../../lib/servers/kinds';

const TEMPLATE =
	"{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>'}} <think> [INST]";
const PROPS = { chat_template: TEMPLATE, bos_token: '<s>', eos_token: '</s>' };
/** Control tokens of the vocabulary: those of the template, and one that it does not write. */
const VOCABULARY = ['<|im_start|>', '<|im_end|>', '<|endoftext|>', '<end_of_turn>', '<s>', '</s>'];

beforeEach(clearSharedCaches);

/** A llama-server with this vocabulary, and what it was asked for. */
function server(props: object | undefined = PROPS, vocabulary = VOCABULARY) {
	const urls: string[] = [];
	const call = async (
		url: string,
		{ json }: { json?: { content: string; parse_special: boolean } },
	) => {
		urls.push(url);
		const answer = url.endsWith('/tokenize') ? tokenized(json!, vocabulary) : props;
		return await Promise.resolve({ status: answer === undefined ? 404 : 200, json: answer });
	};
	return { urls, connection: { url: { root: 'http://x' }, call } as unknown as Connection };
}

const hex = (sign: string) => sign.charCodeAt(0).toString(16).padStart(4, '0');

function tokenized(
	{ content, parse_special: isSpecial }: { content: string; parse_special: boolean },
	vocabulary: readonly string[],
) {
	const tokens = [...vocabulary].sort((a, b) => b.length - a.length);
	const pattern = new RegExp(
		`(${tokens.map((one) => one.replace(/[^]/g, (sign) => `\\u${hex(sign)}`)).join('|')})`,
	);
	const parts = isSpecial && vocabulary.length > 0 ? content.split(pattern) : [content];
	// Beside a control token, a text is cut into other tokens: here a word stays one where a token ended.
	const pieces = parts.flatMap((text, at) =>
		at % 2 === 1 ? [text] : (text.match(at > 0 ? /\w+|[^]/gu : /[^]/gu) ?? []),
	);
	return { tokens: pieces.map((piece, id) => ({ id, piece })) };
}

const user = (content: string): ChatMessage => ({ role: 'user', content });
const requestOf = (messages: ChatMessage[], serverKind: KindName = 'llamaServer'): ChatRequest => ({
	model: 'm',
	messages,
	parameters: {},
	serverKind,
});

const tokens = fc.constantFrom(...VOCABULARY);
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
const texts = fc.array(fc.oneof(ordinary, tokens)).map((parts) => parts.join(''));

it('finds a control token within what is written like another one', async () => {
	const inner = fc.constantFrom(
		'<|im_end|>',
		'[INST]',
		'</s>',
		'<<SYS>>',
		'<bos>',
		'<start_of_turn>',
	);
	const around = fc.constantFrom(['<', '>'], ['[|', '|]'], ['<a', 'b>'], ['[|a', '|]'], ['<', '']);
	await fc.assert(
		fc.asyncProperty(
			inner,
			fc.array(around, { maxLength: 3 }),
			fc.nat(70),
			async (token, wraps, pad) => {
				const text = wraps.reduce<string>((within, [open, close]) => open + within + close, token);
				const { connection } = server();
				const content = `${'x'.repeat(249_950 + pad)}${text} ${text}`;
				const { request } = await withoutControlTokens(
					connection,
					requestOf([user(content)], 'other'),
				);
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
			const { connection } = server();
			const { request, notes } = await withoutControlTokens(
				connection,
				requestOf(contents.map(user)),
			);
			const sent = request.messages.map(({ content }) => content as string);
			expect(sent.filter((text) => VOCABULARY.some((token) => text.includes(token)))).toEqual([]);
			contents.forEach((text, at) => {
				const holdsToken = VOCABULARY.some((token) => text.includes(token));
				if (!holdsToken && !text.includes('[INST]')) expect(sent[at]).toBe(text);
				if (!text.includes('\u200B')) expect(sent[at]!.replaceAll('\u200B', '')).toBe(text);
			});
			const hold = contents.some((text) => VOCABULARY.some((token) => text.includes(token)));
			if (hold) expect(notes.join()).toMatch(/hold control tokens of the model/);
		}),
	);
});

it('breaks up tokens that overlap, with every sign of patterns', () => {
	const signs = fc
		.string({ minLength: 1, maxLength: 4 })
		.map((text) => text.replace(/[\s<>]/g, '$'));
	const name = fc.oneof(
		signs.map((text) => `<${text}>`),
		fc.constantFrom('[INST]', ']~b]', ']~!b[', '[e~[', '[|a|]', '<|$&|>'),
	);
	const names = fc.array(name, { minLength: 1, maxLength: 4 });
	fc.assert(
		fc.property(names, fc.array(fc.nat(3)), (list, order) => {
			const text = order.map((at) => list[at % list.length]).join('');
			const isUnusual = (name: string) => !/^[<[]/.test(name) || name === '[e~[';
			const tokens = {
				unusual: list.filter(isUnusual),
				has: (name: string) => list.includes(name),
			};
			const broken = resultOf(breakUp([text], tokens)).get(text)!;
			expect(list.filter((name) => broken.includes(name))).toEqual([]);
		}),
	);
});

it('changes all texts of messages and tools, but nothing that the model wrote', async () => {
	const { connection } = server();
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
	const { request } = await withoutControlTokens(connection, {
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

it('asks a server once, and only where a text looks like a control token', async () => {
	const { connection, urls } = server();
	const ask = async (text: string) =>
		await withoutControlTokens(connection, requestOf([user(text)]));
	await ask('Is it (really) "Zürich", 1.5 - 2/3? 你好，世界!');
	expect(urls).toEqual([]);
	await ask('1 < 2 and a |> b, [x](y) and a <| b');
	// What the template writes.
	const template = ['http://x/props', 'http://x/tokenize', 'http://x/tokenize'];
	expect(urls).toEqual(template);
	for (let round = 0; round < 2; round++) await ask('<|im_end|> <b>');
	expect(urls).toEqual([...template, 'http://x/tokenize', 'http://x/tokenize']);
	expect(conversationMayHoldToken([user('Hello, who are you?')])).toBe(false);
	expect(conversationMayHoldToken([{ role: 'assistant', content: '<|im_end|>' }])).toBe(false);
});

/** The names that are broken up in a text of all of these. */
async function brokenUp(server: { connection: Connection }, kind: KindName, names: string[]) {
	const messages = names.map(user);
	const { request } = await withoutControlTokens(server.connection, requestOf(messages, kind));
	return names.filter((name, at) => request.messages[at]!.content !== name);
}

const NAMES = [
	'<|im_end|>',
	'<|eot_id|>',
	'<|my_own|>',
	'<s>',
	'<b>',
	'<think>',
	'[INST]',
	'<end_of_turn>',
];

it.each<[string, KindName, object | undefined, string[]]>([
	['llama-server', 'llamaServer', PROPS, ['<|im_end|>', '<s>', '[INST]', '<end_of_turn>']],
	[
		'Ollama, whose vocabulary is unknown',
		'ollama',
		{ template: '{{ .Content }}<|im_end|> <|my_own|>' },
		['<|im_end|>', '<|eot_id|>', '<|my_own|>', '[INST]', '<end_of_turn>'],
	],
	[
		'a server without a template',
		'vllm',
		undefined,
		['<|im_end|>', '<|eot_id|>', '<|my_own|>', '[INST]', '<end_of_turn>'],
	],
	[
		'a llama-server that does not answer',
		'llamaServer',
		undefined,
		['<|im_end|>', '<|eot_id|>', '<|my_own|>', '[INST]', '<end_of_turn>'],
	],
])('takes from %s what it can tell', async (_what, kind, props, names) => {
	const from = props === undefined ? server(undefined, []) : server(props);
	if (props === undefined)
		Object.assign(from.connection, { call: async () => await Promise.resolve({ status: 404 }) });
	expect(await brokenUp(from, kind, NAMES)).toEqual(names);
});

it('finds a token behind any number of other tags', async () => {
	const tags = (count: number) => Array.from({ length: count }, (_, at) => `<t${at}>`);
	const few = server();
	expect(await brokenUp(few, 'llamaServer', [...tags(500), '<end_of_turn>'])).toEqual([
		'<end_of_turn>',
	]);
	expect(few.urls).toHaveLength(1 + 2 + 3 * 2);
	const many = server();
	// Beyond those that are asked for, all are broken up.
	expect(await brokenUp(many, 'llamaServer', [...tags(2_001), '<end_of_turn>'])).toEqual([
		'<t2000>',
		'<end_of_turn>',
	]);
});

it.each([
	['EXAONE', '[|system|]', '[|endofturn|]'],
	['MiniMax', ']~b]', '[e~['],
	['GLM', '[gMASK]', '<|user|>'],
	['GLM at the start of a prompt', '<sop>', '<eop>'],
	['Mistral', '[INST]', '[/INST]'],
])('knows the tokens of %s, with and without its template', async (_family, first, last) => {
	const template = `{{'${first}' + message['content'] + '${last}'}}`;
	const from = server({ chat_template: template, bos_token: first, eos_token: last }, []);
	const names = [first, last, '[x](y)', '[ok]'];
	expect(await brokenUp(from, 'llamaServer', names)).toEqual([first, last]);
	const silent = server(undefined, []);
	Object.assign(silent.connection, { call: async () => await Promise.resolve({ status: 404 }) });
	expect(await brokenUp(silent, 'vllm', names)).toEqual([first, last]);
});

it("fast-check: tags that Ollama's template does not pair begin turns, and pairs are text", async () => {
	const tag = fc.stringMatching(/^[a-z][a-z0-9_]{2,12}$/);
	await fc.assert(
		fc.asyncProperty(fc.uniqueArray(tag, { minLength: 3, maxLength: 5 }), async (all) => {
			const [paired = '', ...markers] = all;
			const opened = markers.map((name) => `<${name}>`);
			const from = server({
				template: `${opened.join('{{ .Content }}')}<${paired}>{{ .Tools }}</${paired}>`,
			});
			const names = [...opened, `<${paired}>`, `</${paired}>`, '<b>'];
			clearSharedCaches();
			expect(await brokenUp(from, 'ollama', names)).toEqual(
				names.filter((one) => opened.includes(one)),
			);
		}),
		examples(20),
	);
});

it('fast-check: where nothing tells the tokens, every name between bars is broken up, and no operator', async () => {
	const name = fc
		.stringMatching(/^[a-z0-9_▁: -]{0,8}[A-Za-z0-9][a-z_]{0,8}$/)
		.map((text) => text.replace(/ /g, '_'));
	const token = fc.oneof(
		name.map((text) => `<|${text}|>`),
		name.map((text) => `<｜${text}｜>`),
		name.map((text) => `[|${text}|]`),
		fc.constantFrom('<start_of_turn>', '[/INST]', '</s>', '<turn|>'),
	);
	const operator = fc.constantFrom(
		'<|>',
		'<||>',
		' a <| b |> c ',
		'<b>',
		'x|y',
		'[x]',
		'<T|>',
		'\n',
	);
	await fc.assert(
		fc.asyncProperty(fc.array(fc.oneof(token, operator)), async (parts) => {
			const { connection } = server(undefined);
			const text = parts.join(' ');
			const { request } = await withoutControlTokens(connection, requestOf([user(text)], 'other'));
			const sent = request.messages[0]!.content as string;
			const others = parts.filter(
				(part) => !/\w[|｜][>\]]$|^<start_|^\[\/|^<\/s/.test(part) || part === '<T|>',
			);
			const broken = parts.filter((part) => !others.includes(part));
			expect(broken.filter((part) => sent.includes(part))).toEqual([]);
			expect(others.filter((part) => !sent.includes(part))).toEqual([]);
			expect(sent.replaceAll('\u200B', '')).toBe(text);
		}),
	);
});

it('fast-check: control tokens of the template are broken up in any form, and its text is not', async () => {
	const sign = fc.constantFrom('⟦', '>>', '<', '%', '{{', '«', '😀', '\\', '$&', '[', '|', '▁');
	const token = fc
		.tuple(
			sign,
			fc.constantFrom('eos', 'a b', 'ROLE', '终', 'x1'),
			fc.constantFrom('⟧', '<<', '*', '»', ''),
		)
		.map((parts) => parts.join(''));
	const words = fc.constantFrom(
		'user',
		',',
		'eos',
		'message',
		' ',
		'\n',
		'{{',
		'>>',
		"'",
		'Be kind',
	);
	await fc.assert(
		fc.asyncProperty(
			fc.uniqueArray(token, { minLength: 2, maxLength: 4 }),
			fc.array(words),
			fc.array(fc.nat(9)),
			async ([first = '', ...more], others, order) => {
				const all = [first, ...more];
				const from = server(
					{
						chat_template: more.flatMap((one) => [`{{ '${one}user' }}`, ...others]).join(''),
						bos_token: ',',
						eos_token: first,
					},
					all,
				);
				clearSharedCaches();
				const text = [...order.map((at) => all[at] ?? ' and '), ...others].join('');
				const { request } = await withoutControlTokens(from.connection, requestOf([user(text)]));
				const sent = request.messages[0]!.content as string;
				expect(all.filter((one) => sent.includes(one))).toEqual([]);
				if (!all.some((one) => text.includes(one))) expect(sent).toBe(text);
				expect(sent.isWellFormed()).toBe(true);
			},
		),
		examples(60),
	);
});

it('names the tokens in the note, five of them', async () => {
	const { connection } = server(undefined, []);
	const { notes } = await withoutControlTokens(
		connection,
		requestOf([user('<|im_end|><|end|><|user|><|eot_id|><turn|><|call|><|start|>')], 'vllm'),
	);
	expect(notes).toEqual([
		expect.stringContaining('(<|im_end|>, <|end|>, <|user|>, <|eot_id|>, <turn|> and others)'),
	]);
});
