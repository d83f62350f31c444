import { wantsTokenEvents } from '../../../lib/langchain/local-chat-model';

test('tokens are sent only to callbacks that handle them', () => {
	const handleLLMNewToken = async () => {};
	const wants = (handlers?: unknown) => wantsTokenEvents({ handleLLMNewToken, handlers });
	expect(wants([{ handleLLMEnd: () => {} }])).toBe(false);
	expect(wants([])).toBe(false);
	expect(wants([{ handleLLMEnd: () => {} }, { handleLLMNewToken }])).toBe(true);
	// A host that does not show its callbacks.
	expect(wants()).toBe(true);
});
