import type { SplitText } from '../types';

/**
 * What the reader sees: the answer, and on request the thinking in front of it between `<think>` tags, which chat front
 * ends fold.
 */
export class ThinkingPresenter {
	private open = false;
	private text = '';

	constructor(private readonly showThinking: boolean) {}

	/** Everything that was shown so far. */
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

	/** Closes a thinking block that no answer followed, as in a turn that only calls tools. */
	end(): string {
		const piece = this.close();
		this.text += piece;
		return piece;
	}

	private think(reasoning: string): string {
		if (this.open) return reasoning;
		// It may turn out to be all the thinking there is: models that do not think send an empty block.
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
