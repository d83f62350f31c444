import {
	deleteConversation,
	latestConversation,
	listConversations,
	listMessages,
	renameConversation,
} from '../../../../lib/dify/app/conversations';
import type { DifyClient } from '../../../../lib/dify/client';
import { AppApi } from '../../../../lib/dify/app/api';
import { appRoutes } from '../../../../lib/dify/app/routes';
import { type DifySim } from '../../../servers/dify';
import { calls, clientOf, failureOf, say, startApp, startSim, UNKNOWN_ID } from '../client';

const suggestedQuestions = async (client: DifyClient, messageId: string) => {
	const values = { message_id: messageId, user: 'u1' };
	return (await new AppApi(client).call(appRoutes.suggestedQuestions, values)).data;
};

describe('conversations', () => {
	async function several(count: number): Promise<DifySim> {
		const sim = await startSim({});
		for (let at = 0; at < count; at++)
			sim.store.addConversation(sim.app('chat'), 'u1', {
				name: `c${at}`,
				createdAt: at,
				updatedAt: at,
			});
		return sim;
	}

	test('case 77: pages, order, and only those of the user', async () => {
		const sim = await several(230);
		sim.store.addConversation(sim.app('chat'), 'u2', { name: 'not mine' });
		const client = clientOf(sim);
		const all = await listConversations(client, 'u1', 'all', '-updated_at');
		expect([all.length, all[0]!.name, all.at(-1)!.name]).toEqual([230, 'c229', 'c0']);
		expect(calls(sim, '/conversations', 'GET')).toBe(3);
		expect(
			(await listConversations(client, 'u1', 120, 'created_at')).map(({ name }) => name),
		).toEqual(Array.from({ length: 120 }, (_, at) => `c${at}`));
		expect(
			sim.requests.every(
				({ query }) => query.get('user') === 'u1' && Number(query.get('limit')) <= 100,
			),
		).toBe(true);
		expect(await listConversations(client, 'nobody', 'all', '-updated_at')).toEqual([]);
		expect(await latestConversation(client, 'u1')).toBe(all[0]!.id);
		for (const limit of [0, 101])
			expect(await failureOf(client.get('/conversations', { user: 'u1', limit }))).toMatchObject({
				status: 400,
				kind: 'invalidParam',
			});
		expect(
			await failureOf(client.get('/conversations', { user: 'u1', last_id: UNKNOWN_ID })),
		).toMatchObject({
			status: 404,
			kind: 'conversationNotFound',
		});
	});

	test('case 78: deleting sends the user, and reads no body', async () => {
		const sim = await startSim({});
		const { result } = await say(clientOf(sim));
		await deleteConversation(clientOf(sim), 'u1', result.conversationId!);
		expect(sim.app('chat').conversations.size).toBe(0);
		const request = sim.requests.at(-1)!;
		expect(request).toMatchObject({ method: 'DELETE', status: 204, json: { user: 'u1' } });
		expect(request.headers).toMatchObject({
			'content-type': 'application/json',
			'content-length': String(Buffer.byteLength('{"user":"u1"}')),
		});
		expect(request.headers['transfer-encoding']).toBeUndefined();
	});

	test('case 78: the conversation of somebody else is never deleted', async () => {
		const sim = await startSim({});
		const { result } = await say(clientOf(sim), { user: 'u2' });
		for (const id of [result.conversationId!, UNKNOWN_ID])
			expect(await failureOf(deleteConversation(clientOf(sim), 'u1', id))).toMatchObject({
				status: 404,
				kind: 'conversationNotFound',
			});
		expect(sim.app('chat').conversations.size).toBe(1);
	});

	test('case 79: a name, a name by Dify, a blank one, and an error without a text', async () => {
		const sim = await startSim({});
		const client = clientOf(sim);
		const { result } = await say(client, { query: 'How tall is it?' });
		const id = result.conversationId!;
		expect(await renameConversation(client, 'u1', id, 'Tower <b>')).toMatchObject({
			id,
			name: 'Tower <b>',
		});
		expect(await renameConversation(client, 'u1', id, undefined)).toMatchObject({
			name: 'About How tall is it?',
		});
		expect(await failureOf(renameConversation(client, 'u1', id, ' '))).toMatchObject({
			kind: 'invalidParam',
		});
		const empty = sim.store.addConversation(sim.app('chat'), 'u1');
		const failed = await failureOf(renameConversation(client, 'u1', empty.id, undefined));
		expect(failed.status).toBe(400);
		expect(failed.message.length).toBeGreaterThan(10);
	});

	test('messages: all of them or the newest, oldest first', async () => {
		const sim = await startSim({});
		const app = sim.app('chat');
		const conversation = sim.store.addConversation(app, 'u1');
		for (let at = 0; at < 230; at++) sim.store.addMessage(app, conversation, { query: `q${at}` });
		const queries = async (most: number | 'all') =>
			(await listMessages(clientOf(sim), 'u1', conversation.id, most)).map(({ query }) => query);
		expect(await queries('all')).toEqual(Array.from({ length: 230 }, (_, at) => `q${at}`));
		expect(await queries(3)).toEqual(['q227', 'q228', 'q229']);
		expect(await queries(150)).toEqual(Array.from({ length: 150 }, (_, at) => `q${at + 80}`));
		expect(
			await failureOf(listMessages(clientOf(sim), 'u2', conversation.id, 'all')),
		).toMatchObject({
			kind: 'conversationNotFound',
		});
	});

	test('suggested questions, and an app that has none', async () => {
		const sim = await startApp({ mode: 'chat', suggestedQuestions: ['Why?', 'How?'] });
		const { result } = await say(clientOf(sim));
		expect(await suggestedQuestions(clientOf(sim), result.messageId!)).toEqual(['Why?', 'How?']);
		// A model thinks of them and of names, which takes longer than other questions.
		const client = clientOf(sim);
		const [get, send] = [jest.spyOn(client, 'get'), jest.spyOn(client, 'send')];
		await suggestedQuestions(client, result.messageId!);
		await renameConversation(client, 'u1', result.conversationId!, undefined);
		expect([get.mock.calls[0]![2]?.timeoutMs, send.mock.calls[0]![3]?.timeoutMs]).toEqual([
			120_000, 120_000,
		]);
		const off = await startSim({});
		const other = await say(clientOf(off));
		expect(
			await failureOf(suggestedQuestions(clientOf(off), other.result.messageId!)),
		).toMatchObject({
			kind: 'featureOff',
		});
	});
});
