import type { IDataObject } from 'n8n-workflow';
import { startSim, UNKNOWN_ID } from '../../../lib/dify/client';
import type { Json } from '../../../simulators/dify';
import { byId, executeNode, getNodeError, prepareNode, getProperties } from '../../dify';
import type { DifyNodeName } from '../../dify';
import { DifyApp } from '../../../../nodes/DifyApp/DifyApp.node';
import { conversationFields, getConversationKey } from '../../../../nodes/DifyChatMessage/send';
import { DifyChatMessage } from '../../../../nodes/DifyChatMessage/DifyChatMessage.node';
import { DifyConversation } from '../../../../nodes/DifyConversation/DifyConversation.node';
import { DifyFeedback } from '../../../../nodes/DifyFeedback/DifyFeedback.node';
import { DifyWorkflow } from '../../../../nodes/DifyWorkflow/DifyWorkflow.node';
import { ItemSource } from '../../../../nodes/shared/fields/item-source';
import { readValues } from '../../../../nodes/shared/fields/read-values';

/** Every operation with a user, without the fields that determine it. */
const OPERATIONS: Array<[DifyNodeName, Json]> = [
	['difyChatMessage', {}],
	['difyFeedback', { operation: 'rate' }],
	['difyFeedback', { operation: 'revoke' }],
	['difyConversation', { resource: 'conversation', operation: 'getAll' }],
	['difyConversation', { resource: 'conversation', operation: 'rename', name: 'x' }],
	['difyConversation', { resource: 'conversation', operation: 'delete' }],
	['difyConversation', { resource: 'message', operation: 'getAll' }],
	['difyConversation', { resource: 'message', operation: 'getSuggested' }],
	['difyConversation', { resource: 'variable', operation: 'getAll' }],
	['difyConversation', { resource: 'variable', operation: 'update', value: 'x' }],
	['difyWorkflow', { resource: 'run', operation: 'execute' }],
	['difyWorkflow', { resource: 'run', operation: 'follow', workflowRunId: UNKNOWN_ID }],
	['difyApp', { resource: 'text', operation: 'generate' }],
];
const IDS = {
	messageId: UNKNOWN_ID,
	conversationId: byId(UNKNOWN_ID),
	variableId: byId(UNKNOWN_ID),
};

describe('User', () => {
	test.each([
		new DifyApp(),
		new DifyChatMessage(),
		new DifyConversation(),
		new DifyFeedback(),
		new DifyWorkflow(),
	])(
		'is empty by default, and its description says who that is: $description.displayName',
		(node) => {
			const users = getProperties(node).filter(({ name }) => name === 'user');
			expect(users.length).toBeGreaterThan(0);
			for (const user of users) {
				expect(user).toMatchObject({ default: '', placeholder: 'e.g. user-42' });
				expect(user.description).toContain('If empty: the session of the Chat Trigger');
				expect(user.required).toBeUndefined();
			}
		},
	);

	test.each(OPERATIONS)('an empty expression sends nothing: %s %j', async (name, operation) => {
		const sim = await startSim();
		const failed = executeNode(name, sim, {
			parameters: { ...IDS, ...operation, user: '' },
			written: { user: '={{ $json.author }}' },
		});
		expect((await getNodeError(failed)).message).toBe('This item has no author');
		expect(sim.requests).toHaveLength(0);
	});

	test('left empty, every item has its own', async () => {
		const sim = await startSim();
		await executeNode('difyChatMessage', sim, {
			parameters: { user: '' },
			items: [
				{ json: { sessionId: 'chat-3', user: 'anna' } },
				{ json: { user: 'ben' } },
				{ json: { user: 7 } },
				{ json: {} },
			],
		});
		expect(sim.runs.map(({ user }) => user)).toEqual(['chat-3', 'ben', '7', 'n8n-w1']);
	});

	test.each([
		{ session: 'n8n-w1', user: 'session-n8n-w1' },
		{ session: ' N8N-W1 ', user: 'session- N8N-W1 ' },
		{ session: 'n8n', user: 'session-n8n' },
		// MySQL ignores what is invisible, and compares digits by their value.
		{ session: 'n8n\u00ad-w\u200b1', user: 'session-n8n\u00ad-w\u200b1' },
		{ session: 'n\u0668n-w\u0967', user: 'session-n\u0668n-w\u0967' },
		// The users of other workflows with the same app.
		{ session: 'n8n-aB3dE5fG7hJ9kL1m', user: 'session-n8n-aB3dE5fG7hJ9kL1m' },
		{ session: 'n8n-42', user: 'session-n8n-42' },
		{ session: 'n8n-user-42', user: 'n8n-user-42' },
		{ session: 'chat-3', user: 'chat-3' },
	])('a session is never the user of a workflow: $session', async ({ session, user }) => {
		const sim = await startSim();
		const send = async (parameters: IDataObject, json: IDataObject) =>
			await executeNode('difyChatMessage', sim, { parameters, items: [{ json }] });
		await send({ user: '', conversation: 'auto' }, {});
		await send({ user: '', conversation: 'auto' }, { sessionId: session });
		await send({ user: session, conversation: 'auto' }, { sessionId: session });
		expect(sim.runs.map((run) => run.user)).toEqual(['n8n-w1', user, user]);
		const [own, first, second] = sim.runs.map(({ conversationId }) => conversationId);
		expect(first).not.toBe(own);
		expect(second).toBe(first);
	});

	test('what a Dify node passes on, and what is entered, stays the user of the workflow', async () => {
		const sim = await startSim();
		await executeNode('difyChatMessage', sim, {
			parameters: { user: '' },
			items: [{ json: { user: 'n8n-w1' } }],
		});
		await executeNode('difyChatMessage', sim, {
			parameters: { user: 'n8n-w1' },
			items: [{ json: { sessionId: 'chat-3' } }],
		});
		expect(sim.runs.map(({ user }) => user)).toEqual(['n8n-w1', 'n8n-w1']);
	});

	test.each(OPERATIONS)(
		'a session that equals it gets another one: %s %j',
		async (name, operation) => {
			const sim = await startSim();
			await executeNode(name, sim, {
				parameters: { ...IDS, ...operation, user: '' },
				items: [{ json: { sessionId: 'n8n-w1' } }],
			}).catch(() => undefined);
			const sent = sim.requests.map((request) => JSON.stringify(request));
			expect(sent.filter((request) => /user\W{1,3}n8n-w1/.test(request))).toEqual([]);
			expect(sent.join()).toContain('session-n8n-w1');
		},
	);

	test('left empty, messages of one session are sent in order, those of several concurrently', () => {
		const getKey = (json: IDataObject) => {
			const { context } = prepareNode(
				'difyChatMessage',
				{ url: 'http://127.0.0.1:1' },
				{ parameters: { user: '', conversation: 'latest' }, items: [{ json }] },
			);
			const source = new ItemSource(context, 0);
			return getConversationKey(readValues(source, conversationFields), source);
		};
		expect(getKey({ sessionId: 'a' })).toBe('latest a');
		expect(getKey({ user: 'b' })).toBe('latest b');
		expect(getKey({})).toBe('latest n8n-w1');
	});
});
