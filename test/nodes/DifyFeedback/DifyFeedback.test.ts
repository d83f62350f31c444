import { startSim, UNKNOWN_ID } from '../../lib/dify/client';
import { DifyChatMessage } from '../../../nodes/DifyChatMessage/DifyChatMessage.node';
import { DifyFeedback } from '../../../nodes/DifyFeedback/DifyFeedback.node';
import { chatJson, errorIn, feedback, properties, ratingsOf, startAnswered } from '../dify';

test('after the webhook of chat ratings: many items, one of them invalid', async () => {
	const { sim, messageId } = await startAnswered();
	const perItem = [
		{ messageId, rating: 'like' },
		{ messageId: UNKNOWN_ID, rating: 'like' },
		{ messageId, rating: 'none' },
	];
	const items = await feedback(
		sim,
		{},
		{ items: perItem.map(() => ({ json: {} })), perItem, continueOnFail: true },
	);
	expect(items.map((item) => item.json.rating ?? errorIn(item)?.type ?? null)).toEqual([
		'like',
		'messageNotFound',
		null,
	]);
	expect(items.map(({ pairedItem }) => pairedItem)).toEqual([
		{ item: 0 },
		{ item: 1 },
		{ item: 2 },
	]);
	expect(ratingsOf(sim)).toEqual([]);
});

test('an operation that does not exist', async () => {
	const sim = await startSim();
	await expect(feedback(sim, { operation: 'explode' })).rejects.toThrow('no operation "explode"');
});

test('Chat Trigger, Dify Chat Message, Dify Feedback with defaults: the same user in all', async () => {
	const { sim } = await startAnswered();
	const answer = await chatJson(sim, { parameters: { user: 'session-77' } });
	expect(answer.user).toBe('session-77');
	const [first, second] = [new DifyChatMessage(), new DifyFeedback()].map(
		(node) => properties(node).find(({ name }) => name === 'user')!.default,
	);
	expect(second).toBe(first);
	const { messageId, user } = answer as { messageId: string; user: string };
	expect((await feedback(sim, { messageId, user, rating: 'like' }))[0]!.json).toMatchObject({
		success: true,
	});
});
