import type { TextAndReasoning } from '../text/reasoning';

/**
 * The displayed text of a turn: the text of all attempts, optionally preceded by the thinking between `<think>` tags,
 * which chats collapse.
 */
export class DisplayedText {
	/** Everything shown so far. */
	text = '';
	private isThinking = false;
	private isRetry = false;

	constructor(
		private readonly showsThinking: boolean,
		private readonly onDelta: (delta: string) => void,
	) {}

	push({ text, reasoning }: TextAndReasoning): void {
		if (this.showsThinking && reasoning !== '') this.think(reasoning);
		if (text === '') return;
		this.close();
		this.add(text);
	}

	/** Starts a new paragraph for the next attempt. */
	startRetry(): void {
		this.close();
		this.isRetry = this.text !== '';
	}

	/** Ends thinking without text after it, as in a turn that only calls tools. */
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

	private add(text: string): void {
		const delta = this.isRetry ? `\n\n${text}` : text;
		this.isRetry = false;
		this.text += delta;
		this.onDelta(delta);
	}
}
