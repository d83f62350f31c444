/** One process of n8n for `npm run bench -- priorities`: chats, and items of a batch. Started with a clone and a URL. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { CHAT_SETTINGS, loadPackageParts } from '../lib/package-parts.mjs';

/** Concurrent items of a batch, as in Local Llama. */
export const CONCURRENCY = 16;
const SETTINGS = { ...CHAT_SETTINGS, model: 'bench-model', sampling: {} };

/**
 * @typedef {object} Worker
 * @property {() => Promise<number>} chat milliseconds to the first token
 * @property {() => void} startBatch
 * @property {() => Promise<{ done: number, preemptions: number }>} endBatch completed items, and preemptions
 * @property {() => void} stop
 */

/** @param {string} clone @param {string} url */
const serve = async (clone, url) => {
	/** @type {typeof import('../../lib/chat/turn') & typeof import('../../lib/servers/endpoint')} */
	const { runTurn, createModelServer } = await loadPackageParts(clone, [
		'chat/turn',
		'servers/endpoint',
	]);
	const server = createModelServer(
		{ baseUrl: url },
		{ helpers: {}, getExecutionId: () => undefined },
	);
	const chat = async () => {
		const from = performance.now();
		let ms = 0;
		/** @type {import('../../lib/chat/settings').ChatSettings} */
		const settings = { ...SETTINGS, priority: 'interactive' };
		/** @type {import('../../lib/chat/input-message').InputMessage[]} */
		const messages = [{ type: 'human', content: [{ block: 'Hello', origin: 'user' }] }];
		const onDelta = () => (ms ||= performance.now() - from);
		await runTurn({ server, settings, chatRequest: { messages }, onDelta });
		return ms;
	};
	/** @returns {Promise<number>} how often it was preempted */
	const item = async () => {
		/** @type {import('../../lib/chat/input-message').InputMessage[]} */
		const messages = [{ type: 'human', content: [{ block: 'One of many', origin: 'user' }] }];
		/** @type {import('../../lib/chat/settings').ChatSettings} */
		const settings = { ...SETTINGS, priority: 'batch' };
		const { logFields } = await runTurn({
			server,
			settings,
			chatRequest: { messages, isNeededOnlyAtEnd: true },
		});
		return Number(logFields?.timesPreempted ?? 0);
	};
	let isRunning = false;
	let counts = { done: 0, preemptions: 0 };
	const lane = async () => {
		while (isRunning) {
			counts.preemptions += await item();
			// The remaining items would be counted during a time with less work.
			if (isRunning) counts.done += 1;
		}
	};
	/** @type {Promise<void>[]} */
	let lanes = [];
	process.on('message', async (/** @type {{ id: number, action: string }} */ { id, action }) => {
		if (action === 'chat') process.send?.({ id, result: await chat() });
		if (action === 'startBatch') {
			isRunning = true;
			counts = { done: 0, preemptions: 0 };
			lanes = Array.from({ length: CONCURRENCY }, lane);
		}
		if (action === 'endBatch') {
			isRunning = false;
			await Promise.all(lanes);
			process.send?.({ id, result: counts });
		}
	});
	process.send?.('ready');
};

/**
 * @param {string} clone
 * @param {string} url of the server
 * @returns {Promise<Worker>}
 */
export const startWorker = async (clone, url) => {
	const child = fork(fileURLToPath(import.meta.url), ['serve', clone, url]);
	const ended = once(child, 'exit').then(([code]) => {
		throw new Error(`The worker ended with exit code ${code}`);
	});
	ended.catch(() => {});
	await Promise.race([once(child, 'message'), ended]);
	/** @type {Map<number, (result: any) => void>} */
	const pending = new Map();
	child.on('message', (/** @type {any} */ { id, result }) => pending.get(id)?.(result));
	let last = 0;
	/** @param {string} action @returns {Promise<any>} */
	const send = async (action) =>
		await new Promise((resolve) => {
			last += 1;
			pending.set(last, resolve);
			child.send({ id: last, action });
		});
	return {
		chat: async () => await send('chat'),
		startBatch: () => void send('startBatch'),
		endBatch: async () => await send('endBatch'),
		stop: () => void child.kill(),
	};
};

const [, , role, clone = '', url = ''] = process.argv;
if (role === 'serve') await serve(clone, url);
