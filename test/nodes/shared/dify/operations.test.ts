import { startSim } from '../../../lib/dify/client';
import { defaultApps, type Json } from '../../../simulators/dify';
import { byId, sendMessages, sendMessageJson, executeNode, WITH_FILES } from '../../dify';

describe('every operation', () => {
	test('Invented routes: Dify has every route that the nodes request', async () => {
		const apps = defaultApps().map((app) => ({
			...app,
			suggestedQuestions: ['Why?'],
			...(app.mode === 'advanced-chat'
				? { variables: [{ name: 'lang', valueType: 'string', value: 'en' }] }
				: {}),
		}));
		const sim = await startSim({ apps });
		const mode = 'advanced-chat';
		const { messageId, conversationId } = await sendMessageJson(sim, {
			mode,
			parameters: { conversation: 'latest' },
		});
		await sendMessages(sim, { ...WITH_FILES, mode });
		const feedback = async (operation: string) =>
			await executeNode('difyFeedback', sim, { mode, parameters: { operation, messageId } });
		for (const operation of ['rate', 'getAll', 'revoke']) await feedback(operation);
		const manage = async (resource: string, operation: string, more: Json = {}) =>
			await executeNode('difyConversation', sim, {
				mode,
				parameters: {
					resource,
					operation,
					conversationId: byId(conversationId),
					messageId,
					...more,
				},
			});
		await manage('conversation', 'getAll');
		await manage('conversation', 'rename', { name: 'x' });
		await manage('conversation', 'rename', { autoGenerate: true });
		await manage('message', 'getAll');
		await manage('message', 'getSuggested');
		await manage('variable', 'getAll');
		await manage('variable', 'update', {
			variableId: { __rl: true, mode: 'name', value: 'lang' },
			value: 'de',
		});
		await manage('conversation', 'delete');
		expect(
			sim.requests
				.filter(({ status }) => status === undefined || status >= 300)
				.map(({ url }) => url),
		).toEqual([]);
		const routes = sim.requests.map(
			({ method, path }) => `${method} ${path.replace(/[0-9a-f-]{36}/g, ':id')}`,
		);
		expect([...new Set(routes)].sort()).toEqual([
			'DELETE /conversations/:id',
			'GET /app/feedbacks',
			'GET /conversations',
			'GET /conversations/:id/variables',
			'GET /messages',
			'GET /messages/:id/suggested',
			'GET /parameters',
			'POST /chat-messages',
			'POST /conversations/:id/name',
			'POST /files/upload',
			'POST /messages/:id/feedbacks',
			'PUT /conversations/:id/variables/:id',
		]);
	});
});
