/**
 * Models of a few hundred kilobytes for the real llama-server. All its routes, streams, slots and errors work with them;
 * only the texts are artificial:
 *
 * - the random model answers with seeded noise, of a length that can be set;
 * - the scripted model answers with given texts, chosen by the last message. The server parses tool calls and thinking in
 *   them like those of a large model.
 */
import { writeFileSync } from 'node:fs';
import { encodeGguf } from './gguf.mjs';

const END_OF_TEXT = '<|endoftext|>';
const TURN_START = '<|im_start|>';
const TURN_END = '<|im_end|>';
/** Last token of a prompt that offers tools and has no tool result yet: the random model then calls a tool. */
const CALL_NOW = '<|tools|>';
const CALL_START = '<tool_call>';
const CALL_END = '</tool_call>';
const NORMAL = 1;
const CONTROL = 3;
const USER_DEFINED = 4;

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

/**
 * @param {string} lastWords text at the end of the prompt
 * @param {string} [firstWords] text before each earlier answer
 */
const chatTemplateWith = (lastWords, firstWords = '') =>
	CHAT_TEMPLATE.replace('@history@\n', () => firstWords && `${firstWords}\n`).replace(
		'@end@',
		() => lastWords,
	);

/** GPT-2's mapping of bytes to visible characters, which llama.cpp uses for byte-level vocabularies. */
const byteCharacters = (() => {
	const visible = [
		[0x21, 0x7e],
		[0xa1, 0xac],
		[0xae, 0xff],
	];
	/** @type {string[]} */
	const table = [];
	let next = 256;
	for (let byte = 0; byte < 256; byte += 1) {
		const shown = visible.some(([from = 0, to = 0]) => byte >= from && byte <= to);
		table.push(String.fromCodePoint(shown ? byte : next++));
	}
	return table;
})();

/** @param {string} text */
const asToken = (text) =>
	[...Buffer.from(text, 'utf8')].map((byte) => byteCharacters[byte]).join('');

/** @param {number} seed */
export const randomNumbers = (seed) => {
	let state = seed >>> 0;
	// mulberry32
	const uniform = () => {
		state = (state + 0x6d2b79f5) >>> 0;
		let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
		mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
		return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
	};
	// The sum of four approximates a normal distribution and is the same on every machine.
	return () => (uniform() + uniform() + uniform() + uniform() - 2) * Math.sqrt(3);
};

/**
 * @typedef {object} Shape
 * @property {string} name
 * @property {string[]} control tokens after the 256 byte tokens: recognized in prompts, hidden in answers
 * @property {string[]} [markup] tokens that are recognized in prompts and visible in answers
 * @property {string[]} [pieces] tokens that occur in answers only
 * @property {number} width
 * @property {number} heads
 * @property {number} keyHeads
 * @property {number} layers
 * @property {number} feedForward
 * @property {number} contextLength
 * @property {string | undefined} chatTemplate
 */

/**
 * @param {Shape} shape
 * @returns {Record<string, import('./gguf.mjs').Value>}
 */
const metadata = ({
	name,
	control,
	markup = [],
	pieces = [],
	width,
	heads,
	keyHeads,
	layers,
	feedForward,
	contextLength,
	chatTemplate,
}) => {
	const tokens = [...byteCharacters, ...control, ...markup, ...pieces.map(asToken)];
	const types = [
		...byteCharacters.map(() => NORMAL),
		...control.map(() => CONTROL),
		...markup.map(() => USER_DEFINED),
		...pieces.map(() => NORMAL),
	];
	return {
		'general.architecture': { string: 'llama' },
		'general.name': { string: name },
		'general.file_type': { u32: 0 },
		'llama.context_length': { u32: contextLength },
		'llama.embedding_length': { u32: width },
		'llama.block_count': { u32: layers },
		'llama.feed_forward_length': { u32: feedForward },
		'llama.attention.head_count': { u32: heads },
		'llama.attention.head_count_kv': { u32: keyHeads },
		'llama.attention.layer_norm_rms_epsilon': { f32: 1e-5 },
		'llama.rope.dimension_count': { u32: width / heads },
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
		...(chatTemplate === undefined ? {} : { 'tokenizer.chat_template': { string: chatTemplate } }),
	};
};

/**
 * @param {Shape} shape
 * @param {number} vocabulary
 * @param {(name: string, columns: number, rows: number) => Float32Array} fill values by rows of `columns`
 * @returns {import('./gguf.mjs').Tensor[]}
 */
const tensors = ({ width, heads, keyHeads, layers, feedForward }, vocabulary, fill) => {
	const keyWidth = (width / heads) * keyHeads;
	/**
	 * @param {string} name
	 * @param {number} columns
	 * @param {number} rows
	 */
	const matrix = (name, columns, rows) => ({
		name: `${name}.weight`,
		shape: [columns, rows],
		data: fill(name, columns, rows),
	});
	/** @param {string} name */
	const norm = (name) => ({
		name: `${name}.weight`,
		shape: [width],
		data: new Float32Array(width).fill(1),
	});
	return [
		matrix('token_embd', width, vocabulary),
		norm('output_norm'),
		matrix('output', width, vocabulary),
		...Array.from({ length: layers }, (_, layer) => [
			norm(`blk.${layer}.attn_norm`),
			matrix(`blk.${layer}.attn_q`, width, width),
			matrix(`blk.${layer}.attn_k`, width, keyWidth),
			matrix(`blk.${layer}.attn_v`, width, keyWidth),
			matrix(`blk.${layer}.attn_output`, width, width),
			norm(`blk.${layer}.ffn_norm`),
			matrix(`blk.${layer}.ffn_gate`, width, feedForward),
			matrix(`blk.${layer}.ffn_up`, width, feedForward),
			matrix(`blk.${layer}.ffn_down`, feedForward, width),
		]).flat(),
	];
};

/** @param {boolean | string} choice */
const templateOf = (choice) => {
	if (typeof choice === 'string') return choice;
	if (!choice) return undefined;
	return chatTemplateWith(
		`{%- if tools and messages[-1].role == 'user' %}{{- '${CALL_NOW}' }}{%- endif %}`,
	);
};

/**
 * Writes the random model. It answers with printable ASCII noise and ends the answer itself. If tools are offered, it
 * first calls one with random arguments.
 *
 * @param {string} file
 * @param {import('./types').TinyModelOptions} [options]
 */
export const writeTinyModel = (file, options = {}) => {
	const { seed = 1, contextLength = 4096, chatTemplate = true, meanTokens = 40 } = options;
	const control = [END_OF_TEXT, TURN_START, TURN_END, CALL_NOW];
	const markup = [CALL_START, CALL_END, '<think>', '</think>'];
	/** @type {Shape} */
	const shape = {
		name: 'tiny random model',
		control,
		markup,
		width: 64,
		heads: 4,
		keyHeads: 2,
		layers: 2,
		feedForward: 128,
		contextLength,
		chatTemplate: templateOf(chatTemplate),
	};
	const vocabulary = 256 + control.length + markup.length;
	/** @param {string} text */
	const id = (text) => 256 + [...control, ...markup].indexOf(text);
	const random = randomNumbers(seed);

	// Channel 0 serves as a bias, which the llama architecture lacks: constant for every token, and no layer writes to it.
	const constant = 4;
	// The channels after it force the next token. The server recognizes a call only with the line break.
	const forced = [
		{ after: id(CALL_NOW), next: id(CALL_START), strength: 20 },
		{ after: id(CALL_START), next: '\n'.charCodeAt(0), strength: 20 },
		{ after: id(CALL_END), next: id(TURN_END), strength: 0.2 },
	];
	const reserved = 1 + forced.length;
	/** @param {number} token */
	const bias = (token) => {
		const character = String.fromCharCode(token);
		if (token === id(TURN_END))
			return Number.isFinite(meanTokens) ? 4.5 - Math.log(meanTokens) : -40;
		// Unlikely, so that it comes only where the grammar requires the end of a call.
		if (token === id(CALL_END)) return -8;
		if (character === '<') return -14;
		// The server's grammar separates parallel calls by commas: mostly one call, now and then several.
		if (character === ',') return -9.5;
		if (token >= 127 || (token < 32 && character !== '\n')) return -40;
		if (character === ' ' || character === '"') return 1.5;
		return /[a-z]/.test(character) ? 0.7 : -0.5;
	};
	const data = tensors(shape, vocabulary, (name, columns, rows) => {
		const values = Float32Array.from({ length: columns * rows }, random);
		const scale = name === 'output' ? 0.06 : name === 'token_embd' ? 1 : 0.5 / Math.sqrt(columns);
		for (let index = 0; index < values.length; index += 1)
			values[index] = (values[index] ?? 0) * scale;
		if (name.endsWith('attn_output') || name.endsWith('ffn_down'))
			values.fill(0, 0, reserved * columns);
		for (let row = 0; row < rows; row += 1) {
			const at = row * columns;
			if (name === 'token_embd')
				values.set([constant, ...forced.map(({ after }) => (after === row ? 80 : 0))], at);
			// After the norm the bias channel is about 3, so its weight is the bias divided by 3.
			if (name === 'output') {
				const pull = forced.map(({ next, strength }) => (next === row ? strength : 0));
				values.set([bias(row) / 3, ...pull], at);
			}
		}
		return values;
	});
	writeFileSync(file, encodeGguf(metadata(shape), data));
};

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
	/**
	 * @param {string} piece
	 * @param {string} rest
	 */
	const fits = (piece, rest) => (followed.get(piece) ?? rest) === rest;
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
		if (longEnough && fits(piece, rest)) {
			followed.set(piece, rest);
			pieces.push(piece);
			piece = '';
		}
	});
	if (piece !== '')
		throw new Error(`The end of this reply is followed by more in another one: ${reply}`);
	return pieces;
};

/**
 * The scripted model. Each reply has conditions on the last message; the first that matches is used. A tool call is
 * written as in the template,
 * `<tool_call>\n{"name": "add", "arguments": {"a": 1}}\n</tool_call>`; thinking comes first,
 * `<think>\n…\n</think>\n\n`.
 *
 * @param {import('./types').ScriptedReply[]} replies
 * @param {{ contextLength?: number, readsAsWritten?: boolean }} [options] `readsAsWritten`: each reply is one token, so
 * that a prompt that repeats the reply has the same tokens, and the server's prompt cache works
 * @returns {{ metadata: Record<string, import('./gguf.mjs').Value>, tensors: import('./gguf.mjs').Tensor[] }}
 */
export const scriptedModel = (replies, { contextLength = 4096, readsAsWritten = false } = {}) => {
	const all = [...replies, { reply: 'There is no reply for this message.' }];
	/** @param {number} index */
	const marker = (index) => `<|reply_${index}|>`;
	/** @param {string} message the one that the reply answers */
	const markerAfter = (message) => {
		const branches = all.map(({ last, contains }, index) => {
			const conditions = [
				...(last ? [`${message}.role == '${last}'`] : []),
				...(contains ? [`${JSON.stringify(contains)} in ${message}.content`] : []),
			];
			const test = conditions.join(' and ') || 'true';
			return `{%- ${index === 0 ? 'if' : 'elif'} ${test} %}{{- '${marker(index)}' }}`;
		});
		return `${branches.join('\n')}{%- endif %}`;
	};
	const control = [END_OF_TEXT, TURN_START, TURN_END, ...all.map((_, index) => marker(index))];
	/** @type {Map<string, string>} */
	const followed = new Map();
	// Whole replies if they are recognized in prompts: the tokenizer takes the longest match, so pieces could match across cuts.
	const cut = all.map(({ reply }) => cutReply(reply, followed, readsAsWritten));
	const singleBytes = new Map(byteCharacters.map((character, byte) => [character, byte]));
	const pieces = [...followed.keys()].filter((piece) => !singleBytes.has(asToken(piece)));
	/** @param {string} piece */
	const pieceId = (piece) =>
		singleBytes.get(asToken(piece)) ?? 256 + control.length + pieces.indexOf(piece);
	const turnEnd = 256 + control.indexOf(TURN_END);

	/** @type {Map<number, number>} next token by token */
	const next = new Map();
	cut.forEach((tokens, index) => {
		const chain = [256 + control.indexOf(marker(index)), ...tokens.map(pieceId), turnEnd];
		chain.slice(1).forEach((token, place) => next.set(chain[place] ?? turnEnd, token));
	});
	const states = [...next.keys()];
	// Channel 0 stands for all tokens outside the replies: it ends the answer.
	const width = Math.ceil((1 + states.length) / 64) * 64;
	/** @type {Shape} */
	const shape = {
		name: 'tiny scripted model',
		control,
		...(readsAsWritten ? { markup: pieces } : { pieces }),
		width,
		heads: width / 64,
		keyHeads: width / 64,
		layers: 1,
		feedForward: 64,
		contextLength,
		// Earlier answers get their markers too, so that the history matches the cached tokens.
		chatTemplate: chatTemplateWith(
			markerAfter('messages[-1]'),
			readsAsWritten ? markerAfter('messages[loop.index0 - 1]') : '',
		),
	};
	const certain = 40 / Math.sqrt(width);
	const data = tensors(shape, 256 + control.length + pieces.length, (name, columns, rows) => {
		const values = new Float32Array(columns * rows);
		// All other tensors stay zero: the next token depends on the last one alone.
		if (name === 'token_embd') {
			for (let row = 0; row < rows; row += 1) values[row * columns + 1 + states.indexOf(row)] = 1;
		} else if (name === 'output') {
			values[turnEnd * columns] = certain;
			for (const [state, following] of next)
				values[following * columns + 1 + states.indexOf(state)] = certain;
		}
		return values;
	});
	return { metadata: metadata(shape), tensors: data };
};

/**
 * Writes the scripted model as GGUF.
 *
 * @param {string} file
 * @param {import('./types').ScriptedReply[]} replies
 * @param {{ contextLength?: number, readsAsWritten?: boolean }} [options] as above
 */
export const writeScriptedModel = (file, replies, options) => {
	const model = scriptedModel(replies, options);
	writeFileSync(file, encodeGguf(model.metadata, model.tensors));
};
