import { countRequests } from '../../lib/dify/client';
import { executeFeedback, startWithMessage } from '../dify';

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
