import { DifyChatMessage } from '../../../../nodes/DifyChatMessage/DifyChatMessage.node';
import { DifyConversation } from '../../../../nodes/DifyConversation/DifyConversation.node';
import { DifyFeedback } from '../../../../nodes/DifyFeedback/DifyFeedback.node';
import { UNKNOWN_ID, startSim } from '../../../lib/dify/client';
import { SIM_VERSIONS, defaultApps, type Json } from '../../../servers/dify';
import { WITH_FILES, byId, chat, chatJson, executeNode, nodeErrorOf, properties, type DifyNodeName } from '../../dify';

describe.each(SIM_VERSIONS)('every operation, %s', (version) => {
	test('User: required and filled in, in every operation; without one nothing is sent', async () => {
		for (const node of [new DifyChatMessage(), new DifyFeedback(), new DifyConversation()]) {
			const users = properties(node).filter(({ name }) => name === 'user');
			expect(users.length).toBeGreaterThan(0);
			for (const user of users)
				expect(user).toMatchObject({ required: true, default: expect.stringMatching(/^=\{\{.+\}\}$/) as string });
		}
		const sim = await startSim({ version });
		const refused = async (name: DifyNodeName, parameters: Json) =>
			expect((await nodeErrorOf(executeNode(name, sim, { parameters: { ...parameters, user: '' } }))).message).toBe(
				'The user is empty',
			);
		await refused('difyChatMessage', {});
		for (const operation of ['rate', 'revoke']) await refused('difyFeedback', { operation, messageId: UNKNOWN_ID });
		for (const operation of ['getAll', 'rename', 'delete'])
			await refused('difyConversation', {
				resource: 'conversation',
				operation,
				conversationId: byId(UNKNOWN_ID),
				name: 'x',
			});
		for (const operation of ['getAll', 'getSuggested'])
			await refused('difyConversation', {
				resource: 'message',
				operation,
				conversationId: byId(UNKNOWN_ID),
				messageId: UNKNOWN_ID,
			});
		for (const operation of ['getAll', 'update'])
			await refused('difyConversation', {
				resource: 'variable',
				operation,
				conversationId: byId(UNKNOWN_ID),
				variableId: byId(UNKNOWN_ID),
				value: 'x',
			});
		expect(sim.requests).toHaveLength(0);
	});

	test('Invented routes: Dify has every route that the nodes ask for', async () => {
		const apps = defaultApps(version).map((app) => ({
			...app,
			suggestedQuestions: ['Why?'],
			...(app.mode === 'advanced-chat' ? { variables: [{ name: 'lang', valueType: 'string', value: 'en' }] } : {}),
		}));
		const sim = await startSim({ version, apps });
		const mode = 'advanced-chat';
		const { messageId, conversationId } = await chatJson(sim, { mode, parameters: { conversation: 'latest' } });
		await chat(sim, { ...WITH_FILES, mode });
		const feedback = async (operation: string) =>
			await executeNode('difyFeedback', sim, { mode, parameters: { operation, messageId } });
		for (const operation of ['rate', 'getAll', 'revoke']) await feedback(operation);
		const manage = async (resource: string, operation: string, more: Json = {}) =>
			await executeNode('difyConversation', sim, {
				mode,
				parameters: { resource, operation, conversationId: byId(conversationId), messageId, ...more },
			});
		await manage('conversation', 'getAll');
		await manage('conversation', 'rename', { name: 'x' });
		await manage('conversation', 'rename', { autoGenerate: true });
		await manage('message', 'getAll');
		await manage('message', 'getSuggested');
		await manage('variable', 'getAll');
		await manage('variable', 'update', { variableId: { __rl: true, mode: 'name', value: 'lang' }, value: 'de' });
		await manage('conversation', 'delete');
		expect(sim.requests.filter(({ status }) => status === undefined || status >= 300).map(({ url }) => url)).toEqual(
			[],
		);
		const routes = sim.requests.map(({ method, path }) => `${method} ${path.replace(/[0-9a-f-]{36}/g, ':id')}`);
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
