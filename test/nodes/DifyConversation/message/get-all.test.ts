import { createClient, sendMessage, startSim, UNKNOWN_ID } from '../../../lib/dify/client';
import { byId, executeConversation } from '../../dify';

describe('conversations', () => {
	test('messages, oldest first; the limit returns the newest', async () => {
		const sim = await startSim({});
		const first = (await sendMessage(createClient(sim), { query: 'one' })).result;
		await sendMessage(createClient(sim), {
			query: 'two',
			conversation: { type: 'id', id: first.conversationId! },
		});
		const messages = await executeConversation(sim, 'message', 'getAll', {
			conversationId: byId(first.conversationId),
			returnAll: true,
		});
		expect(messages.map(({ json }) => [json.query, json.answer])).toEqual([
			['one', 'You said: one'],
			['two', 'You said: two'],
		]);
		expect(
			(
				await executeConversation(sim, 'message', 'getAll', {
					conversationId: byId(first.conversationId),
					limit: 1,
				})
			).map(({ json }) => json.query),
		).toEqual(['two']);
		await expect(
			executeConversation(sim, 'message', 'getAll', { conversationId: byId(UNKNOWN_ID) }),
		).rejects.toThrow('Dify cannot find the conversation');
	});
});
