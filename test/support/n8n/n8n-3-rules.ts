/**
 * Breaking changes of n8n 3 for workflows: the conditions of n8n 2.41.1's own rules
 * (n8n/dist/modules/breaking-changes/rules/v3), by their IDs. Quick tests do not have the package `n8n`;
 * test/full/n8n-3.test.ts compares the IDs with it.
 */
import { asArray, asRecord } from '../../../lib/values/records';
import type { Workflow, WorkflowNode } from '../../../scripts/lib/types';

type Node = WorkflowNode & { alwaysOutputData?: boolean; onError?: string };
type Rule = (node: Node, workflow: Workflow, outputsOf: (type: string) => unknown) => boolean;

const BASE = 'n8n-nodes-base.';
const AI = '@n8n/n8n-nodes-langchain.';

const ofType =
	(type: string, also: (node: Node) => boolean = () => true): Rule =>
	(node) =>
		node.type === type && also(node);

const REMOVED: Record<string, string> = {
	'binary-input-loader': `${AI}documentBinaryInputLoader`,
	'chat-messages-retriever': `${AI}memoryChatRetriever`,
	'convert-to-from-binary-data': `${BASE}moveBinaryData`,
	cron: `${BASE}cron`,
	function: `${BASE}function`,
	'function-item': `${BASE}functionItem`,
	'html-extract': `${BASE}htmlExtract`,
	'http-request-tool': `${AI}toolHttpRequest`,
	'i-calendar': `${BASE}iCal`,
	'item-lists': `${BASE}itemLists`,
	'in-memory-vector-store-insert': `${AI}vectorStoreInMemoryInsert`,
	'in-memory-vector-store-load': `${AI}vectorStoreInMemoryLoad`,
	interval: `${BASE}interval`,
	'json-input-loader': `${AI}documentJsonInputLoader`,
	'manual-chat-trigger': `${AI}manualChatTrigger`,
	'openai-assistant': `${AI}openAiAssistant`,
	openai: `${BASE}openAi`,
	'openai-model': `${AI}lmOpenAi`,
	'pinecone-insert': `${AI}vectorStorePineconeInsert`,
	'pinecone-load': `${AI}vectorStorePineconeLoad`,
	'read-binary-file': `${BASE}readBinaryFile`,
	'read-binary-files': `${BASE}readBinaryFiles`,
	'read-pdf': `${BASE}readPDF`,
	'serpapi-google-search': `${AI}toolSerpApi`,
	'supabase-insert': `${AI}vectorStoreSupabaseInsert`,
	'supabase-load': `${AI}vectorStoreSupabaseLoad`,
	'workflow-trigger': `${BASE}workflowTrigger`,
	'write-binary-file': `${BASE}writeBinaryFile`,
};
const WITHOUT_REPLACEMENT = [
	`${AI}documentGithubLoader`,
	`${AI}memoryMotorhead`,
	`${BASE}orbit`,
	`${AI}memoryZep`,
	`${AI}vectorStoreZep`,
	`${AI}vectorStoreZepInsert`,
	`${AI}vectorStoreZepLoad`,
];
const REMOVED_MODES = [
	'conversationalAgent',
	'openAiFunctionsAgent',
	'planAndExecuteAgent',
	'reActAgent',
	'sqlAgent',
];

const versionOf = ({ typeVersion }: WorkflowNode) => Number(typeVersion);
const isOldAgent: Rule = ofType(`${AI}agent`, (node) => versionOf(node) < 2);

function hasRemovedMode(node: WorkflowNode): boolean {
	const { agent } = node.parameters ?? {};
	return typeof agent === 'string' ? REMOVED_MODES.includes(agent) : versionOf(node) <= 1.5;
}

function hasSeveralOutputs(outputs: unknown): boolean {
	return (
		!Array.isArray(outputs) ||
		asArray(outputs).filter((output) => (asRecord(output).type ?? output) === 'main').length > 1
	);
}

export const N8N_3_RULES: Readonly<Record<string, Rule>> = {
	'agent-node-version-v3': (...of) => isOldAgent(...of) && !hasRemovedMode(of[0]),
	'agent-removed-modes-v3': (...of) => isOldAgent(...of) && hasRemovedMode(of[0]),
	'ai-transform-deprecated': ofType(`${BASE}aiTransform`),
	'always-output-data-multi-output-v3': (
		{ type, alwaysOutputData, onError },
		_workflow,
		outputsOf,
	) =>
		alwaysOutputData === true &&
		(onError === 'continueErrorOutput' || hasSeveralOutputs(outputsOf(type))),
	'caller-policy-any-removed-v3': (_node, { settings }) => settings?.callerPolicy === 'any',
	'chat-trigger-embedded-json-v3': ({ type, parameters }) =>
		/(?:^@n8n\/|^)n8n-nodes-langchain\.chatTrigger$/.test(type) && parameters?.mode === 'webhook',
	'execute-workflow-each-mode-v3': ofType(
		`${BASE}executeWorkflow`,
		({ parameters }) => parameters?.mode === 'each',
	),
	'execute-workflow-source-modes-v3': ofType(`${BASE}executeWorkflow`, ({ parameters }) =>
		['localFile', 'url'].includes(String(parameters?.source)),
	),
	'get-paired-item-v3': ({ parameters }) =>
		JSON.stringify(parameters ?? {}).includes('$getPairedItem'),
	'gmail-trigger-version-v3': ofType(`${BASE}gmailTrigger`, (node) => versionOf(node) < 1.4),
	'removed-nodes-v3': ({ type }) => WITHOUT_REPLACEMENT.includes(type),
	...Object.fromEntries(
		Object.entries(REMOVED).map(([id, type]) => [`${id}-removed-v3`, ofType(type)]),
	),
};

/** IDs of the rules that apply to a workflow. @param outputsOf returns a node type's outputs */
export function brokenByN8n3(workflow: Workflow, outputsOf: (type: string) => unknown): string[] {
	return Object.entries(N8N_3_RULES).flatMap(([id, isBroken]) =>
		workflow.nodes
			.filter((node: Node) => isBroken(node, workflow, outputsOf))
			.map(({ name }) => `${id}: ${name}`),
	);
}
