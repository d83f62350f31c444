/**
 * `npm run bench -- shared`: a chat every two seconds on a server with four slots, alone and beside a batch. The batch is
 * that of Local Llama, 16 items at once; chat and batch use one credential without Max Concurrent Requests. Writes
 * bench/results/shared.md. Options: bench/lib/programs.mjs.
 */
import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { root } from '../scripts/lib/paths.mjs';
import { machine, nodeVersion } from './lib/machine.mjs';
import { partsOf } from './lib/parts.mjs';
import { SLOTS, startSlotServer, TOKEN_MS, TOKENS } from './shared/slot-server.mjs';

const { values: options } = parseArgs({
	options: { quick: { type: 'boolean', default: false }, against: { type: 'string' } },
});
const ITEMS = options.quick ? 80 : 400;
const CHATS = options.quick ? 5 : 30;
const AT_ONCE = 16;
const BETWEEN_CHATS_MS = 2000;

const SETTINGS = {
	model: 'bench-model',
	parameters: {},
	serverKind: 'auto',
	reasoningEcho: 'toolTurns',
	showThinking: false,
	limits: {},
	retries: 0,
};

/** @param {number[]} values @param {number} share */
const percentile = (values, share) =>
	[...values].sort((one, other) => one - other)[Math.ceil(values.length * share) - 1] ?? NaN;

/**
 * @param {string} clone
 * @returns {Promise<{ alone: number[], beside: number[], batchAlone: number, batchBeside: number, again: number }>}
 */
const measure = async (clone) => {
	const parts = await partsOf(clone, ['chat/client', 'servers/credential']);
	const server = await startSlotServer();
	/** @param {string} priority */
	const clientOf = (priority) => {
		const credential = { baseUrl: server.url };
		const servers = parts.localLlamaServers(credential, undefined, { priority, user: 'chat' });
		return new parts.ChatClient(servers, SETTINGS);
	};
	const [person, worker] = [clientOf('person'), clientOf('batch')];
	let again = 0;
	const firstToken = async () => {
		const from = performance.now();
		const answer = person.generate({ messages: [{ type: 'human', content: 'Hello' }] });
		await answer.next();
		const ms = performance.now() - from;
		for (let step = await answer.next(); !step.done; ) step = await answer.next();
		return ms;
	};
	const item = async () => {
		const messages = [{ type: 'human', content: 'One of many' }];
		const answer = worker.generate({ messages, whole: true, reuse: true });
		let step = await answer.next();
		while (!step.done) step = await answer.next();
		again += step.value.log?.placesGivenUp ?? 0;
	};
	/** @param {() => boolean} isWanted @returns {Promise<number>} items a second */
	const batch = async (isWanted) => {
		const from = performance.now();
		let done = 0;
		const lane = async () => {
			for (; isWanted(); done += 1) await item();
		};
		await Promise.all(Array.from({ length: AT_ONCE }, lane));
		return (done * 1000) / (performance.now() - from);
	};
	/** @param {number} count */
	const upTo = (count) => () => count-- > 0;
	const chats = async () => {
		/** @type {Promise<number>[]} */
		const asked = [];
		for (let chat = 0; chat < CHATS; chat += 1) {
			await delay(BETWEEN_CHATS_MS);
			asked.push(firstToken());
		}
		return await Promise.all(asked);
	};
	try {
		const alone = await chats();
		const batchAlone = await batch(upTo(ITEMS));
		let isOver = false;
		const beside = batch(() => !isOver);
		const besideBatch = await chats();
		isOver = true;
		return { alone, beside: besideBatch, batchAlone, batchBeside: await beside, again };
	} finally {
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

A server with ${SLOTS} slots that writes ${TOKENS} tokens of ${TOKEN_MS} ms each; a chat every ${BETWEEN_CHATS_MS / 1000} seconds, ${CHATS} of them, alone and beside a batch with ${AT_ONCE} items at once (${ITEMS} items alone). One credential, *Max Concurrent Requests* 0. The clients of the nodes, without n8n.

First token in milliseconds, batch in items a second.

| | p50 alone | p50 beside the batch | p99 alone | p99 beside the batch | Batch alone | Batch beside the chats | Places given up |
|---|---|---|---|---|---|---|---|
${rows.join('\n')}

Machine: ${machine()}, Node ${await nodeVersion()}. With ${CHATS} chats, p99 is the slowest.
`;
process.stdout.write(text);
if (!options.quick) writeFileSync(join(root, 'bench', 'results', 'shared.md'), text);
