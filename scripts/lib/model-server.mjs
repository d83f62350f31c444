/** Finds the model server that n8n talks to: the user's own, or one started here. */
import { rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { startLlamaServer } from './llama-server.mjs';
import { SMOLLM2_NAME } from './model.mjs';
import { startData } from './paths.mjs';
import { freePortFrom } from './ports.mjs';

/** @typedef {import('./types').ModelServer} ModelServer */

/** The default of older servers, and of llama.cpp since the autumn of 2026. */
const LOCAL_PORTS = [8080, 9931];
const PROBE_TIMEOUT_MS = 3000;
/** In tokens: SmolLM2 was trained with 8,192; an agent's prompt with tools takes about 1,000. */
const CONTEXT_SIZE = 8192;

/**
 * @param {string} url
 * @param {string} [apiKey]
 * @returns {Promise<{ status: number, text: string }>} 0 where nothing answers
 */
const get = async (url, apiKey) => {
	try {
		const headers = apiKey ? { authorization: `Bearer ${apiKey}`, 'x-api-key': apiKey } : {};
		const signal = AbortSignal.timeout(PROBE_TIMEOUT_MS);
		const response = await fetch(url, { headers, signal });
		return { status: response.status, text: await response.text() };
	} catch (error) {
		return { status: 0, text: String(error) };
	}
};

/**
 * Reads `LOCAL_LLAMA_BASE_URL` as the nodes read their Base URL: with or without a scheme, `/v1` and slashes.
 *
 * @param {string} typed
 * @returns {string} the address of the server
 */
export const originOf = (typed) => {
	const text = /^\w+:\/\//.test(typed) ? typed : `http://${typed}`;
	const url = URL.canParse(text) ? new URL(text) : undefined;
	if (!url || url.username || !/^https?:$/.test(url.protocol))
		throw new Error('LOCAL_LLAMA_BASE_URL must be http://… or https://…, without a user');
	return url.origin + url.pathname.replace(/\/+(v1\/*)?$/, '');
};

/**
 * @param {string} url of the server
 * @param {string} [apiKey]
 * @returns {Promise<{ status: number, models: string[] }>}
 */
const listModels = async (url, apiKey) => {
	const { status, text } = await get(`${url}/v1/models`, apiKey);
	try {
		/** @type {{ data: Array<{ id: unknown }> }} */
		const { data } = JSON.parse(text);
		return { status, models: status === 200 ? data.map(({ id }) => String(id)) : [] };
	} catch {
		return { status, models: [] };
	}
};

/**
 * @param {import('./types').Log} log
 * @param {number} port of this machine
 * @param {string} [apiKey]
 * @returns {Promise<ModelServer | undefined>} the server that answers there, unless it wants another key
 */
const serverOnPort = async (log, port, apiKey) => {
	const baseUrl = `http://127.0.0.1:${port}`;
	const { status, models } = await listModels(baseUrl, apiKey);
	// Older llama-servers list their models without a key, but require it for the rest.
	const rest = models.length > 0 ? (await get(`${baseUrl}/props`, apiKey)).status : status;
	if (rest === 401 || rest === 403) {
		log.line(`  A server on port ${port} wants a key, so it is not used. To use it:`);
		log.line(`  LOCAL_LLAMA_BASE_URL=${baseUrl} LOCAL_LLAMA_API_KEY=… npm start`);
		return undefined;
	}
	const [model] = models;
	if (model === undefined) return undefined;
	const description = `already answering on port ${port}`;
	return { baseUrl, apiKey, model, models, description, stop: async () => {} };
};

/**
 * Finds a running server: `LOCAL_LLAMA_BASE_URL`, or one that serves models on a usual port of this machine.
 *
 * @param {import('./types').Log} log
 * @param {{ env?: Record<string, string | undefined>, ports?: number[] }} [where]
 * @returns {Promise<ModelServer | undefined>}
 */
export const findModelServer = async (log, { env = process.env, ports = LOCAL_PORTS } = {}) => {
	const { LOCAL_LLAMA_BASE_URL: baseUrl, LOCAL_LLAMA_API_KEY: apiKey } = env;
	if (baseUrl) {
		const { status, models } = await listModels(originOf(baseUrl), apiKey);
		if (models.length === 0) log.line(`  Warning: ${baseUrl} lists no models (HTTP ${status})`);
		// A server that lists no models may still have one; why it does not answer is diagnosed by the node.
		const model = env.LOCAL_LLAMA_MODEL || models[0] || 'default';
		const description = 'LOCAL_LLAMA_BASE_URL';
		return { baseUrl, apiKey, model, models, description, stop: async () => {} };
	}
	for (const port of ports) {
		const found = await serverOnPort(log, port, apiKey);
		if (found) return found;
	}
	return undefined;
};

/**
 * @param {import('./types').Log} log
 * @param {string} binary
 * @param {{ file: string, alias: string }} model
 * @returns {Promise<ModelServer>}
 */
export const startModelServer = async (log, binary, { file, alias }) =>
	await log.step('start of llama-server', async (progress) => {
		const logFile = join(startData, 'llama-server.log');
		rmSync(logFile, { force: true });
		const cores = availableParallelism();
		const server = await startLlamaServer(binary, {
			model: file,
			alias,
			port: await freePortFrom(LOCAL_PORTS[0] ?? 0),
			...(alias === SMOLLM2_NAME ? { contextSize: CONTEXT_SIZE, parallel: 1 } : {}),
			// n8n needs a core too.
			threads: cores > 2 ? cores - 1 : cores,
			logFile,
		});
		progress.note(server.url);
		const description = 'started here, on the processor';
		const { url: baseUrl, service, stop } = server;
		return { baseUrl, model: alias, models: [alias], description, service, stop };
	});
