/** Finds the model server that n8n talks to: the user's own, or one started here. */
import { rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { startLlamaServer } from './llama-server.mjs';
import { SMOLLM2_NAME } from './model.mjs';
import { root, startData } from '../system/paths.mjs';
import { freePortFrom } from '../system/ports.mjs';

/** @typedef {import('../types').ModelServer} ModelServer */

/** The default that llama-server announces for a later release, and the present one. */
const LOCAL_PORTS = [9931, 8080];
const PROBE_TIMEOUT_MS = 3000;
/** It was trained with 8,192 tokens; an agent's prompt with tools takes about 1,000. Its template does not support tools. */
const SMOLLM2_OPTIONS = {
	contextSize: 8192,
	parallel: 1,
	args: ['--chat-template-file', join(root, 'test', 'fixtures', 'chatml-tools.jinja')],
};

/**
 * @param {string} url
 * @param {string} [apiKey]
 * @returns {Promise<{ status: number, models: string[] }>} status 0 if there is no response
 */
const listModels = async (url, apiKey = '') => {
	try {
		const headers = { authorization: `Bearer ${apiKey}`, 'x-api-key': apiKey };
		const signal = AbortSignal.timeout(PROBE_TIMEOUT_MS);
		const response = await fetch(url, { headers: apiKey ? headers : {}, signal });
		const list = await response.json().catch(() => undefined);
		const { data = [] } = /** @type {{ data?: Array<{ id: unknown }> }} */ (list ?? {});
		return { status: response.status, models: data.map(({ id }) => String(id)) };
	} catch {
		return { status: 0, models: [] };
	}
};

/**
 * Reads `LOCAL_LLAMA_BASE_URL` as the nodes read their Base URL: with or without a scheme, `/v1` and slashes.
 *
 * @param {string} input
 * @returns {string} the server URL
 */
export const toOrigin = (input) => {
	const text = /^\w+:\/\//.test(input) ? input : `http://${input}`;
	const url = URL.canParse(text) ? new URL(text) : undefined;
	if (!url || url.username || !/^https?:$/.test(url.protocol))
		throw new Error('LOCAL_LLAMA_BASE_URL must be http://… or https://…, without a user');
	return url.origin + url.pathname.replace(/\/+(v1\/*)?$/, '');
};

/**
 * Finds a running server: `LOCAL_LLAMA_BASE_URL`, or one that serves models on a usual port of this machine.
 *
 * @param {import('../types').Log} log
 * @param {{ env?: Record<string, string | undefined>, ports?: number[] }} [where]
 * @returns {Promise<ModelServer | undefined>}
 */
export const findModelServer = async (log, { env = process.env, ports = LOCAL_PORTS } = {}) => {
	const { LOCAL_LLAMA_BASE_URL: named, LOCAL_LLAMA_API_KEY: apiKey } = env;
	const stop = async () => {};
	if (named) {
		const { status, models } = await listModels(`${toOrigin(named)}/v1/models`, apiKey);
		if (models.length === 0) log.line(`  Warning: ${named} lists no models (HTTP ${status})`);
		// A server that lists no models may still have one; why it does not answer is diagnosed by the node.
		const model = env.LOCAL_LLAMA_MODEL || models[0] || 'default';
		return { baseUrl: named, apiKey, model, models, description: 'LOCAL_LLAMA_BASE_URL', stop };
	}
	for (const port of ports) {
		const baseUrl = `http://127.0.0.1:${port}`;
		const { status, models } = await listModels(`${baseUrl}/v1/models`, apiKey);
		const [model] = models;
		// Older llama-servers list their models without a key, but require it for the rest.
		const rest =
			model === undefined ? status : (await listModels(`${baseUrl}/props`, apiKey)).status;
		if (rest === 401 || rest === 403) {
			log.line(`  A server on port ${port} wants a key, so it is not used. To use it:`);
			log.line(`  LOCAL_LLAMA_BASE_URL=${baseUrl} LOCAL_LLAMA_API_KEY=… npm start`);
		} else if (model !== undefined) {
			return { baseUrl, apiKey, model, models, description: `answering on port ${port}`, stop };
		}
	}
	return undefined;
};

/**
 * @param {import('../types').Log} log
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
			...(alias === SMOLLM2_NAME ? SMOLLM2_OPTIONS : {}),
			// n8n needs a core too.
			threads: cores > 2 ? cores - 1 : cores,
			logFile,
		});
		progress.note(server.url);
		const description = 'started here, on the processor';
		const { url: baseUrl, service, stop } = server;
		return { baseUrl, model: alias, models: [alias], description, service, stop };
	});
