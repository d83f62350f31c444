import { clientOf, say, startSim } from '../../../lib/dify/client';
import { byId, manage } from '../../dify';

describe('conversations', () => {
	test('case 79: rename manually and by Dify', async () => {
		const sim = await startSim({});
		const id = (await say(clientOf(sim), { query: 'How tall?' })).result.conversationId!;
		const name = async (parameters: Record<string, unknown>) =>
			(await manage(sim, 'conversation', 'rename', { conversationId: byId(id), ...parameters }))[0]!
				.json.name;
		expect(await name({ name: 'Tower' })).toBe('Tower');
		expect(await name({ autoGenerate: true, name: '' })).toBe('About How tall?');
		await expect(name({ name: ' ' })).rejects.toThrow('name is required');
	});
});
