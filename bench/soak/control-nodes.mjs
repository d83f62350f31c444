/** The control group: the same load with n8n's own nodes. */
import { agentWith, CHAT_MODEL, LIMIT_S, USER_TEXT, vectorStoreWith } from './parts.mjs';

/** @typedef {import('./parts.mjs').Part} Part */
/** @typedef {import('./parts.mjs').Named} Named */

/**
 * @param {string} url
 * @param {object} body
 * @returns {Part}
 */
const httpRequest = (url, body) => ({
	type: 'n8n-nodes-base.httpRequest',
	typeVersion: 4.2,
	parameters: {
		method: 'POST',
		url,
		sendBody: true,
		specifyBody: 'json',
		jsonBody: `={{ JSON.stringify(${JSON.stringify(body).replace('"USER_TEXT"', USER_TEXT.slice(4, -3))}) }}`,
		options: { timeout: LIMIT_S * 1000 },
	},
});

/** @type {typeof import('./own-nodes.mjs').ownNodes} */
export const controlNodes = async (save, urls, keys) => {
	/** @param {string} name @param {string} url @returns {Promise<{ openAiApi: Named }>} */
	const openAi = async (name, url) => ({
		openAiApi: await save({ name, type: 'openAiApi', data: { apiKey: 'none', url: `${url}/v1` } }),
	});
	const chat = await openAi('Chat', urls.chat);
	const embed = await openAi('Embeddings', urls.embed);
	const model = {
		type: '@n8n/n8n-nodes-langchain.lmChatOpenAi',
		typeVersion: 1.2,
		parameters: { model: CHAT_MODEL, options: { timeout: LIMIT_S * 1000, maxRetries: 1 } },
		credentials: chat,
	};
	/** @param {string} key */
	const bearer = async (key) => ({
		httpHeaderAuth: await save({
			name: 'Dify',
			type: 'httpHeaderAuth',
			data: { name: 'Authorization', value: `Bearer ${key}` },
		}),
	});
	/** @param {Part} part @param {string} key @returns {Promise<Part>} */
	const withKey = async (part, key) => ({
		...part,
		parameters: {
			...part.parameters,
			authentication: 'genericCredentialType',
			genericAuthType: 'httpHeaderAuth',
		},
		credentials: await bearer(key),
	});
	const request = { response_mode: 'blocking', user: 'USER_TEXT', inputs: {} };
	return {
		'Agent with a tool, streamed': agentWith(model),
		'Agent with a tool, not streamed': agentWith(model),
		'Agent with two servers': agentWith(model),
		'Vector store': vectorStoreWith({
			type: '@n8n/n8n-nodes-langchain.embeddingsOpenAi',
			typeVersion: 1.2,
			parameters: { model: 'soak-embedding', options: { timeout: LIMIT_S } },
			credentials: embed,
		}),
		'Local Llama chat, streamed': agentWith(model),
		'Local Llama tokens and vectors': {
			Vectors: httpRequest(`${urls.embed}/v1/embeddings`, {
				model: 'soak-embedding',
				input: 'USER_TEXT',
			}),
		},
		'Dify chat, streamed': agentWith(model),
		'Dify workflow': {
			Dify: await withKey(httpRequest(`${urls.dify}/v1/workflows/run`, request), keys.workflow),
		},
		'Agent that is stopped': agentWith(model),
		'Health of three servers': {
			Models: {
				type: 'n8n-nodes-base.httpRequest',
				typeVersion: 4.2,
				parameters: { url: `${urls.chat}/v1/models`, options: {} },
			},
		},
	};
};
