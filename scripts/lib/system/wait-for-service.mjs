import { setTimeout as delay } from 'node:timers/promises';

/**
 * @param {string} url
 * @param {number} timeoutMs
 * @param {() => string | undefined} failed returns why waiting is pointless, if it is
 */
export const waitForOk = async (url, timeoutMs, failed) => {
	const deadline = Date.now() + timeoutMs;
	while (Date.now() < deadline) {
		const reason = failed();
		if (reason !== undefined) throw new Error(reason);
		const signal = AbortSignal.timeout(15_000);
		const response = await fetch(url, { signal }).catch(() => undefined);
		await response?.body?.cancel();
		if (response?.ok) return;
		await delay(100);
	}
	throw new Error(`${url} was not ready after ${Math.round(timeoutMs / 1000)} s`);
};

/**
 * Waits until a service that was just started answers. If it does not, it is ended, and the error has its last lines.
 *
 * @param {import('../types').Service} service
 * @param {string} url
 * @param {{ timeoutMs: number }} options
 */
export const waitForService = async (service, url, { timeoutMs }) => {
	try {
		await waitForOk(url, timeoutMs, () =>
			service.running ? undefined : `${service.name} ended while starting (${service.endReason})`,
		);
	} catch (error) {
		await service.stop();
		const reason = error instanceof Error ? error.message : String(error);
		throw new Error(`${reason}\n${service.lines.slice(-30).join('\n')}`);
	}
};
