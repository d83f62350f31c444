/** A door in front of a server whose speed is that of a machine of its own, not of the processor that all share. */
import { createServer, request } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';

/**
 * Lets so many generations through at once and keeps each for so long, or between so long and so long, in a fixed order. Everything else goes through at once.
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
		// Its own number: while it waits, others come, and all that wait would be kept equally long.
		const own = (generations += 1);
		if (free > 0) free -= 1;
		else await /** @type {Promise<void>} */ (new Promise((resolve) => waiting.push(resolve)));
		// The golden ratio spreads evenly.
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
				// A connection of its own: llama-server closes a kept one after 100 requests, and the next one may be lost on it.
				const sent = { method, headers: { ...headers, connection: 'close' }, agent: false };
				const behind = request(new URL(url, target), sent, (answer) => {
					const { connection: _ofThatConnection, 'keep-alive': _either, ...passed } = answer.headers;
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
	await /** @type {Promise<void>} */ (new Promise((resolve) => server.listen(0, '127.0.0.1', resolve)));
	const address = server.address();
	if (address === null || typeof address === 'string') throw new Error('The gate has no port');
	return {
		url: `http://127.0.0.1:${address.port}`,
		generations: () => generations,
		stop: () => {
			server.closeAllConnections();
			server.close();
		},
	};
};
