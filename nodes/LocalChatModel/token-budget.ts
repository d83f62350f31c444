/** Ends an execution that has used up its token budget. */
import type { ChatGenerator } from '../../lib/chat/chat-request';
import type { TokenTotals } from '../../lib/n8n/token-totals';
import { createInputError } from '../../lib/errors/create-error';

const UNCOUNTED =
	'The server does not report token counts, so Execution Token Budget cannot limit this execution.';

/**
 * Fails if the execution has used its tokens. The response that exceeds the budget is still returned.
 *
 * @param budget tokens of all prompts and responses of the execution
 * @param readTotals reads the tokens that the execution has used so far
 * @throws {ServerError} of type `invalidInput` before anything is sent, if nothing is left
 */
export function withTokenBudget(
	generate: ChatGenerator,
	budget: number,
	readTotals: () => TokenTotals,
): ChatGenerator {
	return async (chatRequest, onDelta) => {
		const { tokensIn, tokensOut } = readTotals();
		const used = tokensIn + tokensOut;
		if (used >= budget)
			throw createInputError(
				`The Execution Token Budget is used up: ${used} of ${budget} tokens`,
				'If an agent calls tools in a loop, lower its Max Iterations or give it clearer tools. Otherwise raise Execution Token Budget in the options of the model.',
				{
					detail: `The models of this execution have read ${tokensIn} tokens and generated ${tokensOut}. No further request was sent.`,
					facts: { tokensIn, tokensOut, tokenBudget: budget },
				},
			);
		const result = await generate(chatRequest, onDelta);
		if (!result.usage) result.warnings.push(UNCOUNTED);
		return result;
	};
}
