import { UNKNOWN_ID } from '../../../lib/dify/client';
import { getNodeError } from '../../dify';
import { executeOperation, startWorkflow } from '../workflow';

describe('stopping a run', () => {
	test('only reports that the request was sent', async () => {
		const sim = await startWorkflow({ steps: [] });
		const [item] = await executeOperation(sim, 'run', 'stop', { taskId: UNKNOWN_ID });
		expect(item!.json).toEqual({ taskId: UNKNOWN_ID, stopRequested: true });
		expect((await getNodeError(executeOperation(sim, 'run', 'stop', { taskId: '' }))).message).toBe(
			'This item has no taskId',
		);
	});

	test.each(['.', '..'])('%s is not a valid ID: it would lead to another route', async (dots) => {
		const sim = await startWorkflow({ steps: [] });
		const errors = [
			await getNodeError(executeOperation(sim, 'run', 'stop', { taskId: dots })),
			await getNodeError(executeOperation(sim, 'form', 'get', { formToken: dots })),
		];
		expect(errors.map(({ message }) => message)).toEqual([
			`The ID in the path is not valid: "${dots}"`,
			`"${dots}" is not a valid ID or name`,
		]);
		expect(sim.requests.filter(({ path }) => /stop|form|tasks/.test(path))).toEqual([]);
	});
});
