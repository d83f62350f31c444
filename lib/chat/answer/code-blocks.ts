/** Enough of a line to see whether it opens or closes a block of code. */
const MAX_LINE_START = 80;

/**
 * Follows Markdown as it arrives and knows whether a position is inside a block of code or between backticks: an answer
 * that shows how something is written is not meant by it. Every character is looked at once.
 */
export class CodeBlocks {
	private fence: string | undefined;
	private line = '';
	private ticks = 0;
	private inTicks = false;
	private lastCharacter = '\n';

	push(text: string): void {
		for (let from = 0; from < text.length; ) {
			const end = text.indexOf('\n', from);
			this.pushLine(text.slice(from, end < 0 ? text.length : end));
			if (end < 0) break;
			this.endLine();
			from = end + 1;
		}
		this.lastCharacter = text.at(-1) ?? this.lastCharacter;
	}

	copy(): CodeBlocks {
		return Object.assign(new CodeBlocks(), this);
	}

	/** Whether the next character begins a line. */
	get isAtLineStart(): boolean {
		return this.lastCharacter === '\n';
	}

	/** Whether the next character stands in a block of code, the line that opens it included. */
	get isInBlock(): boolean {
		return this.fence !== undefined || fenceOf(this.line) !== undefined;
	}

	/** Whether the next character stands in a block of code, or behind an odd number of backticks in its line. */
	get isInCode(): boolean {
		return this.isInBlock || this.inTicks;
	}

	private pushLine(part: string): void {
		if (this.line.length < MAX_LINE_START) this.line = (this.line + part).slice(0, MAX_LINE_START);
		for (const character of part) {
			if (character !== '`') this.ticks = 0;
			else if (++this.ticks === 1) this.inTicks = !this.inTicks;
		}
	}

	private endLine(): void {
		const fence = fenceOf(this.line);
		if (this.fence === undefined) this.fence = fence;
		else if (fence?.startsWith(this.fence) && this.line.trim() === fence) this.fence = undefined;
		this.line = '';
		this.ticks = 0;
		this.inTicks = false;
	}
}

function fenceOf(line: string): string | undefined {
	return /^\s*(`{3,}|~{3,})/.exec(line)?.[1];
}
