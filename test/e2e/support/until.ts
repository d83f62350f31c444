import { setTimeout as delay } from 'node:timers/promises';

/** Polls `read` until its value satisfies `holds`, and returns the value. @throws after `limitMs` */
export async function until<T>(
	read: () => Promise<T>,
	holds: (value: T) => boolean,
	limitMs = 240_000,
): Promise<T> {
	const deadline = Date.now() + limitMs;
	for (;;) {
		const value = await read();
		if (holds(value)) return value;
		if (Date.now() > deadline)
			throw new Error(`Still ${JSON.stringify(value)} after ${limitMs} ms`);
		await delay(100);
	}
}
