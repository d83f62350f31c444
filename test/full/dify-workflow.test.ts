/** Dify Workflow in the real n8n, against the simulator of Dify. */
import { waitFor } from '../lib/dify/wait-for';
import { appKey, startDifySim, type AppSpec, type DifySim, type Step } from '../simulators/dify';
import { fs, path } from '../support/node-builtins';
import {
	parts,
	startN8n,
	stopEverything,
	type Execution,
	type N8nServer,
} from '../e2e/support/playground';
import { MANUAL, workflowOf } from '../e2e/support/workflows';

const NODE = 'Dify Workflow';
const START: Step = { node: { id: 'start', type: 'start', title: 'Start' } };

let n8n: N8nServer;
const sims = new Set<DifySim>();

beforeAll(async () => {
	n8n = await startN8n();
});
afterEach(async () => {
	await Promise.all([...sims].map(async (sim) => await sim.close()));
	sims.clear();
});
afterAll(stopEverything);

async function startFlow(app: Partial<AppSpec>): Promise<DifySim> {
	const sim = await startDifySim({
		apps: [{ mode: 'workflow', key: appKey('workflow'), ...app }],
	});
	sims.add(sim);
	return sim;
}

async function credentialOf(sim: DifySim): Promise<{ id: string; name: string }> {
	const data = { baseUrl: sim.url, apiKey: appKey('workflow'), keyType: 'app' };
	const { id, name } = await n8n.createCredential({ name: 'Dify workflow', type: 'difyApi', data });
	return { id, name };
}

/** A node of this package; `parameters` override the editor's defaults. */
const node = (credential: { id: string; name: string }, parameters: object, more: object = {}) => ({
	type: 'CUSTOM.difyWorkflow',
	parameters: {
		resource: 'run',
		operation: 'execute',
		user: 'anna',
		inputsMode: 'json',
		inputsJson: '{}',
		...parameters,
	},
	credentials: { difyApi: credential },
	...more,
});

async function run(nodes: Parameters<typeof workflowOf>[1]): Promise<Execution> {
	const created = await n8n.createWorkflow(workflowOf(NODE, nodes));
	return await n8n.waitForExecution(await n8n.runWorkflow(created, 'Start'));
}

function jsonOf({ data }: Execution, name: string): Record<string, unknown> {
	const error = data.resultData.error?.message;
	expect(error).toBeUndefined();
	return data.resultData.runData[name]!.at(-1)!.data!.main![0]![0]!.json as Record<string, unknown>;
}

/** Writes Dify's requests and the results to a file, for debugging. */
function keep(name: string, sim: DifySim, items: Record<string, unknown>): void {
	const { work: transcripts } = parts();
	const requests = sim.requests.map(({ method, url, status, json }) => ({
		asked: `${method} ${url}`,
		status,
		json,
	}));
	const out = Object.entries(items).map(([from, json]) => ({ item: from, json }));
	fs.mkdirSync(transcripts, { recursive: true });
	const lines = [...requests, ...out].map((line) => `${JSON.stringify(line)}\n`);
	fs.writeFileSync(path.join(transcripts, `${name}.jsonl`), lines.join(''));
}

it('a run with human input pauses, and continues when the form is submitted', async () => {
	const review = {
		nodeId: 'review',
		nodeTitle: 'Review',
		content: 'A draft',
		inputs: [{ output_variable_name: 'note', type: 'paragraph' }],
		actions: [{ id: 'approve', title: 'Approve' }],
	};
	const steps = [START, { pause: [review] }];
	const sim = await startFlow({
		reply: () => ({ steps, outputs: { result: 'published' } }),
	});
	const credential = await credentialOf(sim);
	const execution = await run({
		Start: { ...MANUAL, to: [NODE] },
		[NODE]: node(credential, {}, { to: ['Answer'] }),
		Answer: node(
			credential,
			{
				resource: 'form',
				operation: 'submit',
				formToken: '={{ $json.forms[0].formToken }}',
				user: '={{ $json.user }}',
				action: 'Approve',
				values: '{ "note": "fine" }',
			},
			{ to: ['End'] },
		),
		End: node(credential, {
			resource: 'run',
			operation: 'follow',
			workflowRunId: `={{ $('${NODE}').item.json.workflowRunId }}`,
			user: '={{ $json.user }}',
			options: { onPause: 'wait' },
		}),
	});
	const [paused, resumed] = [jsonOf(execution, NODE), jsonOf(execution, 'End')];
	keep('dify-workflow-paused', sim, { [NODE]: paused, End: resumed });
	expect(paused).toMatchObject({
		status: 'paused',
		user: 'anna',
		forms: [{ nodeTitle: 'Review' }],
	});
	const { workflowRunId } = sim.runs[0]!;
	expect(resumed).toMatchObject({
		status: 'succeeded',
		outputs: { result: 'published' },
		workflowRunId,
	});
	expect(sim.runs).toHaveLength(1);
});

it('a run whose stream ends early is recovered', async () => {
	const sim = await startFlow({
		reply: () => ({ steps: [START, { wait: 3_000 }, START], outputs: { text: 'whole' } }),
	});
	sim.stream = { cut: { events: 3, how: 'reset' } };
	const execution = await run({
		Start: { ...MANUAL, to: [NODE] },
		[NODE]: node(await credentialOf(sim), {}),
	});
	const json = jsonOf(execution, NODE);
	keep('dify-workflow-lost', sim, { [NODE]: json });
	expect(json).toMatchObject({
		status: 'succeeded',
		outputs: { text: 'whole' },
		warnings: expect.arrayContaining([
			expect.stringContaining('The node found the run again'),
		]) as string[],
	});
	expect(sim.runs).toHaveLength(1);
});

it('Stop in n8n reaches Dify', async () => {
	const sim = await startFlow({
		reply: () => ({ steps: [START, { wait: new Promise(() => undefined) }] }),
	});
	const created = await n8n.createWorkflow(
		workflowOf(NODE, {
			Start: { ...MANUAL, to: [NODE] },
			[NODE]: node(await credentialOf(sim), {}),
		}),
	);
	const id = await n8n.runWorkflow(created, 'Start');
	await waitFor(() => (sim.runs[0]?.events.length ?? 0) >= 2);
	await n8n.stopExecution(id);
	await n8n.waitForExecution(id);
	expect(sim.stops).toMatchObject([{ taskId: sim.runs[0]!.taskId, user: 'anna', hit: true }]);
});
