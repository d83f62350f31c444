/** Prepares the example workflows for the playground's n8n, and summarizes their executions. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { readJson, root, shortHash } from './paths.mjs';

/** @typedef {import('./types').Workflow} Workflow */
/** @typedef {import('./types').NodeRun} NodeRun */

const PREFIX = 'CUSTOM.';
const CHAT_MODEL = `${PREFIX}localChatModel`;
const CHAT_TRIGGER = '@n8n/n8n-nodes-langchain.chatTrigger';
export const AGENT_WORKFLOW = 'agent-with-tools';
/** Fixed, so that a second import replaces instead of adding. */
export const CREDENTIAL = {
	id: 'localLlamaPlayground',
	name: 'LocalLlama API',
	type: 'localLlamaApi',
};
/** Types of our nodes that use a model server's credential; the others use Dify. */
const USES_CREDENTIAL = /^CUSTOM\.(?!dify)/;

/**
 * @param {import('./types').ModelServer} server
 * @returns {import('./types').Credential}
 */
export const playgroundCredential = ({ baseUrl, apiKey }) => ({
	...CREDENTIAL,
	data: {
		baseUrl,
		apiKey: apiKey ?? '',
		authentication: 'bearer',
		ignoreSslIssues: false,
		maxConcurrentRequests: 0,
	},
});

/**
 * @param {Workflow} workflow
 * @param {import('./types').ModelServer} server
 * @returns {Workflow} with the playground's credential and a model that the server has
 */
export const wireWorkflow = (workflow, server) => ({
	...workflow,
	nodes: workflow.nodes.map((node) => {
		if (!USES_CREDENTIAL.test(node.type)) return node;
		const { id, name, type } = CREDENTIAL;
		const credentials = { ...node.credentials, [type]: { id, name } };
		if (node.type !== CHAT_MODEL) return { ...node, credentials };
		const current = node.parameters.model;
		const chosen =
			current && typeof current === 'object' && 'value' in current ? current.value : current;
		const known = typeof chosen === 'string' && server.models.includes(chosen);
		const model = { __rl: true, mode: 'id', value: known ? chosen : server.model };
		return { ...node, credentials, parameters: { ...node.parameters, model } };
	}),
});

/** @returns {Array<{ name: string, workflow: Workflow & { id: string } }>} the built examples, for custom nodes */
export const exampleWorkflows = () => {
	const folder = join(root, 'dist', 'workflows', 'custom');
	return readdirSync(folder)
		.filter((file) => file.endsWith('.json'))
		.sort()
		.map((file) => {
			/** @type {Workflow} */
			const workflow = readJson(join(folder, file));
			const name = file.replace(/\.json$/, '');
			return { name, workflow: { ...workflow, id: `example-${shortHash(name)}` } };
		});
};

/**
 * A copy that `n8n execute` can run: a Manual Trigger and a node that sets the question replace the Chat Trigger.
 *
 * @param {Workflow} workflow
 * @param {string} question
 * @returns {Workflow & { id: string }}
 */
export const askOnce = (workflow, question) => {
	const trigger = workflow.nodes.find(({ type }) => type === CHAT_TRIGGER);
	if (!trigger)
		throw new Error(`The workflow "${workflow.name}" has no Chat Trigger to take the question`);
	/** @param {string} name */
	const assignment = (name, value = '') => ({ id: name, name, value, type: 'string' });
	const startName = 'Question';
	return {
		...workflow,
		id: 'asked-once',
		name: `${workflow.name} (asked once)`,
		nodes: workflow.nodes
			.map((node) => {
				if (node !== trigger) return node;
				// Keeps the trigger's name, which connections and expressions refer to.
				return {
					...node,
					type: 'n8n-nodes-base.set',
					typeVersion: 3.4,
					webhookId: undefined,
					parameters: {
						assignments: {
							assignments: [
								assignment('sessionId', 'once'),
								assignment('action', 'sendMessage'),
								// A leading equals sign would make it an expression.
								assignment('chatInput', question.startsWith('=') ? ` ${question}` : question),
							],
						},
					},
				};
			})
			.concat({
				id: 'a0000000-0000-4000-8000-000000000001',
				name: startName,
				type: 'n8n-nodes-base.manualTrigger',
				typeVersion: 1,
				position: [trigger.position[0] - 220, trigger.position[1]],
				parameters: {},
			}),
		connections: {
			...workflow.connections,
			[startName]: { main: [[{ node: trigger.name, type: 'main', index: 0 }]] },
		},
	};
};

/**
 * @param {import('./types').ExecutionData} data
 * @returns {import('./types').RunSummary}
 */
export const summarizeRun = (data) => {
	const { runData, lastNodeExecuted = '' } = data.resultData;
	const last = runData[lastNodeExecuted]?.at(-1);
	const json = last?.data?.main?.[0]?.[0]?.json ?? {};
	const answer = json.output ?? json.text ?? json.response;
	const runs = Object.values(runData).flat();
	const items = runs.flatMap((run) => run.data?.ai_languageModel?.[0]?.[0]?.json ?? []);
	const calls = items.map((item) => /** @type {import('./types').ModelCall} */ (item));
	const sum = (/** @type {'promptTokens' | 'completionTokens'} */ name) =>
		calls.reduce((total, { tokenUsage }) => total + (tokenUsage?.[name] ?? 0), 0);
	const seconds = calls.reduce((total, { tokenUsage, response }) => {
		const info = response?.generations?.[0]?.[0]?.generationInfo;
		const speed = info?.tokensPerSecond ?? Infinity;
		return total + (tokenUsage?.completionTokens ?? 0) / speed;
	}, 0);
	return {
		answer: typeof answer === 'string' ? answer : JSON.stringify(json),
		modelCalls: calls.length,
		promptTokens: sum('promptTokens'),
		completionTokens: sum('completionTokens'),
		tokensPerSecond: seconds > 0 ? sum('completionTokens') / seconds : undefined,
	};
};

/**
 * @param {import('./types').ExecutionData} data
 * @returns {string} the failed nodes with their messages and descriptions
 */
export const describeFailure = ({ resultData: { runData } }) => {
	/** An agent repeats what its model failed with. @type {Map<string, string>} */
	const nodes = new Map();
	for (const [node, runs] of Object.entries(runData))
		for (const { error } of runs) {
			if (!error) continue;
			const { message, description = message } = error;
			const text = description === message ? message : `${message}\n  ${description}`;
			if (!nodes.has(text)) nodes.set(text, node);
		}
	return [...nodes].map(([text, node]) => `${node}: ${text}`).join('\n');
};
