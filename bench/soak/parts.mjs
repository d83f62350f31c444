/** Parts of the workflows that do not depend on the model nodes. */

/** @typedef {{ id: string, name: string }} Named */
/** @typedef {{ chat: string, flaky: string, embed: string, dify: string }} ProxyUrls */
/**
 * @typedef {object} Part
 * @property {string} type
 * @property {number} [typeVersion]
 * @property {object} [parameters]
 * @property {Record<string, Named>} [credentials]
 * @property {string} [webhookId]
 * @property {string[]} [to] nodes that its outputs are connected to
 * @property {number} [outputs] how many outputs are connected to them; default 1
 * @property {Array<[kind: string, node: string]>} [serves] nodes that it is a sub-node of, with the type of connection
 */

/** Time limit of the nodes: short, so that a silent server is given up between two measurements. */
export const LIMIT_S = 5;
export const CHAT_MODEL = { __rl: true, mode: 'id', value: 'soak-chat' };
export const EMBEDDING_MODEL = { __rl: true, mode: 'id', value: 'soak-embedding' };
export const USER_TEXT = '={{ $json.body ? $json.body.text : $json.chatInput }}';

/** @param {Part} model @returns {Record<string, Part>} */
export const agentWith = (model) => ({
	Agent: {
		type: '@n8n/n8n-nodes-langchain.agent',
		typeVersion: 3,
		parameters: { promptType: 'define', text: USER_TEXT, options: { maxIterations: 5 } },
	},
	Model: { ...model, serves: [['ai_languageModel', 'Agent']] },
	Calculator: { type: '@n8n/n8n-nodes-langchain.toolCalculator', serves: [['ai_tool', 'Agent']] },
});

/** @param {'insert' | 'load'} mode @param {object} more */
const store = (mode, more) => ({
	type: '@n8n/n8n-nodes-langchain.vectorStoreInMemory',
	typeVersion: 1.3,
	parameters: { mode, memoryKey: { __rl: true, mode: 'id', value: 'soak' }, ...more },
});

/** Replaces the store's content with three texts and searches once. @param {Part} embeddings */
export const vectorStoreWith = (embeddings) => ({
	Texts: {
		type: 'n8n-nodes-base.set',
		typeVersion: 3.4,
		parameters: {
			mode: 'raw',
			jsonOutput:
				'={{ JSON.stringify({ text: ["revenue of the year", $json.body.text, "a long road"] }) }}',
			options: {},
		},
		to: ['Split'],
	},
	Split: {
		type: 'n8n-nodes-base.splitOut',
		parameters: { fieldToSplitOut: 'text', options: {} },
		to: ['Insert'],
	},
	// These runs never overlap (`alone`), so no store is emptied while another run searches it.
	Insert: { ...store('insert', { clearStore: true }), to: ['One'] },
	Loader: {
		type: '@n8n/n8n-nodes-langchain.documentDefaultDataLoader',
		typeVersion: 1.1,
		parameters: { jsonMode: 'expressionData', jsonData: '={{ $json.text }}', options: {} },
		serves: /** @type {Array<[string, string]>} */ ([['ai_document', 'Insert']]),
	},
	One: { type: 'n8n-nodes-base.limit', to: ['Find'] },
	Find: store('load', { prompt: 'cat', topK: 3 }),
	Embeddings: {
		...embeddings,
		serves: /** @type {Array<[string, string]>} */ ([
			['ai_embedding', 'Insert'],
			['ai_embedding', 'Find'],
		]),
	},
});
