import { executeFeedback, getRatings, startWithMessage, getNodeError } from '../dify';
import { startSim, countRequests } from '../../lib/dify/client';

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

describe('rating', () => {
	test('a new rating replaces the earlier one with its text', async () => {
		const { sim, messageId } = await startWithMessage();
		const [item] = await executeFeedback(sim, {
			operation: 'rate',
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

test('the list of ratings is returned up to a limit or completely', async () => {
	const { sim, messageId } = await startWithMessage();
	await executeFeedback(sim, { messageId, content: 'first' });
	const feedbacks = sim.app('chat').feedbacks;
	while (feedbacks.length < 150) feedbacks.push({ ...feedbacks[0]!, id: `f${feedbacks.length}` });
	expect(await executeFeedback(sim, { operation: 'getAll', returnAll: true })).toHaveLength(150);
	expect(countRequests(sim, '/app/feedbacks', 'GET')).toBe(2);
	const [first, ...rest] = await executeFeedback(sim, {
		operation: 'getAll',
		returnAll: false,
		limit: 2,
	});
	expect(first).toMatchObject({
		json: {
			id: 'f149',
			rating: 'like',
			content: 'first',
			created_at: expect.stringContaining('T') as string,
		},
		pairedItem: { item: 0 },
	});
	expect(rest).toHaveLength(1);
	await expect(executeFeedback(sim, { operation: 'getAll', limit: 0 })).rejects.toThrow(
		'"Limit" must be a number from 1',
	);
});
