/**
 * `npm run bench -- models`: many short items, classifying, an agent with memory, two servers, and tracing, in the real
 * n8n on real llama-servers, against n8n's own nodes. Writes bench/results/models.md. Its options: bench/lib/programs.mjs.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createLog } from '../scripts/lib/log.mjs';
import { main } from '../scripts/lib/main.mjs';
import { copyPreparedUserFolder, startN8n, TEST_LOGIN } from '../scripts/lib/n8n.mjs';
import { root } from '../scripts/lib/paths.mjs';
import { ensureRealParts } from '../scripts/lib/real-parts.mjs';
import { agent } from './models/agent.mjs';
import { instant, items, slots } from './models/items.mjs';
import { labels } from './models/labels.mjs';
import { memory } from './models/memory.mjs';
import { servers } from './models/servers.mjs';
import { tracing } from './models/tracing.mjs';
import { machine, nodeVersion } from './lib/machine.mjs';

const { values: options } = parseArgs({
	options: {
		quick: { type: 'boolean', default: false },
		rounds: { type: 'string', default: '3' },
		only: { type: 'string' },
		share: { type: 'string', default: '1' },
	},
});
const rounds = options.quick ? 1 : Math.max(1, Number(options.rounds));
const RESULTS = join(root, 'bench', 'results', 'models.md');
const log = createLog();

/**
 * @param {string} text results of an earlier run
 * @returns {Map<string, string>} its sections by their headings, in the order in which they stand
 */
const sectionsOf = (text) =>
	new Map(
		text
			.split(/^(?=## )/m)
			.slice(1)
			.map((section) => [section.split('\n', 1)[0] ?? '', `${section.trimEnd()}\n`]),
	);

/**
 * Puts a section into the results, in place of an earlier one.
 *
 * @param {string} heading
 * @param {string} section
 */
const write = (heading, section) => {
	const sections = sectionsOf(existsSync(RESULTS) ? readFileSync(RESULTS, 'utf8') : '');
	sections.set(heading, section);
	writeFileSync(
		RESULTS,
		[
			'# Benchmark of the action node, the prompt cache and several servers',
			'',
			'Written by `npm run bench -- models`. In the real n8n on llama-server v0.5.0. Each table is one run, its contestants in turn.',
			'Servers run on the same cores, each with one thread. The time is that of the node. Look at the ratios: the times swing with whatever else the machine does.',
			'',
			...sections.values(),
		].join('\n'),
	);
};

await main(async () => {
	const { install, nodes, binary } = await ensureRealParts(log);
	const folder = mkdtempSync(join(tmpdir(), 'local-llama-bench-'));
	try {
		/** @param {string} name of its folder @param {Record<string, string>} [env] */
		const start = async (name, env) => {
			const userFolder = join(folder, name);
			await copyPreparedUserFolder(install, userFolder);
			const started = await startN8n(install, {
				userFolder,
				customExtensions: [nodes],
				...(env && { env }),
			});
			await started.login(TEST_LOGIN);
			return started;
		};
		const n8n = await start('home');
		const share = options.quick ? 10 : Math.max(1, Number(options.share));
		const version = await nodeVersion();
		for (const [name, measure] of Object.entries({
			agent,
			instant,
			items,
			slots,
			labels,
			memory,
			servers,
			tracing,
		})) {
			if (options.only !== undefined && !options.only.split(',').includes(name)) continue;
			const [heading = '', ...lines] = await measure({
				n8n,
				start,
				binary,
				folder,
				log,
				rounds,
				share,
			});
			const section = [
				heading,
				...lines,
				'',
				`n8n ${install.version}, ${machine()}, Node ${version}, load average ${loadavg()[0]?.toFixed(0)}.`,
				'',
			].join('\n');
			log.line(`\n${section}`);
			if (!options.quick) write(heading, section);
		}
		await n8n.stop();
		return 0;
	} finally {
		rmSync(folder, { recursive: true, force: true });
	}
});
