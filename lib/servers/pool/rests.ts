import type { ServerError } from '../../errors/server-error';
import { Remembered } from '../../remembered';

const FIRST_REST_MS = 30_000;
const LONGEST_REST_MS = 5 * 60_000;
/** A server that is merely busy is soon free again, and says so itself where it knows better. */
const BUSY_REST_MS = 2_000;

/** A server that failed and is left alone for a while. */
interface Rest {
	until: number;
	/** Rests in a row before this one. */
	before: number;
	/** The rest is over, and one request finds out whether the server is back. */
	isTried: boolean;
	why: ServerError;
}

const rests = Remembered.inProcess<Rest>();

/** Why a server rests; undefined where it may be asked. */
export function whyResting(key: string): ServerError | undefined {
	const rest = rests.get(key);
	return rest !== undefined && (rest.until > Date.now() || rest.isTried) ? rest.why : undefined;
}

/** When the rest is over, as `Date.now()`; 0 without one. */
export function restsUntil(key: string): number {
	return rests.get(key)?.until ?? 0;
}

/** A request goes to the server: if it is the first one after a rest, others wait for what comes of it. */
export function beginTrial(key: string): void {
	const rest = rests.get(key);
	if (rest !== undefined && rest.until <= Date.now()) rest.isTried = true;
}

/** The request came to no end that says anything about the server. */
export function endTrial(key: string): void {
	const rest = rests.get(key);
	if (rest !== undefined) rest.isTried = false;
}

/** The server answered. */
export function endRest(key: string): void {
	rests.delete(key);
}

/**
 * The server failed: it rests for 30 s, and twice as long each time that it fails again behind a rest, up to 5 min. A
 * busy one rests for 2 s, or as long as it says itself (`retryAfterMs` among the facts).
 */
export function rest(key: string, why: ServerError): void {
	const now = Date.now();
	const last = rests.get(key);
	// Several requests that were under way fail together.
	if (last !== undefined && last.until > now) return;
	const isBusy = why.kind === 'busy';
	const before = isBusy || last === undefined ? 0 : last.before + 1;
	const asked = why.facts.retryAfterMs;
	const ms = isBusy ? (typeof asked === 'number' ? asked : BUSY_REST_MS) : FIRST_REST_MS * 2 ** before;
	rests.set(key, { until: now + Math.min(ms, LONGEST_REST_MS), before, isTried: false, why });
}
