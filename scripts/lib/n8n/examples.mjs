/** Prepares the example workflows for the playground's n8n, and summarizes their executions. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readJson, root, shortHash } from '../system/paths.mjs';

/** @typedef {import('../types').Workflow} Workflow */

const PREFIX = 'CUSTOM.';
const CHAT_MODEL = `${PREFIX}localChatModel`;
const CHAT_TRIGGER = '@n8n/n8n-nodes-langchain.chatTrigger';
export const AGENT_WORKFLOW = 'agent-with-tools';
/** Examples that run at the first click on the small model, the simplest one first. */
export const FIRST_EXAMPLES = [
	'chat-with-local-model',
	AGENT_WORKFLOW,
	'summarize-documents',
	'extract-invoices',
	'classify-and-route-email',
];
/** Fixed, so that a second import replaces instead of adding. */
export const CREDENTIAL = {
	id: 'localLlamaPlayground',
	name: 'LocalLlama API',
	type: 'localLlamaApi',
};
/** Types of our nodes that use a model server's credential; the others use Dify. */
const USES_CREDENTIAL = /^CUSTOM\.(?!dify)/;

/**
 * @param {import('../types').ModelServer} server
 * @returns {import('../types').Credential}
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
 * @param {import('../types').ModelServer} server
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

/** @returns {Map<string, string>} heading in workflows/README.md, by the name of the example below it */
const readPurposes = () => {
	const page = readFileSync(join(root, 'workflows', 'README.md'), 'utf8');
	/** @type {Map<string, string>} */
	const purposes = new Map();
	let heading = '';
	for (const [, title, example] of page.matchAll(/^## (.+)|\]\(([\w-]+)\.json\)/gm)) {
		heading = title ?? heading;
		if (example !== undefined) purposes.set(example, heading);
	}
	return purposes;
};

/**
 * @param {string} name of an example
 * @param {Workflow} workflow
 * @returns {string} tag for whether the example runs after `npm start`
 */
const toNeed = (name, { nodes }) => {
	const uses = (/** @type {string} */ prefix) =>
		nodes.some(({ type }) => type.startsWith(`${PREFIX}${prefix}`));
	if (FIRST_EXAMPLES.includes(name)) return 'Runs here';
	if (uses('dify')) return 'Needs Dify';
	return uses('localEmbeddings') ? 'Needs embeddings' : 'Needs setup';
};

/** @param {string} name @returns {number} */
const toRank = (name) => FIRST_EXAMPLES.indexOf(name) + 1 || Infinity;

/**
 * @returns {Array<{ name: string, workflow: Workflow & { id: string } }>} the built examples for custom nodes, with tags by
 *   purpose and need; those that run on the small model first
 */
export const exampleWorkflows = () => {
	const folder = join(root, 'dist', 'workflows', 'custom');
	const purposes = readPurposes();
	return readdirSync(folder)
		.filter((file) => file.endsWith('.json'))
		.map((file) => file.replace(/\.json$/, ''))
		.sort((one, other) => toRank(one) - toRank(other) || one.localeCompare(other))
		.map((name) => {
			/** @type {Workflow} */
			const workflow = readJson(join(folder, `${name}.json`));
			const tags = [toNeed(name, workflow), purposes.get(name)]
				.filter((tag) => tag !== undefined)
				.map((tag) => ({ id: shortHash(tag), name: tag }));
			return { name, workflow: { ...workflow, id: `example-${shortHash(name)}`, tags } };
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
	const values = { sessionId: 'once', action: 'sendMessage', chatInput: question };
	// Keeps the trigger's name, which connections and expressions refer to.
	const asking = {
		...trigger,
		...{ type: 'n8n-nodes-base.set', typeVersion: 3.4, webhookId: undefined },
		parameters: { mode: 'raw', jsonOutput: JSON.stringify(values), options: {} },
	};
	const start = {
		...{ id: 'start', name: 'Question', type: 'n8n-nodes-base.manualTrigger', typeVersion: 1 },
		position: trigger.position,
		parameters: {},
	};
	return {
		...workflow,
		id: 'asked-once',
		name: `${workflow.name} (asked once)`,
		nodes: [start, ...workflow.nodes.map((node) => (node === trigger ? asking : node))],
		connections: {
			...workflow.connections,
			[start.name]: { main: [[{ node: trigger.name, type: 'main', index: 0 }]] },
		},
	};
};

/**
 * @param {import('../types').ExecutionData} data
 * @returns {string} what the last node says
 */
export const getResponseText = ({ resultData: { runData, lastNodeExecuted = '' } }) => {
	const last = runData[lastNodeExecuted]?.at(-1);
	return String(last?.data?.main?.[0]?.[0]?.json.output ?? '').trim();
};
