import { startSim } from '../../../lib/dify/client';
import { executeConversation } from '../../dify';

describe('conversations', () => {
	test('are listed for one user, up to a limit or completely, in the selected order', async () => {
		const sim = await startSim({});
		for (let at = 0; at < 130; at++)
			sim.store.addConversation(sim.app('chat'), 'u1', {
				name: `c${at}`,
				createdAt: 1000 - at,
				updatedAt: at,
			});
		sim.store.addConversation(sim.app('chat'), 'u2');
		const names = async (parameters: Record<string, unknown>) =>
			(await executeConversation(sim, 'conversation', 'getAll', parameters)).map(
				({ json }) => json.name,
			);
		expect(await names({ returnAll: true })).toEqual(
			Array.from({ length: 130 }, (_, at) => `c${129 - at}`),
		);
		expect(await names({ limit: 2 })).toEqual(['c129', 'c128']);
		expect(await names({ limit: 2, options: { sortBy: 'updated_at' } })).toEqual(['c0', 'c1']);
		expect(await names({ limit: 2, options: { sortBy: '-created_at' } })).toEqual(['c0', 'c1']);
		await expect(names({ options: { sortBy: 'name' } })).rejects.toThrow(
			'must be one of -created_at, created_at, -updated_at, updated_at, but is "name"',
		);
		await expect(names({ user: null })).rejects.toThrow('The user is empty');
	});
});
