/** Format and size of a picture by its first bytes (signatures from each format's standard). */
export interface ImageFacts {
	mimeType: string;
	extension: string;
	/** Pixels, where the beginning of the file tells. */
	width?: number;
	height?: number;
}

/** @returns undefined for what is no picture of a known format */
export function imageFacts(bytes: Uint8Array): ImageFacts | undefined {
	const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
	const starts = (text: string, at = 0) => buffer.toString('latin1', at, at + text.length) === text;
	if (starts('\x89PNG\r\n\x1a\n'))
		return { mimeType: 'image/png', extension: 'png', ...pngSize(buffer) };
	if (starts('\xff\xd8\xff'))
		return { mimeType: 'image/jpeg', extension: 'jpg', ...jpegSize(buffer) };
	if (starts('RIFF') && starts('WEBP', 8))
		return { mimeType: 'image/webp', extension: 'webp', ...webpSize(buffer) };
	if (starts('GIF8')) return { mimeType: 'image/gif', extension: 'gif', ...gifSize(buffer) };
	return undefined;
}

type Size = Pick<ImageFacts, 'width' | 'height'>;

function sized(width: number, height: number): Size {
	return width > 0 && height > 0 ? { width, height } : {};
}

function pngSize(buffer: Buffer): Size {
	if (buffer.length < 24) return {};
	return sized(buffer.readUInt32BE(16), buffer.readUInt32BE(20));
}

function gifSize(buffer: Buffer): Size {
	if (buffer.length < 10) return {};
	return sized(buffer.readUInt16LE(6), buffer.readUInt16LE(8));
}

/** Markers between those of frames: Huffman tables, reserved, arithmetic coding. */
const NO_FRAMES = [0xc4, 0xc8, 0xcc];

/** Walks the segments to the frame header, which holds the size. */
function jpegSize(buffer: Buffer): Size {
	let at = 2;
	while (at + 9 <= buffer.length && buffer[at] === 0xff) {
		const marker = buffer[at + 1]!;
		const isFrame = marker >= 0xc0 && marker <= 0xcf && !NO_FRAMES.includes(marker);
		if (isFrame) return sized(buffer.readUInt16BE(at + 7), buffer.readUInt16BE(at + 5));
		at += 2 + buffer.readUInt16BE(at + 2);
	}
	return {};
}

function webpSize(buffer: Buffer): Size {
	if (buffer.length < 30) return {};
	const kind = buffer.toString('latin1', 12, 16);
	if (kind === 'VP8X') return sized(buffer.readUIntLE(24, 3) + 1, buffer.readUIntLE(27, 3) + 1);
	if (kind === 'VP8 ')
		return sized(buffer.readUInt16LE(26) & 0x3fff, buffer.readUInt16LE(28) & 0x3fff);
	if (kind !== 'VP8L') return {};
	const bits = buffer.readUInt32LE(21);
	return sized((bits & 0x3fff) + 1, ((bits >>> 14) & 0x3fff) + 1);
}
