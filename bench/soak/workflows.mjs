/** The workflows of the mixed load: with the nodes of this package, and as a control with n8n's own. */
import { controlNodes } from './control-nodes.mjs';
import { KINDS, pathOf } from './kinds.mjs';
import { ownNodes } from './own-nodes.mjs';

/** @typedef {import('../../scripts/lib/types').Workflow} Workflow */
/** @typedef {import('./parts.mjs').ProxyUrls} ProxyUrls */
/** @typedef {import('./parts.mjs').Part} Part */

/**
 * @param {string} name
 * @param {Record<string, Part>} parts
 * @returns {Workflow}
 */
const workflowOf = (name, parts) => {
	/** @type {Workflow['connections']} */
	const connections = {};
	for (const [from, { to = [], outputs = 1, serves = [] }] of Object.entries(parts)) {
		/** @type {Workflow['connections'][string]} */
		const own = {};
		const next = to.map((node) => ({ node, type: 'main', index: 0 }));
		if (next.length > 0) own.main = Array.from({ length: outputs }, () => next);
		for (const [kind, node] of serves)
			own[kind] = [[...(own[kind]?.[0] ?? []), { node, type: kind, index: 0 }]];
		connections[from] = own;
	}
	return {
		name,
		nodes: Object.entries(parts).map(
			([node, { type, typeVersion = 1, parameters = {}, credentials, webhookId }], at) => ({
				...{ id: `node-${at}`, name: node, type, typeVersion, position: [at * 200, 0] },
				parameters: { ...parameters },
				...(credentials === undefined ? {} : { credentials }),
				...(webhookId === undefined ? {} : { webhookId }),
			}),
		),
		connections,
		// Stored executions would only grow the database; the process is measured.
		settings: {
			executionOrder: 'v1',
			saveDataSuccessExecution: 'none',
			saveDataErrorExecution: 'none',
			saveManualExecutions: false,
		},
	};
};

/** @param {import('./types').Kind} kind @param {string} to @returns {Part} */
const triggerOf = ({ name, way }, to) =>
	way === 'chat'
		? {
				type: '@n8n/n8n-nodes-langchain.chatTrigger',
				typeVersion: 1.3,
				parameters: { public: true, mode: 'webhook', options: { responseMode: 'streaming' } },
				webhookId: pathOf(name),
				to: [to],
			}
		: {
				type: 'n8n-nodes-base.webhook',
				typeVersion: 2,
				parameters: {
					httpMethod: 'POST',
					path: pathOf(name),
					responseMode: 'lastNode',
					options: {},
				},
				webhookId: pathOf(name),
				to: [to],
			};

/**
 * Creates and activates the workflow of every kind.
 *
 * @param {import('../../scripts/lib/types').N8nServer} n8n
 * @param {ProxyUrls} urls
 * @param {{ chat: string, workflow: string }} keys of Dify
 * @param {boolean} control with n8n's own nodes
 * @returns {Promise<Map<string, string>>} ID of the workflow, by the name of the kind
 */
export const createWorkflows = async (n8n, urls, keys, control) => {
	const nodes = await (control ? controlNodes : ownNodes)(n8n.createCredential, urls, keys);
	/** @type {Map<string, string>} */
	const ids = new Map();
	for (const kind of KINDS) {
		const parts = nodes[kind.name] ?? {};
		const first = Object.keys(parts)[0] ?? '';
		const workflow = await n8n.createWorkflow(
			workflowOf(kind.name, { Trigger: triggerOf(kind, first), ...parts }),
		);
		await n8n.activate(workflow.id);
		ids.set(kind.name, workflow.id);
	}
	return ids;
};
