import type { Family } from '../../text-formats/families';
import { ThinkSplitter } from '../../text-formats/thinking';
import type { SplitText } from '../../types';
import type { Chunk, Transform } from '../chunk';
import { moreTellingReason } from '../finish-reason';

/** Separates thinking from the text in which a server left it. */
export class ThinkingInText implements Transform {
	private readonly splitter: ThinkSplitter;
	private text = '';
	private reasoning = '';
	private finishReason: string | undefined;
	private hasCalls = false;

	/** @param openingTagMayBeMissing see `ThinkSplitter` */
	constructor(
		openingTagMayBeMissing: boolean | 'always',
		private readonly family: Family | undefined,
	) {
		this.splitter = new ThinkSplitter(openingTagMayBeMissing, family?.id === 'harmony');
	}

	push(chunk: Chunk): Chunk[] {
		const { reasoning = '', text = '', finishReason } = chunk;
		if (finishReason !== undefined)
			this.finishReason = moreTellingReason(this.finishReason, finishReason);
		this.hasCalls ||= Boolean(chunk.toolCalls?.length);
		if (reasoning !== '' || holdsThinking(chunk)) this.splitter.thinkingArrivesApart(reasoning);
		if (text === '') {
			this.reasoning += reasoning;
			return [reasoning === '' ? chunk : { ...chunk, thinks: true }];
		}
		const split = this.splitter.push(text);
		const all = { text: split.text, reasoning: reasoning + split.reasoning };
		this.keep(all);
		return [{ ...chunk, ...all, ...thinks(split.text, all.reasoning) }];
	}

	end(): Chunk[] {
		const rest = this.splitter.end();
		this.keep(rest);
		const literal = this.literalAnswer();
		return literal === undefined ? [rest] : [{ text: literal, reasoning: '', isLiteral: true }];
	}

	private keep({ text, reasoning }: SplitText): void {
		this.text += text;
		this.reasoning += reasoning;
	}

	/**
	 * The text of an answer that is about a thinking tag and begins with it: the tag is never closed, a sentence
	 * continues after it, and the model is not known to think in tags. Undefined for other answers.
	 */
	private literalAnswer(): string | undefined {
		const { open } = this.splitter;
		if (open === undefined || this.text !== '' || this.family !== undefined) return undefined;
		if (this.hasCalls || this.finishReason !== 'stop') return undefined;
		return /^[ \t.,:;!?)'"`]/.test(this.reasoning) ? open + this.reasoning : undefined;
	}
}

/** Thinking arrived in a field of its own, of which an earlier transform holds the white space back. */
function holdsThinking({ text = '', arrived }: Chunk): boolean {
	return text === '' && arrived !== undefined;
}

function thinks(text: string, reasoning: string): Pick<Chunk, 'thinks'> {
	if (text.trim() !== '') return { thinks: false };
	return reasoning === '' ? {} : { thinks: true };
}
