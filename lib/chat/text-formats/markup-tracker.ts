/** Characters of a line that are enough to recognize code fences and lists. */
const MAX_LINE_START = 80;
const MAX_TAG = 300;
/** Elements without a closing tag. */
const VOID = /^(?:area|base|br|col|embed|hr|img|input|link|meta|param|source|track|wbr)$/;
const OPENING_QUOTES: ReadonlySet<string> = new Set('"\'“„‘‚«‹「『《〈');
/** Quotes that open a quotation even before a line break. */
const CLEAR_QUOTES: ReadonlySet<string> = new Set('“„‚«‹「『《〈');

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
	/** The text of an unfinished tag; undefined outside of tags. */
	private tag: string | undefined;
	private comment = false;
	/** Number of open elements by name. */
	private readonly elements = new Map<string, number>();
	private openElements = 0;

	push(text: string): void {
		for (let at = 0; at < text.length; at++) this.next(text[at]!);
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
			this.comment ||
			this.openElements > 0 ||
			/^(?: {0,3}["'“„‘«‹(*_]*(?:[>|]|[-*+•]\s|\d+[.)]\s)| {4}| {0,3}\t)/.test(this.line) ||
			OPENING_QUOTES.has(this.last) ||
			CLEAR_QUOTES.has(this.lastVisible)
		);
	}

	private next(unit: string): void {
		if (unit === '\n') this.endLine();
		else {
			if (this.line.length < MAX_LINE_START) this.line += unit;
			if (unit !== '`') this.ticks = 0;
			else if (++this.ticks === 1) this.inTicks = !this.inTicks;
			if (!/\s/.test(unit)) this.lastVisible = unit;
		}
		if (this.fence === undefined && !this.inTicks) this.followTag(unit);
		this.last = unit;
	}

	private endLine(): void {
		const fence = fenceOf(this.line);
		if (this.fence === undefined) this.fence = fence;
		else if (fence?.startsWith(this.fence) && this.line.trim() === fence) this.fence = undefined;
		this.line = '';
		this.ticks = 0;
		this.inTicks = false;
	}

	private followTag(unit: string): void {
		if (this.comment) {
			this.tag = `${this.tag ?? ''}${unit}`.slice(-3);
			if (this.tag === '-->') {
				this.comment = false;
				this.tag = undefined;
			}
		} else if (unit === '<') this.tag = /\w/.test(this.last) ? undefined : '';
		else if (this.tag !== undefined && unit === '>') {
			this.endTag(this.tag);
			this.tag = undefined;
		} else if (this.tag !== undefined) {
			this.tag += unit;
			if (this.tag === '!--') {
				this.comment = true;
				this.tag = '';
			} else if (this.tag.length > MAX_TAG || !/^[/!a-z]/i.test(this.tag)) this.tag = undefined;
		}
	}

	private endTag(tag: string): void {
		const [, slash, name] = /^(\/?)([a-z][\w:.-]*)(?:\s[^]*)?$/i.exec(tag) ?? [];
		if (name === undefined || tag.endsWith('/')) return;
		const key = name.toLowerCase();
		if (VOID.test(key)) return;
		const open = this.elements.get(key) ?? 0;
		if (slash === '/' && open === 0) return;
		this.elements.set(key, slash === '/' ? open - 1 : open + 1);
		this.openElements += slash === '/' ? -1 : 1;
	}
}

function fenceOf(line: string): string | undefined {
	return /^\s*["'“„‘«‹(*_]*(?:(?:[-*+•>]|\d+[.)])\s+)*(`{3,}|~{3,})/.exec(line)?.[1];
}
