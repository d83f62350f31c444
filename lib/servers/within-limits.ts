import type { Connection } from '../http/connection';
import { DEFAULT_LIMITS, type Limits, Watchdog } from '../http/limits';
import { raceAgainstAbort } from '../http/waiting';

/**
 * Does work that belongs to a request, such as a look-up before it, within the limits of the request, and until that is
 * cancelled.
 *
 * @throws {ServerError} what `work` throws, or that the limit was reached, or the request was cancelled
 */
export async function withinLimits<T>(
	connection: Connection,
	{ limits, signal }: { limits?: Partial<Limits>; signal: AbortSignal | undefined },
	work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
	const watchdog = new Watchdog({ ...DEFAULT_LIMITS, ...limits }, signal);
	try {
		return await raceAgainstAbort(watchdog.signal, async () => await work(watchdog.signal));
	} catch (error) {
		if (!watchdog.signal.aborted) throw error as Error;
		throw connection.explain(error, `${connection.url.api}/models`, { signal }, watchdog);
	} finally {
		watchdog.stop();
	}
}
