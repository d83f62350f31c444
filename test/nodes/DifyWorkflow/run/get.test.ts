import { waitFor } from '../../../lib/dify/request';
import { calls } from '../../../lib/dify/client';
import { nodeErrorOf } from '../../dify';
import { operate, START, startFlow, work, workJson } from '../workflow';

describe('a run', () => {
	test('Get: the record, with and without Simplify', async () => {
		const sim = await startFlow({ steps: [START], outputs: { a: 1 } });
		const { workflowRunId } = await workJson(sim);
		const [simple] = await operate(sim, 'run', 'get', { workflowRunId, waitUntilFinished: false });
		expect(simple!.json).toMatchObject({
			workflowRunId,
			status: 'succeeded',
			outputs: { a: 1 },
			inputs: {},
		});
		const [raw] = await operate(sim, 'run', 'get', {
			workflowRunId,
			waitUntilFinished: false,
			simplify: false,
		});
		expect(raw!.json).toMatchObject({ id: workflowRunId, total_steps: 1 });
	});

	test("Get: the inputs omit Dify's system variables", async () => {
		const sim = await startFlow({ steps: [START] });
		const { workflowRunId } = await workJson(sim);
		const inputs = JSON.stringify({ topic: 'hills', 'sys.user_id': 'u1', sys: 1 });
		const body = JSON.stringify({ id: workflowRunId, status: 'succeeded', inputs });
		const path = /\/workflows\/run\/[\w-]+$/;
		sim.fail({ path, status: 200, contentType: 'application/json', body });
		const parameters = { workflowRunId, waitUntilFinished: false };
		const [item] = await operate(sim, 'run', 'get', parameters);
		expect(item!.json.inputs).toEqual({ topic: 'hills', sys: 1 });
	});

	test('Get: waits until the run has ended', async () => {
		let go = () => {};
		const wait = new Promise<void>((resolve) => (go = resolve));
		const sim = await startFlow({ steps: [START, { wait }], outputs: { a: 1 } });
		const running = work(sim);
		await waitFor(() => (sim.runs[0]?.events.length ?? 0) >= 2);
		const { workflowRunId } = sim.runs[0]!;
		const got = operate(sim, 'run', 'get', {
			workflowRunId,
			waitUntilFinished: true,
			waitTimeout: 60,
		});
		await waitFor(() => calls(sim, /\/workflows\/run\//, 'GET') === 1);
		go();
		await running;
		expect((await got)[0]!.json).toMatchObject({ status: 'succeeded' });
	});

	test('Get: an invalid ID is rejected before sending', async () => {
		const sim = await startFlow({ steps: [] });
		const parameters = { workflowRunId: 'garbage', waitUntilFinished: false };
		expect((await nodeErrorOf(operate(sim, 'run', 'get', parameters))).message).toContain(
			'workflow run ID',
		);
		expect(sim.requests).toEqual([]);
	});
});
