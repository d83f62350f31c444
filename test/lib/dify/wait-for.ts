import { delay, performance } from '../../support/node-builtins';

/** Waits for something that happens inside the simulator. */
export async function waitFor(condition: () => boolean): Promise<void> {
	const latest = performance.now() + 30_000;
	while (!condition()) {
		if (performance.now() > latest)
			throw new Error(`Waited 30 s in vain for ${condition.toString()}`);
		await delay(2);
	}
}
