/**
 * A llama-server with few slots that writes at a fixed speed. Further requests are deferred by the rules of the real one
 * (docs/protocols/llama-server.md 7.2). In a separate process.
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

const createSlots = () => {
	const busy = Array.from({ length: SLOTS }, () => false);
	/** @type {Array<(slot: number) => void>} */
	const deferred = [];
	return {
		/** @returns {Promise<number>} */
		take: async () => {
			const idle = busy.indexOf(false);
			if (idle === -1) return await new Promise((start) => deferred.push(start));
			busy[idle] = true;
			return idle;
		},
		/** @param {number} slot */
		release: (slot) => {
			const next = deferred.shift();
			if (next === undefined) busy[slot] = false;
			else next(slot);
		},
	};
};

const serve = () => {
	const slots = createSlots();
	/** @param {object} rest */
	const event = (rest) =>
		`data: ${JSON.stringify({ ...rest, id: 'chatcmpl-bench', model: 'bench-model', object: 'chat.completion.chunk' })}\n\n`;
	/** @param {import('node:http').ServerResponse} outgoing */
	const write = async (outgoing) => {
		const slot = await slots.take();
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
		await text(incoming);
		outgoing.setHeader('server', 'llama.cpp');
		const { pathname } = new URL(incoming.url ?? '', 'http://localhost');
		if (pathname === '/props') outgoing.end(JSON.stringify({ total_slots: SLOTS }));
		else if (pathname === '/v1/models')
			outgoing.end(JSON.stringify({ data: [{ id: 'bench-model', owned_by: 'llamacpp' }] }));
		else if (incoming.url?.endsWith('/chat/completions') !== true)
			outgoing.writeHead(404).end('{"error":{"message":"not here"}}');
		else {
			outgoing.writeHead(200, { 'content-type': 'text/event-stream' });
			outgoing.flushHeaders();
			await write(outgoing);
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
