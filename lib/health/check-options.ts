import type { Expectations } from './check-result';

/** Of each probe, in milliseconds. */
export const DEFAULT_TIMEOUT_MS = 2_500;

/** What a check expects, and how long it waits. */
export interface CheckOptions {
	expectations?: Expectations;
	/** Timeout of each probe, default 2.5 s. */
	timeoutMs?: number;
	signal?: AbortSignal;
}
