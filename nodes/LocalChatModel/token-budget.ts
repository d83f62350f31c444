import type { AnswerSource } from '../../lib/chat/client';
import type { ChatCall } from '../../lib/chat/request/request';
import type { FinishedAnswer } from '../../lib/chat/types';
import { invalidInput } from '../../lib/errors/failure';
import { tokensSpent } from '../shared/token-totals';

const UNCOUNTED = 'The server does not count tokens, so Token Budget does not end this execution.';

/** A source of answers that stops when the execution has spent its tokens. */
export class BudgetedAnswers implements AnswerSource {
	/** @param budget tokens of all prompts and answers of the execution; 0 = without a limit */
	constructor(
		private readonly source: AnswerSource,
		private readonly context: object,
		private readonly budget: number,
	) {}

	get keepsPace(): boolean {
		return this.source.keepsPace === true;
	}

	/**
	 * As the source. The answer that exceeds the budget is still returned.
	 *
	 * @throws {ServerError} of kind `invalidInput` before anything is sent, if nothing is left
	 */
	async *generate(call: ChatCall): AsyncGenerator<string, FinishedAnswer> {
		this.check();
		const answer = yield* this.source.generate(call);
		if (this.budget === 0 || answer.usage !== undefined) return answer;
		return { ...answer, notes: [...answer.notes, UNCOUNTED] };
	}

	private check(): void {
		if (this.budget === 0) return;
		const { tokensIn, tokensOut } = tokensSpent(this.context);
		const spent = tokensIn + tokensOut;
		if (spent < this.budget) return;
		throw invalidInput(
			`The execution has spent its Token Budget: ${spent} of ${this.budget} tokens`,
			'If an agent calls tools in a circle, lower its Max Iterations or give it clearer tools. Otherwise raise Token Budget in the options of the model.',
			{
				meaning: `The models of this execution have read ${tokensIn} tokens and written ${tokensOut}. Nothing more was sent.`,
				facts: { tokensIn, tokensOut, tokenBudget: this.budget },
			},
		);
	}
}
