/** The priority of each type of execution, read from the spans of the real n8n: the table of docs/operations.md. */
import { startLlamaServerSim, type LlamaServerSim } from '../simulators/llama-server';
import { startOtlpReceiver } from '../simulators/otlp';
import {
	chatLines,
	importWorkflow,
	llamaCredential,
	startN8n,
	startN8nWithWorker,
	stopEverything,
	type N8nServer,
	type Workflow,
} from '../e2e/support/playground';
import { until } from '../e2e/support/until';
import { agent, chatTrigger, localModel, workflowOf } from '../e2e/support/workflows';

const SLOW = 900_000;
const OFTEN = { rule: { interval: [{ field: 'seconds', secondsInterval: 5 }] } };

let n8n: N8nServer;
let server: LlamaServerSim;
let receiver: Awaited<ReturnType<typeof startOtlpReceiver>>;
let credential: { id: string; name: string };

const tracing = () => ({
	N8N_OTEL_ENABLED: 'true',
	N8N_OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
	N8N_OTEL_TRACES_PRODUCTION_ONLY: 'false',
	OTEL_BSP_SCHEDULE_DELAY: '200',
});

async function start(running: Promise<N8nServer>): Promise<void> {
	n8n = await running;
	credential = await n8n.createCredential({ ...llamaCredential(server), id: undefined });
}

beforeAll(async () => {
	[server, receiver] = [await startLlamaServerSim(), await startOtlpReceiver()];
}, SLOW);
afterAll(async () => {
	await server.close();
	await receiver.close();
}, SLOW);

/** Local Llama: Chat. The model has the name of the case, by which its spans are found. */
const llama = (model: string) => ({
	type: 'CUSTOM.localLlama',
	parameters: {
		resource: 'text',
		operation: 'chat',
		model: { __rl: true, mode: 'id', value: model },
		prompt: 'Hello',
		options: {},
	},
	credentials: { localLlamaApi: credential },
});
const webhook = (path: string, to: string) => ({
	type: 'n8n-nodes-base.webhook',
	typeVersion: 2.1,
	parameters: { httpMethod: 'POST', path, responseMode: 'lastNode', options: {} },
	webhookId: path,
	to: [to],
});
const items = (count: number) => ({
	type: 'n8n-nodes-base.code',
	typeVersion: 2,
	parameters: {
		jsCode: `return Array.from({ length: ${count} }, (_, row) => ({ json: { row } }));`,
	},
	to: ['Llama'],
});
const manual = (to: string) => ({ type: 'n8n-nodes-base.manualTrigger', to: [to] });
const schedule = (to: string) => ({
	type: 'n8n-nodes-base.scheduleTrigger',
	typeVersion: 1.3,
	parameters: OFTEN,
	to: [to],
});
const modelOf = (model: string) =>
	localModel(credential, { model: { __rl: true, mode: 'id', value: model } });

const run = async (workflow: Workflow, trigger = 'Start') =>
	await n8n.waitForExecution(await n8n.runWorkflow(await n8n.createWorkflow(workflow), trigger));

async function runScheduled(workflow: Workflow, model: string): Promise<void> {
	const { id } = await importWorkflow(n8n, workflow);
	await classOf(model);
	await n8n.request('POST', `/rest/workflows/${id}/deactivate`, {});
}

/** The priority of the requests for a model. */
async function classOf(model: string): Promise<string> {
	const spans = await until(
		async () =>
			receiver.spans.filter(({ attributes }) => attributes['gen_ai.request.model'] === model),
		({ length }) => length > 0,
		120_000,
	);
	const classes = new Set(
		spans.map(({ attributes }) => String(attributes['local_llama.priority'])),
	);
	return [...classes].join(', ');
}

async function evaluate(model: string): Promise<void> {
	const dataTable = { __rl: true, mode: 'name', value: 'evaluated_rows' };
	const column = { column: [{ name: 'question', type: 'string' }] };
	const table = { type: 'n8n-nodes-base.dataTable', typeVersion: 1.1 };
	const made = await run(
		workflowOf('Rows to evaluate', {
			Start: manual('Table'),
			Table: {
				...table,
				parameters: {
					resource: 'table',
					operation: 'create',
					tableName: 'evaluated_rows',
					columns: column,
					options: { createIfNotExists: true },
				},
				to: ['Row'],
			},
			Row: {
				...table,
				parameters: {
					resource: 'row',
					operation: 'insert',
					dataTableId: dataTable,
					columns: { mappingMode: 'defineBelow', value: { question: 'Hello' }, schema: [] },
					options: {},
				},
			},
		}),
	);
	const [first] = made.data.resultData.runData.Table![0]!.data!.main![0]!;
	const { id } = await n8n.createWorkflow(
		workflowOf('Evaluation', {
			Row: {
				type: 'n8n-nodes-base.evaluationTrigger',
				typeVersion: 4.7,
				parameters: {
					source: 'dataTable',
					dataTableId: { __rl: true, mode: 'id', value: String(first!.json.id) },
				},
				to: ['Llama'],
			},
			Llama: { ...llama(model), to: ['Mark'] },
			Mark: {
				type: 'n8n-nodes-base.evaluation',
				typeVersion: 4.8,
				parameters: {
					operation: 'setMetrics',
					metric: 'customMetrics',
					metrics: { assignments: [{ id: '1', name: 'Mark', value: 1, type: 'number' }] },
				},
			},
		}),
	);
	await n8n.request('POST', `/rest/workflows/${id}/test-runs/new`, {});
}

/** Starts an execution of each type; its requests are for a model of the same name. */
const CASES: Record<string, { priority: string; begin: (model: string) => Promise<unknown> }> = {
	'chat, agent': {
		priority: 'interactive',
		begin: async (model) => {
			const parts = { Chat: chatTrigger('class-chat'), Agent: agent(), Model: modelOf(model) };
			await importWorkflow(n8n, workflowOf(model, parts));
			await chatLines(n8n, 'class-chat', 'Hello');
		},
	},
	'webhook, one item': {
		priority: 'interactive',
		begin: async (model) => {
			const parts = { Hook: webhook('class-one', 'Llama'), Llama: llama(model) };
			await importWorkflow(n8n, workflowOf(model, parts));
			await n8n.webhook('class-one', { body: {} });
		},
	},
	'webhook, several items': {
		priority: 'batch',
		begin: async (model) => {
			const parts = { Hook: webhook('class-many', 'Items'), Items: items(3), Llama: llama(model) };
			await importWorkflow(n8n, workflowOf(model, parts));
			await n8n.webhook('class-many', { body: {} });
		},
	},
	'manual, one item': {
		priority: 'interactive',
		begin: async (model) =>
			await run(workflowOf(model, { Start: manual('Llama'), Llama: llama(model) })),
	},
	'manual, several items': {
		priority: 'batch',
		begin: async (model) =>
			await run(
				workflowOf(model, { Start: manual('Items'), Items: items(3), Llama: llama(model) }),
			),
	},
	'schedule, one item': {
		priority: 'batch',
		begin: async (model) =>
			await runScheduled(
				workflowOf(model, { Start: schedule('Llama'), Llama: llama(model) }),
				model,
			),
	},
	'schedule, agent': {
		priority: 'agent',
		begin: async (model) => {
			const parts = { Start: schedule('Agent'), Agent: agent('Hello'), Model: modelOf(model) };
			await runScheduled(workflowOf(model, parts), model);
		},
	},
	'sub-workflow, one item': {
		priority: 'agent',
		begin: async (model) => {
			const inner = await importWorkflow(
				n8n,
				workflowOf(`${model} inside`, {
					Called: {
						type: 'n8n-nodes-base.executeWorkflowTrigger',
						typeVersion: 1.1,
						parameters: { inputSource: 'passthrough' },
						to: ['Llama'],
					},
					Llama: llama(model),
				}),
			);
			const call = {
				type: 'n8n-nodes-base.executeWorkflow',
				typeVersion: 1.2,
				parameters: {
					workflowId: { __rl: true, mode: 'id', value: inner.id },
					workflowInputs: { mappingMode: 'defineBelow', value: {} },
					options: {},
				},
			};
			await run(workflowOf(model, { Start: manual('Call'), Call: call }));
		},
	},
	'evaluation, one item': { priority: 'batch', begin: evaluate },
};

describe('the priority of an execution in the real n8n', () => {
	beforeAll(async () => await start(startN8n({ env: tracing() })), SLOW);
	afterAll(stopEverything, SLOW);

	it.each(Object.entries(CASES))(
		'%s',
		async (model, { priority, begin }) => {
			await begin(model);
			expect(await classOf(model)).toBe(priority);
		},
		SLOW,
	);
});

describe('the priority of an execution on a worker of queue mode', () => {
	beforeAll(async () => await start(startN8nWithWorker(tracing())), SLOW);
	afterAll(stopEverything, SLOW);

	it.each(['chat, agent', 'webhook, one item', 'manual, several items', 'schedule, one item'])(
		'%s',
		async (name) => {
			receiver.spans.length = 0;
			const { priority, begin } = CASES[name]!;
			await begin(name);
			expect(await classOf(name)).toBe(priority);
		},
		SLOW,
	);

	it(
		'a batch request at a server that has responded before checks its slots first',
		async () => {
			const name = 'manual, several items';
			await CASES[name]!.begin(name);
			expect(server.requests.map(({ path }) => path)).toContain('/slots');
		},
		SLOW,
	);
});
