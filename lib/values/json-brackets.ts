/** Brackets of JSON: where a value ends, and how deep it is. */
import { BRACKETS, isOpening, JsonSigns } from './json-signs';

/** Tracks the brackets of JSON that arrives in chunks, reading each character once. */
export class JsonBrackets {
	/** Deepest nesting so far. */
	deepest = 0;
	/** Brackets that are open. */
	depth = 0;
	private readonly signs = new JsonSigns(BRACKETS);

	get isInString(): boolean {
		return this.signs.isInString;
	}

	/** Whether all values have ended. */
	get isComplete(): boolean {
		return this.deepest > 0 && this.depth <= 0 && !this.isInString;
	}

	/** @returns the index after the bracket that closes the first one; undefined if none does so far. */
	read(chunk: string, from = 0): number | undefined {
		const { signs } = this;
		for (let at = signs.next(chunk, from); at < chunk.length; at = signs.next(chunk, at + 1))
			if (isOpening(chunk.charCodeAt(at))) this.open();
			else if (--this.depth <= 0) return at + 1;
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
