import { UNKNOWN_ID } from '../../../lib/dify/client';
import { nodeErrorOf } from '../../dify';
import { operate, startFlow } from '../workflow';

describe('stopping a run', () => {
	test('Stop: only reports that the request was sent', async () => {
		const sim = await startFlow({ steps: [] });
		const [item] = await operate(sim, 'run', 'stop', { taskId: UNKNOWN_ID });
		expect(item!.json).toEqual({ taskId: UNKNOWN_ID, stopRequested: true });
		expect((await nodeErrorOf(operate(sim, 'run', 'stop', { taskId: '' }))).message).toContain(
			'Task ID',
		);
	});

	test.each(['.', '..'])('%s is not a valid ID: it would lead to another route', async (dots) => {
		const sim = await startFlow({ steps: [] });
		const errors = [
			await nodeErrorOf(operate(sim, 'run', 'stop', { taskId: dots })),
			await nodeErrorOf(operate(sim, 'form', 'get', { formToken: dots })),
		];
		expect(errors.map(({ message }) => message)).toEqual([
			`The ID in the path is not valid: "${dots}"`,
			`"${dots}" is not a valid ID or name`,
		]);
		expect(sim.requests.filter(({ path }) => /stop|form|tasks/.test(path))).toEqual([]);
	});
});
