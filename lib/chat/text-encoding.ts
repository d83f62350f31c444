import { quietly } from '../values';

/** Bytes that are checked for UTF-16 without a byte-order mark, or for a declaration inside the text. */
const MAX_LOOKED_AT = 4096;

/**
 * Decodes the bytes of a text file. The encoding is told by, in this order: a byte-order mark, the declared `charset`,
 * zeros in every second byte (UTF-16), valid UTF-8, a declaration inside the text; else it is Windows-1252, a superset
 * of Latin-1.
 */
export function decodeText(bytes: Uint8Array, declared?: string): string {
	const marked = encodingOfMark(bytes);
	const encoding = marked ?? knownEncoding(declared) ?? utf16Without(bytes);
	if (encoding !== undefined) return new TextDecoder(encoding).decode(bytes);
	try {
		return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
	} catch {
		return new TextDecoder(knownEncoding(writtenInside(bytes)) ?? 'windows-1252').decode(bytes);
	}
}

/** The encoding that XML, HTML or CSS declare inside. */
function writtenInside(bytes: Uint8Array): string | undefined {
	const begin = new TextDecoder('windows-1252').decode(bytes.subarray(0, MAX_LOOKED_AT));
	return /(?:<\?xml[^<>]*\sencoding|<meta[^<>]*\scharset|^@charset)\s{0,9}=?\s{0,9}["']?([\w:.-]+)/i.exec(
		begin,
	)?.[1];
}

function encodingOfMark([first, second, third]: Uint8Array): string | undefined {
	if (first === 0xff && second === 0xfe) return 'utf-16le';
	if (first === 0xfe && second === 0xff) return 'utf-16be';
	return first === 0xef && second === 0xbb && third === 0xbf ? 'utf-8' : undefined;
}

/**
 * The normalized name of a declared encoding; undefined for unknown ones, and for UTF-8, which is often declared
 * wrongly and checked by the bytes.
 */
function knownEncoding(label: string | undefined): string | undefined {
	const encoding =
		label === undefined ? undefined : quietly(() => new TextDecoder(label.trim()).encoding);
	return encoding === 'utf-8' ? undefined : encoding;
}

function utf16Without(bytes: Uint8Array): string | undefined {
	const looked = bytes.subarray(0, MAX_LOOKED_AT);
	const zeros = [0, 1].map(
		(parity) => looked.filter((byte, at) => at % 2 === parity && byte === 0).length,
	);
	const [even = 0, odd = 0] = zeros;
	const most = looked.length / 4;
	if (looked.length < 4 || bytes.length % 2 !== 0) return undefined;
	if (odd > most && even === 0) return 'utf-16le';
	return even > most && odd === 0 ? 'utf-16be' : undefined;
}
