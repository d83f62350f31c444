import { setTimeout as delay } from 'node:timers/promises';

/**
 * @param {string} url
 * @param {number} timeoutMs
 * @param {() => string | undefined} failed tells why waiting is pointless
 */
export const waitForOk = async (url, timeoutMs, failed) => {
	const deadline = Date.now() + timeoutMs;
	let last = 'no answer';
	while (Date.now() < deadline) {
		const reason = failed();
		if (reason !== undefined) throw new Error(reason);
		try {
			const response = await fetch(url, { signal: AbortSignal.timeout(2000) });
			await response.arrayBuffer();
			if (response.ok) return;
			last = `HTTP ${response.status}`;
		} catch (error) {
			last = error instanceof Error ? error.message : String(error);
		}
		await delay(100);
	}
	throw new Error(`${url} was not ready after ${Math.round(timeoutMs / 1000)} s (${last})`);
};
