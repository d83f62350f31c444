import { OpenElements } from './open-elements';

/** Characters of a line that are enough to recognize code fences and lists. */
const MAX_LINE_START = 80;
const OPENING_QUOTES: ReadonlySet<string> = new Set('"\'“„‘‚«‹「『《〈');
/** Quotes that open a quotation even before a line break. */
const CLEAR_QUOTES: ReadonlySet<string> = new Set('“„‚«‹「『《〈');
const QUOTED_LINE = /^(?: {0,3}["'“„‘«‹(*_]*(?:[>|]|[-*+•]\s|\d+[.)]\s)| {4}| {0,3}\t)/;
/** Characters that change what the next ones are. All others are read in runs. */
const MARK = /[\n`<>]/g;

/**
 * Parses streamed Markdown and HTML in one pass, to tell whether the next character is inside something that is only
 * shown: code, a list, a quotation, an HTML element.
 */
export class MarkupTracker {
	private fence: string | undefined;
	private line = '';
	private ticks = 0;
	private inTicks = false;
	private last = '\n';
	private lastVisible = '';
	private readonly elements = new OpenElements();

	push(text: string): void {
		let at = 0;
		while (at < text.length) {
			MARK.lastIndex = at;
			const end = MARK.exec(text)?.index ?? text.length;
			if (end > at) this.next(text.slice(at, end));
			if (end < text.length) this.next(text[end]!);
			at = end + 1;
		}
	}

	/** Whether only indentation precedes the next character in its line. */
	get isAtLineStart(): boolean {
		return /^ {0,3}$/.test(this.line);
	}

	/** Whether the next character is in a code block, including the line that opens it. */
	get isInBlock(): boolean {
		return this.fence !== undefined || fenceOf(this.line) !== undefined;
	}

	/** Whether the next character is inside something that is only shown. */
	get isQuotation(): boolean {
		return (
			this.isInBlock ||
			this.inTicks ||
			this.elements.areOpen ||
			QUOTED_LINE.test(this.line) ||
			OPENING_QUOTES.has(this.last) ||
			CLEAR_QUOTES.has(this.lastVisible)
		);
	}

	/** @param text one mark, or several characters that are none */
	private next(text: string): void {
		if (text === '\n') this.endLine();
		else this.extendLine(text);
		if (this.fence === undefined && !this.inTicks) this.elements.push(text, this.last);
		this.last = text.at(-1)!;
	}

	private extendLine(text: string): void {
		this.line += text.slice(0, MAX_LINE_START - this.line.length);
		this.lastVisible = text.trimEnd().at(-1) ?? this.lastVisible;
		this.ticks = text === '`' ? this.ticks + 1 : 0;
		if (this.ticks === 1) this.inTicks = !this.inTicks;
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
	return /^\s*["'“„‘«‹(*_]*(?:(?:[-*+•>]|\d+[.)])\s+)*(`{3,}|~{3,})/.exec(line)?.[1];
}
