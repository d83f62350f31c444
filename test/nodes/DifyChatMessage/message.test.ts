import { startSim, UNKNOWN_ID } from '../../lib/dify/client';
import { chatError, chatJson } from '../dify';

describe('the request', () => {
	test('case 18: the query is unchanged, with any type', async () => {
		const sim = await startSim();
		await chatJson(sim, { parameters: { query: '<b>"&\'</b> 你好 😀' } });
		await chatJson(sim, { parameters: { query: 42 } });
		await chatJson(sim, { parameters: { query: { a: 1 } } });
		expect(sim.runs.map(({ query }) => query)).toEqual(['<b>"&\'</b> 你好 😀', '42', '{"a":1}']);
		expect((await chatError(sim, { parameters: { query: '' } })).message).toBe(
			'The query is empty',
		);
		expect((await chatError(sim, { parameters: { query: undefined } })).message).toBe(
			'The query is empty',
		);
	});

	test('case 15: an expression without a user is rejected', async () => {
		const sim = await startSim();
		const failed = await chatError(sim, {
			parameters: { user: '' },
			written: { user: '={{ $json.author }}' },
		});
		expect(failed.message).toBe('The user is empty');
		expect(failed.description).toContain('Enter a user');
		expect(sim.requests).toHaveLength(0);
	});

	test('case 21: an empty conversation ID starts a new one, a malformed one is rejected ()', async () => {
		const sim = await startSim({});
		for (const value of ['', ' ', null, undefined])
			await chatJson(sim, {
				parameters: { conversation: 'byId', conversationId: { __rl: true, mode: 'id', value } },
			});
		expect(new Set(sim.runs.map(({ conversationId }) => conversationId)).size).toBe(4);
		expect(
			(
				await chatError(sim, {
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
		const failed = await chatError(sim, {
			parameters: {
				conversation: 'byId',
				conversationId: { __rl: true, mode: 'id', value: UNKNOWN_ID },
			},
		});
		expect(failed.message).toBe('Conversation Not Exists');
		expect(failed.description).toContain('leave the conversation ID empty to start a new one');
		expect(failed.context.data).toMatchObject({
			type: 'conversationNotFound',
			status: 404,
			code: 'not_found',
		});
	});
});
