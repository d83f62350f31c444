import { startSim } from '../../lib/dify/client';
import { executeFeedback, getNodeError, getRatings, startWithMessage } from '../dify';

describe('rating', () => {
	test('a new rating replaces the earlier one with its text', async () => {
		const { sim, messageId } = await startWithMessage();
		const [item] = await executeFeedback(sim, {
			messageId,
			rating: 'dislike',
			content: 'too <long> & "dull"',
		});
		expect(item).toEqual({
			json: { messageId, rating: 'dislike', content: 'too <long> & "dull"', success: true },
			pairedItem: { item: 0 },
		});
		await executeFeedback(sim, { messageId, rating: 'like' });
		expect(getRatings(sim)).toEqual([['like', null]]);
	});

	test('the message of another user is an error that names the user as the cause', async () => {
		const { sim, messageId } = await startWithMessage();
		const error = await executeFeedback(sim, { messageId, user: 'u2' }).catch(
			(error: unknown) => error as { message: string; description: string },
		);
		expect(error).toMatchObject({
			message: 'Message Not Exists',
			description: expect.stringContaining('another user') as string,
		});
	});
});

test('an invalid rating is rejected, since Dify would delete or return a Python error', async () => {
	const { sim, messageId } = await startWithMessage();
	await executeFeedback(sim, { messageId, rating: 'like', content: 'precious' });
	const requestCount = sim.requests.length;
	for (const rating of ['up', 1, true])
		await expect(executeFeedback(sim, { messageId, rating })).rejects.toThrow(
			'"Rating" must be one of dislike, like, none',
		);
	for (const rating of [null, undefined, ''])
		await expect(executeFeedback(sim, { messageId, rating })).rejects.toThrow(
			'The field "Rating" is empty',
		);
	expect(sim.requests).toHaveLength(requestCount);
	expect(getRatings(sim)).toEqual([['like', 'precious']]);
	// Ratings may come in capital letters.
	await executeFeedback(sim, { messageId, rating: ' DISLIKE ' });
	expect(getRatings(sim)).toEqual([['dislike', null]]);
	await expect(executeFeedback(sim, { messageId, user: null })).rejects.toThrow(
		'The user is empty',
	);
});

test('without a message ID, the error names the field and node to drag', async () => {
	const sim = await startSim({});
	for (const messageId of ['', null, undefined]) {
		const error = await getNodeError(executeFeedback(sim, { messageId }));
		expect(error.message).toBe('This item has no messageId');
		expect(error.description).toContain('drag the field messageId');
		expect(error.description).toContain('Dify Chat Message');
	}
	expect(sim.requests).toEqual([]);
});
