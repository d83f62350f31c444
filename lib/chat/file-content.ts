/** What a file is by its first bytes, where its MIME type says too little or something else. */

/** Formats by the first bytes (the signatures of each format's standard). */
const SIGNATURES: ReadonlyArray<readonly [RegExp, mime: string]> = [
	[/^\x89PNG/, 'image/png'],
	[/^\xff\xd8\xff/, 'image/jpeg'],
	[/^GIF8[79]a/, 'image/gif'],
	[/^BM[^]{4}\0{4}/, 'image/bmp'],
	[/^RIFF[^]{4}WEBP/, 'image/webp'],
	[/^[^]{4}ftyp(?:heic|heix|heim|heis|hevc|hevx|mif1|msf1)/, 'image/heic'],
	[/^[^]{4}ftypavi[fs]/, 'image/avif'],
	[/^RIFF[^]{4}WAVE/, 'audio/wav'],
	[/^fLaC/, 'audio/flac'],
	[/^OggS/, 'audio/ogg'],
	[/^[^]{4}ftypM4A/, 'audio/mp4'],
	[/^[^]{4}ftypqt/, 'video/quicktime'],
	[/^[^]{4}ftyp/, 'video/mp4'],
	// The first byte is the control character 0x1a.
	[/^[^]E\xdf\xa3/, 'video/webm'],
	[/^ID3|^\xff[\xe2\xe3\xf2\xf3\xfa\xfb]/, 'audio/mpeg'],
	[/^%PDF/, 'application/pdf'],
];

/** Bytes of a text that are looked at. */
const SAMPLE_BYTES = 4096;

/** Byte-order marks of UTF-16. */
const UTF16_MARK = /^(?:\xff\xfe|\xfe\xff)/;

/** The control characters that texts have: tab, line breaks, form feed, escape. */
const TEXT_CONTROLS = new Set([0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x1b]);

/** The MIME type by the content of a file; undefined if it has no known signature and is no text. */
export function mimeOfContent(bytes: Uint8Array): string | undefined {
	const sample = Buffer.from(bytes.subarray(0, SAMPLE_BYTES));
	const characters = sample.toString('latin1');
	const format = SIGNATURES.find(([signature]) => signature.test(characters));
	if (format !== undefined) return format[1];
	if (sample.length === 0) return undefined;
	if (!UTF16_MARK.test(characters) && sample.some(isBinary)) return undefined;
	return isSvg(characters) ? 'image/svg+xml' : 'text/plain';
}

function isBinary(byte: number): boolean {
	return byte < 0x20 && !TEXT_CONTROLS.has(byte);
}

function isSvg(characters: string): boolean {
	return (
		/^(?:\xef\xbb\xbf)?\s*<(?:svg|\?xml|!--|!DOCTYPE svg)/i.test(characters) &&
		/<svg[\s>]/i.test(characters)
	);
}
