/** A server that writes at a fixed speed in each stream, as a GPU does. In a separate process. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { fileURLToPath } from 'node:url';

/**
 * How answers are written: tokens per second in each stream (none: as fast as they can be), and how many in an answer.
 *
 * @typedef {{ rate?: number, tokens: number }} Speed
 */

const serve = () => {
	/** @type {Speed} */
	let speed = { tokens: 1000 };
	/** @param {object} rest */
	const event = (rest) =>
		`data: ${JSON.stringify({ ...rest, created: 1763000000, id: 'chatcmpl-bench', model: 'bench-model', system_fingerprint: 'b1-bench', object: 'chat.completion.chunk' })}\n\n`;
	/** @param {object} delta @param {string | null} reason */
	const choice = (delta, reason = null) =>
		event({ choices: [{ finish_reason: reason, index: 0, delta }] });
	const server = createServer((incoming, outgoing) => {
		incoming.resume();
		if (!incoming.url?.endsWith('/chat/completions'))
			return outgoing.writeHead(404).end('{"error":{"message":"not here"}}');
		incoming.on('end', () => {
			const { rate, tokens } = speed;
			const startedAt = performance.now();
			outgoing.writeHead(200, { 'content-type': 'text/event-stream' });
			outgoing.write(choice({ role: 'assistant', content: null }));
			let written = 0;
			const write = () => {
				if (outgoing.destroyed) return;
				const due =
					rate === undefined ? written + 10 : 1 + ((performance.now() - startedAt) * rate) / 1000;
				for (; written < Math.min(tokens, due); written += 1)
					outgoing.write(choice({ content: ` word${written % 97}` }));
				if (written < tokens) {
					if (rate === undefined) setImmediate(write);
					else
						setTimeout(write, Math.max(1, startedAt + (written * 1000) / rate - performance.now()));
					return;
				}
				const usage = { prompt_tokens: 12, completion_tokens: tokens, total_tokens: tokens + 12 };
				outgoing.end(`${choice({}, 'stop')}${event({ choices: [], usage })}data: [DONE]\n\n`);
			};
			write();
		});
		return undefined;
	});
	process.on('message', (next) => {
		speed = /** @type {Speed} */ (next);
		process.send?.('set');
	});
	server.listen(0, '127.0.0.1', () => process.send?.(server.address()));
};

/** @returns {Promise<{ url: string, set: (speed: Speed) => Promise<void>, stop: () => void }>} */
export const startPacedServer = async () => {
	const child = fork(fileURLToPath(import.meta.url), ['serve']);
	const [{ port }] = await once(child, 'message');
	return {
		url: `http://127.0.0.1:${port}`,
		set: async (speed) => {
			child.send(speed);
			await once(child, 'message');
		},
		stop: () => void child.kill(),
	};
};

if (process.argv[2] === 'serve') serve();
