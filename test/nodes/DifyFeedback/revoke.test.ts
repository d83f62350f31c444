import { feedback, ratingsOf, startAnswered } from '../dify';

describe('rating', () => {
	test('case 71: revoke, by its operation and as a rating; nothing to revoke is an error, or fine on request', async () => {
		const { sim, messageId } = await startAnswered();
		await feedback(sim, { messageId });
		expect((await feedback(sim, { messageId, operation: 'revoke' }))[0]!.json).toEqual({
			messageId,
			rating: null,
			content: null,
			success: true,
		});
		await feedback(sim, { messageId });
		expect((await feedback(sim, { messageId, rating: 'none' }))[0]!.json).toMatchObject({
			rating: null,
		});
		expect(ratingsOf(sim)).toEqual([]);
		await expect(feedback(sim, { messageId, operation: 'revoke' })).rejects.toThrow(
			'rating cannot be None when feedback not exists',
		);
		expect(
			(
				await feedback(sim, { messageId, operation: 'revoke', options: { ignoreNotRated: true } })
			)[0]!.json,
		).toMatchObject({ alreadySo: true });
	});
});
