import type { RequestOptions } from '../http/types';
import { request } from '../http/request';
import { TASK_LIMITS } from '../task-limits';
import type { JsonRecord } from '../values/records';
import type { ModelServer } from './types/server-type';
import { toUrl } from './server-urls';
import { toTotalTimeout } from '../http/timeouts';

/** What is sent, and how long to wait. */
export interface CommandOptions extends Pick<
	RequestOptions,
	'json' | 'method' | 'signal' | 'model'
> {
	/** Total timeout in milliseconds; 0: no limit. */
	timeoutMs: number;
}

/**
 * Sends a request that changes something, or whose errors matter.
 *
 * @param path - As for a probe.
 * @throws a `ServerError`, also for anything but a JSON object without an error.
 */
export async function sendCommand(
	server: ModelServer,
	path: string,
	{ timeoutMs, ...options }: CommandOptions,
): Promise<JsonRecord> {
	return await request(
		server,
		{
			...options,
			url: toUrl(server, path),
			limits: TASK_LIMITS.command.received,
			timeouts: toTotalTimeout(timeoutMs),
		},
		(response) => response.json(),
	);
}
