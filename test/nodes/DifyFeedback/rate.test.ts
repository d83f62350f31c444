import { type Json, NEWEST_VERSION } from '../../servers/dify';
import { calls, startSim } from '../../lib/dify/client';
import { chatJson, executeNode, feedback, nodeErrorOf, ratingsOf, startAnswered } from '../dify';

describe.each(NEWEST_VERSION)('rating, %s', (version) => {
	test('case 70: like and dislike with a text, and again without losing it', async () => {
		const { sim, messageId } = await startAnswered(version);
		const [item] = await feedback(sim, {
			messageId,
			rating: 'dislike',
			content: 'too <long> & "dull"',
		});
		expect(item).toEqual({
			json: { messageId, rating: 'dislike', content: 'too <long> & "dull"', success: true },
			pairedItem: { item: 0 },
		});
		expect((await feedback(sim, { messageId, rating: 'like' }))[0]!.json).toMatchObject({
			rating: 'like',
			content: 'too <long> & "dull"',
		});
		expect(ratingsOf(sim)).toEqual([['like', 'too <long> & "dull"']]);
		await feedback(sim, { messageId, rating: 'like', options: { earlierText: 'erase' } });
		expect(ratingsOf(sim)).toEqual([['like', null]]);
	});

	test('the conversation ID tells of an earlier rating at once; a malformed one is refused', async () => {
		const { sim, messageId } = await startAnswered(version);
		const { conversationId } = sim.runs[0]!;
		await feedback(sim, { messageId, options: { conversationId } });
		expect([calls(sim, '/messages', 'GET'), calls(sim, '/app/feedbacks', 'GET')]).toEqual([1, 0]);
		for (const empty of ['', ' ', null])
			await feedback(sim, { messageId, options: { conversationId: empty } });
		expect([calls(sim, '/messages', 'GET'), calls(sim, '/app/feedbacks', 'GET')]).toEqual([1, 3]);
		await expect(feedback(sim, { messageId, options: { conversationId: 'abc' } })).rejects.toThrow(
			'conversation ID is not valid',
		);
	});

	test('case 72: the message of somebody else', async () => {
		const { sim, messageId } = await startAnswered(version);
		const failed = await feedback(sim, { messageId, user: 'u2' }).catch(
			(error: unknown) => error as { message: string; description: string },
		);
		expect(failed).toMatchObject({
			message: 'Dify does not find the message',
			description: expect.stringContaining('another user') as string,
		});
	});
});

test('case 74: a rating that is none is refused, since Dify would delete or answer in Python', async () => {
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
	expect(ratingsOf(sim)).toEqual([['dislike', 'precious']]);
	await expect(feedback(sim, { messageId, user: null })).rejects.toThrow('The user is empty');
});

describe.each(NEWEST_VERSION)('feedback, %s', (version) => {
	test('can be taken back, and the message of somebody else is told as that', async () => {
		const sim = await startSim({ version });
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
		expect(failed.description).toContain('Message Not Exists.');
		expect(failed.description).toContain('user');
	});
});
