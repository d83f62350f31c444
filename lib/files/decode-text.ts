import { tryOrUndefined } from '../values';

/** Bytes that are inspected. */
export const HEAD_BYTES = 8192;

/**
 * Decodes the bytes of a text file: UTF-16 with a byte-order mark, UTF-8, GB18030 by its byte pairs, otherwise
 * Windows-1252, a superset of Latin-1.
 */
export function decodeText(bytes: Uint8Array): string {
	const utf16 = detectUtf16(bytes);
	if (utf16 !== undefined) return new TextDecoder(utf16).decode(bytes);
	return (
		tryDecode(bytes, 'utf-8') ??
		(hasPairedBytes(bytes) ? tryDecode(bytes, 'gb18030') : undefined) ??
		new TextDecoder('windows-1252').decode(bytes)
	);
}

function tryDecode(bytes: Uint8Array, encoding: string): string | undefined {
	return tryOrUndefined(() => new TextDecoder(encoding, { fatal: true }).decode(bytes));
}

/** Chinese text has runs of two or more bytes above ASCII; Western letters above ASCII are mostly single. */
function hasPairedBytes(bytes: Uint8Array): boolean {
	const head = Buffer.from(bytes.subarray(0, HEAD_BYTES)).toString('latin1');
	const runs = head.match(/[\x80-\xff]+/g) ?? [];
	return runs.join('').length >= 3 * runs.length;
}

/** The encoding by the byte-order mark. */
export function detectUtf16([first, second]: Uint8Array): string | undefined {
	if (first === 0xff && second === 0xfe) return 'utf-16le';
	return first === 0xfe && second === 0xff ? 'utf-16be' : undefined;
}
