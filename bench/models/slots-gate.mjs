/** A proxy that gives a server the speed of a separate machine, although all share one processor. */
import { createServer, request } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { listenLocally } from '../lib/local-server.mjs';

/**
 * Lets `slots` generations through at once and delays each by `holdMs` (a range: different delays in a fixed order).
 * Other requests pass without delay.
 *
 * @param {string} target address of the server behind it
 * @param {{ slots: number, holdMs: number | readonly [number, number] }} options
 * @returns {Promise<{ url: string, generations: () => number, stop: () => void }>}
 */
export const startSlotsGate = async (target, { slots, holdMs }) => {
	let free = slots;
	let generations = 0;
	const [shortest, longest] = typeof holdMs === 'number' ? [holdMs, holdMs] : holdMs;
	/** @type {Array<() => void>} */
	const waiting = [];
	const enter = async () => {
		// A copy: the counter grows while this request waits, and all that wait would get the same delay.
		const own = (generations += 1);
		if (free > 0) free -= 1;
		else await /** @type {Promise<void>} */ (new Promise((resolve) => waiting.push(resolve)));
		// Multiples of the golden ratio spread evenly.
		await delay(shortest + ((own * 0.618034) % 1) * (longest - shortest));
	};
	const leave = () => {
		const next = waiting.shift();
		if (next) next();
		else free += 1;
	};
	const server = createServer((incoming, outgoing) => {
		const { method, url = '/', headers } = incoming;
		const generates = method === 'POST' && url.endsWith('/chat/completions');
		const pass = async () => {
			if (generates) await enter();
			await new Promise((resolve) => {
				outgoing.once('close', resolve);
				// A new connection for each: llama-server closes a kept one after 100 requests, and the next request may be lost on it.
				const sent = { method, headers: { ...headers, connection: 'close' }, agent: false };
				const behind = request(new URL(url, target), sent, (answer) => {
					const {
						connection: _ofThatConnection,
						'keep-alive': _either,
						...passed
					} = answer.headers;
					outgoing.writeHead(answer.statusCode ?? 502, passed);
					answer.pipe(outgoing);
				});
				behind.once('error', () => outgoing.destroy());
				incoming.pipe(behind);
			});
			if (generates) leave();
		};
		void pass();
	});
	return { ...(await listenLocally(server)), generations: () => generations };
};
