import type { SplitText } from '../types';
import { MarkupTracker } from './markup-tracker';
import { attempt, Source, Stopped } from './source';
import {
	answerAt,
	blockEndBegin,
	endsBlock,
	type Marker,
	MARKER_BEGIN,
	markerAt,
	mayHoldThinkingEnd,
} from './thinking-markers';

/** What remains of gpt-oss's markers if a server removes its tokens: `analysisWe need…assistantfinalfour`. */
const STRIPPED_END = /assistantfinal|assistantcommentary/;
const MAX_STRIPPED_END = 'assistantcommentary'.length;

/** More white space behind the end marker of an answer means that it is none. */
const MAX_BLANK_BEHIND = 1000;

/** What the splitter reads. Each state is a method that returns whether it read all it can for now. */
type State = 'front' | 'thinking' | 'stripped' | 'undecided' | 'answer' | 'behind';

/**
 * Separates thinking from the text of an answer, independent of how the text was split. Servers leave it there when
 * they do not know the model's format (`--reasoning-format none`, plain FastAPI servers).
 *
 * Only a block at the very start of the answer counts as thinking.
 */
export class ThinkSplitter {
	/** Whether the answer had a closing tag without an opening one. Remembered for the model's next answer. */
	openingTagWasMissing = false;
	/** Whether there was any thinking. */
	foundThinking = false;
	/** The opening marker of an unclosed block. */
	open: string | undefined;
	private state: State = 'front';
	private text = '';
	private reasoning = '';
	/** Text that was looked at, but belongs to nothing yet. It may be long, so it is only added to. */
	private held = '';
	/** Text to look at. */
	private unread = '';
	private answerEnded = false;
	private isApart = false;
	/** The last character of thinking in a separate field. */
	private thoughtEnd = '';
	/** The text goes on in the middle of that thinking. */
	private continuesThought = false;
	/** The marker that ends the current block, or the answer. */
	private close = '';
	private answerEnd = '';
	/** It is known that no opening tag is missing. */
	private isDecided = false;
	/** The markup of what is held. */
	private readonly surroundings = new MarkupTracker();

	/**
	 * @param openingTagMayBeMissing templates of thinking models often put `<think>` into the prompt, so that the answer
	 *   begins inside the block. Then everything is held back until `</think>` arrives; without one, all of it is the
	 *   answer. `always`: also after thinking in a separate field, the rest of which may be in the text.
	 * @param mayBeStripped for gpt-oss: the server may have removed its tokens
	 */
	constructor(
		private readonly openingTagMayBeMissing: boolean | 'always' = false,
		private mayBeStripped = false,
	) {}

	/** Called when the server sends thinking in a separate field: then the text lacks no opening tag. */
	thinkingArrivesApart(reasoning = ''): void {
		this.isApart = true;
		this.thoughtEnd = reasoning.slice(-1) || this.thoughtEnd;
	}

	push(piece: string): SplitText {
		if (this.state === 'behind' || this.answerEnded) return { text: piece, reasoning: '' };
		this.unread += piece;
		return this.read();
	}

	/** At the end of the answer: returns what was held back. */
	end(): SplitText {
		this.answerEnded = true;
		return this.read();
	}

	private read(): SplitText {
		while (this.step() !== 'wait');
		const { text, reasoning } = this;
		this.text = '';
		this.reasoning = '';
		return { text, reasoning };
	}

	/** Reads a part of the text. `wait`: only more text can decide how it goes on. */
	private step(): 'wait' | 'on' {
		switch (this.state) {
			case 'front':
				return this.readFront();
			case 'thinking':
				return this.readThinking();
			case 'stripped':
				return this.readStripped();
			case 'undecided':
				return this.readUndecided();
			case 'answer':
				return this.readAnswer();
			case 'behind':
				return this.readBehind();
		}
	}

	/** In front of the answer: thinking, markers, or the answer itself. */
	private readFront(): 'wait' | 'on' {
		const visible = this.unread.trimStart();
		this.held += this.unread.slice(0, this.unread.length - visible.length);
		this.unread = visible;
		if (visible === '' && !this.answerEnded) return 'wait';
		const source = new Source(visible, this.answerEnded);
		const decided = attempt(() => this.decideFront(source));
		if (decided instanceof Stopped) return 'wait';
		this.unread = visible.slice(source.at);
		return 'on';
	}

	private decideFront(source: Source): void {
		const marker = markerAt(source);
		if (marker !== undefined && this.takeFrontMarker(marker)) return;
		source.at = 0;
		if (this.mayBeStripped && isStrippedThinking(source)) {
			this.state = 'stripped';
			return;
		}
		const answerEnd = answerAt(source, this.foundThinking);
		if (answerEnd !== undefined) {
			this.answerEnd = answerEnd;
			this.held = '';
			return;
		}
		this.continuesThought = !this.isDecided && this.isMidSentence(source.text);
		if (this.mayBeThinking) this.state = 'undecided';
		else this.beginAnswer();
	}

	/** @returns whether the marker means anything in front of the answer */
	private takeFrontMarker({ text, close }: Marker): boolean {
		if (close !== undefined) {
			this.open = text;
			this.close = close;
			this.begin('thinking');
			return true;
		}
		// The end of thinking that arrived in a field of its own.
		if (this.isApart) this.held = '';
		return this.isApart;
	}

	/** Whether the text may be thinking although no marker opened it. */
	private get mayBeThinking(): boolean {
		if (this.isDecided || this.foundThinking || this.answerEnd !== '') return false;
		return this.openingTagMayBeMissing !== false || this.continuesThought;
	}

	/** Whether the text goes on where thinking in a separate field broke off, as when a server loses count of tags. */
	private isMidSentence(text: string): boolean {
		if (!this.isApart) return false;
		if (this.held.includes('\n') || !/[\p{L}\p{N},]/u.test(this.thoughtEnd)) return false;
		return this.held !== '' || /^[\p{Ll},;:]/u.test(text);
	}

	private begin(state: 'thinking' | 'front'): void {
		this.foundThinking = true;
		this.held = '';
		this.state = state;
	}

	/** White space after thinking is not part of the answer. */
	private beginAnswer(): void {
		if (!this.foundThinking && !this.isApart && this.answerEnd === '') this.text += this.held;
		this.held = '';
		this.close = this.answerEnd;
		this.state = this.answerEnd === '' ? 'behind' : 'answer';
	}

	private readThinking(): 'wait' | 'on' {
		const isEnded = this.readUpTo(
			(text) => (this.reasoning += text),
			(source) => endsBlock(source, this.close),
		);
		if (!isEnded) return 'wait';
		this.open = undefined;
		this.state = 'front';
		return 'on';
	}

	private readAnswer(): 'wait' | 'on' {
		const isEnded = this.readUpTo(
			(text) => (this.text += text),
			(source) => endsBlock(source, this.close) && isOnlyBlankBehind(source),
		);
		if (!isEnded) return 'wait';
		this.state = 'behind';
		return 'on';
	}

	/**
	 * Outputs the text up to the closing marker.
	 *
	 * @param isEnd consumes the marker; called at each place where one may begin
	 * @returns whether the marker came
	 */
	private readUpTo(output: (text: string) => void, isEnd: (source: Source) => boolean): boolean {
		const { unread } = this;
		const source = new Source(unread, this.answerEnded);
		const begin = blockEndBegin(this.close);
		source.jumpTo(begin);
		while (source.at < unread.length) {
			const { at } = source;
			const result = attempt(() => isEnd(source));
			if (result !== false) {
				output(unread.slice(0, at));
				this.unread = unread.slice(result === true ? source.at : at);
				return result === true;
			}
			source.at = at + 1;
			source.jumpTo(begin);
		}
		output(unread);
		this.unread = '';
		return false;
	}

	/** gpt-oss without its tokens: thinking up to the name of another channel. */
	private readStripped(): 'wait' | 'on' {
		const { unread } = this;
		const end = STRIPPED_END.exec(unread);
		if (end !== null) {
			this.reasoning += this.held + unread.slice(0, end.index);
			// The channel "commentary" holds calls, which are read from the text.
			const isCommentary = end[0] === 'assistantcommentary';
			this.unread = unread.slice(end.index + (isCommentary ? 'assistant' : end[0]).length);
			this.begin('front');
			return 'on';
		}
		if (this.answerEnded) {
			this.mayBeStripped = false;
			this.unread = `analysis${this.held}${unread}`;
			this.held = '';
			this.state = 'front';
			return 'on';
		}
		const kept = Math.max(0, unread.length - MAX_STRIPPED_END);
		this.held += unread.slice(0, kept);
		this.unread = unread.slice(kept);
		return 'wait';
	}

	/**
	 * Looks for the first marker at the beginning or end of a line outside of code. A closing one ends the thinking with
	 * which the answer began.
	 */
	private readUndecided(): 'wait' | 'on' {
		const isWaiting = this.continuesThought || this.openingTagMayBeMissing === 'always';
		if (this.isApart && !isWaiting) return this.decideText();
		for (;;) {
			this.hold(lengthBeforeMarker(this.unread));
			if (this.unread === '') return this.answerEnded ? this.decideText() : 'wait';
			const source = new Source(this.unread, this.answerEnded);
			const marker = attempt(() => this.lineMarkerAt(source));
			if (marker instanceof Stopped) return 'wait';
			if (marker === undefined) {
				this.hold(1);
				continue;
			}
			if (marker.close !== undefined) return this.decideText();
			this.reasoning += this.held;
			this.unread = this.unread.slice(source.at);
			this.openingTagWasMissing = !this.continuesThought;
			this.begin('front');
			return 'on';
		}
	}

	private hold(length: number): void {
		const text = this.unread.slice(0, length);
		this.held += text;
		this.surroundings.push(text);
		this.unread = this.unread.slice(length);
	}

	private lineMarkerAt(source: Source): Marker | undefined {
		const marker = markerAt(source);
		if (marker === undefined) return undefined;
		if (this.surroundings.isInBlock) return undefined;
		const isAtEdge = this.surroundings.isAtLineStart || ['', '\n'].includes(source.peek());
		return isAtEdge ? marker : undefined;
	}

	/** No opening tag is missing: all that was held is the answer. */
	private decideText(): 'on' {
		this.isDecided = true;
		this.unread = this.held + this.unread;
		this.held = '';
		this.state = 'front';
		return 'on';
	}

	private readBehind(): 'wait' {
		this.text += this.unread;
		this.unread = '';
		return 'wait';
	}
}

/** Whether a text has a closing tag of a thinking block without an opening tag. */
export function hasClosingTagOnItsOwnLine(text: string): boolean {
	if (!mayHoldThinkingEnd(text)) return false;
	const splitter = new ThinkSplitter(true);
	splitter.push(text);
	splitter.end();
	return splitter.openingTagWasMissing;
}

/** Separates a leading thinking block from a finished text, for messages from a memory. */
export function withoutThinking(text: string): SplitText {
	const splitter = new ThinkSplitter();
	const first = splitter.push(text);
	const rest = splitter.end();
	return { text: first.text + rest.text, reasoning: first.reasoning + rest.reasoning };
}

function isStrippedThinking(source: Source): boolean {
	const start = source.at;
	if (source.oneOf(['analysis']) !== undefined && /\S/.test(source.peek())) return true;
	source.at = start;
	return false;
}

function lengthBeforeMarker(text: string): number {
	const source = new Source(text, true);
	source.jumpTo(MARKER_BEGIN);
	return source.at;
}

function isOnlyBlankBehind(source: Source): boolean {
	const start = source.at;
	while (/\s/.test(source.peek()) && source.at - start < MAX_BLANK_BEHIND) source.at += 1;
	return source.peek() === '';
}
