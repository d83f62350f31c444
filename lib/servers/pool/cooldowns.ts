import { clock } from '../../clock';
import type { ServerError } from '../../errors/server-error';
import { LruCache } from '../../lru-cache';

const FIRST_COOLDOWN_MS = 30_000;
const LONGEST_COOLDOWN_MS = 5 * 60_000;
/** For a busy server that does not say itself how long to wait. */
const BUSY_COOLDOWN_MS = 2_000;

/** The cool-down of a server that failed: it gets no requests for a while. */
interface Cooldown {
	until: number;
	/** Cool-downs in a row before this one. */
	before: number;
	/** The time is over, and one request is testing whether the server is back. */
	isTried: boolean;
	why: ServerError;
}

const cooldowns = LruCache.shared<Cooldown>();

/** The failure for which a server is cooling down; undefined if it may be asked. */
export function cooldownReason(key: string): ServerError | undefined {
	const cooldown = cooldowns.get(key);
	return cooldown !== undefined && (cooldown.until > clock.now() || cooldown.isTried)
		? cooldown.why
		: undefined;
}

/** End of the cool-down, as by `clock.now()`; 0 without one. */
export function cooldownEndsAt(key: string): number {
	return cooldowns.get(key)?.until ?? 0;
}

/**
 * Called when a request is sent: if it is the first after a cool-down, it is the probe, and others avoid the server
 * until it ends.
 */
export function beginProbe(key: string): void {
	const cooldown = cooldowns.get(key);
	if (cooldown !== undefined && cooldown.until <= clock.now()) cooldown.isTried = true;
}

/** Called when a request ended in a way that tells nothing about the server. */
export function endProbe(key: string): void {
	const cooldown = cooldowns.get(key);
	if (cooldown !== undefined) cooldown.isTried = false;
}

/** Called when the server answered. */
export function endCooldown(key: string): void {
	cooldowns.delete(key);
}

/**
 * Called when the server failed: it cools down for 30 s, doubled for each further failure in a row, up to 5 min. A busy
 * one cools down for 2 s, or for `retryAfterMs` of the failure's facts.
 */
export function startCooldown(key: string, why: ServerError): void {
	const now = clock.now();
	const last = cooldowns.get(key);
	// Concurrent requests that fail together count once.
	if (last !== undefined && last.until > now) return;
	const before = why.kind === 'busy' || last === undefined ? 0 : last.before + 1;
	cooldowns.set(key, {
		until: now + Math.min(cooldownMs(why, before), LONGEST_COOLDOWN_MS),
		before,
		isTried: false,
		why,
	});
}

/** @param before failures in a row before this one */
function cooldownMs({ kind, facts }: ServerError, before: number): number {
	if (kind !== 'busy') return FIRST_COOLDOWN_MS * 2 ** before;
	return typeof facts.retryAfterMs === 'number' ? facts.retryAfterMs : BUSY_COOLDOWN_MS;
}
