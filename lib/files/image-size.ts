/** The size of an image, from its header: PNG, JPEG and WebP. Pure. */

/** In pixels. */
export interface ImageSize {
	width: number;
	height: number;
}

/**
 * Reads the size of an image.
 *
 * @param image its first bytes, or all of them
 * @returns undefined for other formats, and for a header that is not complete
 */
export function getImageSize(image: Buffer): ImageSize | undefined {
	if (image.toString('latin1', 1, 4) === 'PNG') return getPngSize(image);
	if (image[0] === 0xff && image[1] === 0xd8) return getJpegSize(image);
	const isWebp =
		image.toString('latin1', 0, 4) === 'RIFF' && image.toString('latin1', 8, 12) === 'WEBP';
	return isWebp ? getWebpSize(image) : undefined;
}

/** W3C PNG, IHDR: the first chunk begins with the width and the height. */
function getPngSize(image: Buffer) {
	if (image.byteLength <= 24) return undefined;
	return { width: image.readUInt32BE(16), height: image.readUInt32BE(20) };
}

/** Segments that are skipped; a color profile has at most 255. */
const MAX_SEGMENTS = 1_000;

/** SOF0 to SOF15, without DHT, JPG and DAC, which are in the same range. */
function isFrameHeader(marker: number) {
	return marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
}

/** ITU T.81, B.2.2: the frame header has the height before the width. */
function getJpegSize(image: Buffer) {
	let offset = 2;
	for (let segments = 0; segments < MAX_SEGMENTS && offset + 9 <= image.byteLength; segments++) {
		if (image[offset] !== 0xff) return undefined;
		const marker = image[offset + 1]!;
		if (isFrameHeader(marker))
			return { width: image.readUInt16BE(offset + 7), height: image.readUInt16BE(offset + 5) };
		// Fill bytes may precede a marker.
		offset += marker === 0xff ? 1 : 2 + image.readUInt16BE(offset + 2);
	}
	return undefined;
}

/** RFC 9649, 2.5 to 2.7: lossy, lossless and extended files have the size in other places. */
function getWebpSize(image: Buffer) {
	if (image.byteLength < 30) return undefined;
	switch (image.toString('latin1', 12, 16)) {
		case 'VP8 ':
			return {
				width: image.readUInt16LE(26) & 0x3fff,
				height: image.readUInt16LE(28) & 0x3fff,
			};
		case 'VP8L': {
			const bits = image.readUInt32LE(21);
			return { width: (bits & 0x3fff) + 1, height: ((bits >>> 14) & 0x3fff) + 1 };
		}
		case 'VP8X':
			return { width: image.readUIntLE(24, 3) + 1, height: image.readUIntLE(27, 3) + 1 };
		default:
			return undefined;
	}
}
