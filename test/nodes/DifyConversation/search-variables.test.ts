import { DifyConversation } from '../../../nodes/DifyConversation/DifyConversation.node';
import { startApp } from '../../lib/dify/client';
import { byId, createEditorContext } from '../dify';

describe('lists in the editor', () => {
	const { searchVariables } = new DifyConversation().methods.listSearch;

	test('variables of the conversation', async () => {
		const sim = await startApp({
			mode: 'advanced-chat',
			variables: [
				{ name: 'lang', valueType: 'string', value: 'en' },
				{ name: 'count', valueType: 'number', value: 1 },
			],
		});
		const id = sim.store.addConversation(sim.app('advanced-chat'), 'anna').id;
		const search = async (conversationId: unknown, filter?: string) =>
			await searchVariables.call(
				createEditorContext(sim, { user: 'anna', conversationId }, 'advanced-chat'),
				filter,
			);
		expect((await search(byId(id))).results.map(({ name }) => name)).toEqual([
			'lang (string)',
			'count (number)',
		]);
		expect((await search(byId(id), 'cou')).results).toHaveLength(1);
		for (const conversationId of [byId(''), undefined, new Error('no item')])
			await expect(search(conversationId)).rejects.toThrow(
				'The list requires a conversation. Select one under Conversation',
			);
		await expect(search(byId('x'))).rejects.toThrow('conversation ID is not valid');
	});
});
