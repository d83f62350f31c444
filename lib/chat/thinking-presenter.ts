import type { AssemblyStep } from './assembly';

/** What the reader sees: the answer, and on request the thinking in front of it between `<think>` tags, which chat front ends fold. */
export class ThinkingPresenter {
	private open = false;
	/** White space that may turn out to be all the thinking there is: models that do not think send an empty block. */
	private blank = '';
	private text = '';

	constructor(private readonly showThinking: boolean) {}

	/** Everything that was shown so far. */
	get shown(): string {
		return this.text;
	}

	show({ text, reasoning }: AssemblyStep): string {
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
		this.blank += reasoning;
		if (this.blank.trim() === '') return '';
		this.open = true;
		return `<think>\n${this.blank.trimStart()}`;
	}

	private close(): string {
		this.blank = '';
		if (!this.open) return '';
		this.open = false;
		return '\n</think>\n\n';
	}
}
