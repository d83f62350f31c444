import { createClient, sendMessage, startApp } from '../../../lib/dify/client';
import { executeConversation } from '../../dify';

describe('conversations', () => {
	test('suggested questions are returned with their message ID', async () => {
		const sim = await startApp({ mode: 'chat', suggestedQuestions: ['Why?', 'How?'] });
		const { messageId } = (await sendMessage(createClient(sim), { query: 'one' })).result;
		expect(await executeConversation(sim, 'message', 'getSuggested', { messageId })).toEqual([
			{ json: { messageId, questions: ['Why?', 'How?'] }, pairedItem: { item: 0 } },
		]);
		await expect(
			executeConversation(sim, 'message', 'getSuggested', { messageId: 'abc' }),
		).rejects.toThrow('message ID is not valid');
	});
});
