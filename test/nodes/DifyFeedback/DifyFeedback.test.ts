import { startSim, UNKNOWN_ID } from '../../lib/dify/client';
import { DifyChatMessage } from '../../../nodes/DifyChatMessage/DifyChatMessage.node';
import { DifyFeedback } from '../../../nodes/DifyFeedback/DifyFeedback.node';
import {
	sendMessageJson,
	getItemError,
	executeFeedback,
	getProperties,
	getRatings,
	startWithMessage,
} from '../dify';

test('an invalid item does not affect the other ratings', async () => {
	const { sim, messageId } = await startWithMessage();
	const perItem = [
		{ messageId, rating: 'like' },
		{ messageId: UNKNOWN_ID, rating: 'like' },
		{ messageId, rating: 'none' },
	];
	const items = await executeFeedback(
		sim,
		{},
		{ items: perItem.map(() => ({ json: {} })), perItem, continueOnFail: true },
	);
	expect(items.map((item) => item.json.rating ?? getItemError(item)?.type ?? null)).toEqual([
		'like',
		'messageNotFound',
		null,
	]);
	expect(items.map(({ pairedItem }) => pairedItem)).toEqual([
		{ item: 0 },
		{ item: 1 },
		{ item: 2 },
	]);
	expect(getRatings(sim)).toEqual([]);
});

test('an operation that does not exist is an error', async () => {
	const sim = await startSim();
	await expect(executeFeedback(sim, { operation: 'explode' })).rejects.toThrow(
		'no operation "explode"',
	);
});

test('Dify Feedback has the same default user as Dify Chat Message, and the user is in its item', async () => {
	const { sim } = await startWithMessage();
	const message = await sendMessageJson(sim, { parameters: { user: 'session-77' } });
	expect(message.user).toBe('session-77');
	const [first, second] = [new DifyChatMessage(), new DifyFeedback()].map(
		(node) => getProperties(node).find(({ name }) => name === 'user')!.default,
	);
	expect(second).toBe(first);
	const { messageId, user } = message as { messageId: string; user: string };
	expect((await executeFeedback(sim, { messageId, user, rating: 'like' }))[0]!.json).toMatchObject({
		success: true,
	});
});
