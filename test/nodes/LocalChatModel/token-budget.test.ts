import type { ChatGenerator, ChatResult } from '../../../lib/chat/types';
import { withTokenBudget } from '../../../nodes/LocalChatModel/supply';

const COUNTED = { promptTokens: 5, completionTokens: 2, totalTokens: 7 };
const ANSWER = { text: 'an answer', usage: COUNTED, warnings: [] as string[] } as ChatResult;

const answers: ChatGenerator = async () => await Promise.resolve(ANSWER);

/** The context of an execution that spent so many tokens. */
const contextWith = (tokensIn: number, tokensOut: number) => {
	const totals: Record<string, string> = {
		llm_tokens_in: String(tokensIn),
		llm_tokens_out: String(tokensOut),
	};
	return { customData: { get: (key: string) => totals[key], set: () => {} } };
};

const ask = async (context: object, budget: number, source = answers) =>
	await withTokenBudget(source, context, budget)({ messages: [] });

test('below the budget, answers are passed on', async () => {
	expect(await ask(contextWith(900, 99), 1000)).toBe(ANSWER);
	expect(await ask({}, 1000)).toBe(ANSWER);
});

test('when it is spent, nothing is sent, and the error says what was spent', async () => {
	await expect(ask(contextWith(900, 150), 1000)).rejects.toMatchObject({
		type: 'invalidInput',
		message: 'The Token Budget of this execution is used up: 1050 of 1000 tokens',
		facts: { tokensIn: 900, tokensOut: 150, tokenBudget: 1000 },
	});
});

test('if the server does not count tokens, a warning reports that nothing is limited', async () => {
	const uncounted = { text: 'an answer', warnings: [] as string[] } as ChatResult;
	const silent: ChatGenerator = async () => await Promise.resolve(uncounted);
	const { warnings } = await ask({}, 1000, silent);
	expect(warnings).toEqual([expect.stringContaining('does not report token counts')]);
});
