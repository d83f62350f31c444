const MAX_TAG = 300;
/** Names of elements that are open at once. HTML knows fewer; a million of them would keep n8n busy. */
const MAX_NAMES = 1_000;
/** Elements without a closing tag. */
const VOID = /^(?:area|base|br|col|embed|hr|img|input|link|meta|param|source|track|wbr)$/;
const COMMENT = '!--';

/** The HTML elements and comments that are open at the end of a text. */
export class OpenElements {
	private state: 'text' | 'tag' | 'comment' = 'text';
	/** The text of an unfinished tag, or the last characters of a comment. */
	private tag = '';
	/** Number of elements by name, where any is open. */
	private readonly counts = new Map<string, number>();
	private total = 0;

	get areOpen(): boolean {
		return this.state === 'comment' || this.total > 0;
	}

	/**
	 * @param text `<` or `>`, or several characters without any of them
	 * @param before the character before the text
	 */
	push(text: string, before: string): void {
		if (this.state === 'comment') this.readComment(text);
		else if (text === '<') this.begin(before);
		else if (this.state === 'tag' && text === '>') this.endTag();
		else if (this.state === 'tag') this.readTag(text);
	}

	private begin(before: string): void {
		this.tag = '';
		// Not in `a<b`.
		this.state = /\w/.test(before) ? 'text' : 'tag';
	}

	private readTag(text: string): void {
		this.tag += text;
		if (this.tag.startsWith(COMMENT)) this.beginComment(this.tag.slice(COMMENT.length));
		else if (this.tag.length > MAX_TAG || !/^[/!a-z]/i.test(this.tag)) this.state = 'text';
	}

	private beginComment(text: string): void {
		this.state = 'comment';
		this.tag = '';
		this.readComment(text);
	}

	private readComment(text: string): void {
		this.tag = (this.tag + text.slice(-3)).slice(-3);
		if (this.tag === '-->') this.state = 'text';
	}

	private endTag(): void {
		this.state = 'text';
		const [, slash, name] = /^(\/?)([a-z][\w:.-]*)(?:\s[^]*)?$/i.exec(this.tag) ?? [];
		if (name === undefined || this.tag.endsWith('/')) return;
		const key = name.toLowerCase();
		if (VOID.test(key)) return;
		const open = this.counts.get(key) ?? 0;
		if (open === 0 && (slash === '/' || this.counts.size >= MAX_NAMES)) return;
		const change = slash === '/' ? -1 : 1;
		if (open + change === 0) this.counts.delete(key);
		else this.counts.set(key, open + change);
		this.total += change;
	}
}
