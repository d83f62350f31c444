import type { SplitText } from '../types';

/**
 * The text that is shown: the answer and, if wanted, the thinking in front of it between `<think>` tags, which chat
 * user interfaces collapse.
 */
export class ThinkingPresenter {
	private open = false;
	private text = '';

	constructor(private readonly showThinking: boolean) {}

	/** Everything shown so far. */
	get shown(): string {
		return this.text;
	}

	show({ text, reasoning }: SplitText): string {
		let piece = '';
		if (this.showThinking && reasoning !== '') piece += this.think(reasoning);
		if (text !== '') piece += this.close() + text;
		this.text += piece;
		return piece;
	}

	/** Closes a thinking block without text after it, as in a turn that only calls tools. */
	end(): string {
		const piece = this.close();
		this.text += piece;
		return piece;
	}

	private think(reasoning: string): string {
		if (this.open) return reasoning;
		// Models that do not think send an empty block, which is not shown.
		if (reasoning.trim() === '') return '';
		this.open = true;
		return `<think>\n${reasoning.trimStart()}`;
	}

	private close(): string {
		if (!this.open) return '';
		this.open = false;
		return '\n</think>\n\n';
	}
}
