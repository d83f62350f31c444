import { binaryFile } from '../../support/n8n/binary-file';
import { createDeferred } from '../../support/waiting/deferred';
import { waitFor } from '../../support/waiting/wait-for';
import { countRequests, UNKNOWN_ID } from '../../lib/dify/client';
import { getNodeError, executePrepared, getStreamedText } from '../dify';
import {
	executeOperation,
	START,
	startWorkflow,
	executeWorkflow,
	executeWorkflowError,
	executeWorkflowJson,
	prepareWorkflow,
	REVIEW,
} from './workflow';
import type { Json } from '../../simulators/dify';

test('the record of a run: is returned after the run has ended, if the option is set', async () => {
	const { wait, open } = createDeferred();
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
	open();
	await running;
	expect((await waiting)[0]!.json).toMatchObject({ status: 'succeeded' });
});

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

	test.each<{ after: unknown; sent: string }>([
		{ after: '2026-07-01T12:30:00', sent: '2026-07-01T10:30:00.000Z' },
		{ after: '2026-07-01T12:30:00Z', sent: '2026-07-01T12:30:00.000Z' },
		{ after: '2026-07-01T12:30:00+05:30', sent: '2026-07-01T07:00:00.000Z' },
		{ after: new Date(1_782_909_000_000), sent: '2026-07-01T12:30:00.000Z' },
	])('a time of an expression, with or without a zone: $after', async ({ after, sent }) => {
		const sim = await startWorkflow({ steps: [] });
		await executeOperation(sim, 'run', 'getAll', { returnAll: true, filters: { after } });
		expect(sim.requests.at(-1)!.query.get('created_at__after')).toBe(sent);
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

	test.each([
		[{ after: 'yesterday' }, 'Started After'],
		[{ status: 'running' }, 'failed, partial-succeeded, stopped, succeeded'],
	])('rejects %j, by which Dify cannot filter', async (filters, message) => {
		const listing = executeOperation(await startWorkflow({ steps: [] }), 'run', 'getAll', {
			returnAll: true,
			filters,
		});
		expect((await getNodeError(listing)).message).toContain(message);
	});
});

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
			`The task ID is not valid: "${dots}"`,
			`"${dots}" is not a valid ID or name`,
		]);
		expect(sim.requests.filter(({ path }) => /stop|form|tasks/.test(path))).toEqual([]);
	});
});

describe('following a run', () => {
	test('returns the outputs of an existing run, and streams them into the chat', async () => {
		const { wait, open } = createDeferred();
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
		open();
		const [item] = await following;
		await running;
		expect(item!.json).toMatchObject({
			status: 'succeeded',
			outputs: { text: 'late' },
			workflowRunId,
		});
		expect(getStreamedText(fake)).toBe('late');
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
		// With the default of the other field.
		const SUBMITTED = { pick: 'Rot', note: 'as usual' };
		const [rejection] = await submit('reject');
		await submit('approve');
		expect(rejection!.json).toMatchObject({ action: 'reject', submitted: true });
		for (const [item] of await Promise.all(following))
			expect(item!.json.answered).toEqual([
				{ nodeTitle: 'Review', actionId: 'approve', submittedData: SUBMITTED },
			]);
	});
});

describe('submitting a form', () => {
	test.each(['aprove', 'ok', '批准'])(
		'with the unknown button %s names its buttons',
		async (action) => {
			const sim = await startWorkflow({ steps: [START, { pause: [REVIEW] }] });
			await executeWorkflow(sim);
			const submission = { resource: 'form', operation: 'submit', formToken: 'tok', action };
			const error = await executeWorkflowError(sim, { parameters: submission });
			expect(error.message).toContain(`no button "${action}"`);
			expect(`${error.message} ${error.description}`).toContain(
				'approve ("Approve"), reject ("Reject")',
			);
			expect(
				sim.requests.every(({ method, url }) => method === 'GET' || !url.includes('/form/')),
			).toBe(true);
		},
	);

	test('uploads files as the user who submits it', async () => {
		const inputs = [{ output_variable_name: 'doc', type: 'file', allowed_file_types: ['image'] }];
		const sim = await startWorkflow({ steps: [START, { pause: [{ ...REVIEW, inputs }] }] });
		await executeWorkflowJson(sim);
		await executeWorkflow(sim, {
			items: [{ json: {}, binary: { data: binaryFile('png!', 'a.png', 'image/png') } }],
			parameters: {
				resource: 'form',
				operation: 'submit',
				formToken: 'tok',
				action: 'approve',
				values: { doc: 'data' },
			},
		});
		const body = sim.requests.at(-1)!.json as { inputs: { doc: Json } };
		expect(body.inputs.doc).toMatchObject({ type: 'image', transfer_method: 'local_file' });
	});

	test('finds a button by its label, sends values as text, and applies the form defaults', async () => {
		const sim = await startWorkflow({ steps: [START, { pause: [REVIEW] }] });
		await executeWorkflowJson(sim);
		const submission = { formToken: 'tok', action: 'APPROVE', values: { pick: 'Rot' } };
		expect((await executeOperation(sim, 'form', 'submit', submission))[0]!.json).toMatchObject({
			action: 'approve',
			submitted: true,
		});
		expect(sim.requests.at(-1)!.json).toMatchObject({
			action: 'approve',
			inputs: { pick: 'Rot', note: 'as usual' },
		});
	});

	test('a rejected submission leaves the form open, and a second submission is too late', async () => {
		const sim = await startWorkflow({ steps: [START, { pause: [REVIEW] }] });
		await executeWorkflowJson(sim);
		const submission = { formToken: 'tok', action: 'approve', values: { pick: 'Rot' } };
		const unknownAction = { ...submission, action: 'burn' };
		const rejectedError = await getNodeError(
			executeOperation(sim, 'form', 'submit', unknownAction),
		);
		expect(rejectedError.context.data).toMatchObject({ type: 'formRejected' });
		const incomplete = await getNodeError(
			executeOperation(sim, 'form', 'submit', { formToken: 'tok', action: 'approve' }),
		);
		expect(incomplete.context.data).toMatchObject({ type: 'formRejected' });
		expect(incomplete.description).toContain(
			'No value was sent for "pick". Enter it in the field Values: {"pick":"Rot"}. The form is still open.',
		);
		await executeOperation(sim, 'form', 'submit', submission);
		const closedError = await getNodeError(executeOperation(sim, 'form', 'submit', submission));
		expect(closedError.context.data).toMatchObject({ type: 'formClosed' });
		expect(closedError.message).toMatch(/^This form has already been submitted/);
		expect(sim.requests.at(-1)!.method).toBe('GET');
		const submit = async (formToken: string) =>
			await executeOperation(sim, 'form', 'submit', { ...submission, formToken });
		await expect(submit('null')).rejects.toThrow('The form has no token');
		// The item is not of a paused run, so the expression of the field finds no form.
		await expect(submit('')).rejects.toThrow('This item has no forms');
	});
});
