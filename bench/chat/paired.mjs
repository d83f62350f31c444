/**
 * `npm run bench -- chat --against <folder>`: Local Chat Model of this clone and of another one, in turn, at
 * realistic token rates. Writes bench/results/chat-paired.md.
 */
import { existsSync, writeFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { join, resolve } from 'node:path';
import { root } from '../../scripts/lib/paths.mjs';
import { run } from '../../scripts/lib/proc.mjs';
import { machine, nodeVersion } from '../lib/machine.mjs';
import { median, quantile, ratios, startContestants } from './contest.mjs';
import { startPacedServer } from './paced-server.mjs';

/** @typedef {Record<string, import('./contest.mjs').Round[]>} Results */

const RATES = [20, 50, 100, 200];
const STREAMS = [1, 4, 16, 64];
/** Duration of one answer. */
const SECONDS = 2;
/** Answers per round: two in a row in each stream, at most 64. @param {number} streams */
const answersOf = (streams) => Math.min(streams * 2, 64);

/** The last commit that changed the measured code. @param {string} folder */
const commitOf = async (folder) =>
	(await run('git', ['-C', folder, 'log', '-1', '--format=%h (%s)', '--', 'lib'])).stdout.trim();

/** @param {number[]} all */
const spread = (all) =>
	`${median(all).toFixed(2)}× (${quantile(all, 0.25).toFixed(2)}–${quantile(all, 0.75).toFixed(2)})`;

/** @param {Results} results @param {string} other */
const cpuRatios = (results, other) =>
	ratios(results.localChatModel ?? [], results[other] ?? [], 'cpuMsPer1000');

/** @param {string} cell @param {Results} results */
const rowOf = (cell, results) => {
	/** @param {keyof import('./contest.mjs').Round} figure @param {number} digits */
	const figures = (figure, digits = 1) =>
		Object.values(results)
			.map((rounds) => median(rounds.map((round) => round[figure])).toFixed(digits))
			.join(' / ');
	return `| ${cell} | ${figures('cpuMsPer1000', 0)} | ${spread(cpuRatios(results, 'other'))} | ${spread(cpuRatios(results, 'chatOpenAi'))} | ${figures('firstP50')} | ${figures('gapP50')} | ${figures('gapP99')} | ${figures('rssMb', 0)} |`;
};

/**
 * @param {{ log: import('../../scripts/lib/types').Log, n8n: string, against: string, rounds: number, cells?: string }} options
 */
export const runPaired = async ({ log, n8n, against, rounds, cells }) => {
	const other = resolve(against);
	if (!existsSync(join(other, 'node_modules', 'undici')))
		throw new Error(`No dependencies in ${other}: run \`npm ci\` there.`);
	const server = await startPacedServer();
	const wanted =
		cells?.split(',') ?? RATES.flatMap((rate) => STREAMS.map((streams) => `${rate}x${streams}`));
	const names = ['localChatModel', 'other', 'chatOpenAi'];
	const fixed = { baseUrl: server.url, n8n, root, model: 'bench-model', tokens: 1000 };
	/** @type {Array<{ cell: string, results: Results }>} */
	const measured = [];
	try {
		const contestants = await log.step(
			'warm-up',
			async () =>
				await startContestants(names, fixed, { other: { name: 'localChatModel', root: other } }),
		);
		try {
			for (const name of wanted) {
				const [rate = NaN, streams = NaN] = name.split('x').map(Number);
				const cell = `${rate} | ${streams}`;
				await log.step(`${rate} tokens/s in each of ${streams}`, async () => {
					await server.set({ rate, tokens: rate * SECONDS });
					measured.push({
						cell,
						results: await contestants.contest({ streams, total: answersOf(streams), rounds }),
					});
				});
			}
		} finally {
			contestants.stop();
		}
	} finally {
		server.stop();
	}
	const all = measured.flatMap(({ results }) => cpuRatios(results, 'other'));
	const table = [
		'| Tokens/s | Streams | CPU ms per 1,000 tokens | this build against the other | against ChatOpenAI | first token p50, ms | between pieces p50, ms | p99, ms | memory, MB |',
		'|---|---|---|---|---|---|---|---|---|',
		...measured.map(({ cell, results }) => rowOf(cell, results)),
		'',
		`CPU of this build against the other over all ${all.length} pairs: ${spread(all)}; it took less in ${all.filter((ratio) => ratio < 1).length}.`,
	].join('\n');
	log.line(`\n${table}`);
	if (cells !== undefined) return;
	writeFileSync(
		join(root, 'bench', 'results', 'chat-paired.md'),
		[
			'# Two builds of the chat model, in turn',
			'',
			'Written by `npm run bench -- chat --against <folder>`. In each cell three figures: this build / the other build / ChatOpenAI of n8n 2.41.1.',
			`This build: ${await commitOf(root)}.`,
			`The other: ${await commitOf(other)}.`,
			'',
			`A scripted server in a process of its own sends tokens at the given speed in each stream, ${SECONDS} s for an answer, two answers in a row (one where 64 run at once). Each contestant is a process of its own that has read 100,000 tokens before.`,
			`They take turns, ${rounds} rounds in each cell, each beginning with another one. CPU is user and system time of the contestant. Figures are medians; ratios are taken round by round, their middle half in brackets.`,
			'Local Chat Model hands text on every 40 ms at most, ChatOpenAI each token.',
			`${machine()}, Node ${await nodeVersion()}, server on the same cores, load ${loadavg()[0]?.toFixed(1)} at the end.`,
			'',
			table,
			'',
		].join('\n'),
	);
};
