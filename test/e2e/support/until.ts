import { delay } from '../../support/node';

/** What `read` gives as soon as it is as wanted. */
export async function until<T>(read: () => Promise<T>, holds: (value: T) => boolean, limitMs = 240_000): Promise<T> {
	const deadline = Date.now() + limitMs;
	for (;;) {
		const value = await read();
		if (holds(value)) return value;
		if (Date.now() > deadline) throw new Error(`Still ${JSON.stringify(value)} after ${limitMs} ms`);
		await delay(100);
	}
}
