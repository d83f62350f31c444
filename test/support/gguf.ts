/** Parses a GGUF file (ggml's docs/gguf.md). */
export function parseGguf(bytes: Buffer) {
	let at = 0;
	const u32 = () => bytes.readUInt32LE((at += 4) - 4);
	const u64 = () => Number(bytes.readBigUInt64LE((at += 8) - 8));
	const text = () => {
		const length = u64();
		return bytes.toString('utf8', at, (at += length));
	};
	const value = (type: number): unknown => {
		if (type === 4 || type === 5) return u32();
		if (type === 6) return bytes.readFloatLE((at += 4) - 4);
		if (type === 7) return bytes[at++] === 1;
		if (type === 8) return text();
		expect(type).toBe(9);
		const items = u32();
		return Array.from({ length: u64() }, () => value(items));
	};
	const magic = bytes.toString('latin1', 0, (at = 4));
	const version = u32();
	const tensorCount = u64();
	const metadata = Object.fromEntries(
		Array.from({ length: u64() }, () => [text(), value(u32())] as const),
	);
	const tensors = Array.from({ length: tensorCount }, () => {
		const name = text();
		const shape = Array.from({ length: u32() }, u64);
		return { name, shape, type: u32(), offset: u64() };
	});
	return { magic, version, metadata, tensors, dataAt: Math.ceil(at / 32) * 32 };
}
