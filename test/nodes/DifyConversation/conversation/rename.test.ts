import { createClient, sendMessage, startSim } from '../../../lib/dify/client';
import { byId, executeConversation } from '../../dify';

describe('conversations', () => {
	test('get the name of the node, or one that Dify generates', async () => {
		const sim = await startSim({});
		const id = (await sendMessage(createClient(sim), { query: 'How tall?' })).result
			.conversationId!;
		const rename = async (parameters: Record<string, unknown>) =>
			(
				await executeConversation(sim, 'conversation', 'rename', {
					conversationId: byId(id),
					...parameters,
				})
			)[0]!.json.name;
		expect(await rename({ name: 'Tower' })).toBe('Tower');
		expect(await rename({ autoGenerate: true, name: '' })).toBe('About How tall?');
		await expect(rename({ name: ' ' })).rejects.toThrow('name is required');
	});
});
