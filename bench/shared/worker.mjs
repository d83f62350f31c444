/** One process of n8n for `npm run bench -- shared`: chats, and items of a batch. Started with a clone and a URL. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { CHAT_SETTINGS, partsOf } from '../lib/parts.mjs';

/** Items of a batch that are asked at once, as Local Llama does. */
export const AT_ONCE = 16;
const SETTINGS = { ...CHAT_SETTINGS, model: 'bench-model', parameters: {}, serverKind: 'auto' };

/**
 * @typedef {object} Worker
 * @property {() => Promise<number>} chat milliseconds to the first token
 * @property {() => void} startBatch
 * @property {() => Promise<{ done: number, again: number }>} endBatch items done, and places given up
 * @property {() => void} stop
 */

/** @param {string} clone @param {string} url */
const serve = async (clone, url) => {
	const parts = await partsOf(clone, ['chat/client', 'servers/credential']);
	/** @param {string} priority */
	const clientOf = (priority) => {
		const servers = parts.localLlamaServers({ baseUrl: url }, undefined, {
			priority,
			user: 'chat',
		});
		return new parts.ChatClient(servers, SETTINGS);
	};
	const [person, batch] = [clientOf('person'), clientOf('batch')];
	const chat = async () => {
		const from = performance.now();
		const answer = person.generate({ messages: [{ type: 'human', content: 'Hello' }] });
		await answer.next();
		const ms = performance.now() - from;
		for (let step = await answer.next(); !step.done; ) step = await answer.next();
		return ms;
	};
	/** @returns {Promise<number>} how often it gave its place up */
	const item = async () => {
		const messages = [{ type: 'human', content: 'One of many' }];
		const answer = batch.generate({ messages, whole: true, reuse: true });
		let step = await answer.next();
		while (!step.done) step = await answer.next();
		return step.value.log?.placesGivenUp ?? 0;
	};
	let isRunning = false;
	let counts = { done: 0, again: 0 };
	const lane = async () => {
		while (isRunning) {
			counts.again += await item();
			// The rest of the items would be counted in a time with less work.
			if (isRunning) counts.done += 1;
		}
	};
	/** @type {Promise<void>[]} */
	let lanes = [];
	process.on('message', async (/** @type {{ id: number, ask: string }} */ { id, ask }) => {
		if (ask === 'chat') process.send?.({ id, answer: await chat() });
		if (ask === 'startBatch') {
			isRunning = true;
			counts = { done: 0, again: 0 };
			lanes = Array.from({ length: AT_ONCE }, lane);
		}
		if (ask === 'endBatch') {
			isRunning = false;
			await Promise.all(lanes);
			process.send?.({ id, answer: counts });
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
	await once(child, 'message');
	/** @type {Map<number, (answer: any) => void>} */
	const asked = new Map();
	child.on('message', (/** @type {any} */ { id, answer }) => asked.get(id)?.(answer));
	let last = 0;
	/** @param {string} ask @returns {Promise<any>} */
	const send = async (ask) =>
		await new Promise((resolve) => {
			last += 1;
			asked.set(last, resolve);
			child.send({ id: last, ask });
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
