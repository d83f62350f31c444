import { UNKNOWN_ID } from '../../../lib/dify/client';
import { NEWEST_VERSION } from '../../../servers/dify';
import { nodeErrorOf } from '../../dify';
import { operate, startFlow } from '../workflow';

describe.each(NEWEST_VERSION)('stopping a run, %s', (version) => {
	test('Stop: Dify was told, no more is known', async () => {
		const sim = await startFlow(version, { steps: [] });
		const [item] = await operate(sim, 'run', 'stop', { taskId: UNKNOWN_ID });
		expect(item!.json).toEqual({ taskId: UNKNOWN_ID, stopRequested: true });
		expect((await nodeErrorOf(operate(sim, 'run', 'stop', { taskId: '' }))).message).toContain(
			'Task ID',
		);
	});
});
