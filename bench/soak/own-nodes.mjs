/** The mixed load with the nodes of this package. */
import {
	agentWith,
	CHAT_MODEL,
	EMBEDDING_MODEL,
	LIMIT_S,
	USER_TEXT,
	vectorStoreWith,
} from './parts.mjs';

/** @typedef {import('./parts.mjs').Part} Part */
/** @typedef {import('./parts.mjs').Named} Named */
/** @typedef {import('./parts.mjs').ProxyUrls} ProxyUrls */

const limits = { firstTokenLimit: LIMIT_S, idleLimit: LIMIT_S, maxRetries: 1 };

/**
 * @param {(data: import('../../scripts/lib/types').Credential) => Promise<Named>} save
 * @param {ProxyUrls} urls
 * @param {{ chat: string, workflow: string }} keys of Dify
 * @returns {Promise<Record<string, Record<string, Part>>>} the nodes after the trigger, by the name of the kind
 */
export const ownNodes = async (save, urls, keys) => {
	/** @param {string} name @param {object} data @returns {Promise<{ localLlamaApi: Named }>} */
	const llama = async (name, data) => ({
		localLlamaApi: await save({ name, type: 'localLlamaApi', data: { ...data } }),
	});
	/** @param {string} name @param {string} apiKey @returns {Promise<{ difyApi: Named }>} */
	const difyApp = async (name, apiKey) => ({
		difyApi: await save({
			name,
			type: 'difyApi',
			data: { baseUrl: `${urls.dify}/v1`, apiKey, keyType: 'app' },
		}),
	});
	// Makes the credential's queue part of the test: executions go on after their clients have left.
	const chat = await llama('Chat', { baseUrl: urls.chat, maxConcurrentRequests: 6 });
	const two = await llama('Two servers', {
		baseUrl: urls.flaky,
		furtherServers: { server: [{ baseUrl: urls.chat }] },
	});
	const embed = await llama('Embeddings', { baseUrl: urls.embed });
	const difyChat = await difyApp('Dify chat', keys.chat);
	const difyWorkflow = await difyApp('Dify workflow', keys.workflow);
	/** @param {typeof chat} credentials @returns {Part} */
	const model = (credentials) => ({
		type: 'CUSTOM.localChatModel',
		parameters: { model: CHAT_MODEL, options: limits },
		credentials,
	});
	const difyLimits = { firstByteLimit: LIMIT_S, idleLimit: LIMIT_S, maxRetries: 1 };
	/** @param {Record<string, Named>} credentials @param {object} parameters @returns {Part} */
	const health = (credentials, parameters) => ({
		type: 'CUSTOM.serverHealth',
		parameters: { operation: 'check', options: { timeLimit: LIMIT_S }, ...parameters },
		credentials,
	});
	return {
		'Agent with a tool, streamed': agentWith(model(chat)),
		'Agent with a tool, not streamed': agentWith(model(chat)),
		'Agent with two servers': agentWith(model(two)),
		'Vector store': vectorStoreWith({
			type: 'CUSTOM.localEmbeddings',
			parameters: { model: EMBEDDING_MODEL, options: limits },
			credentials: embed,
		}),
		'Local Llama chat, streamed': {
			'Local Llama': {
				type: 'CUSTOM.localLlama',
				parameters: {
					model: CHAT_MODEL,
					resource: 'text',
					operation: 'chat',
					prompt: USER_TEXT,
					options: limits,
				},
				credentials: chat,
			},
		},
		'Local Llama tokens and vectors': {
			Tokens: {
				type: 'CUSTOM.localLlama',
				parameters: {
					model: CHAT_MODEL,
					resource: 'token',
					operation: 'count',
					text: 'How many tokens?',
				},
				credentials: chat,
				to: ['Vectors'],
			},
			Vectors: {
				type: 'CUSTOM.localLlama',
				parameters: {
					...{
						model: EMBEDDING_MODEL,
						resource: 'vector',
						operation: 'embed',
						text: "={{ $('Trigger').first().json.body.text }}",
					},
					options: limits,
				},
				credentials: embed,
			},
		},
		'Dify chat, streamed': {
			Dify: {
				type: 'CUSTOM.difyChatMessage',
				parameters: { query: USER_TEXT, optionsLimits: difyLimits },
				credentials: difyChat,
			},
		},
		'Dify workflow': {
			Dify: {
				type: 'CUSTOM.difyWorkflow',
				parameters: {
					...{ resource: 'run', operation: 'execute', user: USER_TEXT, inputsMode: 'json' },
					...{ inputsJson: '{}', options: difyLimits },
				},
				credentials: difyWorkflow,
			},
		},
		'Agent that is stopped': agentWith(model(chat)),
		'Health of three servers': {
			Models: { ...health(two, { service: 'modelServer' }), outputs: 2, to: ['Dify'] },
			Dify: { ...health(difyChat, { service: 'dify' }), outputs: 2, to: ['Result'] },
			Result: { type: 'n8n-nodes-base.noOp' },
		},
	};
};
