import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';

/** Waits for something that happens inside a simulator; fails after 30 s. */
export async function waitFor(condition: () => boolean): Promise<void> {
	const latest = performance.now() + 30_000;
	while (!condition()) {
		if (performance.now() > latest)
			throw new Error(`Waited 30 s in vain for ${condition.toString()}`);
		await delay(1);
	}
}
