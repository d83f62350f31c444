/**
 * `npm run bench -- tools`: the questions of the tool test with 10, 40 and 120 tools on a real llama-server with SmolLM2,
 * with and without *Tools at Once*; the embeddings are those of all-MiniLM-L6-v2. Writes bench/results/tools.md. Options:
 * bench/lib/programs.mjs.
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
/** @typedef {{ question: string, calls: { name: string }[] }} Case */
/** @typedef {(question: string, tools: Tool[]) => Promise<number[]>} Rank */
/** @typedef {{ tools: number, offered: string, needed: string, promptTokens: number, read: number, right: number, seconds: number }} Row */

const { values: options } = parseArgs({
	options: { quick: { type: 'boolean', default: false } },
});
const COUNTS = options.quick ? [10] : [10, 40, 120];
const AT_ONCE = 8;
const ANSWER_TOKENS = 48;
const CONTEXT = 24_576;
const log = createLog();

await main(async () => {
	const parts = await partsOf(root, [
		'chat/client',
		'chat/request/tools-at-once',
		'embeddings/client',
		'health/tools/cases',
		'servers/connect',
	]);
	const binary = await ensureLlamaServer(log);
	const chat = await startLlamaServer(binary, {
		model: await ensureSmolLm2(log),
		contextSize: CONTEXT,
		parallel: 1,
		threads: 2,
	});
	const vectors = await startLlamaServer(binary, {
		model: (await ensureMiniLm(log)).embedding,
		parallel: 1,
		threads: 1,
		args: ['--embeddings'],
	});
	try {
		const client = new parts.ChatClient(parts.connectTo({ baseUrl: chat.url }), {
			model: 'smollm2',
			parameters: { maxTokens: ANSWER_TOKENS, seed: 1, temperature: 0 },
			serverKind: 'llamaServer',
			reasoningEcho: 'toolTurns',
			showThinking: false,
			limits: {},
			retries: 0,
		});
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
				const row = await measure(parts, client, tools, rank);
				rows.push({ tools: count, offered, ...row });
				log.line(`  ${lineOf(rows.at(-1))}`);
			}
		}
		const page = await pageOf(rows, parts.CASES.length);
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
	const all = otherTools(count - tools.length);
	const step = count / tools.length;
	for (const [at, tool] of tools.entries()) all.splice(Math.floor(at * step), 0, tool);
	return all;
}

/**
 * Asks all questions once.
 *
 * @param {Record<string, any>} parts
 * @param {any} client
 * @param {Tool[]} tools
 * @param {Rank | undefined} rank undefined: all tools are offered
 */
async function measure(parts, client, tools, rank) {
	const sums = { promptTokens: 0, read: 0, right: 0, needed: 0, all: 0 };
	const from = performance.now();
	for (const { question, calls, mayQuote } of parts.CASES) {
		const fit = rank === undefined ? [] : await rank(question, tools);
		const most = rank === undefined ? tools.length : AT_ONCE;
		const called = { earlier: new Set(), inTurn: new Set() };
		const { offered } = parts.toolsToOffer(tools, fit, most, called);
		const names = new Set(calls.map((/** @type {{ name: string }} */ call) => call.name));
		sums.all += names.size;
		sums.needed += offered.filter((/** @type {Tool} */ tool) => names.has(tool.name)).length;
		const messages = [
			{ type: 'system', content: 'You are a helpful assistant' },
			{ type: 'human', content: question },
		];
		const answer = await answerOf(client.generate({ messages, tools: offered, whole: true }));
		const usage = answer.usage ?? answer.facts?.usage;
		sums.promptTokens += usage?.promptTokens ?? 0;
		sums.read += (usage?.promptTokens ?? 0) - (usage?.cachedTokens ?? 0);
		const isRight = answer.toolCalls && parts.judgeAnswer(calls, answer, mayQuote) === undefined;
		sums.right += isRight ? 1 : 0;
	}
	const each = (/** @type {number} */ sum) => Math.round(sum / parts.CASES.length);
	return {
		needed: `${sums.needed} of ${sums.all}`,
		promptTokens: each(sums.promptTokens),
		read: each(sums.read),
		right: sums.right,
		seconds: (performance.now() - from) / 1000 / parts.CASES.length,
	};
}

/**
 * @param {AsyncGenerator<string, any>} generation
 * @returns {Promise<any>} the answer, or the error
 */
async function answerOf(generation) {
	try {
		for (;;) {
			const { value, done } = await generation.next();
			if (done) return value;
		}
	} catch (error) {
		return error;
	}
}

/**
 * @param {number[]} one
 * @param {number[]} other
 */
function product(one, other) {
	return one.reduce((sum, value, at) => sum + value * (other[at] ?? 0), 0);
}

/** @param {Row | undefined} row */
function lineOf(row) {
	if (row === undefined) return '';
	const { tools, offered, needed, promptTokens, read, right, seconds } = row;
	return `| ${tools} | ${offered} | ${needed} | ${promptTokens} | ${read} | ${right} | ${seconds.toFixed(1)} |`;
}

/**
 * @param {Row[]} rows
 * @param {number} questions
 */
async function pageOf(rows, questions) {
	return [
		'# Benchmark of Tools at Once',
		'',
		`Written by \`npm run bench -- tools\`. The ${questions} questions of Server Health's tool test on a real llama-server (SmolLM2-135M, one slot), with its seven tools among others as MCP servers have them. *Needed* counts the tools that the right calls of all questions need, and how many of them were offered. Tokens and seconds are means of a question; what the prompt cache held is not read again. So small a model seldom calls rightly, with few tools as with many.`,
		'',
		'| tools connected | offered | needed tools offered | prompt tokens | of them read | right answers | seconds |',
		'|---|---|---|---|---|---|---|',
		...rows.map(lineOf),
		'',
		`${machine()}, Node ${await nodeVersion()}.`,
		'',
	].join('\n');
}
