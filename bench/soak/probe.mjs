/**
 * Loaded into n8n's process by `--import` (NODE_OPTIONS). Measures that process from within when it is asked to over a
 * local socket: the heap after a forced garbage collection, and all that a run may leave behind.
 */
import { getEventListeners } from 'node:events';
import { readdirSync, readlinkSync } from 'node:fs';
import { Session } from 'node:inspector';
import Module from 'node:module';
import { createServer, Server, Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { queryObjects, writeHeapSnapshot } from 'node:v8';

/** @typedef {import('./types').Sample} Sample */
/** @typedef {{ type: string, subtype?: string, description?: string, objectId?: string }} Remote */
/** @typedef {{ name: string, value?: Remote }} Property */

const { SOAK_PROBE_SOCKET: path, SOAK_PROBE_PACKAGE: folder = '' } = process.env;

const session = new Session();

/**
 * @param {string} method of the inspector
 * @param {object} [parameters]
 * @returns {Promise<any>}
 */
const inspect = async (method, parameters = {}) =>
	await new Promise((resolve, reject) => {
		session.post(method, parameters, (error, result) => (error ? reject(error) : resolve(result)));
	});

/** @returns {Record<string, number>} open file handles by kind */
const fileHandles = () => {
	/** @type {Record<string, number>} */
	const kinds = {};
	if (process.platform !== 'linux') return kinds;
	for (const name of readdirSync('/proc/self/fd')) {
		try {
			const target = readlinkSync(`/proc/self/fd/${name}`);
			const kind = target.startsWith('/')
				? 'file'
				: (/^(?:anon_inode:)?\[?(\w+)/.exec(target)?.[1] ?? target);
			kinds[kind] = (kinds[kind] ?? 0) + 1;
		} catch {
			// The handle of the listing itself, already closed.
		}
	}
	return kinds;
};

/** @param {string[]} names */
const counted = (names) => {
	/** @type {Record<string, number>} */
	const counts = {};
	for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
	return counts;
};

/** Node does not export these two classes; an object of each gives access to them. */
const timer = setTimeout(() => undefined, 0);
clearTimeout(timer);
const Timeout = /** @type {new () => unknown} */ (timer.constructor);

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
 * Counts the live objects of a class. Each count blocks the process for a while, so it gets a moment after each: else n8n
 * believes that it has lost its database.
 *
 * @param {(new (...values: any[]) => unknown) | undefined} constructor
 * @returns {Promise<number>}
 */
const alive = async (constructor) => {
	if (constructor === undefined) return 0;
	await delay(50);
	return /** @type {number} */ (queryObjects(constructor, { format: 'count' }));
};

/**
 * Runs inside the inspector: callback name and delay of each pending timer.
 *
 * @this {Array<{ _destroyed: boolean, _idleTimeout: number, _onTimeout?: { name?: string } | null }>}
 */
function pending() {
	return this.filter(
		({ _destroyed, _onTimeout }) => !_destroyed && typeof _onTimeout === 'function',
	).map(
		({ _idleTimeout, _onTimeout }) => `${_onTimeout?.name || 'a function'} in ${_idleTimeout} ms`,
	);
}

/** @returns {Promise<Record<string, number>>} pending timers by callback and delay, also unreferenced ones */
const timers = async () => {
	await delay(50);
	const objectGroup = 'soak-timers';
	Reflect.set(globalThis, '__soak', Timeout.prototype);
	const { result } = await inspect('Runtime.evaluate', { expression: '__soak', objectGroup });
	Reflect.deleteProperty(globalThis, '__soak');
	const { objects } = await inspect('Runtime.queryObjects', {
		prototypeObjectId: result.objectId,
		objectGroup,
	});
	const { result: names } = await inspect('Runtime.callFunctionOn', {
		...{ objectId: objects.objectId, functionDeclaration: pending.toString(), returnByValue: true },
	});
	await inspect('Runtime.releaseObjectGroup', { objectGroup });
	return counted(names.value);
};

/** Listeners of the process, and of every server and socket that is open. */
const listeners = () => {
	/** @type {Array<Server | Socket>} */
	const handles = Reflect.get(process, '_getActiveHandles').call(process);
	const emitters = [
		process,
		...handles.filter((handle) => typeof handle?.eventNames === 'function'),
	];
	return emitters.reduce(
		(sum, emitter) =>
			sum +
			emitter
				.eventNames()
				.reduce((all, name) => all + getEventListeners(emitter, String(name)).length, 0),
		0,
	);
};

/** The modules of the measured package that n8n has loaded. */
const modules = () => {
	/** @type {Record<string, { exports?: Record<string, unknown> } | undefined>} */
	const cache = Reflect.get(Module, '_cache');
	return Object.entries(cache).filter(([file]) => folder !== '' && file.startsWith(folder));
};

/** @param {string} objectId @returns {Promise<{ own: Property[], internal: Property[] }>} */
const propertiesOf = async (objectId) => {
	const { result, internalProperties = [] } = await inspect('Runtime.getProperties', {
		objectId,
		ownProperties: true,
	});
	return { own: result, internal: internalProperties };
};

/**
 * Sizes of the maps and sets that the package keeps, by file and minified name. The inspector finds them in the scope of
 * the bundle's functions.
 *
 * @param {string} file
 * @param {unknown} known a function of the module
 * @returns {Promise<Record<string, number>>}
 */
const cachesOf = async (file, known) => {
	Reflect.set(globalThis, '__soak', known);
	const { result } = await inspect('Runtime.evaluate', {
		expression: '__soak',
		objectGroup: 'soak',
	});
	const { internal } = await propertiesOf(result.objectId);
	const scopes = internal.find(({ name }) => name === '[[Scopes]]')?.value?.objectId;
	/** @type {Record<string, number>} */
	const sizes = {};
	if (scopes === undefined) return sizes;
	for (const scope of (await propertiesOf(scopes)).own) {
		const { description = '', objectId } = scope.value ?? {};
		if (objectId === undefined || !description.startsWith('Closure')) continue;
		for (const { name, value } of (await propertiesOf(objectId)).own) {
			const size = /^(?:Map|Set)\((\d+)\)$/.exec(value?.description ?? '')?.[1];
			if (size !== undefined) sizes[`${file.slice(folder.length)} ${name}`] = Number(size);
		}
	}
	return sizes;
};

/** @returns {Promise<Record<string, number>>} */
const caches = async () => {
	/** @type {Record<string, number>} */
	const all = {};
	for (const [file, module] of modules()) {
		if (!file.endsWith('/dist/index.js')) continue;
		const known = Object.values(module?.exports ?? {}).find((value) => typeof value === 'function');
		if (known !== undefined) Object.assign(all, await cachesOf(file, known));
	}
	Reflect.deleteProperty(globalThis, '__soak');
	await inspect('Runtime.releaseObjectGroup', { objectGroup: 'soak' });
	return all;
};

/** @returns {Promise<Sample>} */
const measure = async () => {
	const vendor = modules().find(([file]) => file.endsWith('/dist/vendor.js'))?.[1]?.exports ?? {};
	const kept = {
		abortListeners: await alive(Listener),
		abortSignals: await alive(AbortSignal),
		sockets: await alive(Socket),
		pools: await alive(/** @type {any} */ (vendor.Pool)),
		caches: await caches(),
	};
	// Each count collects garbage. A finalizer clears the timer of a time limit after its signal was collected, so timers
	// and memory come last.
	await inspect('HeapProfiler.collectGarbage');
	await delay(200);
	const left = {
		timers: await timers(),
		resources: counted(process.getActiveResourcesInfo()),
		fileHandles: fileHandles(),
		listeners: listeners(),
	};
	await inspect('HeapProfiler.collectGarbage');
	const { heapUsed, external, arrayBuffers, rss } = process.memoryUsage();
	return { ...kept, ...left, heapUsed, external, arrayBuffers, rss };
};

const serve = () => {
	session.connect();
	const server = createServer((socket) => {
		socket.setEncoding('utf8');
		socket.once('data', (asked) => {
			const [order, file] = String(asked).trim().split(' ', 2);
			const work = order === 'snapshot' ? async () => ({ file: writeHeapSnapshot(file) }) : measure;
			work().then(
				(answer) => socket.end(JSON.stringify(answer)),
				(error) => socket.end(JSON.stringify({ problem: String(error?.stack ?? error) })),
			);
		});
		socket.on('error', () => socket.destroy());
	});
	server.listen(path);
	server.unref();
};

// n8n's task runner inherits the environment, and is not what is measured.
if (path !== undefined && process.argv[2] === 'start') serve();
