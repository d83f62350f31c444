/**
 * `npm run bench -- chat`: what Local Chat Model costs beside n8n's OpenAI Chat Model, in turn, at the speeds of real
 * models; and how many prompt tokens an agent's tool calls make the server read. Writes bench/results/chat.md. With
 * `--against`, another clone of this package takes part, too. Options: bench/lib/programs.mjs.
 */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { createLog } from '../scripts/lib/system/log.mjs';
import { main } from '../scripts/lib/system/script-main.mjs';
import { root } from '../scripts/lib/system/paths.mjs';
import { ratios, startContestants } from './chat/comparison.mjs';
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
const UNPACED = 'unpaced';
/**
 * Tokens a second in each stream, and how many streams at once. At the speeds of real models most of the CPU time is that of
 * waking up, and two processes of the same code differ by a tenth. So two builds are also compared without a pace.
 */
const CELLS =
	options.cells?.split(',') ??
	[...(options.against === undefined ? [] : [UNPACED]), 20, 50, 100].flatMap((rate) =>
		[1, 4, 16].map((streams) => `${rate}x${streams}`),
	);
/** Duration of one answer. */
const SECONDS = 2;
/** Answers in a row in each stream, and the tokens of one without a pace. */
const UNPACED_WORK = { answers: 10, tokens: 1000 };
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

/** @param {string} n8n the folder of the installed n8n @returns {Promise<string[]>} a table */
const streams = async (n8n) => {
	const other = options.against === undefined ? undefined : resolve(options.against);
	if (other !== undefined && !existsSync(join(other, 'node_modules', 'undici')))
		throw new Error(`No dependencies in ${other}: run \`npm ci\` there.`);
	const names = ['localChatModel', 'chatOpenAi', ...(other === undefined ? [] : ['other'])];
	const server = await startPacedServer();
	const fixed = { baseUrl: server.url, n8n, root, model: 'bench-model', tokens: 1000 };
	const own = { other: { name: 'localChatModel', root: other } };
	const rows = [
		'| Tokens/s | Streams | CPU ms per 1,000 tokens | against the others | first token p50, ms | between pieces p50, ms | p99, ms | memory, MB |',
		'|---|---|---|---|---|---|---|---|',
	];
	try {
		const contestants = await log.step(
			'warm-up',
			async () => await startContestants(names, fixed, own),
		);
		try {
			for (const name of CELLS) {
				const [pace = '', streams = ''] = name.split('x');
				const rate = Number(pace);
				const count = Number(streams);
				await log.step(`${pace} tokens/s in each of ${count}`, async () => {
					await server.set(
						pace === UNPACED ? { tokens: UNPACED_WORK.tokens } : { rate, tokens: rate * SECONDS },
					);
					const answers = pace === UNPACED ? UNPACED_WORK.answers : PACED_ANSWERS;
					const contest = { streams: count, total: count * answers, rounds: ROUNDS };
					rows.push(formatRow(`${pace} | ${count}`, await contestants.contest(contest)));
				});
			}
		} finally {
			contestants.stop();
		}
	} finally {
		server.stop();
	}
	return ['## Streams', '', ...rows, ''];
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
		`A scripted server in a separate process sends tokens at the given speed in each stream, ${SECONDS} s for a response, two responses in a row. Each contestant is a separate process that has read 100,000 tokens before.`,
		`They take turns, ${ROUNDS} rounds in each cell, each beginning with another one. CPU is user and system time of the contestant. Figures are medians; ratios are taken round by round, their middle half in brackets.`,
		'Local Chat Model passes on text every 40 ms at most, ChatOpenAI each token.',
		`${machine()}, Node ${await nodeVersion()}, server on the same cores, load ${loadavg()[0]?.toFixed(1)} at the end.`,
		'',
		...tables,
	];
	writeFileSync(join(root, 'bench', 'results', 'chat.md'), text.join('\n'));
	return 0;
});
