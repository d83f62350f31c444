import { startSim } from '../../../lib/dify/client';
import { executeFeedback } from '../../dify';

test('a blank or malformed message ID is rejected before sending', async () => {
	const sim = await startSim();
	for (const messageId of ['', '  ', 'abc', undefined, null])
		await expect(executeFeedback(sim, { messageId })).rejects.toThrow(
			/message ID is (empty|not valid)/,
		);
	for (const operation of ['rate', 'revoke'])
		await expect(executeFeedback(sim, { messageId: 'abc', operation })).rejects.toThrow(
			'message ID is not valid',
		);
	expect(sim.requests).toHaveLength(0);
});
