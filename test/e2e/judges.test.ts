/** n8n's nodes that take a chat model, and read its response as JSON. */
import { reply, startLlamaServerSim } from '../simulators/llama-server';
import type { LlamaServerSim } from '../simulators/llama-server';
import {
	llamaCredential,
	scriptedModel,
	startLlamaServer,
	stopEverything,
	theSharedN8n,
} from './support/playground';
import type { GateN8n, LlamaServer } from './support/playground';
import { localModel, MANUAL, workflowOf } from './support/workflows';

const VERDICT = {
	extended_reasoning: 'Both name the same town.',
	reasoning_summary: 'They are equal.',
	score: 4,
};

const LANGCHAIN = '@n8n/n8n-nodes-langchain.';

interface Caller {
	node: string;
	type: string;
	typeVersion: number;
	parameters: Record<string, unknown>;
	/** What the model writes. */
	text: unknown;
	/** What the node returns. */
	json: Record<string, unknown>;
}

const CALLERS: Caller[] = [
	...['correctness', 'helpfulness'].map((metric) => ({
		node: `Evaluation: ${metric}`,
		type: 'n8n-nodes-base.evaluation',
		typeVersion: 4.7,
		parameters: {
			operation: 'setMetrics',
			metric,
			userQuery: 'Where are you?',
			expectedAnswer: 'Rome',
			actualAnswer: 'In Rome',
			options: { metricName: 'verdict' },
		},
		text: VERDICT,
		json: { verdict: 4 },
	})),
	{
		node: 'Text Classifier',
		type: `${LANGCHAIN}textClassifier`,
		typeVersion: 1.1,
		parameters: {
			inputText: 'My bill is wrong.',
			categories: { categories: [{ category: 'billing' }, { category: 'sales' }] },
			options: {},
		},
		text: { billing: true, sales: false },
		json: { text: 'in' },
	},
	{
		node: 'Information Extractor',
		type: `${LANGCHAIN}informationExtractor`,
		typeVersion: 1.2,
		parameters: {
			text: 'Ann lives in Rome.',
			attributes: { attributes: [{ name: 'town', type: 'string', description: 'Town' }] },
			options: {},
		},
		text: { town: 'Rome' },
		json: { output: { town: 'Rome' } },
	},
	{
		node: 'Sentiment Analysis',
		type: `${LANGCHAIN}sentimentAnalysis`,
		typeVersion: 1.1,
		parameters: { inputText: 'I am happy.', options: {} },
		text: { sentiment: 'Positive', strength: 0.9, confidence: 0.8 },
		json: { sentimentAnalysis: { category: 'Positive' } },
	},
	{
		node: 'Guardrails',
		type: `${LANGCHAIN}guardrails`,
		typeVersion: 1,
		parameters: {
			operation: 'classify',
			text: 'Hello',
			guardrails: { jailbreak: { value: { threshold: 0.7 } } },
		},
		text: { confidenceScore: 0.1, flagged: false },
		json: { guardrailsInput: 'Hello' },
	},
];

let n8n: GateN8n;
let llamaServer: LlamaServer;
let ollama: LlamaServerSim;
let withoutTools: LlamaServerSim;

beforeAll(async () => {
	n8n = await theSharedN8n();
	// The scripted model finds its reply by a text of the prompt that no other node has.
	llamaServer = await startLlamaServer({
		model: await scriptedModel([{ reply: JSON.stringify(VERDICT) }], { contextLength: 8192 }),
		contextSize: 8192,
		parallel: 1,
	});
	ollama = await startLlamaServerSim({ profile: 'ollama', nCtx: 65_536 });
	withoutTools = await startLlamaServerSim({ template: 'strict', nCtx: 65_536 });
});
afterAll(async () => {
	await Promise.all([ollama.close(), withoutTools.close()]);
	await stopEverything();
});

/** The first item that a node returned, on any of its outputs. */
async function runCaller(
	url: string,
	{ type, typeVersion, parameters }: Caller,
	model = 'test-model',
): Promise<Record<string, unknown>> {
	const credential = await n8n.createCredential({ ...llamaCredential({ url }), id: undefined });
	const chatModel = localModel(
		credential,
		{ model: { __rl: true, mode: 'id', value: model } },
		'Selector',
	);
	const created = await n8n.createWorkflow(
		workflowOf('Caller', {
			Start: { ...MANUAL, to: ['Item'] },
			Item: {
				type: 'n8n-nodes-base.set',
				typeVersion: 3.4,
				parameters: { mode: 'raw', jsonOutput: '{"text":"in"}', options: {} },
				to: ['Caller'],
			},
			Caller: { type, typeVersion, parameters },
			// n8n adds its own callbacks to the model that it selects.
			Selector: {
				type: `${LANGCHAIN}modelSelector`,
				parameters: {
					numberInputs: 2,
					rules: { rule: [{ modelIndex: 1, conditions: ALWAYS }] },
				},
				serves: [['ai_languageModel', 'Caller']],
			},
			Model: chatModel,
			'Other model': { ...chatModel, serves: [['ai_languageModel', 'Selector', 1]] },
		}),
	);
	const { data } = await n8n.waitForExecution(await n8n.runWorkflow(created, 'Start'));
	const { runData, error } = data.resultData;
	const outputs = runData.Caller?.at(-1)?.data?.main ?? [];
	return (
		outputs.find((items) => items !== null && items.length > 0)?.[0]?.json ?? {
			error: [error?.message, error?.description],
		}
	);
}

const ALWAYS = {
	options: { caseSensitive: true, leftValue: '', typeValidation: 'strict', version: 2 },
	conditions: [
		{
			id: '1',
			leftValue: 'a',
			rightValue: 'a',
			operator: { type: 'string', operation: 'equals' },
		},
	],
	combinator: 'and',
};

it.each(CALLERS.slice(0, 2))('$node gets a score from the real llama-server', async (caller) => {
	expect(await runCaller(llamaServer.url, caller)).toMatchObject(caller.json);
});

describe.each([
	{ what: 'Ollama', server: () => ollama },
	{ what: 'a server whose template has no tools', server: () => withoutTools },
])('on $what', ({ server }) => {
	it.each(CALLERS)('$node reads the response', async (caller) => {
		server().script(reply.text(JSON.stringify(caller.text)));
		expect(await runCaller(server().url, caller, 'sim-model')).toMatchObject(caller.json);
		expect(server().scripted).toBe(0);
	});
});
