/** Servers that are busy: they did not start a request, and may start it later. */
import type { ServerError } from '../errors/server-error';
import { keep } from '../kept';
import type { LruCache } from '../lru-cache';
import { toText } from '../values/text';

/** Statuses of a server that takes no request now; 529: it is overloaded. */
const BUSY_STATUSES: readonly number[] = [429, 503, 529];

/** Whether a status says that a server takes no request now. */
export function isBusyStatus(status: number): boolean {
	return BUSY_STATUSES.includes(status);
}

/** Milliseconds. A later response may be about a request that the server had started. */
export const MAX_REFUSAL_MS = 2_000;

/** A code or field of a limit that waiting does not lift; a sentence is none. */
const BUDGET_NAME = /^[\w.-]*(?:quota|budget|billing|credit)[\w.-]*$/i;

/**
 * Whether the server did not start the request, and may do so later: by the status, the time, and the names of codes and
 * fields.
 *
 * @param elapsedMs - From sending the request to its response
 */
export function isBusy(error: ServerError, elapsedMs: number): boolean {
	const { report, type, service } = error;
	const status = report?.status ?? error.status ?? 0;
	// Dify's own refusals have no report. This one is a proxy's, which may have passed the run on to Dify.
	if (status === 503 && service === 'dify' && report !== undefined) return false;
	if (type === 'modelLoading' || elapsedMs >= MAX_REFUSAL_MS) return false;
	return isBusyStatus(status) && !isOfBudget(error);
}

/** Whether a code or a field names a limit that waiting does not lift. */
export function isOfBudget({ report, facts }: ServerError): boolean {
	const names = [...(report?.codes ?? []), ...Object.keys(facts), toText(facts.code)];
	return names.some((name) => BUDGET_NAME.test(name));
}

/** Servers and models at which the last request waited in vain, by their key. */
const waitedInVain: LruCache<true> = keep<true>('waitsInVain');

/** @param key - Of a server and a model */
export function hasWaitedInVain(key: string): boolean {
	return waitedInVain.get(key) === true;
}

/** A request waited as long as it could, so that later ones need not wait. */
export function storeWaitInVain(key: string): void {
	waitedInVain.set(key, true);
}

/** The server took a request. */
export function forgetWaitInVain(key: string): void {
	waitedInVain.delete(key);
}
