/**
 * The one scanner of JSON: finds its signs, of text that may arrive in chunks, that may have no end, or that only begins like
 * JSON. It says where they are; what they mean is decided by those who ask. Linear: each character is read once.
 *
 * | Who asks | For what |
 * |---|---|
 * | `json-brackets.ts` | where a value ends, and how deep it is |
 * | `lib/json-memory.ts` | how much memory its values take |
 * | `cut-json.ts` | which brackets are missing at its end |
 * | `exact-json.ts` | which of its numbers are not in a string |
 * | `lib/text/json-members.ts` | its members with their source, keys that occur twice |
 * | `lib/errors/mask.ts` | its strings |
 *
 * Values that are written like Python or JavaScript have other quotation marks, comments and names: `lib/text/literals.ts`.
 */

/** `"` */
const QUOTE = 0x22;

/** `\` */
export const BACKSLASH = 0x5c;

/** Kinds of signs, as bits. */
export const BRACKETS = 1;
/** Commas and colons. */
export const SEPARATORS = 2;
/** Both quotation marks of a string. */
export const QUOTES = 4;

const ALL = BRACKETS | SEPARATORS | QUOTES;

/** The kind of a character by its code: of any code, so that no search has to compare it with a limit. */
const KINDS = new Uint8Array(0x10000);
for (const sign of '{}[]') KINDS[sign.charCodeAt(0)] = BRACKETS;
for (const sign of ',:') KINDS[sign.charCodeAt(0)] = SEPARATORS;
KINDS[QUOTE] = QUOTES;

/** Finds the signs outside of strings, and the quotation marks around them. */
export class JsonSigns {
	/** Whether what follows the last sign is in a string. */
	isInString = false;
	/** Backslashes at the end of the last chunk, within a string. */
	private backslashes = 0;

	/** @param wanted - The kinds to find. Default: all. */
	constructor(private readonly wanted: number = ALL) {}

	/**
	 * @param from - Where the search goes on: after the last sign, or at the beginning of the next chunk
	 * @returns the index of the next sign that is wanted; the length of the chunk if it has no other
	 */
	next(chunk: string, from: number): number {
		const { wanted } = this;
		const wantsQuotes = (wanted & QUOTES) !== 0;
		let at = from;
		while (at < chunk.length) {
			at = this.isInString ? this.findStringEnd(chunk, at) : findOutside(chunk, at, wanted);
			if (at >= chunk.length) break;
			if (chunk.charCodeAt(at) !== QUOTE) return at;
			this.isInString = !this.isInString;
			if (wantsQuotes) return at;
			at++;
		}
		return chunk.length;
	}

	/** The quotation mark that ends a string. */
	private findStringEnd(chunk: string, from: number): number {
		let start = from;
		for (let at = chunk.indexOf('"', start); at >= 0; at = chunk.indexOf('"', start)) {
			const isEscaped = this.countBackslashes(chunk, start, at) % 2 === 1;
			this.backslashes = 0;
			if (!isEscaped) return at;
			start = at + 1;
		}
		this.backslashes = this.countBackslashes(chunk, start, chunk.length);
		return chunk.length;
	}

	/** The backslashes directly before an end, also those of the last chunk. */
	private countBackslashes(chunk: string, start: number, end: number): number {
		let at = end;
		while (at > start && chunk.charCodeAt(at - 1) === BACKSLASH) at--;
		return end - at + (at === start ? this.backslashes : 0);
	}
}

/** The next sign that is wanted outside of a string, or the quotation mark of one. */
function findOutside(chunk: string, from: number, wanted: number): number {
	if (wanted === QUOTES) {
		const at = chunk.indexOf('"', from);
		return at < 0 ? chunk.length : at;
	}
	const kinds = wanted | QUOTES;
	let at = from;
	while (at < chunk.length && (KINDS[chunk.charCodeAt(at)]! & kinds) === 0) at++;
	return at;
}

/** Whether a sign is `{` or `[`; another bracket is a closing one. */
export function isOpening(code: number): boolean {
	return (code | CASE) === OPENING;
}

/** `{`, and with the bit `CASE` also `[` */
const OPENING = 0x7b;

/** The only bit in which square and curly brackets differ. */
const CASE = 0x20;
