/** The chat models that are compared: the same settings for each, as parameters of its node. */

/** @typedef {import('./types').ContestantName} ContestantName */
/** @typedef {import('./types').Question} Question */
/** @typedef {import('../../scripts/lib/types').Credential} Credential */
/** @typedef {import('../../scripts/lib/types').JsonObject} JsonObject */

/**
 * @typedef {object} Contestant
 * @property {string} label
 * @property {string} type
 * @property {number} typeVersion the newest of n8n 2.41.1
 * @property {(url: string) => string} baseUrl what its users type for a server at this address
 * @property {(baseUrl: string) => Omit<Credential, 'name'>} credential
 * @property {(question: Question) => JsonObject} parameters
 */

const MODEL = 'test-model';
const LOCATOR = { __rl: true, mode: 'id', value: MODEL };
const OPEN_AI = {
	type: '@n8n/n8n-nodes-langchain.lmChatOpenAi',
	typeVersion: 1.3,
	/** @param {string} url */
	baseUrl: (url) => `${url}/v1`,
	/** @param {string} baseUrl */
	credential: (baseUrl) => ({ type: 'openAiApi', data: { apiKey: 'none', url: baseUrl } }),
};

/**
 * @template T
 * @param {string} name
 * @param {T | undefined} value
 * @returns {Record<string, T>}
 */
const option = (name, value) => (value === undefined ? {} : { [name]: value });

/** @param {Question} question */
const openAiOptions = ({ maxTokens, limitSeconds }) => ({
	...option('maxTokens', maxTokens),
	...option('timeout', limitSeconds && limitSeconds * 1000),
});

/** @type {Record<ContestantName, Contestant>} */
export const CONTESTANTS = {
	local: {
		label: 'Local Chat Model',
		type: 'CUSTOM.localChatModel',
		typeVersion: 1,
		baseUrl: (url) => url,
		credential: (baseUrl) => ({ type: 'localLlamaApi', data: { baseUrl } }),
		parameters: (question) => ({
			model: LOCATOR,
			...(question.jsonSchema
				? { responseFormat: 'jsonSchema', jsonSchema: JSON.stringify(question.jsonSchema) }
				: {}),
			options: {
				...option('maxTokens', question.maxTokens),
				...option('firstTokenLimit', question.limitSeconds),
			},
		}),
	},
	responses: {
		...OPEN_AI,
		label: 'OpenAI Chat Model, as added (Responses API)',
		parameters: (question) => ({
			model: LOCATOR,
			options: {
				...openAiOptions(question),
				...(question.jsonSchema
					? {
							textFormat: {
								textOptions: {
									type: 'json_schema',
									name: 'answer',
									schema: JSON.stringify(question.jsonSchema),
									strict: true,
								},
							},
						}
					: {}),
			},
		}),
	},
	completions: {
		...OPEN_AI,
		label: 'OpenAI Chat Model, *Use Responses API* off',
		parameters: (question) => ({
			model: LOCATOR,
			responsesApiEnabled: false,
			options: openAiOptions(question),
		}),
	},
	ollama: {
		label: 'Ollama Chat Model',
		type: '@n8n/n8n-nodes-langchain.lmChatOllama',
		typeVersion: 1,
		baseUrl: (url) => url,
		credential: (baseUrl) => ({ type: 'ollamaApi', data: { baseUrl } }),
		parameters: ({ maxTokens }) => ({ model: MODEL, options: option('numPredict', maxTokens) }),
	},
};

/** @type {ContestantName[]} */
export const NAMES = ['local', 'responses', 'completions', 'ollama'];
