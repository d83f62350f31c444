import { createClient, sendMessage, startSim } from '../../../lib/dify/client';
import { byId, executeConversation } from '../../dify';

describe('conversations', () => {
	test('are deleted by their user only', async () => {
		const sim = await startSim({});
		const ownId = (await sendMessage(createClient(sim))).result.conversationId!;
		const otherId = (await sendMessage(createClient(sim), { user: 'u2' })).result.conversationId!;
		expect(
			await executeConversation(sim, 'conversation', 'delete', { conversationId: byId(ownId) }),
		).toEqual([{ json: { conversationId: ownId, deleted: true }, pairedItem: { item: 0 } }]);
		await expect(
			executeConversation(sim, 'conversation', 'delete', { conversationId: byId(otherId) }),
		).rejects.toThrow('Dify cannot find the conversation');
		await expect(
			executeConversation(sim, 'conversation', 'delete', { conversationId: byId('') }),
		).rejects.toThrow('conversation ID is empty');
		expect([...sim.app('chat').conversations.keys()]).toEqual([otherId]);
	});
});
