import { waitFor } from '../../../lib/dify/wait-for';
import { countRequests } from '../../../lib/dify/client';
import { getNodeError } from '../../dify';
import {
	executeOperation,
	START,
	startWorkflow,
	executeWorkflow,
	executeWorkflowJson,
} from '../workflow';

describe('the record of a run', () => {
	test('is returned with and without Simplify', async () => {
		const sim = await startWorkflow({ steps: [START], outputs: { a: 1 } });
		const { workflowRunId } = await executeWorkflowJson(sim);
		const [simple] = await executeOperation(sim, 'run', 'get', {
			workflowRunId,
			waitUntilFinished: false,
		});
		expect(simple!.json).toMatchObject({
			workflowRunId,
			status: 'succeeded',
			outputs: { a: 1 },
			inputs: {},
		});
		const [raw] = await executeOperation(sim, 'run', 'get', {
			workflowRunId,
			waitUntilFinished: false,
			simplify: false,
		});
		expect(raw!.json).toMatchObject({ id: workflowRunId, total_steps: 1 });
	});

	test("omits Dify's system variables from the inputs", async () => {
		const sim = await startWorkflow({ steps: [START] });
		const { workflowRunId } = await executeWorkflowJson(sim);
		const inputs = JSON.stringify({ topic: 'hills', 'sys.user_id': 'u1', sys: 1 });
		const body = JSON.stringify({ id: workflowRunId, status: 'succeeded', inputs });
		const path = /\/workflows\/run\/[\w-]+$/;
		sim.fail({ path, status: 200, contentType: 'application/json', body });
		const parameters = { workflowRunId, waitUntilFinished: false };
		const [item] = await executeOperation(sim, 'run', 'get', parameters);
		expect(item!.json.inputs).toEqual({ topic: 'hills', sys: 1 });
	});

	test('is returned after the run has ended, if the option is set', async () => {
		let continueRun = () => {};
		const wait = new Promise<void>((resolve) => (continueRun = resolve));
		const sim = await startWorkflow({ steps: [START, { wait }], outputs: { a: 1 } });
		const running = executeWorkflow(sim);
		await waitFor(() => (sim.runs[0]?.events.length ?? 0) >= 2);
		const { workflowRunId } = sim.runs[0]!;
		const waiting = executeOperation(sim, 'run', 'get', {
			workflowRunId,
			waitUntilFinished: true,
			waitTimeout: 60,
		});
		await waitFor(() => countRequests(sim, /\/workflows\/run\//, 'GET') === 1);
		continueRun();
		await running;
		expect((await waiting)[0]!.json).toMatchObject({ status: 'succeeded' });
	});

	test('is not requested for an invalid ID', async () => {
		const sim = await startWorkflow({ steps: [] });
		const parameters = { workflowRunId: 'garbage', waitUntilFinished: false };
		expect((await getNodeError(executeOperation(sim, 'run', 'get', parameters))).message).toContain(
			'workflow run ID',
		);
		expect(sim.requests).toEqual([]);
	});
});
