import type { INodeExecutionData } from 'n8n-workflow';

import { SIM_VERSIONS, type DifySim, type Json } from '../../servers/dify';
import { UNKNOWN_ID, calls, clientOf, say, startSim } from '../../lib/dify/client';
import { DifyFeedback } from '../../../nodes/DifyFeedback/DifyFeedback.node';
import { chatJson, errorIn, executeNode, nodeErrorOf, properties, type Setup } from '../dify';

async function execute(
	sim: DifySim,
	parameters: Record<string, unknown>,
	setup: Setup = {},
): Promise<INodeExecutionData[]> {
	return await executeNode('difyFeedback', sim, { ...setup, parameters });
}

async function answered(version: DifySim['version'] = '2026'): Promise<{ sim: DifySim; messageId: string }> {
	const sim = await startSim({ version });
	const { result } = await say(clientOf(sim));
	return { sim, messageId: result.messageId! };
}

const stored = (sim: DifySim) => sim.app('chat').feedbacks.map(({ rating, content }) => [rating, content]);

describe.each(SIM_VERSIONS)('rating, %s', (version) => {
	test('case 70: like and dislike with a text, and again without losing it', async () => {
		const { sim, messageId } = await answered(version);
		const [item] = await execute(sim, { messageId, rating: 'dislike', content: 'too <long> & "dull"' });
		expect(item).toEqual({
			json: { messageId, rating: 'dislike', content: 'too <long> & "dull"', success: true },
			pairedItem: { item: 0 },
		});
		expect((await execute(sim, { messageId, rating: 'like' }))[0]!.json).toMatchObject({
			rating: 'like',
			content: 'too <long> & "dull"',
		});
		expect(stored(sim)).toEqual([['like', 'too <long> & "dull"']]);
		await execute(sim, { messageId, rating: 'like', options: { earlierText: 'erase' } });
		expect(stored(sim)).toEqual([['like', null]]);
	});

	test('the conversation ID tells of an earlier rating at once; a malformed one is refused', async () => {
		const { sim, messageId } = await answered(version);
		const { conversationId } = sim.runs[0]!;
		await execute(sim, { messageId, options: { conversationId } });
		expect([calls(sim, '/messages', 'GET'), calls(sim, '/app/feedbacks', 'GET')]).toEqual([1, 0]);
		for (const empty of ['', ' ', null]) await execute(sim, { messageId, options: { conversationId: empty } });
		expect([calls(sim, '/messages', 'GET'), calls(sim, '/app/feedbacks', 'GET')]).toEqual([1, 3]);
		await expect(execute(sim, { messageId, options: { conversationId: 'abc' } })).rejects.toThrow(
			'conversation ID is not valid',
		);
	});

	test('case 71: revoke, by its operation and as a rating; nothing to revoke is an error, or fine on request', async () => {
		const { sim, messageId } = await answered(version);
		await execute(sim, { messageId });
		expect((await execute(sim, { messageId, operation: 'revoke' }))[0]!.json).toEqual({
			messageId,
			rating: null,
			content: null,
			success: true,
		});
		await execute(sim, { messageId });
		expect((await execute(sim, { messageId, rating: 'none' }))[0]!.json).toMatchObject({ rating: null });
		expect(stored(sim)).toEqual([]);
		await expect(execute(sim, { messageId, operation: 'revoke' })).rejects.toThrow('no rating to take back');
		expect(
			(await execute(sim, { messageId, operation: 'revoke', options: { ignoreNotRated: true } }))[0]!.json,
		).toMatchObject({ alreadySo: true });
	});

	test('case 72: the message of somebody else', async () => {
		const { sim, messageId } = await answered(version);
		const failed = await execute(sim, { messageId, user: 'u2' }).catch(
			(error: unknown) => error as { message: string; description: string },
		);
		expect(failed).toMatchObject({
			message: 'Dify does not find the message',
			description: expect.stringContaining('another user') as string,
		});
	});
});

test('case 73: a blank or malformed message ID is refused before anything is sent', async () => {
	const sim = await startSim();
	for (const messageId of ['', '  ', 'abc', undefined, null])
		await expect(execute(sim, { messageId })).rejects.toThrow(/message ID is (empty|not valid)/);
	for (const operation of ['rate', 'revoke'])
		await expect(execute(sim, { messageId: 'abc', operation })).rejects.toThrow('message ID is not valid');
	expect(sim.requests).toHaveLength(0);
});

test('case 74: a rating that is none is refused, since Dify would delete or answer in Python', async () => {
	const { sim, messageId } = await answered();
	await execute(sim, { messageId, rating: 'like', content: 'precious' });
	const before = sim.requests.length;
	for (const rating of ['up', 1, true])
		await expect(execute(sim, { messageId, rating })).rejects.toThrow('"Rating" must be one of dislike, like, none');
	for (const rating of [null, undefined, ''])
		await expect(execute(sim, { messageId, rating })).rejects.toThrow('The field "Rating" is empty');
	expect(sim.requests).toHaveLength(before);
	expect(stored(sim)).toEqual([['like', 'precious']]);
	// Thumbs of a chat may shout.
	await execute(sim, { messageId, rating: ' DISLIKE ' });
	expect(stored(sim)).toEqual([['dislike', 'precious']]);
	await expect(execute(sim, { messageId, user: ' ' })).rejects.toThrow('The user is empty');
});

test('case 75: the list, by limit and whole', async () => {
	const { sim, messageId } = await answered();
	await execute(sim, { messageId, content: 'first' });
	const feedbacks = sim.app('chat').feedbacks;
	while (feedbacks.length < 150) feedbacks.push({ ...feedbacks[0]!, id: `f${feedbacks.length}` });
	expect(await execute(sim, { operation: 'getAll', returnAll: true })).toHaveLength(150);
	expect(calls(sim, '/app/feedbacks', 'GET')).toBe(2);
	const [first, ...rest] = await execute(sim, { operation: 'getAll', returnAll: false, limit: 2 });
	expect(first).toMatchObject({
		json: { id: 'f149', rating: 'like', content: 'first', created_at: expect.stringContaining('T') as string },
		pairedItem: { item: 0 },
	});
	expect(rest).toHaveLength(1);
	await expect(execute(sim, { operation: 'getAll', limit: 0 })).rejects.toThrow('"Limit" must be a number from 1');
});

test("behind the webhook of a chat's thumbs: many items, one of them of no use", async () => {
	const { sim, messageId } = await answered();
	const perItem = [
		{ messageId, rating: 'like' },
		{ messageId: UNKNOWN_ID, rating: 'like' },
		{ messageId, rating: 'none' },
	];
	const items = await execute(sim, {}, { items: perItem.map(() => ({ json: {} })), perItem, continueOnFail: true });
	expect(items.map((item) => item.json.rating ?? errorIn(item)?.kind ?? null)).toEqual([
		'like',
		'messageNotFound',
		null,
	]);
	expect(items.map(({ pairedItem }) => pairedItem)).toEqual([{ item: 0 }, { item: 1 }, { item: 2 }]);
	expect(stored(sim)).toEqual([]);
});

test('an operation that does not exist', async () => {
	const sim = await startSim();
	await expect(execute(sim, { operation: 'explode' })).rejects.toThrow('no operation "explode"');
});

describe.each(SIM_VERSIONS)('feedback, %s', (version) => {
	test('can be taken back, and the message of somebody else is told as that', async () => {
		const sim = await startSim({ version });
		const { messageId } = await chatJson(sim);
		const rate = async (parameters: Json) =>
			(await executeNode('difyFeedback', sim, { parameters: { messageId, ...parameters } }))[0]!.json;
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

test('Chat Trigger, Dify Chat Message, Dify Feedback with defaults: the same user in all', async () => {
	const { sim } = await answered();
	const answer = await chatJson(sim, { parameters: { user: 'session-77' } });
	expect(answer.user).toBe('session-77');
	const field = properties(new DifyFeedback()).find(({ name }) => name === 'user')!;
	expect(field.default).toBe("={{ $json.sessionId ?? $json.user ?? 'n8n-' + $workflow.id }}");
	const { messageId, user } = answer as { messageId: string; user: string };
	expect((await execute(sim, { messageId, user, rating: 'like' }))[0]!.json).toMatchObject({ success: true });
});
