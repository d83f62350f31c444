import type { ServerError } from '../errors/server-error';
import type { ServerChannel } from './dispatcher';
import type { Watchdog } from './limits';
import { type ConnectionChoice, newConnection, pooledConnection } from './sender';
import type { StreamOptions } from './types';
import { pauseFor } from './waiting';

/**
 * After a pause, a server closes its idle connections before it reads requests that came meanwhile. Proxies that give
 * up on a server do so only after 30 s or more.
 */
const CLOSED_ALREADY_MS = 10_000;

/**
 * Repeats an attempt as the retry policy says. An attempt on a pooled connection that the server had closed already is
 * repeated on a new one, which is no retry.
 *
 * @throws {ServerError} what the policy says
 */
export async function repeatAttempts<T extends object>(
	channel: ServerChannel,
	attempt: (choice: ConnectionChoice) => Promise<T | { failed: ServerError }>,
	{ reuse = false, retry }: Pick<StreamOptions, 'reuse' | 'retry'>,
	watchdog: Watchdog,
): Promise<T> {
	if (reuse) {
		const sentAt = performance.now();
		const mayBeReused = channel.hasOpenConnection();
		const outcome = await attempt(pooledConnection(channel));
		if (!('failed' in outcome)) return outcome;
		const wasClosedAlready =
			mayBeReused &&
			outcome.failed.kind === 'closedBeforeAnswer' &&
			performance.now() - sentAt < CLOSED_ALREADY_MS;
		if (!wasClosedAlready) await pauseBeforeRetry(outcome.failed, retry, watchdog);
	}
	for (;;) {
		const outcome = await attempt(newConnection(channel));
		if (!('failed' in outcome)) return outcome;
		await pauseBeforeRetry(outcome.failed, retry, watchdog);
	}
}

/** Waits as the retry policy says. @throws {ServerError} what it says otherwise */
export async function pauseBeforeRetry(
	failed: ServerError,
	retry: StreamOptions['retry'],
	watchdog: Watchdog,
): Promise<void> {
	const pause = retry?.(failed, watchdog.firstTokenLeftMs) ?? failed;
	if (typeof pause !== 'number') throw pause;
	await pauseFor(pause, watchdog.signal);
}
