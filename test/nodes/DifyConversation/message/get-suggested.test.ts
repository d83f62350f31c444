import { clientOf, say, startApp } from '../../../lib/dify/client';
import { manage } from '../../dify';

describe('conversations', () => {
	test('suggested questions', async () => {
		const sim = await startApp({ mode: 'chat', suggestedQuestions: ['Why?', 'How?'] });
		const { messageId } = (await say(clientOf(sim), { query: 'one' })).result;
		expect(await manage(sim, 'message', 'getSuggested', { messageId })).toEqual([
			{ json: { messageId, questions: ['Why?', 'How?'] }, pairedItem: { item: 0 } },
		]);
		await expect(manage(sim, 'message', 'getSuggested', { messageId: 'abc' })).rejects.toThrow(
			'message ID is not valid',
		);
	});
});
