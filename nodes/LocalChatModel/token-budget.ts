import type { ChatGenerator } from '../../lib/chat/types';
import { createInputError } from '../../lib/errors/create-error';
import { readTokenTotals } from '../shared/token-totals';

const UNCOUNTED =
	'The server does not report token counts, so Token Budget cannot limit this execution.';

/**
 * Stops when the execution has spent its tokens. The answer that exceeds the budget is still returned.
 *
 * @param budget tokens of all prompts and answers of the execution
 * @throws {ServerError} of kind `invalidInput` before anything is sent, if nothing is left
 */
export function withTokenBudget(
	answers: ChatGenerator,
	context: object,
	budget: number,
): ChatGenerator {
	return async (call, show) => {
		assertTokensLeft(context, budget);
		const answer = await answers(call, show);
		return answer.usage === undefined
			? { ...answer, warnings: [...answer.warnings, UNCOUNTED] }
			: answer;
	};
}

function assertTokensLeft(context: object, budget: number): void {
	const { tokensIn, tokensOut } = readTokenTotals(context);
	const spent = tokensIn + tokensOut;
	if (spent < budget) return;
	throw createInputError(
		`The Token Budget of this execution is used up: ${spent} of ${budget} tokens`,
		'If an agent calls tools in a loop, lower its Max Iterations or give it clearer tools. Otherwise raise Token Budget in the options of the model.',
		{
			detail: `The models of this execution have read ${tokensIn} tokens and generated ${tokensOut}. No further request was sent.`,
			facts: { tokensIn, tokensOut, tokenBudget: budget },
		},
	);
}
