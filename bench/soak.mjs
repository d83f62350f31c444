/**
 * `npm run bench -- soak --hours 8`: mixed load with faults on the real n8n and llama-server, and whether anything grows
 * in n8n's process. Writes bench/results/soak.md. Ends with 1 where something is not flat. Its options:
 * bench/lib/programs.mjs.
 */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { ensureBuild, stageBuild } from '../scripts/lib/build.mjs';
import { ensureDependencies } from '../scripts/lib/deps.mjs';
import { ensureLlamaServer } from '../scripts/lib/llama-server.mjs';
import { createLog } from '../scripts/lib/log.mjs';
import { allOrEveryFailure, main } from '../scripts/lib/main.mjs';
import { ensureMiniLm } from '../scripts/lib/minilm.mjs';
import { ensureN8n } from '../scripts/lib/n8n-install.mjs';
import { root } from '../scripts/lib/paths.mjs';
import { onExit } from '../scripts/lib/proc.mjs';
import { machine, nodeVersion } from './lib/machine.mjs';
import { startLoad } from './soak/load.mjs';
import { isFlat, pageWith, section, sentence } from './soak/page.mjs';
import { planFrom } from './soak/plan.mjs';
import { unexpectedRuns } from './soak/report.mjs';
import { startServers } from './soak/servers.mjs';
import { createWorkflows } from './soak/workflows.mjs';

/** @typedef {import('./soak/page.mjs').SoakResult} SoakResult */

/** Idle connections close after at most 5 s. */
const SETTLE_MS = 6000;
/** About the time that the last runs and a measurement take. */
const MEASURE_MS = 4000;
const RESTART_EVERY = 8;
const LONGEST_END_MS = 60_000;
const RESULTS = join(root, 'bench', 'results', 'soak.md');

const { values: options } = parseArgs({
	options: {
		hours: { type: 'string' },
		minutes: { type: 'string' },
		seed: { type: 'string' },
		'at-once': { type: 'string' },
		faults: { type: 'string' },
		control: { type: 'boolean', default: false },
		snapshots: { type: 'string' },
	},
});
const log = createLog();

const prepare = async () => {
	const dependencies = ensureDependencies(log);
	const [, install, nodes, binary, { embedding }] = await allOrEveryFailure([
		dependencies,
		ensureN8n(log, { nodeReady: dependencies }),
		(async () => {
			await dependencies;
			return await stageBuild(await ensureBuild(log));
		})(),
		ensureLlamaServer(log),
		ensureMiniLm(log),
	]);
	return { install, nodes, binary, embedding };
};

/** @param {SoakResult} result */
const write = (result) => {
	const before = existsSync(RESULTS) ? readFileSync(RESULTS, 'utf8') : '';
	writeFileSync(RESULTS, pageWith(before, result));
};

/** @param {SoakResult} result */
const progressLine = ({ plan, samples, runs, lastsMs }) => {
	const last = samples.at(-1);
	if (last === undefined) return '';
	const faulty = runs.filter(({ fault }) => fault !== '').length;
	const [handles, timers] = [last.fileHandles, last.timers].map((counts) =>
		Object.values(counts).reduce((sum, count) => sum + count, 0),
	);
	return [
		`${(lastsMs / 60_000).toFixed(1)} of ${plan.minutes} min: ${runs.length} runs, ${faulty} with a fault`,
		`heap ${(last.heapUsed / 2 ** 20).toFixed(1)} MB, memory ${(last.rss / 2 ** 20).toFixed(0)} MB`,
		`${handles} file handles, ${last.sockets} sockets, ${timers} timers, ${last.abortListeners} abort listeners`,
		`${unexpectedRuns(runs).length} unexpectedRuns`,
	].join('; ');
};

await main(async () => {
	const plan = planFrom(options);
	const parts = await prepare();
	const work = mkdtempSync(join(tmpdir(), 'local-llama-soak-'));
	onExit(() => rmSync(work, { recursive: true, force: true }));
	const snapshots = options.snapshots === undefined ? undefined : resolve(options.snapshots);
	if (snapshots !== undefined) mkdirSync(snapshots, { recursive: true });
	const servers = await log.step(
		'start of the servers',
		async () => await startServers(parts, work, plan.control),
	);
	const ids = await createWorkflows(servers.n8n, servers.urls, servers.dify, plan.control);
	const command = `npm run bench -- soak ${process.argv.slice(2).join(' ')}`;
	/** @type {SoakResult} */
	const result = {
		...{ plan, command, date: new Date(), lastsMs: 0, samples: [], runs: [], restarts: 0 },
		machine: machine(),
		versions: `n8n ${parts.install.version}, Node ${await nodeVersion()}, llama-server ${servers.llamaVersion}`,
	};
	let measuring = false;
	let startedAt = Date.now();
	let ended = 0;
	const load = startLoad(servers.n8n, ids, plan, (one) => {
		ended += 1;
		if (!measuring) return;
		const kept = one.outcome === 'answered' ? { ...one, said: undefined } : one;
		result.runs.push({ ...kept, atMs: Date.now() - startedAt });
	});
	const rest = async () => {
		await load.pause();
		const deadline = Date.now() + LONGEST_END_MS;
		// An execution goes on after its client has left, with pauses between its requests.
		let busyAt = Date.now();
		while (Date.now() < deadline && Date.now() - busyAt < SETTLE_MS) {
			await delay(50);
			if (servers.open() > 0) busyAt = Date.now();
		}
	};
	const measure = async () => {
		const pausedAt = Date.now();
		await rest();
		const restedAt = Date.now();
		const sample = await servers.measure();
		const now = Date.now();
		return {
			...sample,
			atMs: now - startedAt,
			runs: ended,
			restMs: restedAt - pausedAt,
			measureMs: now - restedAt,
		};
	};
	/** @param {number} turn @param {number} lasts */
	const restartIn = async (turn, lasts) => {
		await delay(Math.max(0, lasts / 2));
		await load.disturb(async () => await servers.restart(turn));
	};

	await log.step(`warm-up of ${Math.round(plan.warmUpMs / 1000)} s`, async () => {
		const end = Date.now() + plan.warmUpMs;
		for (const turn of [0, 1]) {
			load.resume();
			const lasts = Math.max(
				5000,
				Math.max(0, end - Date.now()) / (2 - turn) - SETTLE_MS - MEASURE_MS,
			);
			await Promise.all([restartIn(turn, lasts), delay(lasts)]);
			await measure();
		}
	});
	startedAt = Date.now();
	result.date = new Date();
	measuring = true;
	const takeBack = onExit(() => {
		if (result.samples.length > 1) write(result);
	});
	const endsAt = startedAt + plan.minutes * 60_000;
	let lastLineAt = 0;
	for (let at = 0; at < 2 || Date.now() + plan.intervalMs / 2 < endsAt; at += 1) {
		const end = startedAt + (at + 1) * plan.intervalMs;
		const lasts = Math.max(plan.intervalMs / 3, end - SETTLE_MS - MEASURE_MS - Date.now());
		load.resume();
		const restarts = at % RESTART_EVERY === RESTART_EVERY / 2;
		await Promise.all([delay(lasts), ...(restarts ? [restartIn(result.restarts, lasts)] : [])]);
		if (restarts) result.restarts += 1;
		result.samples.push(await measure());
		if (!servers.n8n.service.running)
			throw new Error(`n8n ended (${servers.n8n.service.endReason})`);
		result.lastsMs = Date.now() - startedAt;
		if (snapshots !== undefined && at === 0)
			await servers.snapshot(join(snapshots, 'first.heapsnapshot'));
		if (Date.now() - lastLineAt >= 59_000) {
			lastLineAt = Date.now();
			log.line(`  ${progressLine(result)}`);
		}
	}
	log.line(`  ${progressLine(result)}`);
	if (snapshots !== undefined) await servers.snapshot(join(snapshots, 'last.heapsnapshot'));
	await load.stop();
	takeBack();
	write(result);
	if (snapshots !== undefined) {
		writeFileSync(join(snapshots, 'samples.json'), JSON.stringify(result.samples, null, '\t'));
		writeFileSync(join(snapshots, 'runs.json'), JSON.stringify(result.runs));
	}
	await servers.stop();
	log.line('');
	log.line(section(result));
	for (const { kind, fault, outcome, said } of unexpectedRuns(result.runs).slice(0, 5)) {
		log.line(`  ${kind}${fault && ` (${fault})`}: ${outcome}: ${said}`);
	}
	log.line('');
	log.line(sentence(result));
	return isFlat(result) ? 0 : 1;
});
