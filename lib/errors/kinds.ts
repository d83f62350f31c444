import type { DIFY_REMEDIES } from './remedies/dify';
import type { MODEL_REMEDIES } from './remedies/model';
import type { NETWORK_REMEDIES } from './remedies/network';

/**
 * What went wrong, in the words of this package: one list for all servers, which items, Server Health and the code
 * share. A kind is a row of the tables in `remedies/`, which say what it means and what to do about it.
 */

/** The address and the way to it, limits, and whatever answers there without being the server. */
export type NetworkKind = keyof typeof NETWORK_REMEDIES;

/** What model servers refuse, and answers that are none. */
export type ModelKind = keyof typeof MODEL_REMEDIES;

/**
 * What Dify refuses or fails in. A name that the lists above have too means the same; Dify has words of its own for it.
 */
export type DifyKind = keyof typeof DIFY_REMEDIES;

export type FailureKind = NetworkKind | ModelKind | DifyKind;

const UNREACHED: ReadonlySet<FailureKind> = new Set([
	'dns',
	'refused',
	'connectTimeout',
	'unreachable',
	'tlsMismatch',
	'tlsUntrusted',
	'blockedByPolicy',
	'proxy',
]);

/** No connection was made, so that another request would fail in the same way. */
export function isUnreached(kind: FailureKind): boolean {
	return UNREACHED.has(kind);
}

/** Failures after which the same request may be sent again: nothing was started. */
const NOTHING_STARTED: ReadonlySet<FailureKind> = new Set([
	'refused',
	'loading',
	'busy',
	'tooManyRequests',
	'rateLimited',
]);

export function isRetryable(kind: FailureKind): boolean {
	return NOTHING_STARTED.has(kind);
}
