import { type Json } from '../../../simulators/dify';
import { getNodeError } from '../../dify';
import { executeOperation, START, startWorkflow, executeWorkflow } from '../workflow';

describe('the list of runs', () => {
	test('has the records of Dify, filtered by times in the zone of the workflow', async () => {
		const sim = await startWorkflow({ steps: [START] });
		for (let at = 0; at < 3; at++) await executeWorkflow(sim);
		const filters = {
			after: '2026-01-01T00:00:00',
			before: '2026-07-01',
			status: 'succeeded',
			user: 'u1',
		};
		await executeOperation(sim, 'run', 'getAll', { returnAll: true, filters });
		expect(Object.fromEntries(sim.requests.at(-1)!.query)).toMatchObject({
			created_at__after: '2025-12-31T23:00:00.000Z',
			created_at__before: '2026-06-30T22:00:00.000Z',
			status: 'succeeded',
			created_by_end_user_session_id: 'u1',
			limit: '100',
		});
		const items = await executeOperation(sim, 'run', 'getAll', {
			returnAll: false,
			limit: 2,
			filters: {},
		});
		expect(items.map(({ json }) => (json.workflow_run as Json).id)).toEqual(
			sim.runs
				.toReversed()
				.slice(0, 2)
				.map(({ workflowRunId }) => workflowRunId),
		);
	});

	test('rejects an invalid time', async () => {
		const sim = await startWorkflow({ steps: [] });
		const parameters = { returnAll: true, filters: { after: 'yesterday' } };
		expect(
			(await getNodeError(executeOperation(sim, 'run', 'getAll', parameters))).message,
		).toContain('Started After');
	});

	test('can be filtered by partial successes, which Dify 1.16 rejects', async () => {
		const sim = await startWorkflow({ steps: [] });
		const body = JSON.stringify({ data: [{ id: 'l' }], total: 1, page: 1, limit: 100 });
		sim.fail({ path: '/workflows/logs', status: 200, body, contentType: 'application/json' });
		const parameters = { returnAll: true, filters: { status: 'partial-succeeded' } };
		expect(await executeOperation(sim, 'run', 'getAll', parameters)).toHaveLength(1);
		expect(sim.requests.at(-1)!.query.get('status')).toBe('partial-succeeded');
		const error = await getNodeError(executeOperation(sim, 'run', 'getAll', parameters));
		expect(error.message).toContain("Input should be 'succeeded', 'failed' or 'stopped'");
	});

	test('rejects a status that Dify cannot filter by', async () => {
		const sim = await startWorkflow({ steps: [] });
		const parameters = { returnAll: true, filters: { status: 'running' } };
		expect(
			(await getNodeError(executeOperation(sim, 'run', 'getAll', parameters))).message,
		).toContain('failed, partial-succeeded, stopped, succeeded');
	});
});
