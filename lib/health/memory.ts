/** What this process remembers of the last check of each address. */
import { LruCache } from '../lru-cache';
import { optional } from '../values';
import type { HealthStatus, Observations } from './observations';
import { progressOf } from './server-facts';

interface Memory {
	status: HealthStatus;
	at: number;
	/** Result of `progressOf`; unchanged since `progressSince`. */
	progress?: string;
	progressSince: number;
}

/** The last result of each address, which shows that a server has exited. A cache: it vanishes with the process. */
const remembered = LruCache.shared<Memory>({ maxEntries: 200 });

/** Adds what is known from the check before. */
export function withMemory(observations: Observations): Observations {
	const last = lastOf(observations);
	const now = Date.now();
	const isRunning = progressOf(observations) !== undefined;
	return {
		...observations,
		...optional({
			before: last && { status: last.status, msAgo: now - last.at },
			unchangedMs: isRunning ? now - progressSince(observations, now) : undefined,
		}),
	};
}

/** Only results with an answer are remembered: a second refusal has the same cause. */
export function remember(observations: Observations, status: HealthStatus): void {
	const { probes, url } = observations;
	const isAnswered = Object.values(probes).some(({ answered }) => answered);
	if (url === undefined || status === 'unreachable' || !isAnswered) return;
	const at = Date.now();
	const progress = progressOf(observations);
	remembered.set(url.api, {
		status,
		at,
		progress,
		progressSince: progressSince(observations, at),
	});
}

function progressSince(observations: Observations, now: number): number {
	const last = lastOf(observations);
	const progress = progressOf(observations);
	return progress !== undefined && progress === last?.progress ? last.progressSince : now;
}

function lastOf({ url }: Observations): Memory | undefined {
	return url === undefined ? undefined : remembered.get(url.api);
}
