/** The lengths in the header of a WAV file, which servers that stream cannot know. Pure. */

const RIFF_HEADER_BYTES = 12;

const CHUNK_HEADER_BYTES = 8;

/** Longer than any response: a placeholder, such as 0xFFFFFFFF. */
const MIN_PLACEHOLDER = 0x7000_0000;

/** Whether a file begins as a WAV file whose length is a placeholder. */
export function hasUnknownWavLength(head: Buffer): boolean {
	if (head.byteLength < RIFF_HEADER_BYTES || !isWav(head)) return false;
	if (isPlaceholder(head.readUInt32LE(4))) return true;
	const at = findDataChunk(head);
	return at !== undefined && isPlaceholder(head.readUInt32LE(at + 4));
}

/** The same file with its real lengths. */
export function withWavLength(file: Buffer): Buffer {
	const fixed = Buffer.from(file);
	fixed.writeUInt32LE(file.byteLength - CHUNK_HEADER_BYTES, 4);
	const at = findDataChunk(file);
	if (at !== undefined && isPlaceholder(file.readUInt32LE(at + 4)))
		fixed.writeUInt32LE(file.byteLength - at - CHUNK_HEADER_BYTES, at + 4);
	return fixed;
}

/** A file with its first bytes. */
interface WavFile {
	head: Uint8Array;
	/** Bytes. */
	size: number;
}

/** How long a WAV file is; undefined for another file. */
export function getWavSeconds({ head: bytes, size }: WavFile): number | undefined {
	const head = Buffer.from(bytes);
	if (head.byteLength < RIFF_HEADER_BYTES || !isWav(head)) return undefined;
	const [format, data] = [findChunk(head, 'fmt '), findChunk(head, 'data')];
	const rateAt = (format ?? Infinity) + CHUNK_HEADER_BYTES + BYTES_BEFORE_RATE;
	if (data === undefined || rateAt + 4 > head.byteLength) return undefined;
	const bytesPerSecond = head.readUInt32LE(rateAt);
	return bytesPerSecond > 0 ? (size - data - CHUNK_HEADER_BYTES) / bytesPerSecond : undefined;
}

/** Bytes of the format before the bytes per second: format, channels, samples per second. */
const BYTES_BEFORE_RATE = 8;

function isWav(head: Buffer) {
	return head.toString('latin1', 0, 4) === 'RIFF' && head.toString('latin1', 8, 12) === 'WAVE';
}

function isPlaceholder(length: number) {
	return length === 0 || length >= MIN_PLACEHOLDER;
}

/** Position of the chunk with the samples. */
function findDataChunk(file: Buffer) {
	return findChunk(file, 'data');
}

function findChunk(file: Buffer, name: string): number | undefined {
	for (let at = RIFF_HEADER_BYTES; at + CHUNK_HEADER_BYTES <= file.byteLength;) {
		if (file.toString('latin1', at, at + 4) === name) return at;
		const length = file.readUInt32LE(at + 4);
		// Chunks have an even length.
		at += CHUNK_HEADER_BYTES + length + (length % 2);
	}
	return undefined;
}
