import { CodeBlocks } from './code-blocks';

export interface SplitText {
	text: string;
	reasoning: string;
}

/** Thinking tags: `<think>` and `<thinking>` in any case and with attributes, and Mistral's `[THINK]`. */
const TAG = /<(\/?)(think|thinking)(\s[^<>[\]]{0,100})?>|\[(\/?)THINK\]/gi;
/** The beginning of one at the end of a text. */
const TAG_BEGINNING =
	/(?:<\/?(?:t|th|thi|thin|think(?:i|in|ing)?(?:\s[^<>[\]]{0,100})?)?|\[\/?(?:T|TH|THI|THIN|THINK)?)$/i;
const MAX_TAG = 120;

interface Tag {
	start: number;
	end: number;
	/** What closes the block that this tag opens; undefined for a closing tag. */
	close?: RegExp;
}

type State =
	/** Nothing but white space so far, or the beginning of an opening tag. */
	| { at: 'start' }
	| { at: 'thinking'; close: RegExp }
	/** The opening tag may have been part of the prompt: held back until a closing tag decides. */
	| { at: 'undecided' }
	/** White space behind a closing tag is not part of the answer. */
	| { at: 'gap' }
	| { at: 'answer' };

/**
 * Splits thinking off an answer that carries it in its text, tag by tag and however the tags are cut into pieces.
 * Servers do that when they do not know the model's format (`--reasoning-format none`, plain FastAPI servers).
 *
 * Only a block at the very start of the answer is taken for thinking.
 *
 * @param openingTagMayBeMissing templates of thinking models often put `<think>` into the prompt, so that the answer
 *   begins inside the block. Then everything is held back until `</think>` arrives; without one it was an answer after
 *   all.
 */
export class ThinkSplitter {
	private state: State = { at: 'start' };
	private held = '';
	/** White space at the beginning, in front of `held`. */
	private blank = '';
	/** What is held back in front of `held` while nothing is decided, already searched. */
	private passed = '';
	private search = new TagSearch();
	private sawTag = false;
	private openingMissing = false;

	constructor(private openingTagMayBeMissing = false) {}

	/**
	 * Whether the answer held a closing tag without an opening one: worth remembering for the next answer of this model.
	 */
	get openingTagWasMissing(): boolean {
		return this.openingMissing;
	}

	/** Whether anything was split off. */
	get foundThinking(): boolean {
		return this.sawTag;
	}

	/**
	 * The server sends thinking in a field of its own: then nothing is missing in the text, and nothing has to be held
	 * back.
	 */
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
		const out: SplitText = { text: '', reasoning: '' };
		const wasUndecided = this.state.at === 'undecided';
		if (wasUndecided) {
			// The end of the answer ends a line.
			this.held += '\n';
			while (this.step(out));
		}
		const rest = this.takePassed() + this.blank + this.held;
		this.held = this.blank = '';
		if (this.state.at === 'thinking') out.reasoning += rest;
		else if (this.state.at !== 'gap') out.text += rest;
		if (wasUndecided && !this.openingMissing) out.text = out.text.slice(0, -1);
		return out;
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
		this.blank += this.held.slice(0, this.held.length - begin.length);
		this.held = begin;
		const [tag] = tagsIn(begin.slice(0, MAX_TAG));
		if (tag?.start === 0 && tag.close !== undefined) {
			this.held = begin.slice(tag.end);
			this.blank = '';
			this.state = { at: 'thinking', close: tag.close };
			this.sawTag = true;
			return true;
		}
		if (begin === '' || (tag === undefined && beginningOfTag(begin) === 0)) return false;
		this.held = this.blank + begin;
		this.blank = '';
		this.state = { at: this.openingTagMayBeMissing && !this.sawTag ? 'undecided' : 'answer' };
		return true;
	}

	private inThinking(out: SplitText, close: RegExp): boolean {
		const end = close.exec(this.held);
		const stop = end?.index ?? beginningOfTag(this.held) ?? this.held.length;
		out.reasoning += this.held.slice(0, stop);
		this.held = this.held.slice(stop + (end?.[0].length ?? 0));
		if (end === null) return false;
		this.state = { at: 'gap' };
		return true;
	}

	private undecided(out: SplitText): boolean {
		const found = this.search.next(this.held);
		if (found.tag === undefined) {
			// A long answer is not searched from its beginning with every token.
			this.passed += this.held.slice(0, found.searched);
			this.held = this.held.slice(found.searched);
			return false;
		}
		if (found.tag.close !== undefined) return this.decideForAnswer();
		out.reasoning += this.takePassed() + this.held.slice(0, found.tag.start);
		this.held = this.held.slice(found.tag.end);
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
 * Whether a text holds a closing tag that ends a thinking block whose opening tag is missing. Models put it at the
 * beginning or the end of a line, so an answer that merely talks about the tag is left alone; so is one that shows a
 * whole block, with both tags, or the tag in a block of code.
 */
export function hasClosingTagOnItsOwnLine(text: string): boolean {
	const { tag } = new TagSearch().next(`${text}\n`);
	return tag !== undefined && tag.close === undefined;
}

/**
 * Looks for the first tag of any kind that begins or ends a line outside of code: what comes later must not change the
 * decision.
 */
class TagSearch {
	private readonly code = new CodeBlocks();

	/**
	 * @param text what follows on the part of the last text that was searched
	 * @returns the tag, or how much of the text need not be looked at again
	 */
	next(text: string): { tag: Tag; searched?: undefined } | { tag?: undefined; searched: number } {
		let at = 0;
		const passTo = (end: number) => {
			this.code.push(text.slice(at, end));
			at = end;
		};
		for (const tag of tagsIn(text)) {
			passTo(tag.start);
			const isInBlock = this.code.isInBlock;
			if (!isInBlock && this.code.isAtLineStart) return { tag };
			// What follows decides, and has not arrived.
			if (!isInBlock && tag.end === text.length) return { searched: at };
			if (!isInBlock && text[tag.end] === '\n') return { tag };
		}
		passTo(Math.max(at, beginningOfTag(text) ?? text.length));
		return { searched: at };
	}
}

function* tagsIn(text: string): Generator<Tag> {
	for (const match of text.matchAll(TAG)) {
		const [all, slash, name, attributes, bracketSlash] = match;
		// `<think/>` is empty, and brackets are Mistral's only in capitals.
		if (attributes?.endsWith('/') || (name === undefined && all !== all.toUpperCase())) continue;
		const opens = slash !== '/' && bracketSlash !== '/';
		const close = name === undefined ? /\[\/THINK\]/ : new RegExp(`</${name}\\s*>`, 'i');
		yield { start: match.index, end: match.index + all.length, ...(opens ? { close } : {}) };
	}
}

/** Where a tag may have begun whose end has not arrived. */
function beginningOfTag(text: string): number | undefined {
	const from = Math.max(0, text.length - MAX_TAG);
	const found = TAG_BEGINNING.exec(text.slice(from));
	return found === null ? undefined : from + found.index;
}

/** Takes a leading thinking block out of a finished text, for messages that come back from a memory. */
export function withoutThinking(text: string): SplitText {
	const splitter = new ThinkSplitter();
	const first = splitter.push(text);
	const rest = splitter.end();
	return { text: first.text + rest.text, reasoning: first.reasoning + rest.reasoning };
}
