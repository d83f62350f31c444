import { quietly } from '../../values';

/** How much of a text is looked at to tell UTF-16 without a byte-order mark. */
const MAX_LOOKED_AT = 4096;

/**
 * The text in the bytes of a file. A byte-order mark says how it is written, then what was declared (`charset=`), then
 * the bytes themselves: UTF-16 of Latin text has a zero in every second place, and what is no valid UTF-8 is what the
 * text says of itself, else Windows-1252, which holds Latin-1.
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

/** What XML, HTML and CSS say of themselves. */
function writtenInside(bytes: Uint8Array): string | undefined {
	const begin = new TextDecoder('windows-1252').decode(bytes.subarray(0, MAX_LOOKED_AT));
	return /(?:<\?xml[^<>]*\sencoding|<meta[^<>]*\scharset|^@charset)\s{0,9}=?\s{0,9}["']?([\w:.-]+)/i.exec(begin)?.[1];
}

function encodingOfMark([first, second, third]: Uint8Array): string | undefined {
	if (first === 0xff && second === 0xfe) return 'utf-16le';
	if (first === 0xfe && second === 0xff) return 'utf-16be';
	return first === 0xef && second === 0xbb && third === 0xbf ? 'utf-8' : undefined;
}

/** The declared encoding, where it is one. UTF-8 is declared of much that is none, so it is left to the bytes. */
function knownEncoding(label: string | undefined): string | undefined {
	const encoding = label === undefined ? undefined : quietly(() => new TextDecoder(label.trim()).encoding);
	return encoding === 'utf-8' ? undefined : encoding;
}

function utf16Without(bytes: Uint8Array): string | undefined {
	const looked = bytes.subarray(0, MAX_LOOKED_AT);
	const zeros = [0, 1].map((parity) => looked.filter((byte, at) => at % 2 === parity && byte === 0).length);
	const [even = 0, odd = 0] = zeros;
	const most = looked.length / 4;
	if (looked.length < 4 || bytes.length % 2 !== 0) return undefined;
	if (odd > most && even === 0) return 'utf-16le';
	return even > most && odd === 0 ? 'utf-16be' : undefined;
}
