import { deleteConversation, renameConversation } from '../../../../lib/dify/app/conversations';
import { AppApi } from '../../../../lib/dify/app/api';
import { appRoutes } from '../../../../lib/dify/app/routes';
import { rateMessage, revokeRating } from '../../../../lib/dify/app/feedback';
import { RUN_ROUTES, startRun } from '../../../../lib/dify/run/run';
import { type DifySim } from '../../../servers/dify';
import { calls, clientOf, failureOf, say, startSim, UNKNOWN_ID } from '../client';

describe('feedback', () => {
	async function answered(
		over: { user?: string } = {},
	): Promise<{ sim: DifySim; messageId: string; conversationId: string }> {
		const sim = await startSim({});
		const { result } = await say(clientOf(sim), over);
		return { sim, messageId: result.messageId!, conversationId: result.conversationId! };
	}
	const stored = (sim: DifySim) =>
		sim.app('chat').feedbacks.map(({ rating, content }) => ({ rating, content }));

	test('case 70: rating again without a text erases it', async () => {
		const { sim, messageId } = await answered();
		const client = clientOf(sim);
		const rate = { messageId, user: 'u1' };
		const first = { ...rate, rating: 'dislike', content: 'too long <b>' } as const;
		expect(await rateMessage(client, first)).toEqual({
			messageId,
			rating: 'dislike',
			content: 'too long <b>',
		});
		expect(stored(sim)).toEqual([{ rating: 'dislike', content: 'too long <b>' }]);
		await rateMessage(client, { ...rate, rating: 'like' });
		expect(stored(sim)).toEqual([{ rating: 'like', content: null }]);
		expect(calls(sim, '/app/feedbacks', 'GET')).toBe(0);
	});

	test('case 71: taking back, and taking back nothing', async () => {
		const { sim, messageId } = await answered();
		const client = clientOf(sim);
		await rateMessage(client, { messageId, user: 'u1', rating: 'like' });
		expect(await revokeRating(client, messageId, 'u1', false)).toBe(true);
		expect(stored(sim)).toEqual([]);
		const failed = await failureOf(revokeRating(client, messageId, 'u1', false));
		expect(failed).toMatchObject({ status: 400, kind: 'nothingToRevoke' });
		expect(await revokeRating(client, messageId, 'u1', true)).toBe(false);
	});

	test('case 72: messages of others', async () => {
		const { sim, messageId } = await answered({ user: 'u2' });
		const client = clientOf(sim);
		const web = sim.store.addMessage(
			sim.app('chat'),
			sim.store.addConversation(sim.app('chat'), 'u1', { source: 'webapp' }),
		);
		for (const id of [messageId, web.id, UNKNOWN_ID]) {
			const failed = await failureOf(
				rateMessage(client, { messageId: id, user: 'u1', rating: 'like' }),
			);
			expect(failed).toMatchObject({ status: 404, kind: 'messageNotFound' });
			expect(failed.remedy).toContain('user');
			expect(await failureOf(revokeRating(client, id, 'u1', true))).toMatchObject({
				kind: 'messageNotFound',
			});
		}
	});

	test('case 74: what Dify says to a rating it does not know, and to a missing user', async () => {
		const { sim, messageId } = await answered();
		for (const rating of ['LIKE', '']) {
			expect(
				await failureOf(
					clientOf(sim).send('POST', `/messages/${messageId}/feedbacks`, { rating, user: 'u1' }),
				),
			).toMatchObject({ status: 400, kind: 'invalidParam' });
		}
		expect(
			await failureOf(
				clientOf(sim).send('POST', `/messages/${messageId}/feedbacks`, { rating: 'like' }),
			),
		).toMatchObject({ kind: 'missingUser' });
	});

	test('case 75: pages until a short one', async () => {
		const { sim, messageId, conversationId } = await answered();
		const client = clientOf(sim);
		await rateMessage(client, { messageId, user: 'u1', rating: 'like' });
		const feedbacks = sim.app('chat').feedbacks;
		while (feedbacks.length < 202)
			feedbacks.push({ ...feedbacks[0]!, id: `f${feedbacks.length}`, conversationId });
		expect(await new AppApi(client).list(appRoutes.feedback, {}, 'all')).toHaveLength(202);
		// Two full pages, and an empty one that says so.
		expect(calls(sim, '/app/feedbacks', 'GET')).toBe(3);
		expect(await new AppApi(client).list(appRoutes.feedback, {}, 150)).toHaveLength(150);
		const [newest] = await new AppApi(client).list(appRoutes.feedback, {}, 1);
		expect(newest).toMatchObject({
			id: 'f201',
			created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT/) as string,
		});
		expect(
			sim.requests
				.filter(({ path }) => path === '/app/feedbacks')
				.every(({ query }) => Number(query.get('limit')) <= 101),
		).toBe(true);
		expect(await failureOf(client.get('/app/feedbacks', { limit: 102 }))).toMatchObject({
			status: 400,
		});
	});

	test('case 76: the answer of a text generator can be rated', async () => {
		const sim = await startSim({});
		const client = clientOf(sim, 'completion');
		const { messageId } = await startRun(client, RUN_ROUTES.completion, { inputs: {} }, 'u1');
		expect(
			await rateMessage(client, {
				messageId: messageId!,
				user: 'u1',
				rating: 'like',
			}),
		).toMatchObject({ rating: 'like' });
	});

	test('what would do more, or say something else, the second time is sent once', async () => {
		for (const fault of [{ how: 'reset' }, { status: 503, body: 'x' }] as const) {
			const { sim, messageId, conversationId } = await answered();
			const client = clientOf(sim);
			sim.fail({ path: /feedbacks$|name$/, times: 9, ...fault });
			sim.fail({ path: /conversations/, method: 'DELETE', times: 9, ...fault });
			await failureOf(revokeRating(client, messageId, 'u1', true));
			await failureOf(renameConversation(client, 'u1', conversationId, undefined));
			await failureOf(deleteConversation(client, 'u1', conversationId));
			expect([
				calls(sim, /feedbacks$/),
				calls(sim, /name$/),
				calls(sim, /conversations/, 'DELETE'),
			]).toEqual([1, 1, 1]);
		}
	});

	test('a rating is sent again where that may help: twice is once', async () => {
		const { sim, messageId } = await answered();
		sim.fail({ path: /feedbacks$/, how: 'reset' });
		await rateMessage(clientOf(sim), {
			messageId,
			user: 'u1',
			rating: 'like',
		});
		expect(stored(sim)).toEqual([{ rating: 'like', content: null }]);
	});
});
