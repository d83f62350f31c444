/**
 * `npm run bench -- dify`: many messages through Dify Chat Message, 1, 4 and 16 at once, against one blocking request
 * after another; many runs through Dify Workflow; and the memory that the upload of a large file takes. Against the
 * simulator of the tests, in a process of its own. With a simulated second of 1000 ms it takes 17 minutes. Writes
 * bench/results/dify.md. Its options: bench/lib/programs.mjs.
 */
import {
	closeSync,
	mkdtempSync,
	openSync,
	readFileSync,
	rmSync,
	writeFileSync,
	writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ensureBuild } from '../scripts/lib/build.mjs';
import { ensureDependencies, node } from '../scripts/lib/deps.mjs';
import { createLog } from '../scripts/lib/log.mjs';
import { main } from '../scripts/lib/main.mjs';
import { root } from '../scripts/lib/paths.mjs';
import { run } from '../scripts/lib/proc.mjs';
import { startDifySimulator } from './lib/dify-simulator.mjs';
import { machine, nodeVersion } from './lib/machine.mjs';

/** @typedef {{ ms: number, cpuMs: number, grownMb: number, requests?: number, writes?: number }} Cost */

const { values: options } = parseArgs({
	options: {
		quick: { type: 'boolean', default: false },
		second: { type: 'string', default: '100' },
		workflows: { type: 'boolean', default: false },
		knowledge: { type: 'boolean', default: false },
	},
});
const log = createLog();
const second = Number(options.second);
const count = options.quick ? 100 : 1000;
const runCount = options.quick ? 20 : 200;
const megabytes = options.quick ? 20 : 200;

/** @param {string} work */
const startServer = async (work) => {
	const { told, service } = await startDifySimulator(
		work,
		`
			import { addDataset, addDocument, appKey, knowledgeKey, startDifySim } from './test/servers/dify';
			import { HASH_FIELD, SOURCE_FIELD, sha256 } from './lib/dify/knowledge/sync';
			const reply = ({ query }) => ({ steps: [{ wait: ${second} }, { text: 'You said: ' + query }] });
			const apps = [{ mode: 'chat', key: appKey('chat'), reply, fileUpload: { enabled: true, types: ['video'], number: 1 } }];
			const workflow = appKey('workflow');
			const runs = () => ({ steps: [{ wait: 1000 }], outputs: { done: true } });
			apps.push({ mode: 'workflow', key: workflow, reply: runs });
			startDifySim({ apps, limits: { video: 1000 }, nginxBodyLimit: 2 ** 30, keepBytes: 1024 }).then((sim) => {
				sim.store.knowledge.fileLimit = 2 ** 30;
				const base = addDataset(sim.store, { technique: 'economy' });
				for (const name of [SOURCE_FIELD, HASH_FIELD]) base.fields.push({ id: name, name, type: 'string' });
				for (let at = 0; at < ${count}; at += 1) {
					const marks = { [SOURCE_FIELD]: 'file ' + at, [HASH_FIELD]: sha256('text ' + at) };
					const values = new Map(Object.entries(marks).map(([name, value]) => [name, { id: name, value }]));
					addDocument(sim.store, base, { name: 'file ' + at + '.txt', values });
				}
				const knowledge = { key: knowledgeKey(), base: base.id };
				// Recorded requests are not needed here, and searching them takes time.
				setInterval(() => sim.requests.splice(0), 1000);
				console.log(JSON.stringify({ url: sim.url, key: appKey('chat'), workflow, knowledge }));
			});
		`,
	);
	const { url, key, workflow, knowledge } = JSON.parse(told);
	return {
		url,
		key,
		workflow,
		knowledge,
		stop: async () => await service.stop(),
		pid: service.pid,
	};
};

/** @param {object} task @returns {Promise<Cost>} */
const contest = async (task) => {
	const { stdout } = await run(node, [
		'--expose-gc',
		join(root, 'bench', 'dify', 'contestant.mjs'),
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

/** @param {{ url: string, workflow: string }} server */
const workflowRuns = async ({ url, workflow }) => {
	const rows = [
		`| ${runCount} runs of a workflow that takes a real second | At once | Seconds | Faster than one after another |`,
		'|---|---|---|---|',
	];
	let first = 0;
	for (const atOnce of [1, 16]) {
		await log.step(`${runCount} workflow runs, ${atOnce} at once`, async () => {
			const { ms } = await contest({
				url,
				key: workflow,
				count: runCount,
				name: 'workflowRuns',
				atOnce,
			});
			first ||= ms;
			rows.push(`| Dify Workflow | ${atOnce} | ${seconds(ms)} | ${(first / ms).toFixed(2)}× |`);
		});
	}
	return rows;
};

/** @param {number} value */
const seconds = (value) => (value / 1000).toFixed(1);

/** @param {{ url: string, knowledge: object }} server @param {string} work */
const knowledgeRows = async ({ url, knowledge }, work) => {
	const file = join(work, 'big.mp4');
	writeLargeFile(file);
	const base = { url, knowledge, count, file };
	const rows = [
		'| Dify Knowledge | Seconds | Requests | Writes | Memory grew by, MB |',
		'|---|---|---|---|---|',
	];
	for (const [label, name] of [
		[`Sync of ${count} unchanged documents`, 'syncUnchanged'],
		[`A document of ${megabytes} MB, binary data in a file`, 'documentFromStore'],
	]) {
		await log.step(`Dify Knowledge: ${label}`, async () => {
			const rounds = [];
			for (let round = 0; round < 3; round += 1) rounds.push(await contest({ ...base, name }));
			const [, median] = rounds.sort((one, other) => one.grownMb - other.grownMb);
			const { ms = NaN, requests, writes, grownMb = NaN } = median ?? {};
			rows.push(`| ${label} | ${seconds(ms)} | ${requests} | ${writes} | ${grownMb.toFixed(0)} |`);
		});
	}
	return rows;
};

/** Replaces the table with the same header row in the results. @param {string[]} rows */
const replaceTable = (rows) => {
	if (options.quick) return;
	const path = join(root, 'bench', 'results', 'dify.md');
	const [head = ''] = rows;
	const others = readFileSync(path, 'utf8')
		.trim()
		.split('\n\n')
		.filter((block) => !block.startsWith(head));
	writeFileSync(path, `${[...others, rows.join('\n')].join('\n\n')}\n`);
};

await main(async () => {
	await ensureDependencies(log);
	await ensureBuild(log);
	const work = mkdtempSync(join(tmpdir(), 'local-llama-bench-dify-'));
	/** @type {string[]} */
	const out = [];
	try {
		const server = await startServer(work);
		if (options.workflows) {
			replaceTable(await workflowRuns(server));
			await server.stop();
			return 0;
		}
		if (options.knowledge) {
			replaceTable(await knowledgeRows(server, work));
			await server.stop();
			return 0;
		}
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
		out.push('', ...(await workflowRuns(server)));
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
				for (let round = 0; round < 3; round += 1)
					rounds.push(await contest({ ...base, name, file }));
				const [, median] = rounds.sort((one, other) => one.grownMb - other.grownMb);
				out.push(
					`| ${label} | ${seconds(median?.ms ?? NaN)} | ${(median?.grownMb ?? NaN).toFixed(0)} |`,
				);
			});
		}
		out.push('', ...(await knowledgeRows(server, work)));
		await server.stop();
	} finally {
		rmSync(work, { recursive: true, force: true });
	}
	const table = out.join('\n');
	log.line('');
	log.line(table);
	if (options.quick) return 0;
	const scaled =
		second === 1000
			? 'The simulated second is a real one.'
			: `The simulated second is scaled down to ${second} ms, so that overhead weighs ${1000 / second} times as much as with a real one.`;
	writeFileSync(
		join(root, 'bench', 'results', 'dify.md'),
		[
			'# Benchmark of the Dify nodes',
			'',
			`Written by \`npm run bench -- dify\`. Dify is the simulator of the tests, in a process of its own; each contestant has its own process, too. ${machine()},`,
			`Node ${await nodeVersion()}, all on the same cores.`,
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
