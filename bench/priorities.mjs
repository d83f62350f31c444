/**
 * `npm run bench -- priorities`: a chat every two seconds on a server with four slots, alone and during a batch. The batch is
 * that of Local Llama, 16 concurrent items; chat and batch use one credential without Max Concurrent Requests. Writes
 * bench/results/priorities.md. Options: bench/lib/programs.mjs.
 */
import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { root } from '../scripts/lib/system/paths.mjs';
import { machine, nodeVersion } from './lib/machine.mjs';
import { SLOTS, startSlotServer, TOKEN_MS, TOKENS } from './priorities/slot-server.mjs';
import { CONCURRENCY, startWorker } from './priorities/worker.mjs';

const { values: options } = parseArgs({
	options: {
		quick: { type: 'boolean', default: false },
		against: { type: 'string' },
	},
});
const CHATS = options.quick ? 5 : 30;
const BATCH_ALONE_MS = options.quick ? 10_000 : 60_000;
const BETWEEN_CHATS_MS = 2000;

/** @param {number[]} values @param {number} share */
const percentile = (values, share) =>
	[...values].sort((a, b) => a - b)[Math.ceil(values.length * share) - 1] ?? NaN;

/**
 * @param {string} clone
 * @returns {Promise<{ alone: number[], beside: number[], batchAlone: number, batchBeside: number, preemptions: number }>}
 */
const measure = async (clone) => {
	const server = await startSlotServer();
	const worker = await startWorker(clone, server.url);
	const chats = async () => {
		/** @type {Promise<number>[]} */
		const chats = [];
		for (let chat = 0; chat < CHATS; chat += 1) {
			await delay(BETWEEN_CHATS_MS);
			chats.push(worker.chat());
		}
		return await Promise.all(chats);
	};
	let preemptions = 0;
	/**
	 * @template T
	 * @param {() => Promise<T>} work
	 * @returns {Promise<{ value: T, rate: number }>} items per second during the work
	 */
	const besideBatch = async (work) => {
		const from = performance.now();
		worker.startBatch();
		const value = await work();
		const ending = worker.endBatch();
		const ms = performance.now() - from;
		const counts = await ending;
		preemptions += counts.preemptions;
		return { value, rate: (counts.done * 1000) / ms };
	};
	try {
		const alone = await chats();
		const { rate: batchAlone } = await besideBatch(async () => await delay(BATCH_ALONE_MS));
		const { value: beside, rate: batchBeside } = await besideBatch(chats);
		return { alone, beside, batchAlone, batchBeside, preemptions };
	} finally {
		worker.stop();
		server.stop();
	}
};

/** @param {string} name @param {Awaited<ReturnType<typeof measure>>} measured */
const row = (name, { alone, beside, batchAlone, batchBeside, preemptions }) => {
	const [p50, p99] = [0.5, 0.99].map((share) =>
		[alone, beside].map((times) => Math.round(percentile(times, share))),
	);
	const batchShare = `${Math.round((100 * batchBeside) / batchAlone)} %`;
	const rates = `${batchAlone.toFixed(2)} | ${batchBeside.toFixed(2)} (${batchShare})`;
	return `| ${name} | ${p50?.join(' | ')} | ${p99?.join(' | ')} | ${rates} | ${preemptions} |`;
};

const rows = [row('This build', await measure(root))];
if (options.against !== undefined)
	rows.push(row('The other build', await measure(resolve(options.against))));
const text = `# A chat beside a batch

A server with ${SLOTS} slots that writes ${TOKENS} tokens of ${TOKEN_MS} ms each; a chat every ${BETWEEN_CHATS_MS / 1000} seconds, ${CHATS} of them, alone and beside a batch with ${CONCURRENCY} concurrent items. One credential, *Max Concurrent Requests* 0. The clients of the nodes, without n8n.

First token in milliseconds, batch in items a second.

| | p50 alone | p50 beside the batch | p99 alone | p99 beside the batch | Batch alone | Batch beside the chats | Preempted |
|---|---|---|---|---|---|---|---|
${rows.join('\n')}

Machine: ${machine()}, Node ${await nodeVersion()}. With ${CHATS} chats, p99 is the slowest.
`;
process.stdout.write(text);
if (!options.quick) writeFileSync(join(root, 'bench', 'results', 'priorities.md'), text);
