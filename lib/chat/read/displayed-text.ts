/** What users see of the output of a turn. */
import type { TextAndReasoning } from '../../text/reasoning';

/**
 * The displayed text of a turn: the text of all attempts, optionally preceded by the thinking between `<think>` tags,
 * which chats collapse.
 */
export class DisplayedText {
	/** Everything shown so far. */
	text = '';
	private isThinking = false;
	/** Whether the next output begins a paragraph, since an earlier attempt has shown some. */
	private beginsParagraph = false;
	/** Text of the current attempt, without thinking. */
	private attemptText = '';
	private readonly shownTexts: string[] = [];
	/** Texts of earlier attempts that begin with the text of this one, which is not shown as long as there are any. */
	private repeatedTexts: string[] = [];

	constructor(
		private readonly showsThinking: boolean,
		private readonly onDelta: (delta: string) => void,
	) {}

	push({ text, reasoning }: TextAndReasoning): void {
		if (this.showsThinking && reasoning) this.think(reasoning);
		if (!text) return;
		this.endThinking();
		const mayRepeat = this.repeatedTexts.length > 0;
		const position = this.attemptText.length;
		this.attemptText += text;
		this.repeatedTexts = this.repeatedTexts.filter((shown) => shown.startsWith(text, position));
		if (this.repeatedTexts.length === 0) this.add(mayRepeat ? this.attemptText : text);
	}

	/** Ends the output of an attempt; that of the next one, a retry or a correction, begins a paragraph. */
	startNextAttempt(): void {
		this.endAttempt();
		this.beginsParagraph = this.text !== '';
		if (this.attemptText) this.shownTexts.push(this.attemptText);
		this.repeatedTexts = [...this.shownTexts];
		this.attemptText = '';
	}

	/** Shows text that only begins like an earlier attempt, and ends thinking without text after it. */
	endAttempt(): void {
		this.endThinking();
		const isRepetition = this.repeatedTexts.includes(this.attemptText);
		if (this.repeatedTexts.length > 0 && this.attemptText && !isRepetition)
			this.add(this.attemptText);
	}

	private endThinking() {
		if (!this.isThinking) return;
		this.isThinking = false;
		this.add('\n</think>\n\n');
	}

	private think(reasoning: string) {
		if (this.isThinking) this.add(reasoning);
		// Models that do not think send an empty block, which is not shown.
		else if (reasoning.trim()) {
			this.isThinking = true;
			this.add(`<think>\n${reasoning.trimStart()}`);
		}
	}

	private add(text: string) {
		const delta = this.beginsParagraph ? `\n\n${text}` : text;
		this.beginsParagraph = false;
		this.text += delta;
		this.onDelta(delta);
	}
}
