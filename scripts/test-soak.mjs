/**
 * `npm run test:soak -- --minutes 30`, or `--hours 8`: mixed load with faults on the real n8n and llama-server. Exit status
 * 1 if anything grows in n8n's process, or if a run without a fault fails or a run hangs. The report is printed, and
 * written to `reports/soak.md` at the end, also if the run is ended early. `--seed 2` runs the workflows in another order,
 * `--at-once 8` that many at the same time.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { ensureN8nWithNodes } from './lib/checks/e2e.mjs';
import { ensureLlamaServer } from './lib/models/llama-server.mjs';
import { node } from './lib/system/dependencies.mjs';
import { createLog } from './lib/system/log.mjs';
import { root } from './lib/system/paths.mjs';
import { onExit, run } from './lib/system/processes.mjs';
import { allOrEveryFailure, main } from './lib/system/script-main.mjs';
import { startLoad } from '../test/soak/load.mjs';
import { isFlat, formatReport, unexpectedRuns } from '../test/soak/report.mjs';
import { startServers } from '../test/soak/servers.mjs';
import { createWorkflows } from '../test/soak/workflows.mjs';

const REPORT = join(root, 'reports', 'soak.md');
/** Idle connections close after at most 5 s. */
const SETTLE_MS = 6000;
const LONGEST_END_MS = 60_000;
const MINUTE_MS = 60_000;

const { values: options } = parseArgs({
	options: {
		hours: { type: 'string', default: '0' },
		minutes: { type: 'string', default: '0' },
		seed: { type: 'string', default: '1' },
		'at-once': { type: 'string', default: '4' },
	},
});
const log = createLog();

/** @param {number} value @param {number} least @param {number} most */
const between = (value, least, most) => Math.min(most, Math.max(least, value));

/** @returns {import('../test/soak/types').SoakPlan} */
const readPlan = () => {
	const minutes = Number(options.hours) * 60 + Number(options.minutes);
	if (!(minutes >= 3)) throw new Error('How long? For example: npm run test:soak -- --minutes 30');
	return {
		minutes,
		warmUpMs: between((minutes * MINUTE_MS) / 20, MINUTE_MS, 10 * MINUTE_MS),
		// Six measurements in each tenth of the time, if possible.
		intervalMs: between(minutes * 1000, 20_000, 300_000),
		seed: Number(options.seed),
		concurrency: between(Number(options['at-once']), 1, 64),
	};
};

await main(async () => {
	const plan = readPlan();
	const [{ n8n: install, nodes }, binary] = await allOrEveryFailure([
		ensureN8nWithNodes(log),
		ensureLlamaServer(log),
	]);
	const work = mkdtempSync(join(tmpdir(), 'local-llama-soak-'));
	onExit(() => rmSync(work, { recursive: true, force: true }));
	const servers = await log.step(
		'start of the servers',
		async () => await startServers({ install, nodes, binary }, work),
	);
	const ids = await createWorkflows(servers.n8n, servers.urls, servers.dify);
	/** @type {import('../test/soak/report.mjs').SoakResult} */
	const result = {
		plan,
		command: `npm run test:soak -- ${process.argv.slice(2).join(' ')}`,
		versions: `n8n ${install.version}, Node ${(await run(node, ['--version'])).stdout.trim()}`,
		lastsMs: 0,
		samples: [],
		runs: [],
	};
	let startedAt = Infinity;
	const load = startLoad(servers.n8n, ids, plan, (run) => {
		const atMs = Date.now() - startedAt;
		if (atMs >= 0) result.runs.push({ ...run, atMs });
	});
	/** Runs the load for a while, waits until nothing is open any more, and measures. @param {number} ms */
	const loadAndMeasure = async (ms) => {
		load.resume();
		await delay(ms);
		await load.pause();
		const deadline = Date.now() + LONGEST_END_MS;
		// An execution continues after its client has left, with pauses between its requests.
		let busyAt = Date.now();
		while (Date.now() < deadline && Date.now() - busyAt < SETTLE_MS) {
			await delay(50);
			if (servers.open() > 0) busyAt = Date.now();
		}
		return await servers.measure();
	};
	const write = () => {
		if (result.samples.length < 2) return;
		mkdirSync(join(REPORT, '..'), { recursive: true });
		writeFileSync(REPORT, formatReport(result));
	};

	await log.step('warm-up', async () => await loadAndMeasure(plan.warmUpMs));
	startedAt = Date.now();
	const takeBack = onExit(write);
	while (result.samples.length < 2 || Date.now() - startedAt < plan.minutes * MINUTE_MS) {
		result.samples.push(await loadAndMeasure(Math.max(5000, plan.intervalMs - SETTLE_MS)));
		result.lastsMs = Date.now() - startedAt;
		if (!servers.n8n.service.running)
			throw new Error(`n8n ended (${servers.n8n.service.endReason})`);
		const heap = (result.samples.at(-1)?.heapUsed ?? 0) / 2 ** 20;
		log.line(
			`  ${(result.lastsMs / MINUTE_MS).toFixed(1)} of ${plan.minutes} min: ${result.runs.length} runs, ${unexpectedRuns(result.runs).length} unexpected, heap ${heap.toFixed(1)} MB`,
		);
	}
	await load.stop();
	takeBack();
	write();
	await servers.stop();
	log.line(formatReport(result));
	for (const { profile, fault, outcome, text } of unexpectedRuns(result.runs).slice(0, 5))
		log.line(`  ${profile}${fault && ` (${fault})`}: ${outcome}: ${text}`);
	return isFlat(result) ? 0 : 1;
});
