const [QUOTE, BACKSLASH, OPEN_LIST, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT] = [
	0x22, 0x5c, 0x5b, 0x5d, 0x7b, 0x7d,
];

/**
 * Finds the end of a JSON object or list in streamed text, in one pass and without parsing it. Text that begins with
 * anything else has no end.
 */
export class JsonEnd {
	private depth = 0;
	private escaped = false;
	private state: 'before' | 'inside' | 'complete' | 'other' = 'before';
	private quoted = false;

	/** Whether the value is complete. */
	get isComplete(): boolean {
		return this.state === 'complete';
	}

	/** Whether the last piece ended inside a string, where JSON allows no line end. */
	get isInString(): boolean {
		return this.quoted;
	}

	/** @returns the index after the value's last character, if this piece completes it */
	push(piece: string): number | undefined {
		for (
			let index = 0;
			index < piece.length && (this.state === 'before' || this.state === 'inside');
			index++
		) {
			const code = piece.charCodeAt(index);
			if (this.state === 'before') this.begin(code);
			else this.next(code);
			if (this.isComplete) return index + 1;
		}
		return undefined;
	}

	private begin(code: number): void {
		// White space and the byte-order mark.
		if (code <= 0x20 || code === 0xfeff) return;
		const opens = code === OPEN_OBJECT || code === OPEN_LIST;
		this.state = opens ? 'inside' : 'other';
		this.depth = 1;
	}

	private next(code: number): void {
		if (this.quoted) this.nextInString(code);
		else if (code === QUOTE) this.quoted = true;
		else if (code === OPEN_OBJECT || code === OPEN_LIST) this.depth++;
		else if ((code === CLOSE_OBJECT || code === CLOSE_LIST) && --this.depth === 0)
			this.state = 'complete';
	}

	private nextInString(code: number): void {
		if (this.escaped) this.escaped = false;
		else if (code === BACKSLASH) this.escaped = true;
		else if (code === QUOTE) this.quoted = false;
	}
}
