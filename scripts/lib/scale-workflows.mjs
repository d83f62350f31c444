/** Two public chats that stream, for measurements of n8n in queue mode: an agent on llama-server, and a Dify app. */

/**
 * @param {string} name
 * @param {string} webhookId
 * @param {Omit<import('./types').WorkflowNode, 'id' | 'position'>} work the node after the trigger
 * @param {Omit<import('./types').WorkflowNode, 'id' | 'position'>} [model] its chat model, if it is an agent
 * @param {string} [responseMode]
 * @returns {import('./types').Workflow}
 */
export const chatWorkflow = (name, webhookId, work, model, responseMode = 'streaming') => ({
	name,
	nodes: [
		{
			id: 'chat',
			name: 'Chat',
			type: '@n8n/n8n-nodes-langchain.chatTrigger',
			typeVersion: 1.3,
			position: [0, 0],
			parameters: { public: true, mode: 'webhook', options: { responseMode } },
			webhookId,
		},
		{ id: 'work', position: [200, 0], ...work },
		...(model
			? [{ id: 'model', position: /** @type {[number, number]} */ ([200, 200]), ...model }]
			: []),
	],
	connections: {
		Chat: { main: [[{ node: work.name, type: 'main', index: 0 }]] },
		...(model
			? {
					[model.name]: {
						ai_languageModel: [[{ node: work.name, type: 'ai_languageModel', index: 0 }]],
					},
				}
			: {}),
	},
	settings: { executionOrder: 'v1' },
});

/**
 * @param {import('./types').N8nClient} n8n
 * @param {import('./types').Workflow} workflow
 */
const publish = async (n8n, workflow) => {
	const { id } = await n8n.createWorkflow(workflow);
	await n8n.activate(id);
};

/**
 * Chat Trigger, AI Agent, Local Chat Model.
 *
 * @param {import('./types').N8nClient} n8n
 * @param {string} webhookId
 * @param {{ url: string, maxConcurrentRequests?: number, options?: import('./types').JsonObject }} server `options` of
 *   the chat model
 */
export const createAgentChat = async (
	n8n,
	webhookId,
	{ url, maxConcurrentRequests, options = {} },
) => {
	const data = {
		baseUrl: url,
		...(maxConcurrentRequests === undefined ? {} : { maxConcurrentRequests }),
	};
	const { id, name } = await n8n.createCredential({ name: webhookId, type: 'localLlamaApi', data });
	await publish(
		n8n,
		chatWorkflow(
			webhookId,
			webhookId,
			{
				name: 'Agent',
				type: '@n8n/n8n-nodes-langchain.agent',
				typeVersion: 3,
				parameters: { options: {} },
			},
			{
				name: 'Local Chat Model',
				type: 'CUSTOM.localChatModel',
				typeVersion: 1,
				parameters: { model: { __rl: true, mode: 'id', value: 'test-model' }, options },
				credentials: { localLlamaApi: { id, name } },
			},
		),
	);
};

/**
 * Chat Trigger, Dify Chat Message.
 *
 * @param {import('./types').N8nClient} n8n
 * @param {string} webhookId
 * @param {{ url: string, key: string, options?: import('./types').JsonObject }} app
 */
export const createDifyChat = async (n8n, webhookId, { url, key, options = {} }) => {
	const data = { baseUrl: url, apiKey: key, keyType: 'app' };
	const { id, name } = await n8n.createCredential({ name: webhookId, type: 'difyApi', data });
	await publish(
		n8n,
		chatWorkflow(webhookId, webhookId, {
			name: 'Dify Chat Message',
			type: 'CUSTOM.difyChatMessage',
			typeVersion: 1,
			parameters: { options },
			credentials: { difyApi: { id, name } },
		}),
	);
};
