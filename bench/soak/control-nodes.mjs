/** The control: the same load with n8n's own nodes. */
import { agentWith, CHAT_MODEL, LIMIT_S, SAID, vectorStoreWith } from './parts.mjs';

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
		jsonBody: `={{ JSON.stringify(${JSON.stringify(body).replace('"SAID"', SAID.slice(4, -3))}) }}`,
		options: { timeout: LIMIT_S * 1000 },
	},
});

/** @type {typeof import('./own-nodes.mjs').ownNodes} */
export const controlNodes = async (save, doors, keys) => {
	/** @param {string} name @param {string} url @returns {Promise<{ openAiApi: Named }>} */
	const openAi = async (name, url) => ({
		openAiApi: await save({ name, type: 'openAiApi', data: { apiKey: 'none', url: `${url}/v1` } }),
	});
	const chat = await openAi('Chat', doors.chat);
	const embed = await openAi('Embeddings', doors.embed);
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
		parameters: { ...part.parameters, authentication: 'genericCredentialType', genericAuthType: 'httpHeaderAuth' },
		credentials: await bearer(key),
	});
	const request = { response_mode: 'blocking', user: 'SAID', inputs: {} };
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
			Vectors: httpRequest(`${doors.embed}/v1/embeddings`, { model: 'soak-embedding', input: 'SAID' }),
		},
		'Dify chat, streamed': agentWith(model),
		'Dify workflow': { Dify: await withKey(httpRequest(`${doors.dify}/v1/workflows/run`, request), keys.workflow) },
		'Agent that is stopped': agentWith(model),
		'Health of three servers': {
			Models: {
				type: 'n8n-nodes-base.httpRequest',
				typeVersion: 4.2,
				parameters: { url: `${doors.chat}/v1/models`, options: {} },
			},
		},
	};
};
