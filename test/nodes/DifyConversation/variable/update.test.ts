import { type AppSpec } from '../../../simulators/dify';
import { clientOf, say, startApp } from '../../../lib/dify/client';
import { byId, manage } from '../../dify';

describe('conversations', () => {
	test('a variable is updated by ID and by name', async () => {
		const variables: AppSpec['variables'] = [
			{ name: 'lang', valueType: 'string', value: 'en' },
			{ name: 'tags', valueType: 'array[string]', value: [] },
		];
		const sim = await startApp({ mode: 'advanced-chat', variables });
		const id = (await say(clientOf(sim, 'advanced-chat'))).result.conversationId!;
		const set = async (variableId: unknown, value: unknown) =>
			await manage(
				sim,
				'variable',
				'update',
				{ conversationId: byId(id), variableId, value },
				'advanced-chat',
			);
		await set({ __rl: true, mode: 'name', value: 'lang' }, 'de');
		const listed = await manage(
			sim,
			'variable',
			'getAll',
			{ conversationId: byId(id), returnAll: true },
			'advanced-chat',
		);
		await set(byId(listed[1]!.json.id), '["a","b"]');
		expect(
			(
				await manage(
					sim,
					'variable',
					'getAll',
					{ conversationId: byId(id), limit: 5 },
					'advanced-chat',
				)
			).map(({ json }) => json.value),
		).toEqual(['de', "['a', 'b']"]);
		await expect(set({ __rl: true, mode: 'name', value: '' }, 'x')).rejects.toThrow(
			'The field "Variable" is empty',
		);
	});
});
