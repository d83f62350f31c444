import type { Workflow, WorkflowNode } from './playground';

interface Part {
	type: string;
	typeVersion?: number;
	parameters?: Record<string, unknown>;
	credentials?: WorkflowNode['credentials'];
	webhookId?: string;
	onError?: string;
	/** Names of nodes that its main output is connected to. */
	to?: string[];
	/** Nodes that it is a sub-node of, with the type of connection (`ai_languageModel`, `ai_tool`, …), and the input if not the first. */
	serves?: Array<[kind: string, node: string, input?: number]>;
}

/** Builds a workflow from nodes by name. */
export function workflowOf(name: string, parts: Record<string, Part>): Workflow {
	const names = Object.keys(parts);
	const connections: Workflow['connections'] = {};
	for (const [from, { to = [], serves = [] }] of Object.entries(parts)) {
		const own: Workflow['connections'][string] = {};
		if (to.length > 0) own.main = [to.map((node) => ({ node, type: 'main', index: 0 }))];
		for (const [kind, node, index = 0] of serves)
			own[kind] = [[...(own[kind]?.[0] ?? []), { node, type: kind, index }]];
		if (Object.keys(own).length > 0) connections[from] = own;
	}
	return {
		name,
		nodes: Object.entries(parts).map(
			([node, { type, typeVersion = 1, parameters = {}, credentials, webhookId, onError }]) => ({
				id: `node-${names.indexOf(node)}`,
				name: node,
				type,
				typeVersion,
				position: [names.indexOf(node) * 200, 0],
				parameters,
				...(credentials === undefined ? {} : { credentials }),
				...(webhookId === undefined ? {} : { webhookId }),
				...(onError === undefined ? {} : { onError }),
			}),
		),
		connections,
		settings: { executionOrder: 'v1' },
	};
}

export const MANUAL: Part = { type: 'n8n-nodes-base.manualTrigger', to: ['Agent'] };

/** A Manual Trigger with one item per text, in the field `text`. */
export const textItems = (texts: string[], to: string): Record<string, Part> => ({
	Start: { ...MANUAL, to: ['Texts'] },
	Texts: {
		type: 'n8n-nodes-base.set',
		typeVersion: 3.4,
		parameters: { mode: 'raw', jsonOutput: JSON.stringify({ text: texts }), options: {} },
		to: ['Split'],
	},
	Split: {
		type: 'n8n-nodes-base.splitOut',
		parameters: { fieldToSplitOut: 'text', options: {} },
		to: [to],
	},
});

/** Distance between nodes, so that a trigger's buttons do not cover other nodes. */
export function spread(workflow: Workflow): Workflow {
	const nodes = workflow.nodes.map((node, at) => ({
		...node,
		position: [(at % 5) * 400, Math.floor(at / 5) * 300] as [number, number],
	}));
	return { ...workflow, nodes };
}

/** A public Chat Trigger that streams; `webhookId` is in its address. */
export const chatTrigger = (webhookId: string, to = 'Agent'): Part => ({
	type: '@n8n/n8n-nodes-langchain.chatTrigger',
	typeVersion: 1.3,
	parameters: { public: true, mode: 'webhook', options: { responseMode: 'streaming' } },
	webhookId,
	to: [to],
});

/** The AI Agent; without `text` it uses the chat's input. */
export const agent = (text?: string, parameters: Record<string, unknown> = {}): Part => ({
	type: '@n8n/n8n-nodes-langchain.agent',
	typeVersion: 3,
	parameters: {
		...(text === undefined ? {} : { promptType: 'define', text }),
		options: { maxIterations: 5 },
		...parameters,
	},
});

/** This package's chat model for the node "Agent". */
export const localModel = (
	credential: { id: string; name: string },
	parameters: Record<string, unknown> = {},
	serves = 'Agent',
): Part => ({
	type: 'CUSTOM.localChatModel',
	parameters: {
		model: { __rl: true, mode: 'id', value: 'test-model' },
		options: {},
		...parameters,
	},
	credentials: { localLlamaApi: { id: credential.id, name: credential.name } },
	serves: [['ai_languageModel', serves]],
});

export const calculator: Part = {
	type: '@n8n/n8n-nodes-langchain.toolCalculator',
	serves: [['ai_tool', 'Agent']],
};

/** Reads the token usage of the agent's model, as described in docs/operations.md. */
export const readTotals = {
	type: 'n8n-nodes-base.code',
	typeVersion: 2,
	parameters: {
		jsCode: [
			'const get = (key) => $execution.customData.get(key);',
			"return [{ json: { in: get('llm_tokens_in'), out: get('llm_tokens_out'), usage: JSON.parse(get('llm_usage')) } }];",
		].join('\n'),
	},
};

/** n8n's vector store in memory. */
export const vectorStore = (name: string, parameters: Record<string, unknown>): Part => ({
	type: '@n8n/n8n-nodes-langchain.vectorStoreInMemory',
	typeVersion: 1.3,
	parameters: { memoryKey: { __rl: true, mode: 'id', value: name }, ...parameters },
});

/** The same, which stores one text. */
export const insertIntoStore = (name: string): Part => vectorStore(name, { mode: 'insert' });

/** Loads one text for the node that stores it. */
export const documentLoader = (store: string): Part => ({
	type: '@n8n/n8n-nodes-langchain.documentDefaultDataLoader',
	typeVersion: 1.1,
	parameters: { jsonMode: 'expressionData', jsonData: 'The llama keeps its wool.' },
	serves: [['ai_document', store]],
});
