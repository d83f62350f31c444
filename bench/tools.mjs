/**
 * `npm run bench -- tools`: the prompts of the tool test with 10, 40 and 120 tools, with and without *Tools at Once*. A real
 * llama-server with SmolLM2 counts their tokens and answers, and one with all-MiniLM-L6-v2 makes the vectors. Writes
 * bench/results/tools.md. Options: bench/lib/programs.mjs.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ensureLlamaServer, startLlamaServer } from '../scripts/lib/llama-server.mjs';
import { createLog } from '../scripts/lib/log.mjs';
import { main } from '../scripts/lib/main.mjs';
import { ensureMiniLm } from '../scripts/lib/minilm.mjs';
import { ensureSmolLm2 } from '../scripts/lib/model.mjs';
import { root } from '../scripts/lib/paths.mjs';
import { machine, nodeVersion } from './lib/machine.mjs';
import { partsOf } from './lib/parts.mjs';
import { otherTools } from './tools/other-tools.mjs';

/** @typedef {{ name: string, description?: string, parameters: object }} Tool */
/** @typedef {{ name: string, arguments: object }} Call */
/** @typedef {{ question: string, calls: Call[] }} Case */
/** @typedef {Case & { conversation: object, offered: Tool[] }} Request */
/** @typedef {(question: string, tools: Tool[]) => Promise<number[]>} Rank */
/** @typedef {{ rightTool: number, rightCall: number }} Calls of a model, one for each question that needs any */
/** @typedef {{ tools: number, offered: string, needed: string, promptTokens: number, calls?: Calls }} Row */

const { values: options } = parseArgs({
	options: { quick: { type: 'boolean', default: false } },
});
const COUNTS = options.quick ? [10] : [10, 40, 120];
const AT_ONCE = 8;
/** Of SmolLM2. */
const CONTEXT = 8192;
const TOKENS_PER_ANSWER = 128;
const MAX_ANSWER_MS = 900_000;
/** Left to itself, SmolLM2 calls nothing: so its answer begins with a call. */
const BEGUN_CALL = '<tool_call>\n{"name": "';
const log = createLog();

await main(async () => {
	const parts = await partsOf(root, [
		'chat/prompt',
		'chat/request/tools-at-once',
		'chat/wire/openai-tool-calls',
		'embeddings/client',
		'health/tools/cases',
		'servers/connect',
	]);
	const binary = await ensureLlamaServer(log);
	const chat = await startLlamaServer(binary, {
		model: await ensureSmolLm2(log),
		contextSize: CONTEXT,
		parallel: 1,
		threads: 1,
		// The template of the model itself leaves tools out.
		args: ['--chat-template-file', join(root, 'test', 'fixtures', 'chatml-tools.jinja')],
	});
	const vectors = await startLlamaServer(binary, {
		model: (await ensureMiniLm(log)).embedding,
		parallel: 1,
		threads: 1,
		args: ['--embeddings'],
	});
	try {
		const server = parts.connectTo({ baseUrl: chat.url });
		const embedder = new parts.EmbeddingsClient(parts.connectTo({ baseUrl: vectors.url }), {
			model: 'minilm',
			prefixes: {},
			longTexts: 'truncate',
			blankTexts: 'space',
			batchSize: 32,
			limits: {},
			retries: 0,
		});
		/** @type {Rank} */
		const byWords = async (question, tools) => parts.fitByWords([question], tools);
		/** @type {Rank} */
		const byVectors = async (question, tools) => {
			const asked = await embedder.embed([question], 'query');
			const known = await embedder.embed(tools.map(parts.describeTool), 'document');
			return parts.fitOfTools(asked.vectors, known.vectors, product);
		};
		/** @type {Row[]} */
		const rows = [];
		for (const count of COUNTS) {
			const tools = withOthers(parts.TOOLS, count);
			for (const [offered, rank] of /** @type {[string, Rank | undefined][]} */ ([
				['all', undefined],
				[`${AT_ONCE}, by words`, byWords],
				[`${AT_ONCE}, by embeddings`, byVectors],
			])) {
				const { requests, ...row } = await measure(parts, server, tools, rank);
				// The vectors choose nearly the same tools as the words.
				const isAsked = rank !== byVectors && count < 120;
				const calls = isAsked ? await callsOf(parts, server, requests) : undefined;
				rows.push({ tools: count, offered, ...row, calls });
			}
		}
		const page = await pageOf(rows, parts.CASES);
		if (!options.quick) writeFileSync(join(root, 'bench', 'results', 'tools.md'), page);
		log.line(page);
		return 0;
	} finally {
		await chat.stop();
		await vectors.stop();
	}
});

/**
 * The tools of the test spread evenly among others, as they stand among those of several MCP servers.
 *
 * @param {Tool[]} tools
 * @param {number} count
 * @returns {Tool[]}
 */
function withOthers(tools, count) {
	/** @type {Tool[]} */
	const all = otherTools(count - tools.length);
	const step = count / tools.length;
	for (const [at, tool] of tools.entries()) all.splice(Math.floor(at * step), 0, tool);
	return all;
}

/**
 * Makes the prompt of each question once.
 *
 * @param {Record<string, any>} parts
 * @param {any} server
 * @param {Tool[]} tools
 * @param {Rank | undefined} rank undefined: all tools are offered
 */
async function measure(parts, server, tools, rank) {
	const sums = { promptTokens: 0, offered: 0, needed: 0 };
	/** @type {Request[]} */
	const requests = [];
	for (const one of parts.CASES) {
		const { question, calls } = one;
		const fit = rank === undefined ? [] : await rank(question, tools);
		const most = rank === undefined ? tools.length : AT_ONCE;
		const called = { earlier: new Set(), inTurn: new Set() };
		const { offered } = parts.toolsToOffer(tools, fit, most, called);
		const names = new Set(calls.map((/** @type {{ name: string }} */ call) => call.name));
		sums.needed += names.size;
		sums.offered += offered.filter((/** @type {Tool} */ tool) => names.has(tool.name)).length;
		const messages = [
			{ type: 'system', content: 'You are a helpful assistant' },
			{ type: 'human', content: question },
		];
		const conversation = { messages, ...parts.toolsField(offered) };
		const { tokens, exact } = await parts.countPrompt(server, conversation, { model: 'smollm2' });
		if (!exact) throw new Error('This llama-server does not count the tokens of a conversation');
		sums.promptTokens += tokens;
		requests.push({ ...one, conversation, offered });
	}
	return {
		needed: `${sums.offered} of ${sums.needed}`,
		promptTokens: Math.round(sums.promptTokens / parts.CASES.length),
		requests,
	};
}

/**
 * What the model calls first, asked once for each question that needs a call.
 *
 * @param {Record<string, any>} parts
 * @param {any} server
 * @param {Request[]} requests
 * @returns {Promise<Calls>}
 */
async function callsOf(parts, server, requests) {
	const sums = { rightTool: 0, rightCall: 0 };
	for (const { calls, conversation, offered } of requests) {
		if (calls.length === 0) continue;
		const prompt = await parts.applyTemplate(server, conversation, { model: 'smollm2' });
		const made = await callAfter(server, prompt);
		if (calls.some(({ name }) => name === made.name)) sums.rightTool++;
		const isRight = (/** @type {Call} */ call) =>
			parts.judgeAnswer([call], { toolCalls: [made] }, { tools: offered }) === undefined;
		if (calls.some(isRight)) sums.rightCall++;
	}
	return sums;
}

/**
 * @param {any} server
 * @param {string} prompt
 * @returns {Promise<{ name: string, arguments: string }>} with empty arguments where they cannot be read
 */
async function callAfter(server, prompt) {
	const { json } = await server.call(`${server.url.root}/completion`, {
		method: 'POST',
		json: {
			prompt: prompt + BEGUN_CALL,
			n_predict: TOKENS_PER_ANSWER,
			temperature: 0,
			stop: ['</tool_call>'],
		},
		timeoutMs: MAX_ANSWER_MS,
	});
	const content = String(json.content);
	try {
		const { name, arguments: values } = JSON.parse(`{"name": "${content}`);
		return { name, arguments: JSON.stringify(values ?? null) };
	} catch {
		return { name: content.split('"')[0] ?? '', arguments: '' };
	}
}

/**
 * @param {number[]} one
 * @param {number[]} other
 */
function product(one, other) {
	return one.reduce((sum, value, at) => sum + value * (other[at] ?? 0), 0);
}

/**
 * @param {Row} row
 * @param {number} asked questions
 */
function lineOf({ tools, offered, needed, promptTokens, calls }, asked) {
	const results = [calls?.rightTool, calls?.rightCall];
	const [rightTool, rightCall] = results.map((count) =>
		count === undefined ? '–' : `${count} of ${asked}`,
	);
	return `| ${tools} | ${offered} | ${needed} | ${promptTokens} | ${rightTool} | ${rightCall} |`;
}

/**
 * @param {Row[]} rows
 * @param {Case[]} cases
 */
async function pageOf(rows, cases) {
	const asked = cases.filter(({ calls }) => calls.length > 0).length;
	return [
		'# Benchmark of Tools at Once',
		'',
		`Written by \`npm run bench -- tools\`. The ${cases.length} questions of Server Health's tool test, with its seven tools among others as the MCP servers of an office have them. *Needed* counts the tools that the right calls of all questions take, and how many of them were offered. Tokens are the mean of a prompt with one question, counted by a real llama-server with the tokens of SmolLM2 and a ChatML template with tools; the embeddings are those of all-MiniLM-L6-v2.`,
		'',
		`*Right tool* and *right call*: of the ${asked} questions that need a call, how often SmolLM2-135M-Instruct itself named the right tool, and how often with the right arguments as well (of two calls at once, one is enough). Its own template drops all tools, so it was given one that names them and writes calls as Hermes models do (test/fixtures/chatml-tools.jinja, written by this project). The model was not trained on it: left to itself it called nothing in 30 tries with ten tools, so the beginning of a call (\`<tool_call>{"name": "\`) was written for it. Temperature 0, at most ${TOKENS_PER_ANSWER} tokens. A prompt with all 120 tools does not fit into the ${CONTEXT} tokens that the model was trained for, so with 120 there is nothing to compare, and nothing was asked; nor where embeddings chose, which offer nearly the same. The figures are of one very small model, and say nothing about others.`,
		'',
		'| tools connected | offered | needed tools offered | prompt tokens | right tool | right call |',
		'|---|---|---|---|---|---|',
		...rows.map((row) => lineOf(row, asked)),
		'',
		`${machine()}, Node ${await nodeVersion()}.`,
		'',
	].join('\n');
}
