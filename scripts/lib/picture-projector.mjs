/**
 * Gives any model eyes in llama-server (`--mmproj`): a projector with random weights, in the form of Gemma 3 (type `gemma3`
 * in llama.cpp's tools/mtmd) without a layer of attention. Equal pictures look equal to the model, others differ; what is
 * on them it cannot tell.
 */
import { writeFileSync } from 'node:fs';
import { encodeGguf } from './gguf.mjs';
import { randomNumbers } from './tiny-model.mjs';

/** Pictures are scaled to so many pixels a side. */
const IMAGE_SIZE = 32;
const PATCH_SIZE = 4;
const COLOURS = 3;
const WIDTH = 16;
/** So many patches a side are merged into one token. */
const MERGED = 2;
const PATCHES = (IMAGE_SIZE / PATCH_SIZE) ** 2;
/** Tokens of a picture, without the words that the server puts around it. */
export const PICTURE_TOKENS = PATCHES / MERGED ** 2;

/**
 * @param {string} file
 * @param {{ modelWidth: number, seed?: number }} options `modelWidth`: embedding length of the model that gets the eyes
 */
export const writePictureProjector = (file, { modelWidth, seed = 1 }) => {
	const random = randomNumbers(seed);
	/**
	 * @param {string} name
	 * @param {number[]} shape
	 * @param {number} inputs how many values are summed up to one of the result
	 */
	const tensor = (name, shape, inputs) => {
		const length = shape.reduce((product, size) => product * size, 1);
		const data = Float32Array.from({ length }, () => random() / Math.sqrt(inputs));
		return { name, shape, data };
	};
	const inputs = PATCH_SIZE ** 2 * COLOURS;
	const tensors = [
		tensor('v.patch_embd.weight', [PATCH_SIZE, PATCH_SIZE, COLOURS, WIDTH], inputs),
		tensor('v.position_embd.weight', [WIDTH, PATCHES], WIDTH),
		{ name: 'mm.soft_emb_norm.weight', shape: [WIDTH], data: new Float32Array(WIDTH).fill(1) },
		tensor('mm.input_projection.weight', [modelWidth, WIDTH], WIDTH),
	];
	const half = { f32s: Array.from({ length: COLOURS }, () => 0.5) };
	/** @type {Record<string, import('./gguf.mjs').Value>} */
	const metadata = {
		'general.architecture': { string: 'clip' },
		'general.name': { string: 'random picture projector' },
		'general.file_type': { u32: 0 },
		'clip.has_vision_encoder': { bool: true },
		'clip.projector_type': { string: 'gemma3' },
		'clip.use_gelu': { bool: true },
		'clip.vision.image_size': { u32: IMAGE_SIZE },
		'clip.vision.patch_size': { u32: PATCH_SIZE },
		'clip.vision.projector.scale_factor': { u32: MERGED },
		'clip.vision.image_mean': half,
		'clip.vision.image_std': half,
		'clip.vision.embedding_length': { u32: WIDTH },
		'clip.vision.feed_forward_length': { u32: WIDTH },
		'clip.vision.projection_dim': { u32: modelWidth },
		'clip.vision.block_count': { u32: 0 },
		'clip.vision.attention.head_count': { u32: 1 },
		'clip.vision.attention.layer_norm_epsilon': { f32: 1e-6 },
	};
	writeFileSync(file, encodeGguf(metadata, tensors));
};
