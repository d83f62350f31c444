import { type AppSpec } from '../../../simulators/dify';
import { createClient, sendMessage, startApp } from '../../../lib/dify/client';
import { byId, executeConversation } from '../../dify';

describe('conversations', () => {
	test('variables are listed, limited and complete', async () => {
		const variables: AppSpec['variables'] = [
			{ name: 'lang', valueType: 'string', value: 'en' },
			{ name: 'tags', valueType: 'array[string]', value: [] },
		];
		const sim = await startApp({ mode: 'advanced-chat', variables });
		const conversationId = byId(
			(await sendMessage(createClient(sim, 'advanced-chat'))).result.conversationId,
		);
		const list = async (parameters: object) =>
			(
				await executeConversation(
					sim,
					'variable',
					'getAll',
					{ conversationId, ...parameters },
					'advanced-chat',
				)
			).map(({ json }) => [json.name, json.value_type, json.value]);
		const allVariables = [
			['lang', 'string', 'en'],
			['tags', 'array[string]', []],
		];
		expect(await list({ returnAll: true })).toEqual(allVariables);
		expect(await list({ limit: 5 })).toEqual(allVariables);
		expect(await list({ limit: 1 })).toEqual(allVariables.slice(0, 1));
	});

	test('variables are read while pages are full, since their has_more is always false', async () => {
		const variables: AppSpec['variables'] = Array.from({ length: 150 }, (_, at) => ({
			name: `v${at}`,
			valueType: 'number',
			value: at,
		}));
		const sim = await startApp({ mode: 'advanced-chat', variables });
		const { conversationId } = (await sendMessage(createClient(sim, 'advanced-chat'))).result;
		const items = await executeConversation(
			sim,
			'variable',
			'getAll',
			{ conversationId: byId(conversationId), returnAll: true },
			'advanced-chat',
		);
		expect(items).toHaveLength(150);
	});
});
