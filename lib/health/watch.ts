/** What changed since the last check, for a workflow that is told of it. */
import type { CheckResult, HealthStatus } from './result';
import { pushAll, omitUndefined } from '../values';

/** Changes that start the workflow. */
type WatchedEvent = 'unhealthy' | 'healthy' | 'problem';

export interface WatchOptions {
	events: readonly WatchedEvent[];
	/** How many checks in a row must say the same before it counts as a change. */
	confirmations: number;
}

/** One state of a server, as long as it lasts. */
interface ServerState {
	healthy: boolean;
	status: HealthStatus;
	/** ID of the first finding of a server that is not healthy. */
	problem?: string;
	/** ISO time of the check that saw it first. */
	since: string;
}

/** A change of the state, as the workflow gets it. */
export interface HealthChange {
	healthy: boolean;
	status: HealthStatus;
	event: WatchedEvent | 'firstState';
	/** A line for the subject of a message. */
	title: string;
	/** All that a message needs: what changed, what is wrong, what to do. */
	text: string;
	/** ISO time of the check that saw the new state first. */
	changedAt: string;
	/** The state before. Null for the first one. */
	previous: (ServerState & { seconds: number; lasted: string }) | null;
	health: CheckResult;
}

/** What is remembered from check to check. Plain data, for n8n's static data. */
export interface WatchState {
	state?: ServerState;
	/** A state that is not confirmed yet. `denied`: checks since then that saw a healthy server. */
	candidate?: { state: ServerState; seen: number; denied?: number };
}

/** What is remembered after one more check, and the change to tell, if any. Does not modify its arguments. */
export function updateWatchState(
	{ state, candidate: suspected }: WatchState,
	check: CheckResult,
	{ events, confirmations }: WatchOptions,
): { memory: WatchState; change?: HealthChange } {
	const now = stateOf(check);
	if (state === undefined)
		return { memory: { state: now }, change: now.healthy ? undefined : toCurrentState(check) };
	if (isSame(state, now))
		return { memory: { state, candidate: updateCandidate(suspected, state, confirmations) } };
	const candidate = candidateOf(suspected, state, now);
	if (candidate.seen < confirmations) return { memory: { state, candidate } };
	const event = eventOf(state, candidate.state);
	const isTold = events.includes(event);
	const change = isTold ? changeOf(event, state, candidate.state, check) : undefined;
	return { memory: { state: candidate.state }, change };
}

/** It takes as many healthy checks in a row to drop a suspicion as to find the server healthy again. */
function updateCandidate(
	suspected: WatchState['candidate'],
	state: ServerState,
	confirmations: number,
): WatchState['candidate'] {
	if (suspected === undefined || !state.healthy) return undefined;
	const denied = (suspected.denied ?? 0) + 1;
	return denied >= confirmations ? undefined : { ...suspected, denied };
}

/** The current state as a change, for a first check and a test run in the editor. */
export function toCurrentState(check: CheckResult): HealthChange {
	return changeOf('firstState', undefined, stateOf(check), check);
}

function eventOf(before: ServerState, now: ServerState): WatchedEvent {
	if (now.healthy === before.healthy) return 'problem';
	return now.healthy ? 'healthy' : 'unhealthy';
}

/**
 * A state that may become the next one. A server that is down for another reason at every check, or at every second
 * one, is down.
 */
function candidateOf(
	candidate: WatchState['candidate'],
	state: ServerState,
	now: ServerState,
): NonNullable<WatchState['candidate']> {
	const isSameSide = candidate?.state.healthy === now.healthy;
	const goesOn = isSameSide && (now.healthy !== state.healthy || isSame(candidate.state, now));
	if (!goesOn) return { state: now, seen: 1 };
	return { state: { ...now, since: candidate.state.since }, seen: candidate.seen + 1 };
}

function stateOf({ healthy, status, findings, checkedAt }: CheckResult): ServerState {
	const problem = healthy ? undefined : findings[0]?.id;
	return { healthy, status, ...omitUndefined({ problem }), since: checkedAt };
}

/** Findings of a healthy server do not make another state. */
function isSame(one: ServerState, other: ServerState): boolean {
	if (one.healthy !== other.healthy) return false;
	return one.healthy || (one.status === other.status && one.problem === other.problem);
}

function changeOf(
	event: HealthChange['event'],
	state: ServerState | undefined,
	{ healthy, status, since }: ServerState,
	health: CheckResult,
): HealthChange {
	const again = event === 'healthy' ? ' again' : '';
	const title = `The server at ${health.url ?? 'the address of the credential'} is ${status}${again}`;
	const previous = state === undefined ? null : withDuration(state, since);
	const lines = [title, health.summary];
	if (previous !== null) lines.push(`It was ${previous.status} for ${previous.lasted}.`);
	if (!healthy) pushAll(lines, problemsIn(health));
	const text = lines.filter((line) => line !== '').join('\n');
	return { healthy, status, event, title, text, changedAt: since, previous, health };
}

function withDuration(state: ServerState, until: string) {
	const ms = Date.parse(until) - Date.parse(state.since);
	const seconds = Math.max(0, Math.round(ms / 1000));
	return { ...state, seconds, lasted: formatLongDuration(seconds) };
}

/** The errors as lines of a message. */
function problemsIn({ findings }: CheckResult): string[] {
	const errors = findings.filter(({ severity }) => severity === 'error');
	return errors.map(
		({ detail, suggestion, observed }) =>
			`- ${detail}.\n  What to do: ${suggestion}\n  Observed: ${observed}`,
	);
}

/** The two largest units: "2 days 3 hours". */
export function formatLongDuration(seconds: number): string {
	const units: Array<[string, number]> = [
		['day', 86_400],
		['hour', 3600],
		['minute', 60],
		['second', 1],
	];
	const first = units.findIndex(([, size]) => seconds >= size);
	if (first === -1) return '0 seconds';
	let left = seconds;
	const parts: string[] = [];
	for (const [unit, size] of units.slice(first, first + 2)) {
		const count = Math.floor(left / size);
		left -= count * size;
		if (count > 0) parts.push(`${count} ${unit}${count === 1 ? '' : 's'}`);
	}
	return parts.join(' ');
}
