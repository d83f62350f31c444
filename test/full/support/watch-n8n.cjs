/**
 * Asks n8n for its health again and again, in a thread of its own, so that work of the test delays no question. `workerData`:
 * its `pid` and `url`. Ends with a message from the parent, and posts what it measured.
 */
const { readFileSync } = require('node:fs');
const { setTimeout: delay } = require('node:timers/promises');
const { parentPort, workerData } = require('node:worker_threads');

/** Milliseconds between two questions. */
const PAUSE_MS = 20;
/** Linux counts CPU time in hundredths of a second. */
const TICK_MS = 10;

const { pid, url } = workerData;
const wholeProcess = `/proc/${pid}`;

/** CPU time of a process or thread in milliseconds: `utime` and `stime` of proc(5). */
const readCpu = (path) => {
	const fields = readFileSync(`${path}/stat`, 'utf8').split(') ')[1].split(' ');
	return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
};

/** Milliseconds for which a thread could have worked while the processors had other work: proc(5), `schedstat`. */
const readDelay = (path) => Number(readFileSync(`${path}/schedstat`, 'utf8').split(' ')[1]) / 1e6;

/** The same of n8n's main thread and of this one. */
const readDelays = () => readDelay(`${wholeProcess}/task/${pid}`) + readDelay('/proc/thread-self');

/** Megabytes in memory. */
const readMemory = () => {
	const kilobytes = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`${wholeProcess}/status`, 'utf8'))[1];
	return Number(kilobytes) / 1024;
};

const before = { cpuMs: readCpu(wholeProcess), memoryMb: readMemory(), at: performance.now() };
const load = { longestPieceMs: 0, longestWaitMs: 0, memoryMb: 0 };
let isDone = false;

const ask = async () => {
	const at = performance.now();
	const delays = readDelays();
	const cpuMs = readCpu(`${wholeProcess}/task/${pid}`);
	const response = await fetch(`${url}/healthz/readiness`, { headers: { connection: 'close' } });
	await response.text();
	load.longestPieceMs = Math.max(
		load.longestPieceMs,
		readCpu(`${wholeProcess}/task/${pid}`) - cpuMs,
	);
	const waitMs = performance.now() - at - (readDelays() - delays);
	load.longestWaitMs = Math.max(load.longestWaitMs, waitMs);
	load.memoryMb = Math.max(load.memoryMb, readMemory() - before.memoryMb);
};

parentPort.once('message', () => {
	isDone = true;
});

(async () => {
	await ask();
	parentPort.postMessage('watching');
	while (!isDone) {
		await ask();
		await delay(PAUSE_MS);
	}
	const cpuMs = readCpu(wholeProcess) - before.cpuMs;
	parentPort.postMessage({ ...load, cpuMs, elapsedMs: performance.now() - before.at });
})();
