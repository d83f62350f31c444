import { calls } from '../../lib/dify/client';
import { feedback, startAnswered } from '../dify';

test('case 75: the list, limited and complete', async () => {
	const { sim, messageId } = await startAnswered();
	await feedback(sim, { messageId, content: 'first' });
	const feedbacks = sim.app('chat').feedbacks;
	while (feedbacks.length < 150) feedbacks.push({ ...feedbacks[0]!, id: `f${feedbacks.length}` });
	expect(await feedback(sim, { operation: 'getAll', returnAll: true })).toHaveLength(150);
	expect(calls(sim, '/app/feedbacks', 'GET')).toBe(2);
	const [first, ...rest] = await feedback(sim, { operation: 'getAll', returnAll: false, limit: 2 });
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
	await expect(feedback(sim, { operation: 'getAll', limit: 0 })).rejects.toThrow(
		'"Limit" must be a number from 1',
	);
});
