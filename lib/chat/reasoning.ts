/** Splits thinking from the text of an answer. */

const OPEN = '<think>';
const CLOSE = '</think>';

/** Models whose templates open the thinking in the prompt, so that only its end stands in the answer. */
const OPENS_IN_PROMPT = /deepseek[-_.]?r1|\bqwq\b|thinking/i;

/** Whether an answer may begin inside of thinking, by the name of the model. */
export function opensReasoningInPrompt(model: string): boolean {
	return OPENS_IN_PROMPT.test(model);
}

/** The thinking and the text of a whole answer. */
export function splitReasoning(answer: string): TextAndReasoning {
	const splitter = new ReasoningSplitter(false);
	const [first, last] = [splitter.push(answer), splitter.end()];
	return { text: first.text + last.text, reasoning: first.reasoning + last.reasoning };
}

export interface TextAndReasoning {
	text: string;
	reasoning: string;
}

/**
 * Reads text as it arrives, each character once. Tags count only where thinking may begin: at the start of the answer. A
 * model that writes about tags later on means the words.
 */
export class ReasoningSplitter {
	private state: 'start' | 'inside' | 'outside' = 'start';
	/** What was searched: blanks in front, or thinking that may be the answer. Only its end is read again. */
	private kept = '';
	/** What may be the beginning of a tag. */
	private pending = '';

	/** @param mayBeInside the opening tag may stand in the prompt */
	constructor(private readonly mayBeInside: boolean) {}

	/** The server splits by itself: tags are words. */
	ignoreTags(): void {
		if (this.state === 'start') this.state = 'outside';
	}

	push(piece: string): TextAndReasoning {
		this.pending += piece;
		if (this.state === 'start') this.begin();
		if (this.state === 'inside') return this.readInside();
		return { text: this.state === 'outside' ? this.take() : '', reasoning: '' };
	}

	/** What was held back until the end. */
	end(): TextAndReasoning {
		const { rest } = this;
		this.take();
		return rest;
	}

	/** What is held back. Thinking that never ended was the answer, if no tag opened it. */
	get rest(): TextAndReasoning {
		const rest = this.kept + this.pending;
		const isThinking = this.state === 'inside' && !this.isAssumed;
		return isThinking ? { text: '', reasoning: rest } : { text: rest, reasoning: '' };
	}

	private isAssumed = false;

	private begin(): void {
		const front = this.pending.trimStart();
		this.keep(this.pending.length - front.length);
		if (front.startsWith(OPEN)) {
			this.state = 'inside';
			this.kept = '';
			this.pending = front.slice(OPEN.length);
		} else if (!OPEN.startsWith(front)) {
			this.state = this.mayBeInside ? 'inside' : 'outside';
			this.isAssumed = this.mayBeInside;
		}
	}

	private readInside(): TextAndReasoning {
		const end = this.pending.indexOf(CLOSE);
		this.keep(end < 0 ? this.pending.length - lengthOfBegunTag(this.pending) : end);
		if (end < 0 && this.isAssumed) return { text: '', reasoning: '' };
		const reasoning = this.kept;
		this.kept = '';
		if (end < 0) return { text: '', reasoning };
		this.pending = this.pending.slice(CLOSE.length).trimStart();
		this.state = 'outside';
		return { reasoning, text: this.take() };
	}

	private keep(length: number): void {
		this.kept += this.pending.slice(0, length);
		this.pending = this.pending.slice(length);
	}

	private take(): string {
		const all = this.kept + this.pending;
		this.kept = this.pending = '';
		return all;
	}
}

/** Characters at the end of a text that may be the beginning of the closing tag. */
function lengthOfBegunTag(text: string): number {
	const from = text.lastIndexOf('<');
	return from >= 0 && CLOSE.startsWith(text.slice(from)) ? text.length - from : 0;
}

/**
 * What is shown of a turn: the text of all its tries and, if wanted, the thinking in front of it between `<think>` tags,
 * which chats fold up.
 */
export class DisplayedText {
	/** Everything shown so far. */
	text = '';
	private isThinking = false;
	private isRetry = false;

	constructor(
		private readonly showsThinking: boolean,
		private readonly show: (piece: string) => void,
	) {}

	push({ text, reasoning }: TextAndReasoning): void {
		if (this.showsThinking && reasoning !== '') this.think(reasoning);
		if (text === '') return;
		this.close();
		this.add(text);
	}

	/** What comes next is another answer, in a paragraph of its own. */
	startRetry(): void {
		this.close();
		this.isRetry = this.text !== '';
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
		const whole = this.isRetry ? `\n\n${piece}` : piece;
		this.isRetry = false;
		this.text += whole;
		this.show(whole);
	}
}
