/** Spans in the real n8n: their place below those of n8n, and the priority of each type of execution (docs/operations.md). */
import { reply, startLlamaServerSim } from '../simulators/llama-server';
import type { LlamaServerSim } from '../simulators/llama-server';
import { startOtlpReceiver } from '../simulators/otlp';
import type { ExportedSpan } from '../simulators/otlp';
import {
	importWorkflow,
	llamaCredential,
	startN8n,
	stopEverything,
} from '../e2e/support/playground';
import type { N8nServer, Workflow } from '../e2e/support/playground';
import { until } from '../e2e/support/until';
import { agent, calculator, localModel, workflowOf } from '../e2e/support/workflows';

const MODEL = 'Local Chat Model';
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

beforeAll(async () => {
	[server, receiver] = [await startLlamaServerSim(), await startOtlpReceiver()];
	n8n = await startN8n({ env: tracing() });
	credential = await n8n.createCredential({ ...llamaCredential(server), id: undefined });
});
afterAll(async () => {
	await stopEverything();
	await server.close();
	await receiver.close();
});

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

/** Starts an execution of each type; its requests are for a model of the same name. */
const CASES: Record<string, { priority: string; begin: (model: string) => Promise<unknown> }> = {
	'schedule, one item': {
		priority: 'batch',
		begin: async (model) =>
			await runScheduled(
				workflowOf(model, { Start: schedule('Llama'), Llama: llama(model) }),
				model,
			),
	},
	'sub-workflow, one item': {
		priority: 'interactive',
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
};

it.each(Object.entries(CASES))(
	'the priority of an execution: %s',
	async (model, { priority, begin }) => {
		await begin(model);
		expect(await classOf(model)).toBe(priority);
	},
);

it("an agent with a tool call: the spans of the package are children of n8n's", async () => {
	server.script(
		reply.toolCalls([{ name: 'Calculator', arguments: { input: '17*23' } }]),
		reply.text('It is 391.'),
	);
	const model = 'traced';
	const parts = {
		Start: manual('Agent'),
		Agent: agent('Calculate it'),
		[MODEL]: modelOf(model),
		Calculator: calculator,
	};
	await run(workflowOf(model, parts));
	const isOurs = ({ scope, attributes }: ExportedSpan) =>
		scope === 'n8n-nodes-local-llama' && attributes['gen_ai.request.model'] === model;
	const ofN8n = await until(
		async () => receiver.spans.filter(({ attributes }) => attributes['n8n.node.name'] === MODEL),
		({ length }) => length === 2,
	);
	const ours = receiver.spans.filter(isOurs);
	expect(ours.map(({ parentSpanId }) => parentSpanId).sort()).toEqual(
		ofN8n.map(({ spanId }) => spanId).sort(),
	);
	for (const { name, traceId } of ours)
		expect({ name, traceId }).toEqual({ name: `chat ${model}`, traceId: ofN8n[0]!.traceId });
	expect(ours.map(({ attributes }) => attributes['local_llama.tool_calls'])).toEqual(
		expect.arrayContaining([['Calculator'], undefined]),
	);
	expect(JSON.stringify(ours)).not.toContain('Calculate it');
});
