import { clientOf, say, startSim } from '../../../lib/dify/client';
import { byId, manage } from '../../dify';

describe('conversations', () => {
	test('case 78: delete', async () => {
		const sim = await startSim({});
		const mine = (await say(clientOf(sim))).result.conversationId!;
		const other = (await say(clientOf(sim), { user: 'u2' })).result.conversationId!;
		expect(await manage(sim, 'conversation', 'delete', { conversationId: byId(mine) })).toEqual([
			{ json: { conversationId: mine, deleted: true }, pairedItem: { item: 0 } },
		]);
		await expect(
			manage(sim, 'conversation', 'delete', { conversationId: byId(other) }),
		).rejects.toThrow('Conversation Not Exists');
		await expect(
			manage(sim, 'conversation', 'delete', { conversationId: byId('') }),
		).rejects.toThrow('conversation ID is empty');
		expect([...sim.app('chat').conversations.keys()]).toEqual([other]);
	});
});
