import { executeFeedback, getRatings, startWithMessage } from '../dify';

test('an earlier rating: is removed by Revoke and by None; a missing rating is an error, unless it is ignored', async () => {
	const { sim, messageId } = await startWithMessage();
	await executeFeedback(sim, { messageId });
	expect((await executeFeedback(sim, { messageId, operation: 'revoke' }))[0]!.json).toEqual({
		messageId,
		rating: null,
		content: null,
		success: true,
	});
	await executeFeedback(sim, { messageId });
	expect((await executeFeedback(sim, { messageId, rating: 'none' }))[0]!.json).toMatchObject({
		rating: null,
	});
	expect(getRatings(sim)).toEqual([]);
	await expect(executeFeedback(sim, { messageId, operation: 'revoke' })).rejects.toThrow(
		'rating cannot be None when feedback not exists',
	);
	expect(
		(
			await executeFeedback(sim, {
				messageId,
				operation: 'revoke',
				options: { ignoreNotRated: true },
			})
		)[0]!.json,
	).toMatchObject({ alreadySo: true });
});
