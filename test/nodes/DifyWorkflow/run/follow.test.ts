import { waitFor } from '../../../lib/dify/request';
import { executeIn, nodeErrorOf, shownIn } from '../../dify';
import {
	FOREVER,
	operate,
	prepareFlow,
	REVIEW,
	START,
	startFlow,
	work,
	workJson,
} from '../workflow';

describe('following', () => {
	test('Follow: the outputs of an existing run, streamed into the chat', async () => {
		let go = () => {};
		const wait = new Promise<void>((resolve) => (go = resolve));
		const sim = await startFlow({
			steps: [START, { wait }, { text: 'late' }],
			outputs: { text: 'late' },
		});
		const running = work(sim);
		await waitFor(() => (sim.runs[0]?.events.length ?? 0) >= 2);
		const { workflowRunId } = sim.runs[0]!;
		const fake = prepareFlow(sim, {
			streaming: true,
			parameters: { operation: 'follow', workflowRunId },
		});
		const following = executeIn('difyWorkflow', fake);
		await waitFor(() => sim.requests.some(({ url }) => url.includes('/events')));
		go();
		const [item] = await following;
		await running;
		expect(item!.json).toMatchObject({
			status: 'succeeded',
			outputs: { text: 'late' },
			workflowRunId,
		});
		expect(shownIn(fake)).toBe('late');
	});

	test('Follow: waits until the form is submitted, if the option is set', async () => {
		const sim = await startFlow({
			steps: [START, { pause: [REVIEW] }],
			outputs: { a: 1 },
		});
		const { workflowRunId } = await workJson(sim);
		const options = { onPause: 'wait' };
		const following = operate(sim, 'run', 'follow', { workflowRunId, options });
		await waitFor(() => sim.requests.some(({ url }) => url.includes('continue_on_pause=true')));
		await operate(sim, 'form', 'submit', {
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
		const sim = await startFlow({ steps: [START, { pause: [REVIEW] }], outputs: { a: 1 } });
		const { workflowRunId } = await workJson(sim);
		const options = { onPause: 'wait' };
		const follow = async () => await operate(sim, 'run', 'follow', { workflowRunId, options });
		const following = [follow(), follow()];
		const isAttached = ({ url }: { url: string }) => url.includes('/events');
		await waitFor(() => sim.requests.filter(isAttached).length === 2);
		sim.fail({ method: 'POST', path: '/form/human_input', status: 200, body: '{}' });
		const submit = async (action: string) =>
			await operate(sim, 'form', 'submit', { formToken: 'tok', action, values: { pick: 'Rot' } });
		const [late] = await submit('reject');
		await submit('approve');
		expect(late!.json).toMatchObject({ action: 'reject', submitted: true });
		for (const [item] of await Promise.all(following))
			expect(item!.json.answered).toEqual([{ nodeTitle: 'Review', actionId: 'approve' }]);
	});

	test('cancelled while it follows: the run continues', async () => {
		const sim = await startFlow({ steps: [START, FOREVER] });
		const starter = new AbortController();
		const running = nodeErrorOf(
			executeIn('difyWorkflow', prepareFlow(sim, { signal: starter.signal })),
		);
		await waitFor(() => (sim.runs[0]?.events.length ?? 0) >= 2);
		const controller = new AbortController();
		const parameters = { operation: 'follow', workflowRunId: sim.runs[0]!.workflowRunId };
		const following = nodeErrorOf(
			executeIn('difyWorkflow', prepareFlow(sim, { signal: controller.signal, parameters })),
		);
		await waitFor(() => sim.requests.some(({ url }) => url.includes('/events')));
		controller.abort();
		await following;
		expect(sim.stops).toEqual([]);
		starter.abort();
		await running;
	});
});
