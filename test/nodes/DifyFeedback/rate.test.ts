import { type Json } from '../../simulators/dify';
import { startSim } from '../../lib/dify/client';
import { chatJson, executeNode, feedback, nodeErrorOf, ratingsOf, startAnswered } from '../dify';

describe('rating', () => {
	test('case 70: like and dislike with a text, and again without a text', async () => {
		const { sim, messageId } = await startAnswered();
		const [item] = await feedback(sim, {
			messageId,
			rating: 'dislike',
			content: 'too <long> & "dull"',
		});
		expect(item).toEqual({
			json: { messageId, rating: 'dislike', content: 'too <long> & "dull"', success: true },
			pairedItem: { item: 0 },
		});
		await feedback(sim, { messageId, rating: 'like' });
		expect(ratingsOf(sim)).toEqual([['like', null]]);
	});

	test('case 72: the message of another user', async () => {
		const { sim, messageId } = await startAnswered();
		const failed = await feedback(sim, { messageId, user: 'u2' }).catch(
			(error: unknown) => error as { message: string; description: string },
		);
		expect(failed).toMatchObject({
			message: 'Message Not Exists',
			description: expect.stringContaining('another user') as string,
		});
	});
});

test('case 74: an invalid rating is rejected, since Dify would delete or return a Python error', async () => {
	const { sim, messageId } = await startAnswered();
	await feedback(sim, { messageId, rating: 'like', content: 'precious' });
	const before = sim.requests.length;
	for (const rating of ['up', 1, true])
		await expect(feedback(sim, { messageId, rating })).rejects.toThrow(
			'"Rating" must be one of dislike, like, none',
		);
	for (const rating of [null, undefined, ''])
		await expect(feedback(sim, { messageId, rating })).rejects.toThrow(
			'The field "Rating" is empty',
		);
	expect(sim.requests).toHaveLength(before);
	expect(ratingsOf(sim)).toEqual([['like', 'precious']]);
	// Ratings may come in capital letters.
	await feedback(sim, { messageId, rating: ' DISLIKE ' });
	expect(ratingsOf(sim)).toEqual([['dislike', null]]);
	await expect(feedback(sim, { messageId, user: null })).rejects.toThrow('The user is empty');
});

test('without a message ID, the error names the field and node to drag', async () => {
	const sim = await startSim({});
	for (const messageId of ['', null, undefined]) {
		const failed = await nodeErrorOf(feedback(sim, { messageId }));
		expect(failed.message).toBe('The message ID is empty');
		expect(failed.description).toContain('drag the field messageId');
		expect(failed.description).toContain('Dify Chat Message');
	}
	expect(sim.requests).toEqual([]);
});

describe('feedback', () => {
	test('can be revoked, and the message of another user is reported as such', async () => {
		const sim = await startSim({});
		const { messageId } = await chatJson(sim);
		const rate = async (parameters: Json) =>
			(await executeNode('difyFeedback', sim, { parameters: { messageId, ...parameters } }))[0]!
				.json;
		expect(await rate({ rating: 'dislike', content: 'too long' })).toMatchObject({
			rating: 'dislike',
			content: 'too long',
		});
		expect(await rate({ rating: 'none' })).toMatchObject({ rating: null, success: true });
		expect(sim.app('chat').feedbacks).toEqual([]);
		const failed = await nodeErrorOf(rate({ user: 'somebody else' }));
		expect(failed.message).toBe('Message Not Exists');
		expect(failed.description).toContain('user');
	});
});
