/**
 * A llama-server with few slots that writes at a fixed speed. Further requests are deferred by the rules of the real one
 * (docs/protocols/llama-server.md 7.2). In a process of its own.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

export const SLOTS = 4;
export const TOKENS = 25;
export const TOKEN_MS = 20;
const PROMPT_MS = 100;

/**
 * @typedef {object} Task
 * @property {number} idSlot the slot that it waits for, or -1
 * @property {(slot: Slot) => void} start
 */

/** @typedef {{ id: number, isBusy: boolean, released: number }} Slot */

const createSlots = () => {
	/** @type {Slot[]} */
	const slots = Array.from({ length: SLOTS }, (_, id) => ({ id, isBusy: false, released: 0 }));
	/** @type {Task[]} */
	const deferred = [];
	let releases = 0;
	/** @param {number} idSlot @returns {Slot | undefined} the named one, or the least recently used idle one */
	const choose = (idSlot) => {
		if (idSlot >= 0) return slots[idSlot % SLOTS];
		const idle = slots.filter(({ isBusy }) => !isBusy);
		return idle.sort((one, other) => one.released - other.released)[0];
	};
	/** @param {Task} task */
	const post = (task) => {
		const slot = choose(task.idSlot);
		if (slot === undefined || slot.isBusy) {
			deferred.push(task);
			return;
		}
		slot.isBusy = true;
		task.start(slot);
	};
	return {
		/** @param {number} idSlot @returns {Promise<Slot>} */
		take: async (idSlot) => await new Promise((start) => post({ idSlot, start })),
		/** @param {Slot} slot */
		release: (slot) => {
			slot.isBusy = false;
			slot.released = releases += 1;
			const named = deferred.findIndex(({ idSlot }) => idSlot === slot.id);
			const [next] = deferred.splice(Math.max(named, 0), 1);
			if (next !== undefined) post(next);
		},
		report: () => slots.map(({ id, isBusy }) => ({ id, is_processing: isBusy })),
	};
};

const serve = () => {
	const slots = createSlots();
	/** @param {object} rest */
	const event = (rest) =>
		`data: ${JSON.stringify({ ...rest, id: 'chatcmpl-bench', model: 'bench-model', object: 'chat.completion.chunk' })}\n\n`;
	/** @param {import('node:http').ServerResponse} outgoing @param {number} idSlot */
	const write = async (outgoing, idSlot) => {
		const slot = await slots.take(idSlot);
		try {
			await delay(PROMPT_MS);
			for (let token = 0; token < TOKENS && !outgoing.destroyed; token += 1) {
				const delta = { content: ` word${token}` };
				outgoing.write(event({ choices: [{ index: 0, delta, finish_reason: null }] }));
				await delay(TOKEN_MS);
			}
			const usage = { prompt_tokens: 12, completion_tokens: TOKENS, total_tokens: TOKENS + 12 };
			const end = event({ choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] });
			outgoing.end(`${end}${event({ choices: [], usage })}data: [DONE]\n\n`);
		} finally {
			slots.release(slot);
		}
	};
	const server = createServer(async (incoming, outgoing) => {
		const body = await text(incoming);
		outgoing.setHeader('server', 'llama.cpp');
		if (incoming.url === '/props') outgoing.end(JSON.stringify({ total_slots: SLOTS }));
		else if (incoming.url === '/slots') outgoing.end(JSON.stringify(slots.report()));
		else if (incoming.url?.endsWith('/chat/completions') !== true)
			outgoing.writeHead(404).end('{"error":{"message":"not here"}}');
		else {
			outgoing.writeHead(200, { 'content-type': 'text/event-stream' });
			outgoing.flushHeaders();
			await write(outgoing, JSON.parse(body).id_slot ?? -1);
		}
	});
	server.listen(0, '127.0.0.1', () => process.send?.(server.address()));
};

/** @returns {Promise<{ url: string, stop: () => void }>} */
export const startSlotServer = async () => {
	const child = fork(fileURLToPath(import.meta.url), ['serve']);
	const [{ port }] = await once(child, 'message');
	return { url: `http://127.0.0.1:${port}`, stop: () => void child.kill() };
};

if (process.argv[2] === 'serve') serve();
