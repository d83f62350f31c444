/** Parts of the workflows that are the same with any nodes for models. */

/** @typedef {{ id: string, name: string }} Named */
/** @typedef {{ chat: string, flaky: string, embed: string, dify: string }} Doors addresses */
/**
 * @typedef {object} Part
 * @property {string} type
 * @property {number} [typeVersion]
 * @property {object} [parameters]
 * @property {Record<string, Named>} [credentials]
 * @property {string} [webhookId]
 * @property {string[]} [to] nodes that it feeds
 * @property {number} [outputs] each of which feeds them; default 1
 * @property {Array<[kind: string, node: string]>} [serves]
 */

/** Short, so that a server that says nothing is given up within the time between two measurements. */
export const LIMIT_S = 5;
export const CHAT_MODEL = { __rl: true, mode: 'id', value: 'soak-chat' };
export const EMBEDDING_MODEL = { __rl: true, mode: 'id', value: 'soak-embedding' };
export const SAID = '={{ $json.body ? $json.body.text : $json.chatInput }}';

/** @param {Part} model @returns {Record<string, Part>} */
export const agentWith = (model) => ({
	Agent: {
		type: '@n8n/n8n-nodes-langchain.agent',
		typeVersion: 3,
		parameters: { promptType: 'define', text: SAID, options: { maxIterations: 5 } },
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

/** Three texts go in, in place of those of the run before, and one search is made. @param {Part} embeddings */
export const vectorStoreWith = (embeddings) => ({
	Texts: {
		type: 'n8n-nodes-base.set',
		typeVersion: 3.4,
		parameters: {
			mode: 'raw',
			jsonOutput: '={{ JSON.stringify({ text: ["revenue of the year", $json.body.text, "a long road"] }) }}',
			options: {},
		},
		to: ['Split'],
	},
	Split: { type: 'n8n-nodes-base.splitOut', parameters: { fieldToSplitOut: 'text', options: {} }, to: ['Insert'] },
	// A store is not emptied while another run searches it: each run finds its own text or an equal one.
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
