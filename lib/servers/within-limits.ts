import { asFailed } from '../errors/server-error';
import { pauseBeforeRetry } from '../http/attempts';
import type { Connection } from '../http/connection';
import { DEFAULT_LIMITS, type Limits, Watchdog } from '../http/limits';
import { raceAgainstAbort } from '../http/waiting';
import { retryIdempotent } from './retry';

interface WorkOptions {
	limits?: Partial<Limits>;
	retries?: number;
	signal: AbortSignal | undefined;
}

/**
 * Does idempotent work that belongs to a request, such as a look-up before it, within the limits and with the retries of
 * the request, and until that is cancelled.
 *
 * @throws {ServerError} what `work` throws, or that the limit was reached, or the request was cancelled
 */
export async function withinLimits<T>(
	connection: Connection,
	{ limits, retries, signal }: WorkOptions,
	work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
	const watchdog = new Watchdog({ ...DEFAULT_LIMITS, ...limits }, signal);
	const retry = retryIdempotent(connection, { retries, firstTokenMs: limits?.firstTokenMs });
	try {
		return await raceAgainstAbort(watchdog.signal, async () => {
			for (;;) {
				const outcome = await work(watchdog.signal).then((value) => ({ value }), asFailed);
				if ('value' in outcome) return outcome.value;
				await pauseBeforeRetry(outcome.failed, retry, watchdog);
			}
		});
	} catch (error) {
		if (!watchdog.signal.aborted) throw error as Error;
		throw connection.explain(error, `${connection.url.api}/models`, { signal }, watchdog);
	} finally {
		watchdog.stop();
	}
}
