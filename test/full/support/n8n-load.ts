/** What a workflow costs n8n, measured from outside of its process. */
import * as fs from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import type { N8nServer } from '../../e2e/support/playground';

/** What n8n spent while a workflow ran. */
export interface N8nLoad {
	/** CPU time of n8n's main thread while one question for its health waited: the longest piece of work. Milliseconds. */
	longestPieceMs: number;
	/** The longest wait for an answer to `/healthz/readiness`, also because of other programs. Milliseconds. */
	longestWaitMs: number;
	/** CPU time of all threads together. Milliseconds. */
	cpuMs: number;
	/** Most memory of the process, above that at the start. Megabytes. */
	memoryMb: number;
	/** Milliseconds. */
	elapsedMs: number;
}

/** Milliseconds between two questions. */
const PAUSE_MS = 20;

/** Linux counts CPU time in hundredths of a second. */
const TICK_MS = 10;

/** Measures n8n until `end` is called. */
export function watchLoad({ service: { pid }, url }: N8nServer): { end(): Promise<N8nLoad> } {
	const process = `/proc/${pid}`;
	const before = { cpuMs: readCpu(process), memoryMb: readMemory(process), at: performance.now() };
	const load = { longestPieceMs: 0, longestWaitMs: 0, memoryMb: 0 };
	let isDone = false;
	const ask = async () => {
		const at = performance.now();
		const cpuMs = readCpu(`${process}/task/${pid}`);
		const response = await fetch(`${url}/healthz/readiness`, { headers: { connection: 'close' } });
		await response.text();
		const max = (name: keyof typeof load, value: number) => {
			load[name] = Math.max(load[name], value);
		};
		max('longestPieceMs', readCpu(`${process}/task/${pid}`) - cpuMs);
		max('longestWaitMs', performance.now() - at);
		max('memoryMb', readMemory(process) - before.memoryMb);
	};
	const watching = (async () => {
		while (!isDone) {
			await ask();
			await delay(PAUSE_MS);
		}
	})();
	return {
		end: async () => {
			isDone = true;
			await watching;
			const cpuMs = readCpu(process) - before.cpuMs;
			return { ...load, cpuMs, elapsedMs: performance.now() - before.at };
		},
	};
}

/** CPU time of a process or thread in milliseconds: `utime` and `stime` of proc(5). */
function readCpu(path: string): number {
	const fields = fs.readFileSync(`${path}/stat`, 'utf8').split(') ')[1]!.split(' ');
	return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
}

/** Megabytes in memory. */
function readMemory(path: string): number {
	const kilobytes = /^VmRSS:\s+(\d+)/m.exec(fs.readFileSync(`${path}/status`, 'utf8'))?.[1];
	return Number(kilobytes) / 1024;
}
