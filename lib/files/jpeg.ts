const UPRIGHT = 1;

/** Warnings about an image that servers would show to the model in another way. */
export function getJpegWarnings({ name, bytes }: { name: string; bytes: Buffer }): string[] {
	const warnings: string[] = [];
	const orientation = readOrientation(bytes) ?? UPRIGHT;
	if (orientation !== UPRIGHT)
		warnings.push(
			`The image "${name}" is rotated (EXIF orientation ${orientation}), which servers ignore. Rotate it with the node "Edit Image" (Rotate) first.`,
		);
	// Seen with llama-server v0.5.0, even if the file is only a header.
	if (isTruncatedJpeg(bytes))
		warnings.push(
			`The image "${name}" is incomplete, so it may have been truncated in transit. Servers accept it anyway and fill the missing part with gray. Check the node that created the file.`,
		);
	return warnings;
}

/** The bytes in which a camera writes EXIF. */
const EXIF_BYTES = 65_536;
/** The EXIF marker and the orientation entry up to its value, in both byte orders. In hexadecimal. */
const EXIF = '457869660000';
const ORIENTATION = /(?:011200030000000100|1201030001000000)0([1-8])/;

/** The EXIF orientation of a JPEG: 1 is upright. Undefined if it is missing or truncated. */
function readOrientation(bytes: Uint8Array): number | undefined {
	const head = Buffer.from(bytes.subarray(0, EXIF_BYTES)).toString('hex');
	const [, exif = ''] = head.split(EXIF, 2);
	const entry = ORIENTATION.exec(exif);
	return entry === null ? undefined : Number(entry[1]);
}

const END_OF_IMAGE = Buffer.from('ffd9', 'hex');

/** JPEG markers that no length follows: pixels, padding. */
const MARKERS_WITHOUT_LENGTH = [0xda, 0xff];

/** JPEG segments that are skipped; a color profile has at most 255. */
const MAX_SEGMENTS = 1_000;
/** The end marker is searched in the last bytes only: pixels never contain it, but long videos appended to a photo do. */
const END_BYTES = 1024 * 1024;

/** Whether a JPEG has no end marker. A thumbnail in its EXIF has a separate one. */
function isTruncatedJpeg(image: Buffer): boolean {
	let offset = 2;
	for (
		let segments = 0;
		segments < MAX_SEGMENTS &&
		image[offset] === 0xff &&
		!MARKERS_WITHOUT_LENGTH.includes(image[offset + 1]!) &&
		offset + 4 <= image.length;
		segments++
	)
		offset += 2 + image.readUInt16BE(offset + 2);
	return image.indexOf(END_OF_IMAGE, Math.max(offset, image.length - END_BYTES)) < 0;
}
