/**
 * Writes a model that responds with fixed texts, selected by the last message, for the real llama-server: it streams them and
 * parses tool calls and thinking in them like those of a large model. It is a llama of one layer whose next token depends
 * on the current one alone; the chat template ends a prompt with a token that begins the reply.
 */
import { writeFileSync } from 'node:fs';
import { encodeGguf } from './gguf.mjs';

const END_OF_TEXT = '<|endoftext|>';
const TURN_END = '<|im_end|>';
const NORMAL = 1;
const CONTROL = 3;
const USER_DEFINED = 4;
const HEAD_WIDTH = 64;

/** ChatML with tools as Hermes and Qwen write them, and thinking that `enable_thinking` can switch off. */
const CHAT_TEMPLATE = `{%- if tools %}
{{- '<|im_start|>system\\n' }}
{%- if messages[0].role == 'system' %}{{- messages[0].content + '\\n\\n' }}{%- endif %}
{{- '# Tools\\n\\nYou may call one or more functions.\\n\\n<tools>' }}
{%- for tool in tools %}{{- '\\n' }}{{- tool | tojson }}{%- endfor %}
{{- '\\n</tools>\\n\\nFor each call, return a JSON object within <tool_call></tool_call>:\\n' }}
{{- '<tool_call>\\n{"name": <function-name>, "arguments": <args-json-object>}\\n</tool_call><|im_end|>\\n' }}
{%- elif messages[0].role == 'system' %}
{{- '<|im_start|>system\\n' + messages[0].content + '<|im_end|>\\n' }}
{%- endif %}
{%- set ns = namespace(last_query=-1) %}
{%- for message in messages %}
{%- if message.role == 'user' %}{%- set ns.last_query = loop.index0 %}{%- endif %}
{%- endfor %}
{%- for message in messages %}
{%- if message.role == 'user' or (message.role == 'system' and not loop.first) %}
{{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>\\n' }}
{%- elif message.role == 'assistant' %}
{{- '<|im_start|>assistant\\n' }}
@history@
{%- if message.reasoning_content and loop.index0 > ns.last_query %}
{{- '<think>\\n' + message.reasoning_content.strip('\\n') + '\\n</think>\\n\\n' }}
{%- endif %}
{{- message.content or '' }}
{%- for tool_call in message.tool_calls or [] %}
{%- if not loop.first or message.content %}{{- '\\n' }}{%- endif %}
{{- '<tool_call>\\n{"name": "' + tool_call.function.name + '", "arguments": ' }}
{%- if tool_call.function.arguments is string %}{{- tool_call.function.arguments }}
{%- else %}{{- tool_call.function.arguments | tojson }}
{%- endif %}
{{- '}\\n</tool_call>' }}
{%- endfor %}
{{- '<|im_end|>\\n' }}
{%- elif message.role == 'tool' %}
{%- if loop.first or messages[loop.index0 - 1].role != 'tool' %}{{- '<|im_start|>user' }}{%- endif %}
{{- '\\n<tool_response>\\n' + message.content + '\\n</tool_response>' }}
{%- if loop.last or messages[loop.index0 + 1].role != 'tool' %}{{- '<|im_end|>\\n' }}{%- endif %}
{%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
{{- '<|im_start|>assistant\\n' }}
{%- if enable_thinking is defined and enable_thinking is false %}{{- '<think>\\n\\n</think>\\n\\n' }}{%- endif %}
@end@
{%- endif %}`;

/** GPT-2's mapping of bytes to visible characters, which llama.cpp uses for byte-level vocabularies. */
const BYTES = (() => {
	const isVisible = (/** @type {number} */ byte) =>
		(byte > 0x20 && byte < 0x7f) || (byte > 0xa0 && byte !== 0xad);
	let next = 256;
	return Array.from({ length: 256 }, (_, byte) =>
		String.fromCodePoint(isVisible(byte) ? byte : next++),
	);
})();

/** @param {string} text */
const asToken = (text) => [...Buffer.from(text, 'utf8')].map((byte) => BYTES[byte]).join('');

/**
 * Cuts a reply into tokens. The next token depends only on the current one, so a piece that has another continuation
 * elsewhere is extended until it is unique.
 *
 * @param {string} reply
 * @param {Map<string, string>} followed the rest of the reply after each existing token
 * @param {boolean} inOne whether the whole reply becomes one token
 * @returns {string[]}
 */
const cutReply = (reply, followed, inOne) => {
	const fits = (/** @type {string} */ piece, /** @type {string} */ rest) =>
		(followed.get(piece) ?? rest) === rest;
	const characters = [...reply];
	/** @type {string[]} */
	const pieces = [];
	let piece = '';
	characters.forEach((character, index) => {
		piece += character;
		const rest = characters.slice(index + 1).join('');
		const longEnough = rest === '' || (!inOne && (/\s/.test(character) || [...piece].length >= 4));
		// The last piece cannot be extended: merge it with the one before.
		if (rest === '' && !fits(piece, rest)) piece = (pieces.pop() ?? '') + piece;
		if (!longEnough || !fits(piece, rest)) return;
		followed.set(piece, rest);
		pieces.push(piece);
		piece = '';
	});
	if (piece !== '')
		throw new Error(`The end of this reply is followed by more in another one: ${reply}`);
	return pieces;
};

/**
 * @param {import('./scripted-reply').ScriptedReply[]} replies
 * @param {string} message the one that the reply answers, in the template
 * @returns {string} a piece of the template that writes the marker of the first reply whose conditions hold
 */
const markerAfter = (replies, message) => {
	const branches = replies.map(({ last, contains }, index) => {
		const conditions = [
			...(last ? [`${message}.role == '${last}'`] : []),
			...(contains ? [`${JSON.stringify(contains)} in ${message}.content`] : []),
		];
		const test = conditions.join(' and ') || 'true';
		return `{%- ${index === 0 ? 'if' : 'elif'} ${test} %}{{- '${markerOf(index)}' }}`;
	});
	return `${branches.join('\n')}{%- endif %}`;
};

/** @param {number} index of a reply */
const markerOf = (index) => `<|reply_${index}|>`;

/**
 * @param {{ tokens: string[], types: number[], width: number, contextLength: number, template: string }} model
 * @returns {Record<string, import('./gguf.mjs').Value>}
 */
const metadataOf = ({ tokens, types, width, contextLength, template }) => ({
	'general.architecture': { string: 'llama' },
	'general.name': { string: 'tiny scripted model' },
	'general.file_type': { u32: 0 },
	'llama.context_length': { u32: contextLength },
	'llama.embedding_length': { u32: width },
	'llama.block_count': { u32: 1 },
	'llama.feed_forward_length': { u32: HEAD_WIDTH },
	'llama.attention.head_count': { u32: width / HEAD_WIDTH },
	'llama.attention.head_count_kv': { u32: width / HEAD_WIDTH },
	'llama.attention.layer_norm_rms_epsilon': { f32: 1e-5 },
	'llama.rope.dimension_count': { u32: HEAD_WIDTH },
	'llama.rope.freq_base': { f32: 10_000 },
	'llama.vocab_size': { u32: tokens.length },
	'tokenizer.ggml.model': { string: 'gpt2' },
	'tokenizer.ggml.pre': { string: 'gpt-2' },
	'tokenizer.ggml.tokens': { strings: tokens },
	'tokenizer.ggml.token_type': { i32s: types },
	'tokenizer.ggml.merges': { strings: [] },
	'tokenizer.ggml.bos_token_id': { u32: tokens.indexOf(END_OF_TEXT) },
	'tokenizer.ggml.eos_token_id': { u32: tokens.indexOf(TURN_END) },
	'tokenizer.ggml.padding_token_id': { u32: tokens.indexOf(END_OF_TEXT) },
	'tokenizer.ggml.add_bos_token': { bool: false },
	'tokenizer.chat_template': { string: template },
});

/**
 * @param {number} width
 * @param {number} vocabulary
 * @param {Map<number, number>} next token by token
 * @param {number} turnEnd the token after all others
 * @returns {import('./gguf.mjs').Tensor[]}
 */
const tensorsOf = (width, vocabulary, next, turnEnd) => {
	const zeros = (/** @type {string} */ name, /** @type {number[]} */ ...shape) => {
		const data = new Float32Array(shape.reduce((product, size) => product * size, 1));
		return { name: `${name}.weight`, shape, data };
	};
	const norm = (/** @type {string} */ name) => {
		const tensor = zeros(name, width);
		tensor.data.fill(1);
		return tensor;
	};
	const embedding = zeros('token_embd', width, vocabulary);
	const output = zeros('output', width, vocabulary);
	const certain = 40 / Math.sqrt(width);
	// A channel for each token of a reply; channel 0 represents all others, and ends the response.
	const states = new Map([...next.keys()].map((token, index) => [token, index + 1]));
	for (let token = 0; token < vocabulary; token += 1)
		embedding.data[token * width + (states.get(token) ?? 0)] = 1;
	output.data[turnEnd * width] = certain;
	for (const [token, following] of next)
		output.data[following * width + (states.get(token) ?? 0)] = certain;
	const attention = ['attn_q', 'attn_k', 'attn_v', 'attn_output'];
	return [
		...[embedding, norm('output_norm'), output, norm('blk.0.attn_norm')],
		...attention.map((name) => zeros(`blk.0.${name}`, width, width)),
		norm('blk.0.ffn_norm'),
		...['ffn_gate', 'ffn_up'].map((name) => zeros(`blk.0.${name}`, width, HEAD_WIDTH)),
		zeros('blk.0.ffn_down', HEAD_WIDTH, width),
	];
};

/**
 * Each reply has conditions on the last message; the first that matches is used. A tool call is written as in the
 * template, `<tool_call>\n{"name": "add", "arguments": {"a": 1}}\n</tool_call>`; thinking comes first,
 * `<think>\n…\n</think>\n\n`.
 *
 * @param {string} file
 * @param {import('./scripted-reply').ScriptedReply[]} replies
 * @param {{ contextLength?: number, readsAsWritten?: boolean }} [options] `readsAsWritten`: each reply is one token, so
 *   that a prompt that repeats the reply has the same tokens, and the server's prompt cache works
 */
export const writeScriptedModel = (file, replies, options = {}) => {
	const { contextLength = 4096, readsAsWritten = false } = options;
	const all = [...replies, { reply: 'There is no reply for this message.' }];
	const control = [
		END_OF_TEXT,
		'<|im_start|>',
		TURN_END,
		...all.map((_, index) => markerOf(index)),
	];
	/** @type {Map<string, string>} */
	const followed = new Map();
	const truncatedReplies = all.map(({ reply }) => cutReply(reply, followed, readsAsWritten));
	const pieces = [...followed.keys()].filter((piece) => !BYTES.includes(asToken(piece)));
	const tokens = [
		...BYTES,
		...control,
		...pieces.map((piece) => (readsAsWritten ? piece : asToken(piece))),
	];
	const types = [
		...BYTES.map(() => NORMAL),
		...control.map(() => CONTROL),
		...pieces.map(() => (readsAsWritten ? USER_DEFINED : NORMAL)),
	];
	const idOf = new Map(tokens.map((token, id) => [token, id]));
	const pieceId = (/** @type {string} */ piece) => idOf.get(asToken(piece)) ?? idOf.get(piece) ?? 0;
	const turnEnd = tokens.indexOf(TURN_END);
	/** @type {Map<number, number>} */
	const next = new Map();
	truncatedReplies.forEach((parts, index) => {
		const chain = [tokens.indexOf(markerOf(index)), ...parts.map(pieceId), turnEnd];
		chain.slice(1).forEach((token, place) => next.set(chain[place] ?? turnEnd, token));
	});
	const width = Math.ceil((1 + next.size) / HEAD_WIDTH) * HEAD_WIDTH;
	// Earlier responses get their markers too, so that the history matches the cached tokens.
	const history = readsAsWritten ? `${markerAfter(all, 'messages[loop.index0 - 1]')}\n` : '';
	const template = CHAT_TEMPLATE.replace('@history@\n', () => history).replace('@end@', () =>
		markerAfter(all, 'messages[-1]'),
	);
	const metadata = metadataOf({ tokens, types, width, contextLength, template });
	writeFileSync(file, encodeGguf(metadata, tensorsOf(width, tokens.length, next, turnEnd)));
};
