/** Writes GGUF, the file format of llama.cpp's models (ggml's docs/gguf.md, version 3). */

const ALIGNMENT = 32;
const TYPE = { u32: 4, i32s: 5, f32: 6, bool: 7, string: 8, strings: 8, array: 9 };
const F32 = 0;

/** @typedef {{ name: string, shape: number[], data: Float32Array }} Tensor `shape[0]` is the innermost dimension */
/** @typedef {{ u32: number } | { f32: number } | { bool: boolean } | { string: string }} SingleValue */
/** @typedef {SingleValue | { strings: string[] } | { i32s: number[] }} Value */

const u32 = (/** @type {number} */ value) => Buffer.from(Uint32Array.of(value).buffer);
const u64 = (/** @type {number} */ value) => Buffer.from(BigUint64Array.of(BigInt(value)).buffer);
const string = (/** @type {string} */ value) => {
	const bytes = Buffer.from(value, 'utf8');
	return Buffer.concat([u64(bytes.length), bytes]);
};

/**
 * @param {number} type of the items
 * @param {Buffer[]} items
 */
const list = (type, items) =>
	Buffer.concat([u32(TYPE.array), u32(type), u64(items.length), ...items]);

/** @param {Value} value */
const encodeValue = (value) => {
	if ('strings' in value) return list(TYPE.strings, value.strings.map(string));
	if ('i32s' in value) return list(TYPE.i32s, value.i32s.map(u32));
	if ('u32' in value) return Buffer.concat([u32(TYPE.u32), u32(value.u32)]);
	if ('string' in value) return Buffer.concat([u32(TYPE.string), string(value.string)]);
	if ('bool' in value) return Buffer.concat([u32(TYPE.bool), Buffer.of(value.bool ? 1 : 0)]);
	return Buffer.concat([u32(TYPE.f32), Buffer.from(Float32Array.of(value.f32).buffer)]);
};

/** @param {number} size */
const padding = (size) => Buffer.alloc((ALIGNMENT - (size % ALIGNMENT)) % ALIGNMENT);

/**
 * @param {Record<string, Value>} metadata
 * @param {Tensor[]} tensors
 * @returns {Buffer}
 */
export const encodeGguf = (metadata, tensors) => {
	const pairs = Object.entries(metadata).map(([key, value]) =>
		Buffer.concat([string(key), encodeValue(value)]),
	);
	/** @type {Buffer[]} */
	const infos = [];
	/** @type {Buffer[]} */
	const data = [];
	let offset = 0;
	for (const { name, shape, data: values } of tensors) {
		const sizes = [u32(shape.length), ...shape.map(u64)];
		infos.push(Buffer.concat([string(name), ...sizes, u32(F32), u64(offset)]));
		const bytes = Buffer.from(values.buffer, values.byteOffset, values.byteLength);
		const gap = padding(bytes.length);
		data.push(bytes, gap);
		offset += bytes.length + gap.length;
	}
	const counts = [u32(3), u64(tensors.length), u64(pairs.length)];
	const head = Buffer.concat([Buffer.from('GGUF'), ...counts, ...pairs, ...infos]);
	return Buffer.concat([head, padding(head.length), ...data]);
};
