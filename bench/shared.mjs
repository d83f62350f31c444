/**
 * `npm run bench -- shared`: a chat every two seconds on a server with four slots, alone and beside a batch. The batch is
 * that of Local Llama, 16 items at once; chat and batch use one credential without Max Concurrent Requests. Writes
 * bench/results/shared.md, or with `--workers 3` shared-3-workers.md. Options: bench/lib/programs.mjs.
 */
import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { root } from '../scripts/lib/paths.mjs';
import { machine, nodeVersion } from './lib/machine.mjs';
import { SLOTS, startSlotServer, TOKEN_MS, TOKENS } from './shared/slot-server.mjs';
import { AT_ONCE, startWorker } from './shared/worker.mjs';

const { values: options } = parseArgs({
	options: {
		quick: { type: 'boolean', default: false },
		against: { type: 'string' },
		workers: { type: 'string', default: '1' },
	},
});
const WORKERS = Math.max(1, Math.floor(Number(options.workers)) || 1);
const CHATS = options.quick ? 5 : 30;
const BATCH_ALONE_MS = options.quick ? 10_000 : 60_000;
const BETWEEN_CHATS_MS = 2000;
/** Workers do not begin in the same moment. */
const BETWEEN_WORKERS_MS = 500;

/** @param {number[]} values @param {number} share */
const percentile = (values, share) =>
	[...values].sort((one, other) => one - other)[Math.ceil(values.length * share) - 1] ?? NaN;

/**
 * @param {string} clone
 * @returns {Promise<{ alone: number[], beside: number[], batchAlone: number, batchBeside: number, again: number }>}
 */
const measure = async (clone) => {
	const server = await startSlotServer();
	/** @type {import('./shared/worker.mjs').Worker[]} */
	const workers = [];
	/** Each chat comes to the next worker. */
	const chats = async () => {
		/** @type {Promise<number>[]} */
		const asked = [];
		for (let chat = 0; chat < CHATS; chat += 1) {
			await delay(BETWEEN_CHATS_MS);
			asked.push(/** @type {any} */ (workers[chat % WORKERS]).chat());
		}
		return await Promise.all(asked);
	};
	let again = 0;
	/**
	 * @template T
	 * @param {() => Promise<T>} work
	 * @returns {Promise<{ value: T, rate: number }>} items a second beside the work
	 */
	const besideBatch = async (work) => {
		const from = performance.now();
		for (const worker of workers) {
			worker.startBatch();
			if (WORKERS > 1) await delay(BETWEEN_WORKERS_MS);
		}
		const value = await work();
		const ending = workers.map(async (worker) => await worker.endBatch());
		const ms = performance.now() - from;
		const counts = await Promise.all(ending);
		for (const one of counts) again += one.again;
		return { value, rate: (counts.reduce((sum, { done }) => sum + done, 0) * 1000) / ms };
	};
	try {
		for (let worker = 0; worker < WORKERS; worker += 1)
			workers.push(await startWorker(clone, server.url, WORKERS > 1));
		const alone = await chats();
		const { rate: batchAlone } = await besideBatch(async () => await delay(BATCH_ALONE_MS));
		const { value: beside, rate: batchBeside } = await besideBatch(chats);
		return { alone, beside, batchAlone, batchBeside, again };
	} finally {
		for (const worker of workers) worker.stop();
		server.stop();
	}
};

/** @param {string} name @param {Awaited<ReturnType<typeof measure>>} measured */
const row = (name, { alone, beside, batchAlone, batchBeside, again }) => {
	const [p50, p99] = [0.5, 0.99].map((share) =>
		[alone, beside].map((times) => Math.round(percentile(times, share))),
	);
	const kept = `${Math.round((100 * batchBeside) / batchAlone)} %`;
	const rates = `${batchAlone.toFixed(2)} | ${batchBeside.toFixed(2)} (${kept})`;
	return `| ${name} | ${p50?.join(' | ')} | ${p99?.join(' | ')} | ${rates} | ${again} |`;
};

const rows = [row('This build', await measure(root))];
if (options.against !== undefined)
	rows.push(row('The other build', await measure(resolve(options.against))));
const text = `# A chat beside a batch

A server with ${SLOTS} slots that writes ${TOKENS} tokens of ${TOKEN_MS} ms each; a chat every ${BETWEEN_CHATS_MS / 1000} seconds, ${CHATS} of them, alone and beside a batch with ${AT_ONCE} items at once${WORKERS > 1 ? ` in each of ${WORKERS} workers of queue mode, which take the chats in turn` : ''}. One credential, *Max Concurrent Requests* 0. The clients of the nodes, without n8n.

First token in milliseconds, batch in items a second.

| | p50 alone | p50 beside the batch | p99 alone | p99 beside the batch | Batch alone | Batch beside the chats | Places given up |
|---|---|---|---|---|---|---|---|
${rows.join('\n')}

Machine: ${machine()}, Node ${await nodeVersion()}. With ${CHATS} chats, p99 is the slowest.
`;
process.stdout.write(text);
const name = WORKERS > 1 ? `shared-${WORKERS}-workers.md` : 'shared.md';
if (!options.quick) writeFileSync(join(root, 'bench', 'results', name), text);
