const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const VALUES = new Map([...ALPHABET].map((letter, value) => [letter, value] as const));

/** Bits that do not fill a byte at the end of a piece are padding, and belong to nothing. */
function decode(piece: string): number[] {
	const bytes: number[] = [];
	let bits = 0;
	let held = 0;
	for (const letter of piece) {
		const value = VALUES.get(letter);
		if (value === undefined) continue;
		bits = (bits << 6) | value;
		held += 6;
		if (held >= 8) {
			held -= 8;
			bytes.push((bits >> held) & 0xff);
			bits &= (1 << held) - 1;
		}
	}
	return bytes;
}

function encode(bytes: number[]): string {
	let out = '';
	for (let at = 0; at < bytes.length; at += 3) {
		const second = bytes[at + 1];
		const third = bytes[at + 2];
		const bits = ((bytes[at] ?? 0) << 16) | ((second ?? 0) << 8) | (third ?? 0);
		out += ALPHABET.charAt(bits >> 18) + ALPHABET.charAt((bits >> 12) & 63);
		out += second === undefined ? '=' : ALPHABET.charAt((bits >> 6) & 63);
		out += third === undefined ? '=' : ALPHABET.charAt(bits & 63);
	}
	return out;
}

/**
 * Joins pieces of audio that were encoded one by one. Dify encodes each chunk of the speech provider for itself, so padding
 * may sit in the middle, where decoders stop: only pieces without it can be joined as text.
 */
export function joinBase64(pieces: readonly string[]): string {
	const joinable = pieces.every(
		(piece, at) => piece.length % 4 === 0 && (at === pieces.length - 1 || !piece.endsWith('=')),
	);
	return joinable ? pieces.join('') : encode(pieces.flatMap(decode));
}
