import { wantsTokenEvents } from '../../../lib/langchain/local-chat-model';

test('tokens are sent only to callbacks that handle them', () => {
	const handleLLMNewToken = async () => {};
	const wantsTokens = (handlers?: unknown) => wantsTokenEvents({ handleLLMNewToken, handlers });
	expect(wantsTokens([{ handleLLMEnd: () => {} }])).toBe(false);
	expect(wantsTokens([])).toBe(false);
	expect(wantsTokens([{ handleLLMEnd: () => {} }, { handleLLMNewToken }])).toBe(true);
	// A host that does not show its callbacks.
	expect(wantsTokens()).toBe(true);
});
