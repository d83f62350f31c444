/** Which model server n8n talks to: the user's own, or one started here. */
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { resolveBaseUrl } from './base-url.mjs';
import { startData } from './paths.mjs';
import { freePortFrom } from './ports.mjs';
import { startLlamaServer } from './llama-server.mjs';
import { SMOLLM2_NAME } from './model.mjs';

/** @typedef {import('./types').ModelServer} ModelServer */

const LOCAL_PORT = 8080;
const PROBE_TIMEOUT_MS = 3000;
/** SmolLM2 was trained with 8,192 tokens; an agent's prompt with tools takes about 1,000 of them. */
const CONTEXT_SIZE = 8192;

/**
 * @param {string} url
 * @param {string} [apiKey]
 * @returns {Promise<{ models: string[], problem?: string }>}
 */
const listModels = async (url, apiKey) => {
	try {
		const response = await fetch(url, {
			headers: apiKey ? { authorization: `Bearer ${apiKey}`, 'x-api-key': apiKey } : {},
			signal: AbortSignal.timeout(PROBE_TIMEOUT_MS),
		});
		const text = await response.text();
		if (!response.ok) return { models: [], problem: `HTTP ${response.status} ${text.slice(0, 200)}` };
		/** @type {{ data?: Array<{ id?: unknown }> }} */
		const list = JSON.parse(text);
		if (!Array.isArray(list.data)) return { models: [], problem: 'the answer is not a list of models' };
		return { models: list.data.map(({ id }) => String(id)) };
	} catch (error) {
		const cause = error instanceof Error && error.cause instanceof Error ? error.cause.message : '';
		return { models: [], problem: cause || (error instanceof Error ? error.message : String(error)) };
	}
};

/**
 * `LOCAL_LLAMA_BASE_URL`, read as the nodes read their Base URL.
 *
 * @param {Record<string, string | undefined>} [env]
 * @returns {{ typed: string, list: string } | undefined} what was typed, and the address of its model list
 * @throws where it cannot be used, with a sentence that says why
 */
export const namedServer = ({ LOCAL_LLAMA_BASE_URL: typed } = process.env) => {
	if (typed === undefined || typed.trim() === '') return undefined;
	try {
		return { typed, list: `${resolveBaseUrl(typed).api}/models` };
	} catch (error) {
		throw new Error(`LOCAL_LLAMA_BASE_URL cannot be used. ${error instanceof Error ? error.message : String(error)}`);
	}
};

/** @returns {ModelServer['stop']} */
const nothingToStop = () => async () => {};

/**
 * The server that needs no start: `LOCAL_LLAMA_BASE_URL`, or whatever serves models on port 8080 of this machine.
 *
 * @param {import('./types').Log} log
 * @returns {Promise<ModelServer | undefined>}
 */
export const findModelServer = async (log) => {
	const { LOCAL_LLAMA_API_KEY: apiKey, LOCAL_LLAMA_MODEL: named } = process.env;
	const server = namedServer();
	if (server) {
		const { typed: baseUrl, list } = server;
		const { models, problem } = await listModels(list, apiKey);
		if (problem) log.line(`  Warning: ${list} did not answer as expected: ${problem}`);
		// A server that cannot list its models may still have one, and one that cannot be reached is diagnosed by the node.
		const model = named || models[0] || 'default';
		return { baseUrl, apiKey, model, models, description: 'LOCAL_LLAMA_BASE_URL', stop: nothingToStop() };
	}
	const local = `http://127.0.0.1:${LOCAL_PORT}`;
	const { models, problem } = await listModels(`${local}/v1/models`, apiKey);
	if (/^HTTP 40[13]\b/.test(problem ?? '')) {
		log.line(`  A server on port ${LOCAL_PORT} wants a key, so it is not used. To use it:`);
		log.line(`  LOCAL_LLAMA_BASE_URL=${local} LOCAL_LLAMA_API_KEY=… npm start`);
	}
	if (problem || models.length === 0) return undefined;
	const description = `already answering on port ${LOCAL_PORT}`;
	return { baseUrl: local, apiKey, model: models[0] ?? '', models, description, stop: nothingToStop() };
};

/**
 * @param {import('./types').Log} log
 * @param {string} binary
 * @param {{ file: string, alias: string }} model
 * @returns {Promise<ModelServer>}
 */
export const startModelServer = async (log, binary, { file, alias }) =>
	await log.step('start of llama-server', async (progress) => {
		const port = await freePortFrom(LOCAL_PORT);
		const server = await startLlamaServer(binary, {
			model: file,
			alias,
			port,
			...(alias === SMOLLM2_NAME ? { contextSize: CONTEXT_SIZE, parallel: 1 } : {}),
			// n8n needs a core too.
			threads: Math.max(1, availableParallelism() - (availableParallelism() > 2 ? 1 : 0)),
			logFile: join(startData, 'llama-server.log'),
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
