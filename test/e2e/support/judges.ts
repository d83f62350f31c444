/** n8n's nodes that take a chat model and read its response as JSON, each in a workflow. */
import { llamaCredential } from './playground';
import type { N8nClient } from './playground';
import { localModel, MANUAL, workflowOf } from './workflows';

/** What a judge says. */
export const VERDICT = {
	extended_reasoning: 'Both name the same town.',
	reasoning_summary: 'They are equal.',
	score: 4,
};

const LANGCHAIN = '@n8n/n8n-nodes-langchain.';

export interface Caller {
	node: string;
	type: string;
	typeVersion: number;
	parameters: Record<string, unknown>;
	/** What the model writes. */
	text: unknown;
	/** What the node returns. */
	json: Record<string, unknown>;
}

export const CALLERS: Caller[] = [
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

/** Which server a node asks. */
interface CallerRun {
	url: string;
	caller: Caller;
	/** Default: `test-model`. */
	model?: string;
}

/** The first item that a node returned, on any of its outputs. */
export async function runCaller(
	n8n: N8nClient,
	{ url, caller: { type, typeVersion, parameters }, model = 'test-model' }: CallerRun,
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
