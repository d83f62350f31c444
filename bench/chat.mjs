/**
 * `npm run bench -- chat`: what the chat model costs, against n8n's OpenAI Chat Model and against a bare reader as the
 * lower bound, in one run on one llama-server. Writes bench/results/chat.md. With `--against`: two builds of the package.
 * Options: bench/lib/programs.mjs.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ensureDependencies } from '../scripts/lib/deps.mjs';
import { startLlamaServer } from '../scripts/lib/llama-server.mjs';
import { createLog } from '../scripts/lib/log.mjs';
import { main } from '../scripts/lib/main.mjs';
import { writeScriptedModel, writeTinyModel } from '../scripts/lib/tiny-model.mjs';
import { ensureN8n } from '../scripts/lib/n8n-install.mjs';
import { copyPreparedUserFolder, startN8n, TEST_LOGIN } from '../scripts/lib/n8n.mjs';
import { root } from '../scripts/lib/paths.mjs';
import { ensureRealParts } from '../scripts/lib/real-parts.mjs';
import { quantile, median, ratios, startContestants } from './chat/contest.mjs';
import { runPaired } from './chat/paired.mjs';
import { machine, nodeVersion } from './lib/machine.mjs';

const NAMES = {
	reader: 'bare undici reader (floor)',
	localChatModel: 'Local Chat Model',
	chatOpenAi: 'ChatOpenAI (n8n 2.41.1)',
};
const TOOL_STEPS = 6;
/** Total streams per round, by the number that run at once. */
const TOTALS = { 1: 8, 16: 32, 64: 64 };
const { values: options } = parseArgs({
	options: {
		quick: { type: 'boolean', default: false },
		only: { type: 'string' },
		against: { type: 'string' },
		cells: { type: 'string' },
		rounds: { type: 'string', default: '6' },
	},
});
const log = createLog();
const TOKENS = options.quick ? 300 : 1000;
const ROUNDS = options.quick ? 2 : 7;

/** @param {number} value */
const one = (value) => value.toFixed(1);
/** @param {number} value */
const ratio = (value) => `${value.toFixed(2)}×`;

/**
 * The table rows for one number of streams: medians of the rounds, and the ratios to the named others, with the
 * interquartile range.
 *
 * @param {number} streams
 * @param {Record<string, import('./chat/contest.mjs').Round[]>} results
 */
const rowsOf = (streams, results) =>
	Object.entries(NAMES).map(([name, label]) => {
		const rounds = results[name] ?? [];
		const of = (/** @type {keyof import('./chat/contest.mjs').Round} */ figure) =>
			median(rounds.map((round) => round[figure]));
		const against = (/** @type {string} */ other) => {
			const all = ratios(rounds, results[other] ?? [], 'cpuMsPer1000');
			return name === other
				? ratio(1)
				: `${ratio(median(all))} (${quantile(all, 0.25).toFixed(2)}–${quantile(all, 0.75).toFixed(2)})`;
		};
		return `| ${streams} | ${label} | ${one(of('cpuMsPer1000'))} | ${against('reader')} | ${against('chatOpenAi')} | ${one(of('firstP50'))} | ${one(of('firstP99'))} | ${of('rssMb').toFixed(0)} |`;
	});

/**
 * Tokens that the server had in its cache after the round before and still read again, by its own timings. The last token
 * of an answer ends it and never enters the cache.
 *
 * @param {import('../scripts/lib/types').NodeRun[]} rounds
 */
const readAgain = (rounds) => {
	const timings = rounds.map((round) => {
		const call = /** @type {import('../scripts/lib/types').ModelCall | undefined} */ (
			round.data?.ai_languageModel?.[0]?.[0]?.json
		);
		return /** @type {Record<string, number> | undefined} */ (
			call?.response?.generations?.[0]?.[0]?.generationInfo?.timings
		);
	});
	return timings.reduce((sum, now, index) => {
		const before = timings[index - 1];
		if (!before || !now) return sum;
		const known = (before.cache_n ?? 0) + (before.prompt_n ?? 0) + (before.predicted_n ?? 0) - 1;
		return sum + Math.max(0, known - (now.cache_n ?? 0));
	}, 0);
};

/** @param {number} step */
const product = (step) => String(step * 111);
/** @param {number} step */
const call = (step) =>
	`<think>\nStep ${step} of ${TOOL_STEPS} comes now.\n</think>\n\n<tool_call>\n{"name": "Calculator", "arguments": {"input": "${step}*111"}}\n</tool_call>`;

/**
 * Runs an agent that calls a tool six times in a row, and counts the prompt tokens that the server reads.
 *
 * @param {string} binary
 * @param {string} model
 * @param {import('../scripts/lib/types').N8nServer} n8n
 * @param {(url: string) => { credential: import('../scripts/lib/types').Credential, node:
 *   Pick<import('../scripts/lib/types').WorkflowNode, 'type' | 'typeVersion' | 'parameters'> }} chatModel
 */
const toolLoop = async (binary, model, n8n, chatModel) => {
	const server = await startLlamaServer(binary, {
		model,
		alias: 'bench-model',
		contextSize: 8192,
		parallel: 1,
		threads: 1,
		args: ['--metrics'],
	});
	try {
		const { credential, node: modelNode } = chatModel(server.url);
		const { id, name } = await n8n.createCredential(credential);
		const workflow = await n8n.createWorkflow({
			name: 'Tool loop',
			nodes: [
				{
					id: '1',
					name: 'Start',
					type: 'n8n-nodes-base.manualTrigger',
					typeVersion: 1,
					position: [0, 0],
					parameters: {},
				},
				{
					id: '2',
					name: 'Agent',
					type: '@n8n/n8n-nodes-langchain.agent',
					typeVersion: 3,
					position: [200, 0],
					parameters: {
						promptType: 'define',
						text: 'Calculate the multiples of 111.',
						options: { maxIterations: 10, systemMessage: 'You are exact. '.repeat(40) },
					},
				},
				{
					...modelNode,
					id: '3',
					name: 'Model',
					position: [200, 200],
					credentials: { [credential.type]: { id, name } },
				},
				{
					id: '4',
					name: 'Calculator',
					type: '@n8n/n8n-nodes-langchain.toolCalculator',
					typeVersion: 1,
					position: [400, 200],
					parameters: {},
				},
			],
			connections: {
				Start: { main: [[{ node: 'Agent', type: 'main', index: 0 }]] },
				Model: { ai_languageModel: [[{ node: 'Agent', type: 'ai_languageModel', index: 0 }]] },
				Calculator: { ai_tool: [[{ node: 'Agent', type: 'ai_tool', index: 0 }]] },
			},
		});
		const execution = await n8n.waitForExecution(await n8n.runWorkflow(workflow, 'Start'));
		const { runData } = execution.data.resultData;
		const calls = runData.Calculator?.length ?? 0;
		if (execution.status !== 'success' || calls !== TOOL_STEPS) {
			throw new Error(
				`The tool loop ended as ${execution.status} after ${calls} calls: ${execution.data.resultData.error?.message ?? ''}`,
			);
		}
		const metrics = await (await fetch(`${server.url}/metrics`)).text();
		const count = (/** @type {string} */ counter) =>
			Number(new RegExp(`^llamacpp:${counter} (\\d+)`, 'm').exec(metrics)?.[1] ?? NaN);
		return {
			read: count('prompt_tokens_total'),
			cached: count('prompt_tokens_cached_total'),
			again: readAgain(runData.Model ?? []),
		};
	} finally {
		await server.stop();
	}
};

await main(async () => {
	if (options.against !== undefined) {
		const { against, cells } = options;
		const install = await ensureN8n(log, { nodeReady: ensureDependencies(log) });
		await runPaired({ log, n8n: install.folder, against, rounds: Number(options.rounds), cells });
		return 0;
	}
	const { install, nodes, binary } = await ensureRealParts(log);
	const work = mkdtempSync(join(tmpdir(), 'local-llama-bench-'));
	/** @type {string[]} */
	const out = [];
	try {
		const tiny = join(work, 'tiny.gguf');
		writeTinyModel(tiny, { contextLength: 131_072, meanTokens: Infinity });
		const server = await startLlamaServer(binary, {
			model: tiny,
			alias: 'bench-model',
			contextSize: 131_072,
			parallel: 64,
			threads: 1,
		});
		out.push(
			'| Streams at once | | CPU ms per 1,000 tokens | against the floor | against ChatOpenAI | first token p50, ms | p99, ms | memory, MB |',
			'|---|---|---|---|---|---|---|---|',
		);
		if (options.only !== 'tools') {
			const fixed = {
				baseUrl: server.url,
				n8n: install.folder,
				root,
				model: 'bench-model',
				tokens: TOKENS,
			};
			const contestants = await log.step(
				'warm-up',
				async () => await startContestants(Object.keys(NAMES), fixed),
			);
			try {
				for (const [key, total] of Object.entries(TOTALS)) {
					const streams = Number(key);
					await log.step(`${streams} streams at once`, async () => {
						out.push(
							...rowsOf(streams, await contestants.contest({ streams, total, rounds: ROUNDS })),
						);
					});
				}
			} finally {
				contestants.stop();
			}
		}
		await server.stop();

		const toolLoops = async () => {
			const scripted = join(work, 'scripted.gguf');
			const steps = Array.from({ length: TOOL_STEPS }, (_, index) => index + 1);
			writeScriptedModel(
				scripted,
				[
					{ last: 'tool', contains: product(TOOL_STEPS), reply: 'All multiples are there.' },
					...steps
						.slice(0, -1)
						.reverse()
						.map((step) => ({
							last: /** @type {const} */ ('tool'),
							contains: product(step),
							reply: call(step + 1),
						})),
					{ last: 'user', reply: call(1) },
				],
				{ contextLength: 8192, readsAsWritten: true },
			);
			const userFolder = join(work, 'home');
			await copyPreparedUserFolder(install, userFolder);
			const n8n = await startN8n(install, { userFolder, customExtensions: [nodes] });
			await n8n.login(TEST_LOGIN);
			const model = { __rl: true, mode: 'id', value: 'bench-model' };
			const own = await toolLoop(binary, scripted, n8n, (url) => ({
				credential: { name: 'own', type: 'localLlamaApi', data: { baseUrl: url } },
				node: { type: 'CUSTOM.localChatModel', typeVersion: 1, parameters: { model, options: {} } },
			}));
			const openAi = await toolLoop(binary, scripted, n8n, (url) => ({
				credential: {
					name: 'openai',
					type: 'openAiApi',
					data: { apiKey: 'none', url: `${url}/v1` },
				},
				node: {
					type: '@n8n/n8n-nodes-langchain.lmChatOpenAi',
					typeVersion: 1.2,
					parameters: { model, options: {} },
				},
			}));
			await n8n.stop();
			out.push(
				'',
				`Tool loop: n8n's agent calls a tool ${TOOL_STEPS} times in a row with thinking, one slot. The model is scripted, each of its answers one token. Prompt tokens by the server's own count (\`/metrics\`).`,
				'',
				"| | prompt tokens read | taken from the cache | read, against n8n's OpenAI Chat Model | read a second time |",
				'|---|---|---|---|---|',
				`| Local Chat Model | ${own.read} | ${own.cached} | ${ratio(own.read / openAi.read)} | ${own.again} |`,
				`| n8n's OpenAI Chat Model | ${openAi.read} | ${openAi.cached} | 1.00× | not shown by it |`,
			);
		};
		if (options.only !== 'streams') await log.step('tool loop of six steps in n8n', toolLoops);
	} finally {
		rmSync(work, { recursive: true, force: true });
	}
	const table = out.join('\n');
	log.line('');
	log.line(table);
	if (options.quick || options.only !== undefined) return 0;
	writeFileSync(
		join(root, 'bench', 'results', 'chat.md'),
		[
			'# Benchmark',
			'',
			'Written by `npm run bench -- chat`. All contestants in one run on one llama-server (v0.5.0, generated model of 0.4 MB, which streams thousands of tokens a second),',
			`each in a process of its own that has read 100,000 tokens before, in turn, ${ROUNDS} rounds. Figures are medians; ratios are taken round by round, their middle half in brackets.`,
			`${machine()}, Node ${await nodeVersion()}, server on the same cores, load ${loadavg()[0]?.toFixed(1)} at the end.`,
			'',
			`The floor reads with undici, splits the events with eventsource-parser, parses every one, and joins the text; nothing is checked. ChatOpenAI is`,
			"what n8n's OpenAI Chat Model stands on. Both models carry n8n's tracer and are read through `stream()`, as the agent does. Each stream has " +
				`${TOKENS} tokens.`,
			'',
			table,
			'',
		].join('\n'),
	);
	return 0;
});
