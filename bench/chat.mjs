/**
 * `npm run bench -- chat`: what Local Chat Model costs beside n8n's OpenAI Chat Model, in turn, at the speeds of real
 * models; and how many prompt tokens an agent's tool calls make the server read. Writes bench/results/chat.md. With
 * `--against`, it is compared with that of another clone instead. Options: bench/lib/programs.mjs.
 */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { createLog } from '../scripts/lib/system/log.mjs';
import { main } from '../scripts/lib/system/script-main.mjs';
import { root } from '../scripts/lib/system/paths.mjs';
import { WARM_UP_TOKENS, ratios, startContestants } from './chat/comparison.mjs';
import { startPacedServer } from './chat/paced-server.mjs';
import { toolLoop } from './chat/tool-loop.mjs';
import { ensureRealParts } from './lib/real-parts.mjs';
import { machine, nodeVersion } from './lib/machine.mjs';
import { median, spread } from './lib/statistics.mjs';

/** @typedef {Record<string, import('./chat/comparison.mjs').Round[]>} Results */

const { values: options } = parseArgs({
	options: {
		quick: { type: 'boolean', default: false },
		only: { type: 'string' },
		against: { type: 'string' },
		cells: { type: 'string' },
		rounds: { type: 'string', default: '6' },
	},
});
const ROUNDS = options.quick ? 1 : Math.max(1, Number(options.rounds));
/**
 * How often each cell is measured in a pair of processes that compares two builds. Two processes of the same code differ by
 * up to a tenth as long as they live, so each round starts new ones.
 */
const MEASUREMENTS_PER_PAIR = 3;
const UNPACED = 'unpaced';
/**
 * Tokens a second in each stream, and how many streams at once. At the speeds of real models most of the CPU time is that of
 * waking up. So two builds are also compared without a pace.
 */
const CELLS =
	options.cells?.split(',') ??
	[...(options.against === undefined ? [] : [UNPACED]), 20, 50, 100].flatMap((rate) =>
		[1, 4, 16].map((streams) => `${rate}x${streams}`),
	);
/** Duration of one answer. */
const SECONDS = 2;
/** Answers in a row in each stream, and the tokens of one without a pace. */
const UNPACED_WORK = { answers: 50, tokens: 1000 };
const PACED_ANSWERS = 2;
const log = createLog();

/** @param {string} cell @param {Results} results */
const formatRow = (cell, results) => {
	/** @param {keyof import('./chat/comparison.mjs').Round} figure @param {number} digits */
	const figures = (figure, digits = 1) =>
		Object.values(results)
			.map((rounds) => median(rounds.map((round) => round[figure])).toFixed(digits))
			.join(' / ');
	const against = Object.keys(results)
		.slice(1)
		.map((other) =>
			spread(ratios(results.localChatModel ?? [], results[other] ?? [], 'cpuMsPer1000')),
		)
		.join(' / ');
	return `| ${cell} | ${figures('cpuMsPer1000', 0)} | ${against} | ${figures('firstP50')} | ${figures('gapP50')} | ${figures('gapP99')} | ${figures('rssMb', 0)} |`;
};

/**
 * Measures each cell with new processes.
 *
 * @param {{ names: readonly string[], fixed: { tokens: number }, own: Record<string, object>, rounds: number }} contest
 * @param {Awaited<ReturnType<typeof startPacedServer>>} server
 * @returns {Promise<Results[]>} by cell
 */
const measureCells = async ({ names, fixed, own, rounds }, server) => {
	const results = [];
	await server.set({ tokens: fixed.tokens });
	const contestants = await log.step(
		'warm-up',
		async () => await startContestants(names, fixed, own),
	);
	try {
		for (const name of CELLS) {
			const [pace = '', streams = ''] = name.split('x');
			const isPaced = pace !== UNPACED;
			const rate = Number(pace);
			const count = Number(streams);
			const title = `${isPaced ? `${pace} tokens/s` : UNPACED} in each of ${count}`;
			const measured = await log.step(title, async () => {
				await server.set(
					isPaced ? { rate, tokens: rate * SECONDS } : { tokens: UNPACED_WORK.tokens },
				);
				const total = count * (isPaced ? PACED_ANSWERS : UNPACED_WORK.answers);
				const isAtOnce = isPaced && options.against !== undefined;
				return await contestants.contest({ streams: count, total, rounds, isAtOnce });
			});
			results.push(measured);
		}
	} finally {
		contestants.stop();
	}
	return results;
};

/** @param {string} n8n the folder of the installed n8n @returns {Promise<string[]>} a table */
const streams = async (n8n) => {
	const other = options.against === undefined ? undefined : resolve(options.against);
	if (other !== undefined && !existsSync(join(other, 'node_modules', 'undici')))
		throw new Error(`No dependencies in ${other}: run \`npm ci\` there.`);
	const names = ['localChatModel', other === undefined ? 'chatOpenAi' : 'other'];
	const server = await startPacedServer();
	const fixed = { baseUrl: server.url, n8n, root, model: 'bench-model', tokens: 1000 };
	const own = { other: { name: 'localChatModel', root: other } };
	const rounds = other === undefined ? ROUNDS : MEASUREMENTS_PER_PAIR;
	const pairs = other === undefined ? 1 : ROUNDS;
	/** @type {Results[][]} */
	const all = [];
	try {
		for (let pair = 0; pair < pairs; pair += 1)
			all.push(await measureCells({ names, fixed, own, rounds }, server));
	} finally {
		server.stop();
	}
	return [
		'## Streams',
		'',
		'| Tokens/s | Streams | CPU ms per 1,000 tokens | against the other | first token p50, ms | between pieces p50, ms | p99, ms | memory, MB |',
		'|---|---|---|---|---|---|---|---|',
		...CELLS.map((cell, index) => {
			const results = Object.fromEntries(
				names.map((name) => [name, all.flatMap((cells) => cells[index]?.[name] ?? [])]),
			);
			return formatRow(cell.replace('x', ' | '), results);
		}),
		'',
	];
};

await main(async () => {
	const parts = await ensureRealParts(log);
	const work = mkdtempSync(join(tmpdir(), 'local-llama-bench-'));
	/** @type {string[]} */
	const tables = [];
	try {
		if (options.only !== 'tools') tables.push(...(await streams(parts.install.folder)));
		if (options.only !== 'streams')
			tables.push(...(await log.step('tool loop', async () => await toolLoop(parts, work))));
	} finally {
		rmSync(work, { recursive: true, force: true });
	}
	log.line(`\n${tables.join('\n')}`);
	const isPart = options.quick || options.only !== undefined || options.cells !== undefined;
	if (isPart || options.against !== undefined) return 0;
	const text = [
		'# Local Chat Model beside the OpenAI Chat Model',
		'',
		`Written by \`npm run bench -- chat\`. In each cell two figures: Local Chat Model / ChatOpenAI, the base of the OpenAI Chat Model of n8n ${parts.install.version}. Both carry n8n's tracer and are read through \`stream()\`, as the agent does.`,
		'',
		`A scripted server in a separate process sends tokens at the given speed in each stream, ${SECONDS} s for a response, two responses in a row. Each contestant is a separate process that has read ${WARM_UP_TOKENS.toLocaleString('en')} tokens before; its V8 gives no memory back when it is idle, so the memory is the most that it needed.`,
		`They take turns, ${ROUNDS} rounds in each cell, each beginning with another one. CPU is user and system time of the contestant. Figures are medians; ratios are taken round by round, their middle half in brackets.`,
		'Local Chat Model passes on text every 40 ms at most, ChatOpenAI each token.',
		`${machine()}, Node ${await nodeVersion()}, server on the same cores, load ${loadavg()[0]?.toFixed(1)} at the end.`,
		'',
		...tables,
	];
	writeFileSync(join(root, 'bench', 'results', 'chat.md'), text.join('\n'));
	return 0;
});
