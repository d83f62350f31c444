import type { ServerError } from '../../errors/server-error';
import { LruCache } from '../../lru-cache';

const FIRST_COOLDOWN_MS = 30_000;
const LONGEST_COOLDOWN_MS = 5 * 60_000;
/** A server that is merely busy is soon free again, and says so itself where it knows better. */
const BUSY_COOLDOWN_MS = 2_000;

/** A server that failed and is left alone for a while. */
interface Cooldown {
	until: number;
	/** Cool-downs in a row before this one. */
	before: number;
	/** The cool-down is over, and one request finds out whether the server is back. */
	isTried: boolean;
	why: ServerError;
}

const cooldowns = LruCache.shared<Cooldown>();

/** Why a server is left alone; undefined where it may be asked. */
export function cooldownReason(key: string): ServerError | undefined {
	const cooldown = cooldowns.get(key);
	return cooldown !== undefined && (cooldown.until > Date.now() || cooldown.isTried) ? cooldown.why : undefined;
}

/** When the cool-down is over, as `Date.now()`; 0 without one. */
export function cooldownEndsAt(key: string): number {
	return cooldowns.get(key)?.until ?? 0;
}

/** A request goes to the server: if it is the first one after a cool-down, others wait for what comes of it. */
export function beginProbe(key: string): void {
	const cooldown = cooldowns.get(key);
	if (cooldown !== undefined && cooldown.until <= Date.now()) cooldown.isTried = true;
}

/** The request came to no end that says anything about the server. */
export function endProbe(key: string): void {
	const cooldown = cooldowns.get(key);
	if (cooldown !== undefined) cooldown.isTried = false;
}

/** The server answered. */
export function endCooldown(key: string): void {
	cooldowns.delete(key);
}

/**
 * The server failed: it is left alone for 30 s, and twice as long each time that it fails again after that, up to 5 min. A
 * busy one is left alone for 2 s, or as long as it says itself (`retryAfterMs` among the facts).
 */
export function startCooldown(key: string, why: ServerError): void {
	const now = Date.now();
	const last = cooldowns.get(key);
	// Several requests that were under way fail together.
	if (last !== undefined && last.until > now) return;
	const isBusy = why.kind === 'busy';
	const before = isBusy || last === undefined ? 0 : last.before + 1;
	const asked = why.facts.retryAfterMs;
	const ms = isBusy ? (typeof asked === 'number' ? asked : BUSY_COOLDOWN_MS) : FIRST_COOLDOWN_MS * 2 ** before;
	cooldowns.set(key, { until: now + Math.min(ms, LONGEST_COOLDOWN_MS), before, isTried: false, why });
}
