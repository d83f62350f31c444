/** Many short items: what the nodes themselves cost. */
import { join } from 'node:path';
import { startLlamaServer } from '../../scripts/lib/llama-server.mjs';
import { writeTinyModel } from '../../scripts/lib/tiny-model.mjs';
import { ratio } from './workflow.mjs';
import { startInstantServer } from './instant-server.mjs';
import { startSlotsGate } from './slots-gate.mjs';
import {
	contest,
	medianOf,
	LANGCHAIN,
	localLlama,
	MODEL,
	openAi,
	ownCredential,
	SLOTS,
} from './contest.mjs';

/** @typedef {import('./contest.mjs').Contestant} Contestant */

const OWN = 'Local Llama, Chat, 4 items at once';
const HTTP_REQUEST = "n8n's HTTP Request, which sends all at once";
const HTTP_REQUEST_WITH_KEY = `${HTTP_REQUEST}, with the credential of Local Llama`;
const VARYING_MS = /** @type {const} */ ([20, 180]);
const EQUAL_MS = 100;
/** As it was when 0 was no limit: the server's own line orders all that is sent at once. */
const PLACES = 64;
const WITH_PLACES = `Local Llama, Chat, 64 items at once, Max Concurrent Requests ${PLACES}`;
/** What shows whether the line of n8n costs throughput. */
const LINES = [
	OWN,
	'Local Llama, Chat, 16 items at once',
	'Local Llama, Chat, 64 items at once',
	WITH_PLACES,
	HTTP_REQUEST,
];

/** @param {import('./contest.mjs').Environment} environment */
const start = async (environment) => {
	const model = join(environment.folder, 'short.gguf');
	writeTinyModel(model, { contextLength: 4096, meanTokens: Infinity });
	return await startLlamaServer(environment.binary, {
		model,
		alias: MODEL,
		contextSize: 4096,
		parallel: SLOTS,
		threads: 1,
		args: ['--metrics'],
	});
};

/**
 * @param {import('./contest.mjs').Environment} environment
 * @param {string} title
 * @param {number} count of items
 * @param {string} url what the nodes ask
 * @param {{ counts?: boolean, only?: string[] }} [options] whether the server counts tokens; which contestants
 * @returns {Promise<string[]>} the table
 */
const compare = async (environment, title, count, url, { counts = true, only } = {}) => {
	const texts = Array.from({ length: count }, (_, at) => `Say something about number ${at}.`);
	/** @param {object} given @returns {Contestant} */
	const chain = (given) => ({
		work: {
			type: `${LANGCHAIN}.chainLlm`,
			typeVersion: 1.9,
			parameters: { promptType: 'define', text: '={{ $json.text }}', ...given },
		},
		below: openAi(url, { maxTokens: 16 }),
	});
	/** @param {number} itemsAtOnce @param {number} [places] @returns {Contestant} */
	const own = (itemsAtOnce, places = 0) => {
		const prompt = '={{ $json.text }}';
		const parameters = { operation: 'chat', prompt, options: { maxTokens: 16, itemsAtOnce } };
		return { work: localLlama(url, parameters, { places }) };
	};
	/** @type {import('./workflow.mjs').Part} */
	const httpRequest = {
		type: 'n8n-nodes-base.httpRequest',
		typeVersion: 4.2,
		parameters: {
			method: 'POST',
			url: `${url}/v1/chat/completions`,
			sendBody: true,
			specifyBody: 'json',
			jsonBody: `={{ JSON.stringify({ model: '${MODEL}', max_tokens: 16, messages: [{ role: 'user', content: $json.text }] }) }}`,
			options: {},
		},
	};
	/** @type {Record<string, Contestant>} */
	const contestants = {
		[OWN]: own(SLOTS),
		'Local Llama, Chat, 16 items at once': own(16),
		'Local Llama, Chat, 64 items at once': own(64),
		...(counts && { [WITH_PLACES]: own(64, PLACES) }),
		'Basic LLM Chain as added': chain({}),
	};
	for (const batchSize of [SLOTS, 16, 64]) {
		contestants[`Basic LLM Chain, batches of ${batchSize}`] = chain({ batching: { batchSize } });
	}
	// Its batches wait for their interval only, not for the answers.
	contestants[HTTP_REQUEST] = { work: httpRequest };
	contestants[HTTP_REQUEST_WITH_KEY] = {
		work: {
			...httpRequest,
			parameters: {
				...httpRequest.parameters,
				authentication: 'predefinedCredentialType',
				nodeCredentialType: 'localLlamaApi',
			},
			credential: ownCredential(url),
		},
	};
	const chosen = Object.entries(contestants).filter(([name]) => only?.includes(name) ?? true);
	const results = await contest(
		environment,
		title,
		texts,
		Object.fromEntries(chosen),
		counts ? { url } : {},
	);
	const mine = results[OWN]?.seconds ?? NaN;
	return [
		'| | time, s | items per second | time against Local Llama |',
		'|---|---|---|---|',
		...chosen.map(([name]) => row(name, count, mine, results[name])),
	];
};

/**
 * @param {string} name
 * @param {number} count of items
 * @param {number} mine seconds of Local Llama
 * @param {import('./contest.mjs').Cost} [cost] none if each round failed
 */
const row = (name, count, mine, cost) => {
	if (cost === undefined) return `| ${name} | failed | | |`;
	const { seconds } = cost;
	return `| ${name} | ${seconds.toFixed(2)} | ${(count / seconds).toFixed(0)} | ${ratio(seconds / mine)} |`;
};

/** @param {import('./contest.mjs').Environment} environment @returns {Promise<string[]>} */
export const items = async (environment) => {
	const server = await start(environment);
	const count = 1000 / environment.share;
	const table = await compare(environment, 'short items', count, server.url);
	await server.stop();
	return [
		'## Many short items',
		'',
		`${count} questions of a few words, ${SLOTS} slots. The model is generated (0.4 MB) and answers with 16 tokens within milliseconds, on the same cores as n8n: its slots work one after another, and the table shows what the nodes themselves cost. The Basic LLM Chain has n8n's OpenAI Chat Model below it. ${medianOf(environment.rounds)}`,
		'',
		...table,
	];
};

/** @param {import('./contest.mjs').Environment} environment @returns {Promise<string[]>} */
export const slots = async (environment) => {
	const server = await start(environment);
	const count = 1000 / environment.share;
	/** @param {string} title @param {number | readonly [number, number]} holdMs @param {string[]} [only] */
	const table = async (title, holdMs, only) => {
		const gate = await startSlotsGate(server.url, { slots: SLOTS, holdMs });
		const lines = await compare(environment, title, count, gate.url, { only });
		gate.stop();
		return lines;
	};
	const varying = await table('slots', VARYING_MS);
	const equal = await table('slots, equal lengths', EQUAL_MS, LINES);
	await server.stop();
	return [
		'## Many short items on slots that work at the same time',
		'',
		`${count} of the same questions. As on a graphics card, the ${SLOTS} slots work at the same time: the same llama-server stands behind a proxy that lets ${SLOTS} generations through at once and keeps each for ${VARYING_MS.join(' to ')} ms, as answers of different lengths take. Without another number, *Max Concurrent Requests* is 0: the nodes send as many at once as the server has slots. With ${PLACES}, and by HTTP Request, all wait in the line of the server. ${medianOf(environment.rounds)}`,
		'',
		...varying,
		'',
		`The same with answers of equal length, ${EQUAL_MS} ms each:`,
		'',
		...equal,
	];
};

/** @param {import('./contest.mjs').Environment} environment @returns {Promise<string[]>} */
export const instant = async (environment) => {
	const server = await startInstantServer();
	const count = 1000 / environment.share;
	const table = await compare(environment, 'instant', count, server.url, { counts: false });
	server.stop();
	return [
		'## Many short items on a server that answers at once',
		'',
		`${count} of the same questions. The server is a process of its own that answers without a model: the table shows what the nodes and n8n cost. ${medianOf(environment.rounds)}`,
		'',
		...table,
	];
};
