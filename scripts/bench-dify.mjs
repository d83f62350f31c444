/**
 * `npm run bench:dify`: many messages through Dify Chat Message, 1, 4 and 16 at once, against one blocking request
 * after another; and the memory that the upload of a large file takes. Against the simulator of the tests, in a process
 * of its own. Writes bench/results-dify.md.
 *
 * `--second 1000` makes the simulated second a real one (17 minutes for 1,000 messages), `--quick` runs a tenth.
 */
import { build } from 'esbuild';
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { cpus, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ensureBuild } from './lib/build.mjs';
import { ensureDependencies, node } from './lib/deps.mjs';
import { createLog } from './lib/log.mjs';
import { main } from './lib/main.mjs';
import { root } from './lib/paths.mjs';
import { run, startService } from './lib/proc.mjs';

/** @typedef {{ ms: number, cpuMs: number, grownMb: number }} Cost */

const { values: options } = parseArgs({
	options: { quick: { type: 'boolean', default: false }, second: { type: 'string', default: '100' } },
});
const log = createLog();
const second = Number(options.second);
const count = options.quick ? 100 : 1000;
const megabytes = options.quick ? 20 : 200;

/** The simulator as one file that Node runs without jest. @param {string} work */
const bundleServer = async (work) => {
	const outfile = join(work, 'server.cjs');
	await build({
		stdin: {
			contents: `
				import { appKey, startDifySim } from './test/servers/dify';
				const reply = ({ query }) => ({ steps: [{ wait: ${second} }, { text: 'You said: ' + query }] });
				const apps = [{ mode: 'chat', key: appKey('chat'), reply, fileUpload: { enabled: true, types: ['video'], number: 1 } }];
				startDifySim({ apps, limits: { video: 1000 }, nginxBodyLimit: 2 ** 30, keepBytes: 1024 }).then((sim) => {
					// What a run leaves behind is of no use here, and looking through it takes time.
					setInterval(() => sim.requests.splice(0), 1000);
					console.log(JSON.stringify({ url: sim.url, key: appKey('chat') }));
				});
			`,
			resolveDir: root,
			loader: 'ts',
		},
		outfile,
		bundle: true,
		platform: 'node',
		format: 'cjs',
		logLevel: 'error',
	});
	return outfile;
};

/** @param {string} server */
const startServer = async (server) => {
	/** @type {(line: string) => void} */
	let told = () => undefined;
	/** @type {Promise<string>} */
	const first = new Promise((resolve) => (told = resolve));
	const service = startService('dify', node, [server], { onLine: (line) => told(line) });
	const { url, key } = JSON.parse(await first);
	return { url, key, stop: async () => await service.stop(), pid: service.pid };
};

/** @param {object} task @returns {Promise<Cost>} */
const contest = async (task) => {
	const { stdout } = await run(node, [
		'--expose-gc',
		join(root, 'bench', 'dify-contestant.mjs'),
		JSON.stringify({ root, ...task }),
	]);
	return JSON.parse(stdout.trim().split('\n').at(-1) ?? '');
};

/** @param {string} path */
const writeLargeFile = (path) => {
	const handle = openSync(path, 'w');
	const piece = Buffer.alloc(2 ** 20, 'n8n and Dify ');
	for (let at = 0; at < megabytes; at += 1) writeSync(handle, piece);
	closeSync(handle);
};

/** @param {number} value */
const seconds = (value) => (value / 1000).toFixed(1);

await main(async () => {
	await ensureDependencies(log);
	await ensureBuild(log);
	const work = mkdtempSync(join(tmpdir(), 'local-llama-bench-dify-'));
	/** @type {string[]} */
	const out = [];
	try {
		const server = await startServer(await bundleServer(work));
		const base = { url: server.url, key: server.key, count };
		out.push(
			'| | At once | Seconds | Faster than one after another | Best possible | Overhead per message, ms | CPU per message, ms |',
			'|---|---|---|---|---|---|---|',
		);
		/** @type {Array<[string, string, number]>} */
		const contests = [
			['One blocking request after another (fetch)', 'oneAfterAnother', 1],
			['Dify Chat Message', 'throughTheNode', 1],
			['Dify Chat Message', 'throughTheNode', 4],
			['Dify Chat Message', 'throughTheNode', 16],
		];
		let first = 0;
		for (const [label, name, atOnce] of contests) {
			await log.step(`${count} messages: ${label}, ${atOnce} at once`, async () => {
				const { ms, cpuMs } = await contest({ ...base, name, atOnce });
				first ||= ms;
				const best = (count * second) / atOnce;
				out.push(
					`| ${label} | ${atOnce} | ${seconds(ms)} | ${(first / ms).toFixed(2)}× | ${seconds(best)} | ${(((ms - best) * atOnce) / count).toFixed(2)} | ${(cpuMs / count).toFixed(2)} |`,
				);
			});
		}
		const file = join(work, 'big.mp4');
		writeLargeFile(file);
		out.push('', `| Upload of ${megabytes} MB | Seconds | Memory grew by, MB |`, '|---|---|---|');
		for (const [label, name] of [
			["Dify Chat Message, binary data in a file (n8n's default)", 'uploadFromStore'],
			['Dify Chat Message, binary data in the item (base64, held by n8n)', 'uploadFromMemory'],
			['Whole file as buffer and FormData (fetch)', 'uploadWhole'],
		]) {
			await log.step(`${megabytes} MB: ${label}`, async () => {
				const rounds = [];
				for (let round = 0; round < 3; round += 1) rounds.push(await contest({ ...base, name, file }));
				const [, median] = rounds.sort((one, other) => one.grownMb - other.grownMb);
				out.push(`| ${label} | ${seconds(median?.ms ?? NaN)} | ${(median?.grownMb ?? NaN).toFixed(0)} |`);
			});
		}
		await server.stop();
	} finally {
		rmSync(work, { recursive: true, force: true });
	}
	const table = out.join('\n');
	log.line('');
	log.line(table);
	const cpu = cpus();
	const scaled =
		second === 1000
			? 'The simulated second is a real one.'
			: `The simulated second is scaled down to ${second} ms, so that overhead weighs ${1000 / second} times as much as with a real one.`;
	writeFileSync(
		join(root, 'bench', 'results-dify.md'),
		[
			'# Benchmark of the Dify nodes',
			'',
			`Written by \`npm run bench:dify\`. Dify is the simulator of the tests, in a process of its own; each contestant has its own process, too. ${cpu.length} × ${cpu[0]?.model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GiB,`,
			`Node ${(await run(node, ['--version'])).stdout.trim()}, all on the same cores.`,
			'',
			`${count.toLocaleString('en-US')} messages against an app that thinks for a second before it answers. ${scaled} "Overhead" is what a message takes longer than the app itself.`,
			'',
			'Memory: how much the process grew above what it held before the upload began (median of three), the base64 text that n8n holds not counted.',
			'',
			table,
			'',
		].join('\n'),
	);
	return 0;
});
