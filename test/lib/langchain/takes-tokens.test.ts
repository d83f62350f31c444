import { wantsTokenEvents } from '../../../lib/langchain/local-chat-model';

test('tokens are sent only to callbacks that handle them', () => {
	const handleLLMNewToken = async () => {};
	const told = (handlers?: unknown) => wantsTokenEvents({ handleLLMNewToken, handlers });
	expect(told([{ handleLLMEnd: () => {} }])).toBe(false);
	expect(told([])).toBe(false);
	expect(told([{ handleLLMEnd: () => {} }, { handleLLMNewToken }])).toBe(true);
	// A host that does not show its callbacks.
	expect(told()).toBe(true);
});
