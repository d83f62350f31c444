export interface SplitText {
	text: string;
	reasoning: string;
}

/** Opening tag to closing tag. Only a block at the very start of the answer is taken for thinking. */
const TAGS: ReadonlyArray<readonly [open: string, close: string]> = [
	['<think>', '</think>'],
	['<thinking>', '</thinking>'],
	['[THINK]', '[/THINK]'],
];

const LONGEST_TAG = Math.max(...TAGS.flat().map((tag) => tag.length));

type State =
	/** Nothing but white space so far, or the beginning of an opening tag. */
	| { at: 'start' }
	| { at: 'thinking'; close: string }
	/** The opening tag may have been part of the prompt: held back until a closing tag decides. */
	| { at: 'undecided' }
	/** White space behind a closing tag is not part of the answer. */
	| { at: 'gap' }
	| { at: 'answer' };

/**
 * Splits thinking off an answer that carries it in its text, tag by tag and however the tags are cut into pieces.
 * Servers do that when they do not know the model's format (`--reasoning-format none`, plain FastAPI servers).
 *
 * @param openingTagMayBeMissing templates of thinking models often put `<think>` into the prompt, so that the answer begins inside
 *   the block. Then everything is held back until `</think>` arrives; without one it was an answer after all.
 */
export class ThinkSplitter {
	private state: State = { at: 'start' };
	private held = '';
	/** What is held back in front of `held` while nothing is decided, already searched. */
	private passed = '';
	private sawTag = false;
	private openingMissing = false;

	constructor(private openingTagMayBeMissing = false) {}

	/** Whether the answer held a closing tag without an opening one: worth remembering for the next answer of this model. */
	get openingTagWasMissing(): boolean {
		return this.openingMissing;
	}

	/** Whether anything was split off. */
	get foundThinking(): boolean {
		return this.sawTag;
	}

	/** The server sends thinking in a field of its own: then nothing is missing in the text, and nothing has to be held back. */
	thinkingArrivesApart(): void {
		this.openingTagMayBeMissing = false;
		if (this.state.at === 'undecided') this.decideForAnswer();
	}

	push(piece: string): SplitText {
		const out: SplitText = { text: '', reasoning: '' };
		if (piece === '') return out;
		this.held += piece;
		while (this.step(out));
		return out;
	}

	/** The end of the answer: what was held back is given out. */
	end(): SplitText {
		const rest = this.takePassed() + this.held;
		this.held = '';
		const found = this.state.at === 'undecided' ? closingTagOnItsOwnLine(`${rest}\n`) : undefined;
		if (found !== undefined) {
			this.sawTag = true;
			this.openingMissing = true;
			return { text: '', reasoning: rest.slice(0, found.start) };
		}
		if (this.state.at === 'thinking') return { text: '', reasoning: rest };
		if (this.state.at === 'gap') return { text: '', reasoning: '' };
		return { text: rest, reasoning: '' };
	}

	/** @returns whether there is more to do with what is held */
	private step(out: SplitText): boolean {
		switch (this.state.at) {
			case 'start':
				return this.atStart();
			case 'thinking':
				return this.inThinking(out, this.state.close);
			case 'undecided':
				return this.undecided(out);
			case 'gap':
				return this.inGap();
			default:
				return this.inAnswer(out);
		}
	}

	private atStart(): boolean {
		const begin = this.held.trimStart();
		for (const [open, close] of TAGS) {
			if (begin.startsWith(open)) {
				this.held = begin.slice(open.length);
				this.state = { at: 'thinking', close };
				this.sawTag = true;
				return true;
			}
		}
		if (begin === '' || TAGS.some(([open]) => open.startsWith(begin))) return false;
		this.state = { at: this.openingTagMayBeMissing && !this.sawTag ? 'undecided' : 'answer' };
		return true;
	}

	private inThinking(out: SplitText, close: string): boolean {
		const end = this.held.indexOf(close);
		if (end >= 0) {
			out.reasoning += this.held.slice(0, end);
			this.held = this.held.slice(end + close.length);
			this.state = { at: 'gap' };
			return true;
		}
		const keep = overlap(this.held, close);
		out.reasoning += this.held.slice(0, this.held.length - keep);
		this.held = this.held.slice(this.held.length - keep);
		return false;
	}

	private undecided(out: SplitText): boolean {
		const found = firstTagOnItsOwnLine(this.held, this.passed === '');
		if (found === undefined) {
			// A long answer is not searched from its beginning with every token.
			const done = Math.max(0, this.held.length - LONGEST_TAG - 1);
			this.passed += this.held.slice(0, done);
			this.held = this.held.slice(done);
			return false;
		}
		if (found.opens) return this.decideForAnswer();
		out.reasoning += this.takePassed() + this.held.slice(0, found.start);
		this.held = this.held.slice(found.end);
		this.state = { at: 'gap' };
		this.sawTag = true;
		this.openingMissing = true;
		return true;
	}

	private decideForAnswer(): true {
		this.held = this.takePassed() + this.held;
		this.state = { at: 'answer' };
		return true;
	}

	private takePassed(): string {
		const { passed } = this;
		this.passed = '';
		return passed;
	}

	private inGap(): boolean {
		const rest = this.held.trimStart();
		this.held = rest;
		if (rest === '') return false;
		// Some models think twice in a row.
		this.state = { at: 'start' };
		return true;
	}

	private inAnswer(out: SplitText): boolean {
		out.text += this.held;
		this.held = '';
		return false;
	}
}

/**
 * A closing tag that ends a thinking block whose opening tag is missing. Models put it at the beginning or the end of a
 * line, so an answer that merely talks about the tag is left alone; so is one that shows a whole block, with both tags.
 */
export function closingTagOnItsOwnLine(text: string): { start: number; end: number } | undefined {
	const first = firstTagOnItsOwnLine(text);
	return first === undefined || first.opens ? undefined : { start: first.start, end: first.end };
}

/** The first tag of any kind that begins or ends a line: what comes later must not change the decision, as it may not have arrived yet. */
function firstTagOnItsOwnLine(text: string, isBeginning = true): Tag | undefined {
	const found = TAGS.flatMap(([open, close]) => [
		onItsOwnLine(text, open, true, isBeginning),
		onItsOwnLine(text, close, false, isBeginning),
	]);
	return found.filter((tag) => tag !== undefined).sort((a, b) => a.start - b.start)[0];
}

interface Tag {
	start: number;
	end: number;
	opens: boolean;
}

function onItsOwnLine(text: string, tag: string, opens: boolean, isBeginning: boolean): Tag | undefined {
	for (let start = text.indexOf(tag); start >= 0; start = text.indexOf(tag, start + 1)) {
		const end = start + tag.length;
		if ((start === 0 && isBeginning) || text[start - 1] === '\n' || text[end] === '\n') return { start, end, opens };
	}
	return undefined;
}

/** Length of the longest end of `text` that is a beginning of `tag`. */
function overlap(text: string, tag: string): number {
	for (let length = Math.min(text.length, tag.length - 1); length > 0; length--) {
		if (text.endsWith(tag.slice(0, length))) return length;
	}
	return 0;
}

/** Takes a leading thinking block out of a finished text, for messages that come back from a memory. */
export function withoutThinking(text: string): SplitText {
	const splitter = new ThinkSplitter();
	const first = splitter.push(text);
	const rest = splitter.end();
	return { text: first.text + rest.text, reasoning: first.reasoning + rest.reasoning };
}
