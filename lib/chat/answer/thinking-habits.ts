import type { ChatAnswer } from '../types';
import { LruCache } from '../../lru-cache';

/** Models whose templates put the opening thinking tag into the prompt, by what is known of their names. */
const THINKING_MODELS = /(?:^|[^a-z])(?:r1|qwq|thinking|reasoner|reasoning|magistral)(?:[^a-z]|$)/i;
/** One answer may merely quote the tag; a model whose template opens the block leaves the tag out of every answer. */
const MIN_ANSWERS_IN_A_ROW = 2;

/** What an answer showed of the way in which its model thinks. */
export interface ThinkingSeen {
	/** It held a closing tag on a line of its own and no opening one. */
	openingTagMissing: boolean;
	/** Its thinking came between both tags or in a field of its own. */
	markedThinking: boolean;
}

/**
 * Remembers which models leave their opening thinking tag out, each with its server: then answers are held back until
 * the closing tag has come. Learned from answers in a row, and unlearned by the first one that is otherwise.
 */
export class ThinkingHabits {
	constructor(private readonly inARow = new LruCache<number>()) {}

	/** @param model the model with its server */
	leavesOpeningTagOut(model: string): boolean {
		return (this.inARow.get(model) ?? 0) >= MIN_ANSWERS_IN_A_ROW;
	}

	/**
	 * Whether the model is known to mark its thinking on both sides: then nothing is missing in front of a closing tag.
	 */
	marksItsThinking(model: string): boolean {
		return this.inARow.get(model) === -1;
	}

	/**
	 * Whether text is held back until a closing tag decides what it is. A server that splits thinking off itself sends
	 * the opening tag along: what it streams is not held back for a name. Where nobody reads along (`whole`), waiting
	 * costs nothing.
	 *
	 * @param key the model with its server
	 */
	mayLeaveOpeningTagOut(
		key: string,
		{ model, isSplitByServer, whole }: { model: string; isSplitByServer: boolean; whole: boolean },
	): boolean {
		if (this.leavesOpeningTagOut(key)) return true;
		if (this.marksItsThinking(key)) return false;
		return whole || (!isSplitByServer && THINKING_MODELS.test(model));
	}

	/** An answer that was cut off, or that holds calls only, tells nothing by what it lacks. */
	learnFrom(key: string, seen: ThinkingSeen, { text, finishReason }: ChatAnswer): void {
		const tells = seen.openingTagMissing || seen.markedThinking || (text.trim() !== '' && finishReason !== 'length');
		if (tells) this.learn(key, seen);
	}

	learn(model: string, { openingTagMissing, markedThinking }: ThinkingSeen): void {
		const before = this.inARow.get(model);
		this.inARow.delete(model);
		if (openingTagMissing) this.inARow.set(model, Math.max(0, before ?? 0) + 1);
		else if (markedThinking) this.inARow.set(model, -1);
		else if (before === -1) this.inARow.set(model, before);
	}
}

/** Of all models of this process. */
export const thinkingHabits = new ThinkingHabits(LruCache.shared());
