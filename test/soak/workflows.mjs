/** The workflows of the mixed load. */
import { LOAD_PROFILES, toWebhookPath } from './load-profiles.mjs';

/** @typedef {{ id: string, name: string }} Named */
/** @typedef {{ chat: string, embed: string, dify: string }} ProxyUrls */
/** @typedef {{ name: string, type: string, data: Record<string, unknown> }} Credential */
/** @typedef {{ createCredential(data: Credential): Promise<Named>, createWorkflow(workflow: any): Promise<{ id: string }>, activate(id: string): Promise<void> }} N8n */
/**
 * @typedef {object} Part
 * @property {string} type
 * @property {number} [typeVersion]
 * @property {object} [parameters]
 * @property {Record<string, Named>} [credentials]
 * @property {string} [webhookId]
 * @property {string[]} [to] nodes that its outputs are connected to
 * @property {number} [outputs] how many outputs are connected to them; default 1
 * @property {[kind: string, node: string]} [serves] the node that it is a sub-node of, with the type of connection
 */

/** Time limit of the nodes: short, so that a silent server is given up between two measurements. */
const LIMIT_S = 5;
const USER_TEXT = '={{ $json.body ? $json.body.text : $json.chatInput }}';
const LIMITS = { firstTokenTimeout: LIMIT_S, idleTimeout: LIMIT_S, maxRetries: 1 };
const DIFY_LIMITS = { idleTimeout: LIMIT_S, maxRetries: 1 };
/** @param {string} value */
const model = (value) => ({ __rl: true, mode: 'id', value });

/**
 * @param {N8n} n8n
 * @param {ProxyUrls} urls
 * @param {{ chat: string, workflow: string }} keys of Dify
 * @returns {Promise<Record<string, Record<string, Part>>>} the nodes after the trigger, by the name of the profile
 */
const buildNodes = async (n8n, urls, keys) => {
	/** @param {string} name @param {object} data */
	const llama = async (name, data) => ({
		localLlamaApi: await n8n.createCredential({ name, type: 'localLlamaApi', data: { ...data } }),
	});
	/** @param {string} apiKey */
	const dify = async (apiKey) => {
		const data = { baseUrl: `${urls.dify}/v1`, apiKey, keyType: 'app' };
		return { difyApi: await n8n.createCredential({ name: 'Dify', type: 'difyApi', data }) };
	};
	// Makes the credential's queue part of the test: executions continue after their clients have left.
	const chat = await llama('Chat', { baseUrl: urls.chat, maxConcurrentRequests: 6 });
	const difyChat = await dify(keys.chat);
	/** @returns {Record<string, Part>} */
	const agent = () => ({
		Agent: {
			type: '@n8n/n8n-nodes-langchain.agent',
			typeVersion: 3,
			parameters: { promptType: 'define', text: USER_TEXT, options: { maxIterations: 5 } },
		},
		Model: {
			type: 'CUSTOM.localChatModel',
			parameters: { model: model('soak-chat'), options: LIMITS },
			credentials: chat,
			serves: ['ai_languageModel', 'Agent'],
		},
		Calculator: {
			type: '@n8n/n8n-nodes-langchain.toolCalculator',
			serves: ['ai_tool', 'Agent'],
		},
	});
	/** @param {Record<string, Named>} credentials @param {string} service @param {string} to @returns {Part} */
	const health = (credentials, service, to) => ({
		type: 'CUSTOM.serverHealth',
		parameters: { operation: 'check', service, options: { timeout: LIMIT_S } },
		credentials,
		outputs: 2,
		to: [to],
	});
	return {
		'Agent, streamed': agent(),
		'Agent, whole': agent(),
		'Agent that is stopped': agent(),
		Vectors: {
			Vectors: {
				type: 'CUSTOM.localLlama',
				parameters: {
					model: model('soak-embedding'),
					resource: 'vector',
					operation: 'embed',
					text: USER_TEXT,
					options: LIMITS,
				},
				credentials: await llama('Embeddings', { baseUrl: urls.embed }),
			},
		},
		'Dify chat': {
			Dify: {
				type: 'CUSTOM.difyChatMessage',
				parameters: { query: USER_TEXT, options: DIFY_LIMITS },
				credentials: difyChat,
			},
		},
		'Dify workflow': {
			Dify: {
				type: 'CUSTOM.difyWorkflow',
				parameters: {
					resource: 'run',
					operation: 'execute',
					user: USER_TEXT,
					inputsMode: 'json',
					inputsJson: '{}',
					options: DIFY_LIMITS,
				},
				credentials: await dify(keys.workflow),
			},
		},
		'Health of both servers': {
			Models: health(chat, 'modelServer', 'Dify'),
			Dify: health(difyChat, 'dify', 'Result'),
			Result: { type: 'n8n-nodes-base.noOp' },
		},
	};
};

/** @param {string} name @param {Record<string, Part>} parts */
const buildWorkflow = (name, parts) => {
	const connections = Object.entries(parts).map(([from, { to = [], outputs = 1, serves }]) => {
		const next = to.map((node) => ({ node, type: 'main', index: 0 }));
		const main = next.length === 0 ? {} : { main: Array.from({ length: outputs }, () => next) };
		if (serves === undefined) return [from, main];
		const [type, node] = serves;
		return [from, { ...main, [type]: [[{ node, type, index: 0 }]] }];
	});
	const nodes = Object.entries(parts).map(([node, { to, outputs, serves, ...part }], at) => ({
		id: `node-${at}`,
		name: node,
		typeVersion: 1,
		position: [at * 200, 0],
		parameters: {},
		...part,
	}));
	// Stored executions would only grow the database; the process is measured.
	const settings = {
		executionOrder: 'v1',
		saveDataSuccessExecution: 'none',
		saveDataErrorExecution: 'none',
		saveManualExecutions: false,
	};
	return { name, nodes, connections: Object.fromEntries(connections), settings };
};

/** @param {import('./types').LoadProfile} profile @param {string} to @returns {Part} */
const buildTrigger = ({ name, way }, to) =>
	way === 'chat'
		? {
				type: '@n8n/n8n-nodes-langchain.chatTrigger',
				typeVersion: 1.3,
				parameters: { public: true, mode: 'webhook', options: { responseMode: 'streaming' } },
				webhookId: toWebhookPath(name),
				to: [to],
			}
		: {
				type: 'n8n-nodes-base.webhook',
				typeVersion: 2,
				parameters: {
					httpMethod: 'POST',
					path: toWebhookPath(name),
					responseMode: 'lastNode',
					options: {},
				},
				webhookId: toWebhookPath(name),
				to: [to],
			};

/**
 * Creates and activates the workflow of every profile.
 *
 * @param {N8n} n8n
 * @param {ProxyUrls} urls
 * @param {{ chat: string, workflow: string }} keys of Dify
 * @returns {Promise<Map<string, string>>} ID of the workflow, by the name of the profile
 */
export const createWorkflows = async (n8n, urls, keys) => {
	const nodes = await buildNodes(n8n, urls, keys);
	/** @type {Map<string, string>} */
	const ids = new Map();
	for (const profile of LOAD_PROFILES) {
		const parts = nodes[profile.name] ?? {};
		const trigger = buildTrigger(profile, Object.keys(parts)[0] ?? '');
		const { id } = await n8n.createWorkflow(
			buildWorkflow(profile.name, { Trigger: trigger, ...parts }),
		);
		await n8n.activate(id);
		ids.set(profile.name, id);
	}
	return ids;
};
