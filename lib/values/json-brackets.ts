/** Brackets of JSON, by the codes of its characters. */

/** `"` */
export const QUOTE = 0x22;

/** `\` */
export const BACKSLASH = 0x5c;

/** `{`, and with the bit `CASE` also `[` */
const OPENING = 0x7b;

/** `}`, and with the bit `CASE` also `]` */
const CLOSING = 0x7d;

/** The only bit in which square and curly brackets differ. */
const CASE = 0x20;

/** Tracks the brackets of JSON that arrives in chunks, reading each character once. */
export class JsonBrackets {
	/** Deepest nesting so far. */
	deepest = 0;
	/** Brackets that are open. */
	depth = 0;
	isInString = false;
	/** Characters of the next chunk that a backslash escapes: 0 or 1. */
	private escaped = 0;

	/** Whether all values have ended. */
	get isComplete(): boolean {
		return this.deepest > 0 && this.depth <= 0 && !this.isInString;
	}

	/** @returns the index after the bracket that closes the first one; undefined if none does so far. */
	read(chunk: string, from = 0): number | undefined {
		let at = from + this.escaped;
		this.escaped = 0;
		for (; at < chunk.length; at++) {
			const code = chunk.charCodeAt(at);
			if (code === QUOTE) this.isInString = !this.isInString;
			else if (this.isInString) at += code === BACKSLASH ? 1 : 0;
			else if ((code | CASE) === OPENING) this.open();
			else if ((code | CASE) === CLOSING && --this.depth <= 0) return at + 1;
		}
		this.escaped = at - chunk.length;
		return undefined;
	}

	/** Reads a chunk, also after the end of a value. */
	readAll(chunk: string): void {
		for (let at: number | undefined = 0; at !== undefined;) at = this.read(chunk, at);
	}

	private open() {
		this.depth++;
		if (this.depth > this.deepest) this.deepest = this.depth;
	}
}
