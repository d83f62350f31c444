import { startSim, UNKNOWN_ID } from '../../lib/dify/client';
import { sendMessageError, sendMessageJson } from '../dify';

describe('the request of a message', () => {
	test('the query is sent unchanged, and values of any type become text', async () => {
		const sim = await startSim();
		await sendMessageJson(sim, { parameters: { query: '<b>"&\'</b> 你好 😀' } });
		await sendMessageJson(sim, { parameters: { query: 42 } });
		await sendMessageJson(sim, { parameters: { query: { a: 1 } } });
		expect(sim.runs.map(({ query }) => query)).toEqual(['<b>"&\'</b> 你好 😀', '42', '{"a":1}']);
		expect(
			(await sendMessageError(sim, { parameters: { query: '' }, written: { query: '' } })).message,
		).toBe('The query is empty');
		expect((await sendMessageError(sim, { parameters: { query: undefined } })).message).toBe(
			'This item has no chatInput',
		);
	});

	test('an empty conversation ID starts a new conversation, a malformed one is rejected', async () => {
		const sim = await startSim({});
		for (const value of ['', ' ', null, undefined])
			await sendMessageJson(sim, {
				parameters: { conversation: 'byId', conversationId: { __rl: true, mode: 'id', value } },
			});
		expect(new Set(sim.runs.map(({ conversationId }) => conversationId)).size).toBe(4);
		expect(
			(
				await sendMessageError(sim, {
					parameters: {
						conversation: 'byId',
						conversationId: { __rl: true, mode: 'id', value: 'abc' },
					},
				})
			).message,
		).toContain('conversation ID is not valid');
	});

	test('the error of a stale conversation suggests a fix', async () => {
		const sim = await startSim();
		const error = await sendMessageError(sim, {
			parameters: {
				conversation: 'byId',
				conversationId: { __rl: true, mode: 'id', value: UNKNOWN_ID },
			},
		});
		expect(error.message).toBe('Dify cannot find the conversation');
		expect(error.description).toContain('When Conversation Is Unavailable');
		expect(error.context.data).toMatchObject({
			type: 'conversationNotFound',
			status: 404,
			code: 'not_found',
		});
	});
});
