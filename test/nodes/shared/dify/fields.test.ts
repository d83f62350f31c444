import { DifyChatMessage } from '../../../../nodes/DifyChatMessage/DifyChatMessage.node';
import { DifyConversation } from '../../../../nodes/DifyConversation/DifyConversation.node';
import { DifyFeedback } from '../../../../nodes/DifyFeedback/DifyFeedback.node';
import { startSim, UNKNOWN_ID } from '../../../lib/dify/client';
import { type Json, NEWEST_VERSION } from '../../../servers/dify';
import { byId, type DifyNodeName, executeNode, nodeErrorOf, properties } from '../../dify';

describe.each(NEWEST_VERSION)('every operation, %s', (version) => {
	test('User: required and filled in, in every operation; without one nothing is sent', async () => {
		for (const node of [new DifyChatMessage(), new DifyFeedback(), new DifyConversation()]) {
			const users = properties(node).filter(({ name }) => name === 'user');
			expect(users.length).toBeGreaterThan(0);
			for (const user of users)
				expect(user).toMatchObject({
					required: true,
					default: expect.stringMatching(/^=\{\{.+\}\}$/) as string,
				});
		}
		const sim = await startSim({ version });
		const expectRefused = async (name: DifyNodeName, parameters: Json) =>
			expect(
				(await nodeErrorOf(executeNode(name, sim, { parameters: { ...parameters, user: '' } })))
					.message,
			).toBe('The user is empty');
		await expectRefused('difyChatMessage', {});
		for (const operation of ['rate', 'revoke'])
			await expectRefused('difyFeedback', { operation, messageId: UNKNOWN_ID });
		for (const operation of ['getAll', 'rename', 'delete'])
			await expectRefused('difyConversation', {
				resource: 'conversation',
				operation,
				conversationId: byId(UNKNOWN_ID),
				name: 'x',
			});
		for (const operation of ['getAll', 'getSuggested'])
			await expectRefused('difyConversation', {
				resource: 'message',
				operation,
				conversationId: byId(UNKNOWN_ID),
				messageId: UNKNOWN_ID,
			});
		for (const operation of ['getAll', 'update'])
			await expectRefused('difyConversation', {
				resource: 'variable',
				operation,
				conversationId: byId(UNKNOWN_ID),
				variableId: byId(UNKNOWN_ID),
				value: 'x',
			});
		expect(sim.requests).toHaveLength(0);
	});
});

describe('a switch', () => {
	test('Return All as a text or a number gives all', async () => {
		const sim = await startSim();
		for (let at = 0; at < 60; at++) sim.store.addConversation(sim.app('chat'), 'u1');
		const count = async (returnAll: unknown) =>
			(
				await executeNode('difyConversation', sim, {
					parameters: { resource: 'conversation', operation: 'getAll', returnAll },
				})
			).length;
		expect([await count('true'), await count(1), await count('false'), await count(false)]).toEqual(
			[60, 60, 50, 50],
		);
	});
});
