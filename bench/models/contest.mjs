/** Contestants of `npm run bench -- models`, and how they are compared. */
import { median, runOnTexts, tokensOf } from './workflow.mjs';

/** @typedef {import('./workflow.mjs').Part} Part */
/** @typedef {import('./workflow.mjs').Outcome & { read: number, written: number, right: number }} Cost */
/** @typedef {{ work: Part, below?: Record<string, Part> }} Contestant */
/**
 * @typedef {object} Environment
 * @property {import('../../scripts/lib/types').N8nServer} n8n
 * @property {(name: string, env?: Record<string, string>) => Promise<import('../../scripts/lib/types').N8nServer>} start
 *   starts another n8n with other settings
 * @property {string} binary of llama-server
 * @property {string} folder for models
 * @property {import('../../scripts/lib/types').Log} log
 * @property {number} rounds
 * @property {number} share divides the number of items
 */

export const MODEL = 'bench-model';
export const SLOTS = 4;
export const LANGCHAIN = '@n8n/n8n-nodes-langchain';
const model = { __rl: true, mode: 'id', value: MODEL };

/** @typedef {{ further?: string[], places?: number }} CredentialOptions `places`: Max Concurrent Requests */
/** @param {string} url @param {CredentialOptions} [options] */
export const ownCredential = (url, { further = [], places = 0 } = {}) => ({
	name: 'own',
	type: 'localLlamaApi',
	data: {
		baseUrl: url,
		furtherServers: { server: further.map((baseUrl) => ({ baseUrl })) },
		maxConcurrentRequests: places,
	},
});
/** @param {string} url @param {object} parameters @param {CredentialOptions} [credential] @returns {Part} */
export const localLlama = (url, parameters, credential) => ({
	type: 'CUSTOM.localLlama',
	parameters: { resource: 'text', model, ...parameters },
	credential: ownCredential(url, credential),
});
/** @param {string} url @param {object} options @param {object} [optionsServer] @returns {Record<string, Part>} */
export const localChatModel = (url, options, optionsServer = {}) => ({
	ai_languageModel: {
		type: 'CUSTOM.localChatModel',
		parameters: { model, options, moreOptions: ['optionsServer'], optionsServer },
		credential: ownCredential(url),
	},
});
/** @param {string} url @param {object} given @returns {Record<string, Part>} by Chat Completions, as Local Chat Model does */
export const openAi = (url, given) => ({
	ai_languageModel: {
		type: `${LANGCHAIN}.lmChatOpenAi`,
		typeVersion: 1.3,
		parameters: { model, responsesApiEnabled: false, options: given },
		credential: { name: 'openai', type: 'openAiApi', data: { apiKey: 'none', url: `${url}/v1` } },
	},
});

/**
 * Runs all contestants in turn, so that a change of the machine's speed affects all alike.
 *
 * @param {Environment} environment
 * @param {string} title
 * @param {string[]} texts
 * @param {Record<string, Contestant>} contestants
 * @param {{ url?: string, rightOf?: (items: Array<Record<string, unknown>>) => number }} options `url`: of the server whose tokens count, if any
 * @returns {Promise<Record<string, Cost>>} the median of each, over the rounds that did not fail; no entry if all failed
 */
export const contest = async (
	{ n8n, log, rounds },
	title,
	texts,
	contestants,
	{ url, rightOf = () => NaN },
) => {
	/** @type {Record<string, Cost[]>} */
	const costs = {};
	for (let round = 1; round <= rounds; round += 1) {
		for (const [name, { work, below }] of Object.entries(contestants)) {
			await log.step(`${title}, round ${round}: ${name}`, async (progress) => {
				const counted = async () =>
					url === undefined ? { read: NaN, written: NaN } : await tokensOf(url);
				const before = await counted();
				const run = runOnTexts(n8n, `${title}: ${name}`, texts, work, below);
				const outcome = await run.catch((/** @type {Error} */ error) => error);
				if (outcome instanceof Error) {
					progress.note(outcome.message);
					return;
				}
				const after = await counted();
				const [read, written] = [after.read - before.read, after.written - before.written];
				(costs[name] ??= []).push({ ...outcome, read, written, right: rightOf(outcome.items) });
				const { seconds, items } = outcome;
				progress.note(
					`${seconds.toFixed(1)} s, ${items.length} items, ${read} tokens read, ${written} written`,
				);
			});
		}
	}
	return Object.fromEntries(
		Object.entries(costs).map(([name, all]) => {
			const of = (/** @type {'seconds' | 'read' | 'written' | 'right'} */ key) =>
				median(all.map((cost) => cost[key]));
			const items = all[0]?.items ?? [];
			return [
				name,
				{
					items,
					seconds: of('seconds'),
					read: of('read'),
					written: of('written'),
					right: of('right'),
				},
			];
		}),
	);
};

/** @param {number} rounds */
export const medianOf = (rounds) => (rounds === 1 ? 'One round.' : `Medians of ${rounds} rounds.`);
