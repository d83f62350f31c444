/** Splits reasoning from the text of a response. */

const OPEN = '<think>';
const CLOSE = '</think>';

/** Models whose templates open the thinking in the prompt, so that the response contains only its end. */
const OPENS_IN_PROMPT = /deepseek[-_.]?r1|\bqwq\b|thinking/i;

/** Whether a response may begin inside the thinking, by the model name. */
export function opensReasoningInPrompt(model: string): boolean {
	return OPENS_IN_PROMPT.test(model);
}

/** Splits a complete response. */
export function splitReasoning(response: string): TextAndReasoning {
	const splitter = new ReasoningSplitter(false);
	const [first, last] = [splitter.push(response), splitter.end()];
	return { text: first.text + last.text, reasoning: first.reasoning + last.reasoning };
}

export interface TextAndReasoning {
	text: string;
	reasoning: string;
}

/**
 * Reads text as it arrives, each character once. Tags count only at the start of the response, where thinking may begin.
 * Later tags are plain text.
 */
export class ReasoningSplitter {
	private state: 'start' | 'inside' | 'outside' = 'start';
	/** Text already searched: leading spaces, or thinking that may be the response. Only its end is read again. */
	private searched = '';
	/** Text that may be the beginning of a tag. */
	private pending = '';

	/** @param mayBeInside whether the prompt may contain the opening tag */
	constructor(private readonly mayBeInside: boolean) {}

	/** For servers that split the thinking: tags are plain text. */
	ignoreTags(): void {
		if (this.state === 'start') this.state = 'outside';
	}

	push(delta: string): TextAndReasoning {
		this.pending += delta;
		if (this.state === 'start') this.begin();
		if (this.state === 'inside') return this.readInside();
		return { text: this.state === 'outside' ? this.take() : '', reasoning: '' };
	}

	/** Returns the pending text. */
	end(): TextAndReasoning {
		const { rest } = this;
		this.take();
		return rest;
	}

	/** The pending text. Thinking that never ended is the response, if no tag opened it. */
	get rest(): TextAndReasoning {
		const rest = this.searched + this.pending;
		const isThinking = this.state === 'inside' && !this.isAssumed;
		return isThinking ? { text: '', reasoning: rest } : { text: rest, reasoning: '' };
	}

	private isAssumed = false;

	private begin(): void {
		const trimmed = this.pending.trimStart();
		this.keep(this.pending.length - trimmed.length);
		if (trimmed.startsWith(OPEN)) {
			this.state = 'inside';
			this.searched = '';
			this.pending = trimmed.slice(OPEN.length);
		} else if (!OPEN.startsWith(trimmed)) {
			this.state = this.mayBeInside ? 'inside' : 'outside';
			this.isAssumed = this.mayBeInside;
		}
	}

	private readInside(): TextAndReasoning {
		const end = this.pending.indexOf(CLOSE);
		this.keep(end < 0 ? this.pending.length - getPartialTagLength(this.pending) : end);
		if (end < 0 && this.isAssumed) return { text: '', reasoning: '' };
		const reasoning = this.searched;
		this.searched = '';
		if (end < 0) return { text: '', reasoning };
		this.pending = this.pending.slice(CLOSE.length).trimStart();
		this.state = 'outside';
		return { reasoning, text: this.take() };
	}

	private keep(length: number): void {
		this.searched += this.pending.slice(0, length);
		this.pending = this.pending.slice(length);
	}

	private take(): string {
		const all = this.searched + this.pending;
		this.searched = this.pending = '';
		return all;
	}
}

/** Characters at the end of a text that may be the beginning of the closing tag. */
function getPartialTagLength(text: string): number {
	const from = text.lastIndexOf('<');
	return from >= 0 && CLOSE.startsWith(text.slice(from)) ? text.length - from : 0;
}
