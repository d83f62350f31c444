/**
 * `npm run bench -- tools`: the prompts of the tool test with 10, 40 and 120 tools, with and without *Tools at Once*. A real
 * llama-server with SmolLM2 counts their tokens, and one with all-MiniLM-L6-v2 makes the vectors. Writes
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
/** @typedef {{ question: string, calls: { name: string }[] }} Case */
/** @typedef {(question: string, tools: Tool[]) => Promise<number[]>} Rank */
/** @typedef {{ tools: number, offered: string, needed: string, promptTokens: number }} Row */

const { values: options } = parseArgs({
	options: { quick: { type: 'boolean', default: false } },
});
const COUNTS = options.quick ? [10] : [10, 40, 120];
const AT_ONCE = 8;
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
		contextSize: 2048,
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
				rows.push({ tools: count, offered, ...(await measure(parts, server, tools, rank)) });
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
	for (const { question, calls } of parts.CASES) {
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
	}
	return {
		needed: `${sums.offered} of ${sums.needed}`,
		promptTokens: Math.round(sums.promptTokens / parts.CASES.length),
	};
}

/**
 * @param {number[]} one
 * @param {number[]} other
 */
function product(one, other) {
	return one.reduce((sum, value, at) => sum + value * (other[at] ?? 0), 0);
}

/** @param {Row} row */
function lineOf({ tools, offered, needed, promptTokens }) {
	return `| ${tools} | ${offered} | ${needed} | ${promptTokens} |`;
}

/**
 * @param {Row[]} rows
 * @param {number} questions
 */
async function pageOf(rows, questions) {
	return [
		'# Benchmark of Tools at Once',
		'',
		`Written by \`npm run bench -- tools\`. The ${questions} questions of Server Health's tool test, with its seven tools among others as the MCP servers of an office have them. *Needed* counts the tools that the right calls of all questions take, and how many of them were offered. Tokens are the mean of a prompt with one question, counted by a real llama-server with the tokens of SmolLM2 and a ChatML template with tools; the embeddings are those of all-MiniLM-L6-v2.`,
		'',
		'| tools connected | offered | needed tools offered | prompt tokens |',
		'|---|---|---|---|',
		...rows.map(lineOf),
		'',
		`${machine()}, Node ${await nodeVersion()}.`,
		'',
	].join('\n');
}
