/**
 * Loaded into n8n's process by `--import` (NODE_OPTIONS). Measures that process from within on request over a
 * local socket: the heap after a forced garbage collection, and what a run may leave behind.
 */
import { Session } from 'node:inspector/promises';
import Module from 'node:module';
import { createServer, Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { queryObjects } from 'node:v8';

/** @typedef {import('./types').Sample} Sample */

const { SOAK_PROBE_SOCKET: path, SOAK_PROBE_PACKAGE: folder = '' } = process.env;
const session = new Session();

/** @returns {(new () => unknown) | undefined} Node's class of EventTarget listeners; AbortSignal is an EventTarget */
const listenerClass = () => {
	const { signal } = new AbortController();
	signal.addEventListener('abort', () => undefined);
	const symbol = Object.getOwnPropertySymbols(signal).find(
		({ description }) => description === 'kEvents',
	);
	// A SafeMap of Node, which is not an instance of Map.
	/** @type {Map<string, { next?: object }> | undefined} */
	const events = symbol && Reflect.get(signal, symbol);
	return /** @type {any} */ (events?.get('abort')?.next?.constructor);
};
const Listener = listenerClass();

/**
 * Counts the live objects of a class. Each count blocks the process for a while, so each is followed by a pause: otherwise
 * n8n assumes that it has lost its database.
 *
 * @param {(new (...values: any[]) => unknown) | undefined} constructor
 * @returns {Promise<number>}
 */
const alive = async (constructor) => {
	if (constructor === undefined) return 0;
	await delay(50);
	return /** @type {number} */ (queryObjects(constructor, { format: 'count' }));
};

/** @returns {any} the class of connection pools that the package bundles */
const poolClass = () => {
	/** @type {Record<string, { exports?: Record<string, unknown> } | undefined>} */
	const cache = Reflect.get(Module, '_cache');
	const vendor = Object.keys(cache).find(
		(file) => folder !== '' && file.startsWith(folder) && file.endsWith('/dist/vendor.js'),
	);
	return vendor && cache[vendor]?.exports?.Pool;
};

/** @returns {Promise<Sample>} */
const measure = async () => {
	const counts = {
		abortListeners: await alive(Listener),
		abortSignals: await alive(AbortSignal),
		sockets: await alive(Socket),
		pools: await alive(poolClass()),
	};
	// A finalizer clears the timer of a timeout after its signal was collected, so timers and memory come last.
	await session.post('HeapProfiler.collectGarbage');
	await delay(200);
	const resources = process.getActiveResourcesInfo();
	const left = {
		timers: resources.filter((name) => name === 'Timeout').length,
		openSockets: resources.filter((name) => /^(TCP|TLS|Pipe)/.test(name)).length,
	};
	await session.post('HeapProfiler.collectGarbage');
	const { heapUsed, external, rss } = process.memoryUsage();
	return { ...counts, ...left, heapUsed, external, rss };
};

const serve = () => {
	session.connect();
	const server = createServer((socket) => {
		socket.once('data', () => {
			measure().then(
				(answer) => socket.end(JSON.stringify(answer)),
				(error) => socket.end(JSON.stringify({ problem: String(error?.stack ?? error) })),
			);
		});
		socket.on('error', () => socket.destroy());
	});
	server.listen(path);
	server.unref();
};

// n8n's task runner inherits the environment, and is not measured.
if (path !== undefined && process.argv[2] === 'start') serve();
