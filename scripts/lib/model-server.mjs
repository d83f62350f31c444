/** Finds the model server that n8n talks to: the user's own, or one started here. */
import { rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { resolveBaseUrl } from './base-url.mjs';
import { startData } from './paths.mjs';
import { freePortFrom } from './ports.mjs';
import { startLlamaServer } from './llama-server.mjs';
import { SMOLLM2_NAME } from './model.mjs';

/** @typedef {import('./types').ModelServer} ModelServer */

const LOCAL_PORT = 8080;
/** The default of older servers, and of llama.cpp since the autumn of 2026. */
const LOCAL_PORTS = [LOCAL_PORT, 9931];
const PROBE_TIMEOUT_MS = 3000;
/** In tokens: SmolLM2 was trained with 8,192; an agent's prompt with tools takes about 1,000. */
const CONTEXT_SIZE = 8192;

/** @param {string} [apiKey] */
const request = (apiKey) => ({
	headers: apiKey ? { authorization: `Bearer ${apiKey}`, 'x-api-key': apiKey } : {},
	signal: AbortSignal.timeout(PROBE_TIMEOUT_MS),
});

/**
 * @param {string} url
 * @param {string} [apiKey]
 * @returns {Promise<{ models: string[], problem?: string, refused?: boolean }>} `refused`: it requires another key
 */
const listModels = async (url, apiKey) => {
	try {
		const response = await fetch(url, request(apiKey));
		const text = await response.text();
		if (!response.ok) {
			const problem = `HTTP ${response.status} ${text.slice(0, 200)}`;
			return { models: [], problem, refused: isRefusal(response) };
		}
		/** @type {{ data?: Array<{ id?: unknown }> }} */
		const list = JSON.parse(text);
		if (!Array.isArray(list.data))
			return { models: [], problem: 'the answer is not a list of models' };
		return { models: list.data.map(({ id }) => String(id)) };
	} catch (error) {
		const cause = error instanceof Error && error.cause instanceof Error ? error.cause.message : '';
		return {
			models: [],
			problem: cause || (error instanceof Error ? error.message : String(error)),
		};
	}
};

/** @param {Response} response */
const isRefusal = ({ status }) => status === 401 || status === 403;

/**
 * Older llama-servers list their models without a key, but require it for the rest.
 *
 * @param {string} url of the server
 * @param {string} [apiKey]
 * @returns {Promise<boolean>}
 */
const refusesTheRest = async (url, apiKey) => {
	try {
		const response = await fetch(`${url}/props`, request(apiKey));
		await response.body?.cancel();
		return isRefusal(response);
	} catch {
		return false;
	}
};

/**
 * Reads `LOCAL_LLAMA_BASE_URL` as the nodes read their Base URL.
 *
 * @param {Record<string, string | undefined>} [env]
 * @returns {{ typed: string, list: string } | undefined} what was typed, and the address of its model list
 * @throws when the URL is invalid, with the reason
 */
export const namedServer = ({ LOCAL_LLAMA_BASE_URL: typed } = process.env) => {
	if (typed === undefined || typed.trim() === '') return undefined;
	try {
		return { typed, list: `${resolveBaseUrl(typed).api}/models` };
	} catch (error) {
		throw new Error(
			`LOCAL_LLAMA_BASE_URL cannot be used. ${error instanceof Error ? error.message : String(error)}`,
		);
	}
};

/** @returns {ModelServer['stop']} */
const nothingToStop = () => async () => {};

/**
 * Finds a running server: `LOCAL_LLAMA_BASE_URL`, or one that serves models on a local default
 * port.
 *
 * @param {import('./types').Log} log
 * @param {{ env?: Record<string, string | undefined>, port?: number }} [where] `port`: the only one that is looked at
 * @returns {Promise<ModelServer | undefined>}
 */
export const findModelServer = async (log, { env = process.env, port } = {}) => {
	const { LOCAL_LLAMA_API_KEY: apiKey, LOCAL_LLAMA_MODEL: named } = env;
	const server = namedServer(env);
	if (server) {
		const { typed: baseUrl, list } = server;
		const { models, problem } = await listModels(list, apiKey);
		if (problem) log.line(`  Warning: ${list} did not answer as expected: ${problem}`);
		// A server that cannot list its models may still have one; an unreachable server is diagnosed by the node.
		const model = named || models[0] || 'default';
		return {
			baseUrl,
			apiKey,
			model,
			models,
			description: 'LOCAL_LLAMA_BASE_URL',
			stop: nothingToStop(),
		};
	}
	for (const one of port === undefined ? LOCAL_PORTS : [port]) {
		const local = await serverOnPort(log, one, apiKey);
		if (local !== undefined) return local;
	}
	return undefined;
};

/**
 * @param {import('./types').Log} log
 * @param {number} port
 * @param {string} [apiKey]
 * @returns {Promise<ModelServer | undefined>}
 */
async function serverOnPort(log, port, apiKey) {
	const local = `http://127.0.0.1:${port}`;
	const { models, problem, refused = false } = await listModels(`${local}/v1/models`, apiKey);
	if (refused || (models.length > 0 && (await refusesTheRest(local, apiKey)))) {
		const key = apiKey ? 'another key than LOCAL_LLAMA_API_KEY' : 'a key';
		log.line(`  A server on port ${port} wants ${key}, so it is not used. To use it:`);
		log.line(`  LOCAL_LLAMA_BASE_URL=${local} LOCAL_LLAMA_API_KEY=… npm start`);
		return undefined;
	}
	if (problem || models.length === 0) return undefined;
	const description = `already answering on port ${port}`;
	return {
		baseUrl: local,
		apiKey,
		model: models[0] ?? '',
		models,
		description,
		stop: nothingToStop(),
	};
}

/**
 * @param {import('./types').Log} log
 * @param {string} binary
 * @param {{ file: string, alias: string }} model
 * @returns {Promise<ModelServer>}
 */
export const startModelServer = async (log, binary, { file, alias }) =>
	await log.step('start of llama-server', async (progress) => {
		const port = await freePortFrom(LOCAL_PORT);
		const logFile = join(startData, 'llama-server.log');
		rmSync(logFile, { force: true });
		const server = await startLlamaServer(binary, {
			model: file,
			alias,
			port,
			...(alias === SMOLLM2_NAME ? { contextSize: CONTEXT_SIZE, parallel: 1 } : {}),
			// n8n needs a core too.
			threads: Math.max(1, availableParallelism() - (availableParallelism() > 2 ? 1 : 0)),
			logFile,
		});
		progress.note(server.url);
		return {
			baseUrl: server.url,
			model: alias,
			models: [alias],
			description: 'started here, on the processor',
			service: server.service,
			stop: server.stop,
		};
	});
