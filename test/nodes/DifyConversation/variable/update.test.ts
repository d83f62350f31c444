import { type AppSpec } from '../../../simulators/dify';
import { createClient, sendMessage, startApp } from '../../../lib/dify/client';
import { byId, executeConversation } from '../../dify';

describe('conversations', () => {
	test('a variable is updated by ID and by name', async () => {
		const variables: AppSpec['variables'] = [
			{ name: 'lang', valueType: 'string', value: 'en' },
			{ name: 'tags', valueType: 'array[string]', value: [] },
		];
		const sim = await startApp({ mode: 'advanced-chat', variables });
		const id = (await sendMessage(createClient(sim, 'advanced-chat'))).result.conversationId!;
		const update = async (variableId: unknown, value: unknown) =>
			await executeConversation(
				sim,
				'variable',
				'update',
				{ conversationId: byId(id), variableId, value },
				'advanced-chat',
			);
		await update({ __rl: true, mode: 'name', value: 'lang' }, 'de');
		const items = await executeConversation(
			sim,
			'variable',
			'getAll',
			{ conversationId: byId(id), returnAll: true },
			'advanced-chat',
		);
		await update(byId(items[1]!.json.id), '["a","b"]');
		expect(
			(
				await executeConversation(
					sim,
					'variable',
					'getAll',
					{ conversationId: byId(id), limit: 5 },
					'advanced-chat',
				)
			).map(({ json }) => json.value),
		).toEqual(['de', ['a', 'b']]);
		await expect(update({ __rl: true, mode: 'name', value: '' }, 'x')).rejects.toThrow(
			'The field "Variable" is empty',
		);
	});
});
