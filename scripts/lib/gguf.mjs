/** Writes GGUF, the file format of llama.cpp's models (ggml's docs/gguf.md, version 3). */

export const ALIGNMENT = 32;
const TYPE = { u32: 4, i32: 5, f32: 6, bool: 7, string: 8, array: 9 };
const F32 = 0;

/** @typedef {{ name: string, shape: number[], data: Float32Array }} Tensor `shape[0]` is the innermost dimension */
/** @typedef {{ u32: number } | { f32: number } | { bool: boolean } | { string: string }} SingleValue */
/** @typedef {SingleValue | { strings: string[] } | { i32s: number[] } | { f32s: number[] }} Value */

/** @param {number} value */
const u32 = (value) => {
	const buffer = Buffer.alloc(4);
	buffer.writeUInt32LE(value);
	return buffer;
};

/** @param {number} value */
const u64 = (value) => {
	const buffer = Buffer.alloc(8);
	buffer.writeBigUInt64LE(BigInt(value));
	return buffer;
};

/** @param {number} value */
const f32 = (value) => {
	const buffer = Buffer.alloc(4);
	buffer.writeFloatLE(value);
	return buffer;
};

/** @param {string} value */
const string = (value) => {
	const bytes = Buffer.from(value, 'utf8');
	return Buffer.concat([u64(bytes.length), bytes]);
};

/**
 * @param {Value} value
 * @returns {Buffer}
 */
const typed = (value) => {
	if ('u32' in value) return Buffer.concat([u32(TYPE.u32), u32(value.u32)]);
	if ('f32' in value) return Buffer.concat([u32(TYPE.f32), f32(value.f32)]);
	if ('bool' in value) return Buffer.concat([u32(TYPE.bool), Buffer.from([value.bool ? 1 : 0])]);
	if ('string' in value) return Buffer.concat([u32(TYPE.string), string(value.string)]);
	if ('strings' in value) {
		const items = value.strings.map(string);
		return Buffer.concat([u32(TYPE.array), u32(TYPE.string), u64(items.length), ...items]);
	}
	if ('f32s' in value) {
		const items = value.f32s.map(f32);
		return Buffer.concat([u32(TYPE.array), u32(TYPE.f32), u64(items.length), ...items]);
	}
	return Buffer.concat([
		u32(TYPE.array),
		u32(TYPE.i32),
		u64(value.i32s.length),
		Buffer.from(Int32Array.from(value.i32s).buffer),
	]);
};

/**
 * An entry of the metadata.
 *
 * @param {string} key
 * @param {Value} value
 */
export const encodePair = (key, value) => Buffer.concat([string(key), typed(value)]);

/** @param {number} size */
const padding = (size) => Buffer.alloc((ALIGNMENT - (size % ALIGNMENT)) % ALIGNMENT);

/**
 * @param {Record<string, Value>} metadata
 * @param {Tensor[]} tensors
 * @returns {Buffer}
 */
export const encodeGguf = (metadata, tensors) => {
	const pairs = Object.entries(metadata).map(([key, value]) => encodePair(key, value));
	/** @type {Buffer[]} */
	const infos = [];
	/** @type {Buffer[]} */
	const data = [];
	let offset = 0;
	for (const { name, shape, data: values } of tensors) {
		if (shape.reduce((product, size) => product * size, 1) !== values.length) {
			throw new Error(`Tensor ${name} of shape ${shape.join('x')} has ${values.length} values`);
		}
		infos.push(
			Buffer.concat([string(name), u32(shape.length), ...shape.map(u64), u32(F32), u64(offset)]),
		);
		const bytes = Buffer.from(values.buffer, values.byteOffset, values.byteLength);
		data.push(bytes, padding(bytes.length));
		offset += bytes.length + padding(bytes.length).length;
	}
	const head = Buffer.concat([
		Buffer.from('GGUF'),
		u32(3),
		u64(tensors.length),
		u64(pairs.length),
		...pairs,
		...infos,
	]);
	return Buffer.concat([head, padding(head.length), ...data]);
};
