import { MAX_WAIT_MS } from '../../../lib/dify/run-record';
import { waitFor } from '../../lib/dify/ask';
import { calls, UNKNOWN_ID } from '../../lib/dify/client';
import { SIM_VERSIONS, type Json } from '../../servers/dify';
import { executeIn, nodeErrorOf, shownIn } from '../dify';
import { FOREVER, operate, prepareFlow, REVIEW, START, startFlow, work, workJson } from './workflow';

const NEWER = SIM_VERSIONS.filter((version) => version !== '1.12');

describe.each(SIM_VERSIONS)('runs, %s', (version) => {
	test('Get: the record, with and without Simplify', async () => {
		const sim = await startFlow(version, { steps: [START], outputs: { a: 1 } });
		const { workflowRunId } = await workJson(sim);
		const [simple] = await operate(sim, 'run', 'get', { workflowRunId, waitUntilFinished: false });
		expect(simple!.json).toMatchObject({ workflowRunId, status: 'succeeded', outputs: { a: 1 }, inputs: {} });
		const [raw] = await operate(sim, 'run', 'get', { workflowRunId, waitUntilFinished: false, simplify: false });
		expect(raw!.json).toMatchObject({ id: workflowRunId, total_steps: 1 });
	});

	test('Get: waits until the run has ended', async () => {
		let go = () => {};
		const wait = new Promise<void>((resolve) => (go = resolve));
		const sim = await startFlow(version, { steps: [START, { wait }], outputs: { a: 1 } });
		const running = work(sim);
		await waitFor(() => (sim.runs[0]?.events.length ?? 0) >= 2);
		const { workflowRunId } = sim.runs[0]!;
		const got = operate(sim, 'run', 'get', { workflowRunId, waitUntilFinished: true, waitLimit: 60 });
		await waitFor(() => calls(sim, /\/workflows\/run\//, 'GET') === 1);
		go();
		await running;
		expect((await got)[0]!.json).toMatchObject({ status: 'succeeded' });
	});

	test('Get: an ID of another form is refused before anything is sent', async () => {
		const sim = await startFlow(version, { steps: [] });
		const parameters = { workflowRunId: 'garbage', waitUntilFinished: false };
		expect((await nodeErrorOf(operate(sim, 'run', 'get', parameters))).message).toContain('workflow run ID');
		expect(sim.requests).toEqual([]);
	});

	test('Stop: Dify was told, no more is known', async () => {
		const sim = await startFlow(version, { steps: [] });
		const [item] = await operate(sim, 'run', 'stop', { taskId: UNKNOWN_ID });
		expect(item!.json).toEqual({ taskId: UNKNOWN_ID, stopRequested: true });
		expect((await nodeErrorOf(operate(sim, 'run', 'stop', { taskId: '' }))).message).toContain('Task ID');
	});

	test('Get Many: rows as Dify sends them, and times in the zone of the workflow', async () => {
		const sim = await startFlow(version, { steps: [START] });
		for (let at = 0; at < 3; at++) await work(sim);
		const filters = { after: '2026-01-01T00:00:00', before: '2026-07-01', status: 'succeeded', user: 'u1' };
		await operate(sim, 'run', 'getAll', { returnAll: true, filters });
		expect(Object.fromEntries(sim.requests.at(-1)!.query)).toMatchObject({
			created_at__after: '2025-12-31T23:00:00.000Z',
			created_at__before: '2026-06-30T22:00:00.000Z',
			status: 'succeeded',
			created_by_end_user_session_id: 'u1',
			limit: '100',
		});
		const items = await operate(sim, 'run', 'getAll', { returnAll: false, limit: 2, filters: {} });
		expect(items.map(({ json }) => (json.workflow_run as Json).id)).toEqual(
			sim.runs
				.toReversed()
				.slice(0, 2)
				.map(({ workflowRunId }) => workflowRunId),
		);
	});

	test('Get Many: a time that is none', async () => {
		const sim = await startFlow(version, { steps: [] });
		const parameters = { returnAll: true, filters: { after: 'yesterday' } };
		expect((await nodeErrorOf(operate(sim, 'run', 'getAll', parameters))).message).toContain('Started After');
	});

	test('Get Many: states that Dify cannot filter by are not offered', async () => {
		const sim = await startFlow(version, { steps: [] });
		const parameters = { returnAll: true, filters: { status: 'running' } };
		expect((await nodeErrorOf(operate(sim, 'run', 'getAll', parameters))).message).toContain(
			'failed, stopped, succeeded',
		);
	});
});

describe.each(NEWER)('following, %s', (version) => {
	test('Follow: the outputs of a run that was started before, typed into the chat', async () => {
		let go = () => {};
		const wait = new Promise<void>((resolve) => (go = resolve));
		const sim = await startFlow(version, { steps: [START, { wait }, { text: 'late' }], outputs: { text: 'late' } });
		const running = work(sim);
		await waitFor(() => (sim.runs[0]?.events.length ?? 0) >= 2);
		const { workflowRunId } = sim.runs[0]!;
		const fake = prepareFlow(sim, { streaming: true, parameters: { operation: 'follow', workflowRunId } });
		const following = executeIn('difyWorkflow', fake);
		await waitFor(() => sim.requests.some(({ url }) => url.includes('/events')));
		go();
		const [item] = await following;
		await running;
		expect(item!.json).toMatchObject({ status: 'succeeded', outputs: { text: 'late' }, workflowRunId });
		expect(shownIn(fake)).toBe('late');
	});

	test('Follow: waits until somebody has answered, where the option says so', async () => {
		const sim = await startFlow(version, { steps: [START, { pause: [REVIEW] }], outputs: { a: 1 } });
		const { workflowRunId } = await workJson(sim);
		const options = { onPause: 'wait', progressLimit: 1 };
		const following = operate(sim, 'run', 'follow', { workflowRunId, options });
		await waitFor(() => sim.requests.some(({ url }) => url.includes('continue_on_pause=true')));
		await operate(sim, 'form', 'submit', { formToken: 'tok', action: 'approve', values: { pick: 'Rot' } });
		expect((await following)[0]!.json).toMatchObject({ status: 'succeeded', outputs: { a: 1 } });
	});

	test('Form: read, answered and followed', async () => {
		const sim = await startFlow(version, { steps: [START, { pause: [REVIEW] }], outputs: { a: 1 } });
		const { workflowRunId } = await workJson(sim);
		const [form] = await operate(sim, 'form', 'get', { formToken: 'tok' });
		expect(form!.json).toMatchObject({
			formContent: 'Draft',
			inputs: [
				{ name: 'note', kind: 'paragraph', default: 'as usual' },
				{ name: 'pick', options: ['Rot', 'Grün'] },
			],
			actions: [{ id: 'approve' }, { id: 'reject' }],
		});
		const answer = { formToken: 'tok', action: 'Approve', values: '{"pick":"Grün"}', workflowRunId };
		const [item] = await operate(sim, 'form', 'submitAndFollow', answer);
		expect(item!.json).toMatchObject({ status: 'succeeded', outputs: { a: 1 }, workflowRunId });
		expect(sim.requests.find(({ method, path }) => method === 'POST' && path.startsWith('/form/'))!.json).toEqual({
			action: 'approve',
			inputs: { note: 'as usual', pick: 'Grün' },
			user: 'u1',
		});
	});

	test('Form: what does not fit is refused before it is sent, and so is a run ID that is none', async () => {
		const sim = await startFlow(version, { steps: [START, { pause: [REVIEW] }] });
		const { workflowRunId } = await workJson(sim);
		const answer = { formToken: 'tok', action: 'approve', values: {}, workflowRunId };
		for (const wrong of [{}, { values: { pick: 'Blau' } }, { action: 'maybe' }, { workflowRunId: 'x' }]) {
			const values = { pick: 'pick' in wrong ? undefined : 'Rot', ...('values' in wrong ? wrong.values : {}) };
			const given = {
				...answer,
				...wrong,
				values: wrong === undefined || Object.keys(wrong).length === 0 ? {} : values,
			};
			await nodeErrorOf(operate(sim, 'form', 'submitAndFollow', given));
		}
		expect(calls(sim, /\/form\//)).toBe(0);
	});

	test('Form: files are uploaded by the user who answers', async () => {
		const inputs = [{ output_variable_name: 'doc', type: 'file', allowed_file_types: ['image'] }];
		const sim = await startFlow(version, { steps: [START, { pause: [{ ...REVIEW, inputs }] }] });
		await workJson(sim);
		const data = { data: Buffer.from('png!').toString('base64'), mimeType: 'image/png', fileName: 'a.png' };
		await work(sim, {
			items: [{ json: {}, binary: { data } }],
			parameters: {
				resource: 'form',
				operation: 'submit',
				formToken: 'tok',
				action: 'approve',
				values: { doc: 'data' },
			},
		});
		const sent = sim.requests.at(-1)!.json as { inputs: { doc: Json } };
		expect(sent.inputs.doc).toMatchObject({ type: 'image', transfer_method: 'local_file' });
	});

	test('cancelled while it follows: the run goes on', async () => {
		const sim = await startFlow(version, { steps: [START, FOREVER] });
		const starter = new AbortController();
		const running = nodeErrorOf(executeIn('difyWorkflow', prepareFlow(sim, { signal: starter.signal })));
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

test('Dify 1.12: the operations that it is too old for', async () => {
	const sim = await startFlow('1.12', { steps: [] });
	const said = [
		await nodeErrorOf(operate(sim, 'run', 'follow', { workflowRunId: UNKNOWN_ID })),
		await nodeErrorOf(operate(sim, 'form', 'get', { formToken: 'tok' })),
		await nodeErrorOf(operate(sim, 'form', 'submit', { formToken: 'tok', action: 'a', values: {} })),
	];
	expect(said.map(({ message }) => message)).toEqual([
		'Following a run needs Dify 1.14 or newer, this is 1.12.1',
		'Answering a form needs Dify 1.14 or newer, this is 1.12.1',
		'Answering a form needs Dify 1.14 or newer, this is 1.12.1',
	]);
	expect(MAX_WAIT_MS).toBe(3_600_000);
});
