/** Reads and writes safetensors, the file format of Hugging Face's models: a length, a JSON header, the values of all tensors. */

/**
 * @param {Buffer} bytes a whole file
 * @returns {Map<string, { shape: number[], data: Float32Array }>} the tensors of 32-bit floats; others are left out.
 *   `shape` ends with the innermost dimension
 */
export const readSafetensors = (bytes) => {
	const headerLength = Number(bytes.readBigUInt64LE(0));
	const start = 8 + headerLength;
	/** @type {Record<string, { dtype?: string, shape: number[], data_offsets: [number, number] }>} */
	const header = JSON.parse(bytes.toString('utf8', 8, start));
	/** @type {Map<string, { shape: number[], data: Float32Array }>} */
	const tensors = new Map();
	for (const [name, { dtype, shape, data_offsets: offsets }] of Object.entries(header)) {
		if (dtype !== 'F32') continue;
		const [from, to] = offsets;
		// Copied for alignment: in the file, values may not start at a multiple of four.
		const values = new Uint8Array(bytes.subarray(start + from, start + to));
		if (values.length !== 4 * shape.reduce((product, size) => product * size, 1)) {
			throw new Error(`Tensor ${name} of shape ${shape.join('x')} has ${values.length} bytes`);
		}
		tensors.set(name, { shape, data: new Float32Array(values.buffer) });
	}
	return tensors;
};

/**
 * @param {Array<{ name: string, shape: number[], data: Float32Array }>} tensors `shape` ends with the innermost dimension
 * @returns {Buffer} a whole file
 */
export const encodeSafetensors = (tensors) => {
	let end = 0;
	const entries = tensors.map(({ name, shape, data }) => {
		const start = end;
		end += data.byteLength;
		return [name, { dtype: 'F32', shape, data_offsets: [start, end] }];
	});
	const json = JSON.stringify({ __metadata__: { format: 'pt' }, ...Object.fromEntries(entries) });
	// Padded, so that the values begin at a multiple of eight.
	const header = Buffer.from(json.padEnd(Math.ceil(json.length / 8) * 8));
	const length = Buffer.alloc(8);
	length.writeBigUInt64LE(BigInt(header.length));
	const values = tensors.map(({ data }) =>
		Buffer.from(data.buffer, data.byteOffset, data.byteLength),
	);
	return Buffer.concat([length, header, ...values]);
};
