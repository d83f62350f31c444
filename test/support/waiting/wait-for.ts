import { setTimeout as delay } from 'node:timers/promises';
import { pollUntil } from './deadline';

/** Waits for something that happens inside a simulator; fails when this process has had nothing to do for 20 s. */
export async function waitFor(condition: () => boolean): Promise<void> {
	await pollUntil(condition, async () => await delay(1));
}
