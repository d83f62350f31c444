import { binaryFile } from '../../support/n8n/binary-file';
import { countRequests } from '../../lib/dify/client';
import type { FormField, Json, NodeStep, Step } from '../../simulators/dify';
import { executePrepared, getStreamedText, WITH_FILES } from '../dify';
import {
	prepareWorkflow,
	REVIEW,
	START,
	startWorkflow,
	executeWorkflow,
	executeWorkflowError,
	executeWorkflowJson,
} from './workflow';

jest.mock('../../../lib/http/sleep', () =>
	jest.requireActual<object>('../../support/waiting/mock-sleep'),
);

const ALL_TYPES: FormField[] = [
	{ kind: 'select', variable: 'unit', options: ['C', 'F'] },
	{ kind: 'number', variable: 'days', default: 3 },
	{ kind: 'checkbox', variable: 'terse' },
	{ kind: 'paragraph', variable: 'about' },
	{ kind: 'json_object', variable: 'more' },
];
const FILE_FORM: FormField[] = [
	{ kind: 'file', variable: 'doc', allowedTypes: ['image', 'document'] },
	{ kind: 'file-list', variable: 'docs', allowedTypes: ['image', 'document'] },
];

describe('running a workflow', () => {
	test('without Simplify, the item has all data of the run', async () => {
		const sim = await startWorkflow({
			steps: [START],
			outputs: { text: 'yes' },
			elapsed: 2.5,
		});
		const json = await executeWorkflowJson(sim, { parameters: { simplify: false } });
		const [run] = sim.runs;
		expect(json).toEqual({
			workflowId: run!.workflowId,
			workflowRunId: run!.workflowRunId,
			taskId: run!.taskId,
			user: run!.user,
			status: 'succeeded',
			outputs: { text: 'yes' },
			createdAt: expect.any(Number) as number,
			finishedAt: expect.any(Number) as number,
			elapsedTime: 2.5,
			totalTokens: 0,
			totalSteps: 1,
			exceptionsCount: 0,
			error: null,
			files: [],
			warnings: [],
		});
	});

	test('a failed run is an item, if the option is set', async () => {
		const sim = await startWorkflow({ steps: [START, { text: 'half' }], fail: 'broken' });
		const options = { onFailure: 'return', include: ['text'] };
		expect(await executeWorkflowJson(sim, { parameters: { options } })).toMatchObject({
			status: 'failed',
			error: 'broken',
			text: 'half',
			workflowRunId: sim.runs[0]!.workflowRunId,
		});
	});

	test('errors other than failed runs still fail the node', async () => {
		const sim = await startWorkflow(
			{ steps: [] },
			{ form: [{ kind: 'number', variable: 'n', required: true }] },
		);
		const error = await executeWorkflowError(sim, {
			parameters: { options: { onFailure: 'return' } },
		});
		expect(error.context.data).toMatchObject({ type: 'invalidInputs' });
	});

	test('a partial success and a stopped run are results, with a warning', async () => {
		const failed = { id: 'a', title: 'Look', status: 'exception' as const };
		const partial = await startWorkflow({
			steps: [{ node: failed }],
			exceptions: 1,
			outputs: { x: 1 },
		});
		const fake = prepareWorkflow(partial);
		const [item] = await executePrepared('difyWorkflow', fake);
		expect(item!.json).toMatchObject({
			status: 'partial-succeeded',
			warnings: [expect.stringContaining('"Look"')],
		});
		expect(fake.hints).toHaveLength(1);
		const stopped = await startWorkflow({ steps: [START], stopped: 'Stopped by user.' });
		expect(await executeWorkflowJson(stopped)).toMatchObject({
			status: 'stopped',
			warnings: [expect.any(String)],
		});
	});

	test('form values get the types that Dify requires, and empty ones are omitted', async () => {
		const sim = await startWorkflow({ steps: [START] }, { form: ALL_TYPES });
		const value = { unit: 'F', days: '', terse: 'true', about: 5, more: '{"a":1}' };
		await executeWorkflow(sim, { parameters: { inputsMode: 'form', inputs: { value } } });
		const body = sim.requests.find(({ path }) => path === '/workflows/run')!.json as Json;
		expect(body.inputs).toEqual({ unit: 'F', terse: true, about: '5', more: { a: 1 } });
	});

	test('files in JSON inputs are uploaded, as in form fields', async () => {
		const sim = await startWorkflow({ steps: [START] }, { form: FILE_FORM });
		const inputsJson = { doc: 'inItem', docs: ['inStore', 'https://example.com/c.png'] };
		await executeWorkflow(sim, { ...WITH_FILES, parameters: { inputsMode: 'json', inputsJson } });
		const body = sim.requests.at(-1)!.json as { inputs: { doc: Json; docs: Json[] } };
		expect(body.inputs.doc).toMatchObject({ type: 'image', transfer_method: 'local_file' });
		expect(body.inputs.docs.map((file) => file.transfer_method)).toEqual([
			'local_file',
			'remote_url',
		]);
	});

	test('binary data for file variables is uploaded first, by the same user, and added to the inputs', async () => {
		const sim = await startWorkflow({ steps: [START] }, { form: FILE_FORM });
		const value = { doc: 'inItem', docs: 'inItem, inStore' };
		await executeWorkflow(sim, {
			...WITH_FILES,
			parameters: { user: 'anna', inputsMode: 'form', inputs: { value } },
		});
		const body = sim.requests.at(-1)!.json as {
			inputs: { doc: Json; docs: Json[] };
			files?: unknown;
		};
		expect(body.files).toBeUndefined();
		expect(body.inputs.doc).toMatchObject({ type: 'image', transfer_method: 'local_file' });
		expect(body.inputs.docs.map(({ type }) => type)).toEqual(['image', 'document']);
		const uploads = sim.requests.filter(({ path }) => path === '/files/upload');
		expect(uploads.map(({ upload }) => upload!.fields.user)).toEqual(['anna', 'anna', 'anna']);
	});

	test('files of the option are sent beside the inputs, as older workflows require', async () => {
		const sim = await startWorkflow(
			{ steps: [START] },
			{ fileUpload: { enabled: true, types: ['image', 'document'] } },
		);
		await executeWorkflow(sim, {
			...WITH_FILES,
			parameters: { options: WITH_FILES.parameters },
		});
		const body = sim.requests.at(-1)!.json as { files: Json[] };
		expect(body.files.map(({ type }) => type)).toEqual(['image', 'document', 'image']);
	});

	test.each([
		[413, 'file_too_large', 'Too large for this server'],
		[400, 'some_code', 'Wuggle!'],
	])(
		'a file of several that Dify refuses with %i is named, and starts no run',
		async (status, code, message) => {
			const sim = await startWorkflow({ steps: [START] }, { form: FILE_FORM });
			const path = '/files/upload';
			const body = JSON.stringify({ code, message, status });
			const stored = JSON.stringify({ id: '11111111-2222-4333-8444-555555555555' });
			sim.fail({ path, status: 201, body: stored, contentType: 'application/json' });
			sim.fail({ path, status, body, contentType: 'application/json' });
			const error = await executeWorkflowError(sim, {
				...WITH_FILES,
				parameters: { inputsMode: 'form', inputs: { value: { docs: 'inItem, inStore' } } },
			});
			expect(error.message).toBe(message);
			expect(error.description).toContain('File sent: "b.pdf" (application/pdf, 4 bytes)');
			expect(countRequests(sim, '/workflows/run')).toBe(0);
		},
	);

	test('an upload with a wrong key says nothing about the file', async () => {
		const sim = await startWorkflow({ steps: [START] }, { form: FILE_FORM });
		sim.fail({ path: '/files/upload', status: 401, body: '{}', contentType: 'application/json' });
		const error = await executeWorkflowError(sim, {
			...WITH_FILES,
			parameters: { inputsMode: 'form', inputs: { value: { doc: 'inItem' } } },
		});
		expect(`${error.message} ${error.description}`).not.toContain('a.png');
	});
});

describe('a workflow that waits for human input', () => {
	test('returns its forms, and the data to submit them', async () => {
		const second = { ...REVIEW, nodeId: 'm', nodeTitle: 'Mail', token: null };
		const sim = await startWorkflow({ steps: [START, { pause: [REVIEW, second] }] });
		const json = await executeWorkflowJson(sim);
		expect(json).toMatchObject({
			status: 'paused',
			user: 'u1',
			workflowRunId: sim.runs[0]!.workflowRunId,
		});
		expect(json.forms).toMatchObject([
			{
				nodeTitle: 'Review',
				formToken: 'tok',
				formContent: 'Draft',
				expirationTime: expect.any(Number),
			},
			{ nodeTitle: 'Mail', formToken: null },
		]);
		expect(json.warnings).toEqual([
			expect.stringContaining('"Mail" has no token: it is sent by email only'),
		]);
	});

	test('says so in a chat, unless it already has a text', async () => {
		const show = async (steps: Step[]) => {
			const sim = await startWorkflow({ steps });
			const fake = prepareWorkflow(sim, { streaming: true });
			await executePrepared('difyWorkflow', fake);
			return getStreamedText(fake);
		};
		expect(await show([START, { pause: [REVIEW] }])).toBe(
			'This request waits for human input, so there is no response yet.',
		);
		expect(await show([START, { text: 'Draft: lamps' }, { pause: [REVIEW] }])).toBe('Draft: lamps');
	});

	test('fails if the option is set, with the ID', async () => {
		const sim = await startWorkflow({ steps: [START, { pause: [REVIEW] }] });
		const error = await executeWorkflowError(sim, {
			parameters: { options: { onPause: 'error' } },
		});
		expect(error.message).toBe('The workflow is waiting for human input (Review)');
		expect(error.context.data).toMatchObject({ workflowRunId: sim.runs[0]!.workflowRunId });
	});
});

describe('files in the outputs', () => {
	const file = (url?: string) => ({
		dify_model_identity: '__dify__file__',
		filename: 'a.png',
		mime_type: 'image/png',
		...(url === undefined ? {} : { url }),
	});
	const options = { include: ['files'] };

	test('are fetched up to 100, and a warning counts the others', async () => {
		const list = Array.from({ length: 20_000 }, (_one, at) => ({
			...file(`/files/${at}.png?sign=1`),
			filename: `${at}.png`,
		}));
		const sim = await startWorkflow({ steps: [START], outputs: { list } });
		const [item] = await executeWorkflow(sim, { parameters: { options } });
		expect(sim.requests.filter(({ path }) => path.startsWith('/files/'))).toHaveLength(100);
		expect(item!.json.warnings).toContain(
			'The run has 20000 files (maximum 100), so 19900 were not fetched.',
		);
	});

	test('become binary fields; a file that cannot be fetched is a warning, and the outputs stay', async () => {
		const outputs = {
			one: file('/files/one.png?sign=1'),
			list: [file('/files/two.png?sign=2')],
			none: file(),
		};
		const sim = await startWorkflow({ steps: [START], outputs });
		sim.fail({ path: '/files/one', status: 200, body: 'png!', contentType: 'image/png' });
		sim.fail({ path: '/files/two', status: 403 });
		const [item] = await executeWorkflow(sim, { parameters: { options } });
		expect(item!.binary).toEqual({
			file_0: binaryFile('png!', 'a.png', 'image/png'),
		});
		expect(item!.json).toMatchObject({
			outputs,
			warnings: [expect.stringContaining('link has expired')],
		});
		const downloads = sim.requests.filter(({ url }) => url.startsWith('/files/'));
		expect(downloads.map(({ headers }) => headers.authorization)).toEqual([undefined, undefined]);
	});

	test("Dify's wrapper around lists is removed", async () => {
		const wrapped = { value_type: 'array[file]', value: [file('/files/one.png?sign=1')] };
		const outputs = { list: wrapped, none: { value_type: 'array[file]', value: [] }, text: 'x' };
		const sim = await startWorkflow({ steps: [START], outputs });
		expect((await executeWorkflow(sim))[0]!.json.outputs).toEqual({
			list: wrapped.value,
			none: [],
			text: 'x',
		});
	});
});

const node = (title: string, fields: Partial<NodeStep> = {}) => ({
	node: { id: title, type: 'code', title, status: 'failed' as const, ...fields },
});

const INNER = node('Inner', { iterationId: 'i', error: 'one item is broken' });
const IN_LOOP = node('In Loop', { loopId: 'l', error: 'one pass is broken' });
const OUTER = node('Outer', { error: 'no route' });

test.each([
	['the error of the run is that of the outer node', [INNER, OUTER], 'no route', 'Outer'],
	['the error of the run is that of no node', [INNER, OUTER], 'Something else', 'Outer'],
	['the same after a loop', [IN_LOOP, OUTER], 'Something else', 'Outer'],
	['the inner node ended the run', [OUTER, INNER], 'Run failed: one item is broken', 'Inner'],
	['only the inner node failed', [INNER], 'Something else', 'Inner'],
])('a failure inside an iteration or a loop: %s', async (_name, nodes, fail, failedNode) => {
	const error = await executeWorkflowError(await startWorkflow({ steps: [START, ...nodes], fail }));
	expect(error.context.data).toMatchObject({ failedNode, failedNodeType: 'code' });
	expect(error.description).toContain(`"${failedNode}" (code)`);
});

test('nodes that continued after a failure or succeeded are not named', async () => {
	const handled = node('Handled', { status: 'exception', error: 'no route' });
	const sim = await startWorkflow({ steps: [START, handled, OUTER], fail: 'no route' });
	expect((await executeWorkflowError(sim)).context.data).toMatchObject({ failedNode: 'Outer' });
});
