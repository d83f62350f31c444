import type { AnswerContent } from '../types';
import { LruCache } from '../../lru-cache';

/** Names of models whose templates usually put the opening thinking tag into the prompt. */
const THINKING_MODELS = /(?:^|[^a-z])(?:r1|qwq|thinking|reasoner|reasoning|magistral)(?:[^a-z]|$)/i;
/** A single answer may only quote the tag; a model whose template opens the block omits the tag in every answer. */
const MIN_ANSWERS_IN_A_ROW = 2;

/** What an answer showed about its model's thinking tags. */
export interface ThinkingSeen {
	/** It had a closing tag on its own line and no opening one. */
	openingTagMissing: boolean;
	/** Its thinking was between both tags or in a separate field. */
	markedThinking: boolean;
}

/**
 * Remembers which models, per server, omit the opening thinking tag: their answers are held back until the closing tag
 * arrives. Learned from consecutive answers, and forgotten after the first one that differs.
 */
export class ThinkingHabits {
	constructor(private readonly inARow = new LruCache<number>()) {}

	/** @param model key of model and server */
	leavesOpeningTagOut(model: string): boolean {
		return (this.inARow.get(model) ?? 0) >= MIN_ANSWERS_IN_A_ROW;
	}

	/** Whether the model is known to write both tags: then no opening tag can be missing. */
	marksItsThinking(model: string): boolean {
		return this.inARow.get(model) === -1;
	}

	/**
	 * Whether to hold text back until a closing tag may come. Not because of a model's name if the server separates
	 * thinking itself, since it includes the opening tag. If the answer is needed only as a whole (`whole`), waiting
	 * costs nothing.
	 *
	 * @param key key of model and server
	 */
	mayLeaveOpeningTagOut(
		key: string,
		{ model, isSplitByServer, whole }: { model: string; isSplitByServer: boolean; whole: boolean },
	): boolean {
		if (this.leavesOpeningTagOut(key)) return true;
		if (this.marksItsThinking(key)) return false;
		return whole || (!isSplitByServer && THINKING_MODELS.test(model));
	}

	/** A missing tag means nothing in an answer that was cut off or consists of calls. */
	learnFrom(key: string, seen: ThinkingSeen, { text, finishReason }: AnswerContent): void {
		const tells =
			seen.openingTagMissing ||
			seen.markedThinking ||
			(text.trim() !== '' && finishReason !== 'length');
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

/** Shared by the whole process. */
export const thinkingHabits = new ThinkingHabits(LruCache.shared());
