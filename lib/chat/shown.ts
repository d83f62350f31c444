import type { SplitText } from './thinking';

/**
 * What is shown of a turn: the text of all its tries and, if wanted, the thinking in front of it between `<think>` tags,
 * which chats fold up.
 */
export class Shown {
	/** Everything shown so far. */
	text = '';
	private isThinking = false;
	private isNextTry = false;

	constructor(
		private readonly showsThinking: boolean,
		private readonly show: (piece: string) => void,
	) {}

	push({ text, reasoning }: SplitText): void {
		if (this.showsThinking && reasoning !== '') this.think(reasoning);
		if (text === '') return;
		this.close();
		this.add(text);
	}

	/** What comes next is another answer, in a paragraph of its own. */
	nextTry(): void {
		this.close();
		this.isNextTry = this.text !== '';
	}

	/** Ends thinking without text behind it, as in a turn that only calls tools. */
	close(): void {
		if (!this.isThinking) return;
		this.isThinking = false;
		this.add('\n</think>\n\n');
	}

	private think(reasoning: string): void {
		if (this.isThinking) this.add(reasoning);
		// Models that do not think send an empty block, which is not shown.
		else if (reasoning.trim() !== '') {
			this.isThinking = true;
			this.add(`<think>\n${reasoning.trimStart()}`);
		}
	}

	private add(piece: string): void {
		const whole = this.isNextTry ? `\n\n${piece}` : piece;
		this.isNextTry = false;
		this.text += whole;
		this.show(whole);
	}
}
