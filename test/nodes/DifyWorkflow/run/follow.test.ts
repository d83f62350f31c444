import { waitFor } from '../../../lib/dify/wait-for';
import { executePrepared, getNodeError, getStreamedText } from '../../dify';
import {
	FOREVER,
	executeOperation,
	prepareWorkflow,
	REVIEW,
	START,
	startWorkflow,
	executeWorkflow,
	executeWorkflowJson,
} from '../workflow';

describe('following a run', () => {
	test('returns the outputs of an existing run, and streams them into the chat', async () => {
		let continueRun = () => {};
		const wait = new Promise<void>((resolve) => (continueRun = resolve));
		const sim = await startWorkflow({
			steps: [START, { wait }, { text: 'late' }],
			outputs: { text: 'late' },
		});
		const running = executeWorkflow(sim);
		await waitFor(() => (sim.runs[0]?.events.length ?? 0) >= 2);
		const { workflowRunId } = sim.runs[0]!;
		const fake = prepareWorkflow(sim, {
			streaming: true,
			parameters: { operation: 'follow', workflowRunId },
		});
		const following = executePrepared('difyWorkflow', fake);
		await waitFor(() => sim.requests.some(({ url }) => url.includes('/events')));
		continueRun();
		const [item] = await following;
		await running;
		expect(item!.json).toMatchObject({
			status: 'succeeded',
			outputs: { text: 'late' },
			workflowRunId,
		});
		expect(getStreamedText(fake)).toBe('late');
	});

	test('waits until the form is submitted, if the option is set', async () => {
		const sim = await startWorkflow({
			steps: [START, { pause: [REVIEW] }],
			outputs: { a: 1 },
		});
		const { workflowRunId } = await executeWorkflowJson(sim);
		const options = { onPause: 'wait' };
		const following = executeOperation(sim, 'run', 'follow', { workflowRunId, options });
		await waitFor(() => sim.requests.some(({ url }) => url.includes('continue_on_pause=true')));
		await executeOperation(sim, 'form', 'submit', {
			formToken: 'tok',
			action: 'approve',
			values: { pick: 'Rot' },
		});
		expect((await following)[0]!.json).toMatchObject({
			status: 'succeeded',
			outputs: { a: 1 },
			// If submitted twice, Dify accepts both and uses one.
			answered: [{ nodeTitle: 'Review', actionId: 'approve' }],
		});
	});

	test('if Dify accepts two submissions of a form, each following item names the one that was used', async () => {
		const sim = await startWorkflow({ steps: [START, { pause: [REVIEW] }], outputs: { a: 1 } });
		const { workflowRunId } = await executeWorkflowJson(sim);
		const options = { onPause: 'wait' };
		const follow = async () =>
			await executeOperation(sim, 'run', 'follow', { workflowRunId, options });
		const following = [follow(), follow()];
		const isAttached = ({ url }: { url: string }) => url.includes('/events');
		await waitFor(() => sim.requests.filter(isAttached).length === 2);
		sim.fail({ method: 'POST', path: '/form/human_input', status: 200, body: '{}' });
		const submit = async (action: string) =>
			await executeOperation(sim, 'form', 'submit', {
				formToken: 'tok',
				action,
				values: { pick: 'Rot' },
			});
		const [rejection] = await submit('reject');
		await submit('approve');
		expect(rejection!.json).toMatchObject({ action: 'reject', submitted: true });
		for (const [item] of await Promise.all(following))
			expect(item!.json.answered).toEqual([{ nodeTitle: 'Review', actionId: 'approve' }]);
	});

	test('can be stopped, and the run continues', async () => {
		const sim = await startWorkflow({ steps: [START, FOREVER] });
		const starter = new AbortController();
		const running = getNodeError(
			executePrepared('difyWorkflow', prepareWorkflow(sim, { signal: starter.signal })),
		);
		await waitFor(() => (sim.runs[0]?.events.length ?? 0) >= 2);
		const controller = new AbortController();
		const parameters = { operation: 'follow', workflowRunId: sim.runs[0]!.workflowRunId };
		const following = getNodeError(
			executePrepared(
				'difyWorkflow',
				prepareWorkflow(sim, { signal: controller.signal, parameters }),
			),
		);
		await waitFor(() => sim.requests.some(({ url }) => url.includes('/events')));
		controller.abort();
		await following;
		expect(sim.stops).toEqual([]);
		starter.abort();
		await running;
	});
});
