import process from 'node:process';
import v8 from 'node:v8';
import vm from 'node:vm';

/** Bytes that are in use after everything unused was collected, so that garbage of earlier tests does not count. */
export interface UsedBytes {
	/** JavaScript values. */
	heap: number;
	/** Buffers and typed arrays, which lie outside of the heap. */
	arrayBuffers: number;
	/** All memory outside of the heap that V8 knows of; contains `arrayBuffers`. */
	external: number;
}

/** Collects what is unused, and measures the rest. */
export function measureUsedBytes(): UsedBytes {
	v8.setFlagsFromString('--expose-gc');
	(vm.runInNewContext('gc') as () => void)();
	const { heapUsed, arrayBuffers, external } = process.memoryUsage();
	return { heap: heapUsed, arrayBuffers, external };
}
