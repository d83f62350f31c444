/** Changes of the server state between checks, which start a workflow. */
import type { CheckResult, HealthStatus } from './check-result';
import { pluralize } from './check-result';
import { omitUndefined } from '../values/records';

/** Changes that start the workflow. */
type WatchedEvent = 'unhealthy' | 'healthy' | 'problem';

export interface WatchOptions {
	events: readonly WatchedEvent[];
	/** Consecutive checks that must see a state before it counts as a change. */
	confirmations: number;
}

/** One state of a server, over all checks that saw it. */
interface ServerState {
	healthy: boolean;
	status: HealthStatus;
	/** ID of the first finding of a server that is not healthy. */
	problem?: string;
	/** ISO time of the first check that saw it. */
	since: string;
}

/** A change of the state: the output item of the trigger. */
export type HealthChange = ReturnType<typeof createChange>;

/** Stored between checks. Plain data, for n8n's static data. */
export interface WatchState {
	state?: ServerState;
	/** A state that is not confirmed yet. `denied`: checks since then that saw a healthy server. */
	candidate?: { state: ServerState; seen: number; denied?: number };
}

/** Returns the state to store after a check, and the change to report, if any. Does not modify its arguments. */
export function updateWatchState(
	{ state, candidate: stored }: WatchState,
	check: CheckResult,
	{ events, confirmations }: WatchOptions,
): { memory: WatchState; change?: HealthChange } {
	const now = toServerState(check);
	if (state === undefined)
		return { memory: { state: now }, change: now.healthy ? undefined : toCurrentState(check) };
	if (isSame(state, now))
		return { memory: { state, candidate: updateCandidate(stored, state, confirmations) } };
	const candidate = toCandidate(stored, state, now);
	if (candidate.seen < confirmations) return { memory: { state, candidate } };
	const event = getEvent(state, candidate.state);
	const isWatched = events.includes(event);
	const change = isWatched ? createChange(event, state, candidate.state, check) : undefined;
	return { memory: { state: candidate.state }, change };
}

/** Dropping a candidate takes as many consecutive healthy checks as a recovery. */
function updateCandidate(
	candidate: WatchState['candidate'],
	state: ServerState,
	confirmations: number,
): WatchState['candidate'] {
	if (candidate === undefined || !state.healthy) return undefined;
	const denied = (candidate.denied ?? 0) + 1;
	return denied >= confirmations ? undefined : { ...candidate, denied };
}

/** The current state as a change, for a first check and a test run in the editor. */
export function toCurrentState(check: CheckResult): HealthChange {
	return createChange('firstState', undefined, toServerState(check), check);
}

function getEvent(previous: ServerState, now: ServerState): WatchedEvent {
	if (now.healthy === previous.healthy) return 'problem';
	return now.healthy ? 'healthy' : 'unhealthy';
}

/**
 * The unconfirmed next state. A server that is unhealthy for another reason at every check, or at every second one, is
 * unhealthy.
 */
function toCandidate(
	candidate: WatchState['candidate'],
	state: ServerState,
	now: ServerState,
): NonNullable<WatchState['candidate']> {
	const isSameSide = candidate?.state.healthy === now.healthy;
	const isContinued = isSameSide && (now.healthy !== state.healthy || isSame(candidate.state, now));
	if (!isContinued) return { state: now, seen: 1 };
	return { state: { ...now, since: candidate.state.since }, seen: candidate.seen + 1 };
}

function toServerState({ healthy, status, findings, checkedAt }: CheckResult): ServerState {
	const problem = healthy ? undefined : findings[0]?.id;
	return { healthy, status, ...omitUndefined({ problem }), since: checkedAt };
}

/** Findings of a healthy server do not change its state. */
function isSame(a: ServerState, b: ServerState) {
	if (a.healthy !== b.healthy) return false;
	return a.healthy || (a.status === b.status && a.problem === b.problem);
}

function createChange(
	event: WatchedEvent | 'firstState',
	state: ServerState | undefined,
	{ healthy, status, since }: ServerState,
	health: CheckResult,
): {
	health: CheckResult;
	previous?:
		| {
				seconds: number;
				lasted: string;
				healthy: boolean;
				status: HealthStatus;
				/** ID of the first finding of a server that is not healthy. */
				problem?: string;
				/** ISO time of the first check that saw it. */
				since: string;
		  }
		| undefined;
	event: WatchedEvent | 'firstState';
	title: string;
	/** Body of a message: the server, the problems, and how to fix them. */
	text: string;
	/** ISO time of the first check that saw the new state. */
	changedAt: string;
} {
	const suffix = event === 'healthy' ? ' again' : '';
	/** A line for the subject of a message. */
	const title = `The server at ${health.server.url ?? 'the address of the credential'} is ${status}${suffix}`;
	const previous = state === undefined ? undefined : withDuration(state, since);
	// The title contains the status of an unhealthy server.
	const lines = [
		healthy ? health.summary : undefined,
		previous && `It was ${previous.status} for ${previous.lasted}.`,
		...(healthy ? [] : formatProblems(health)),
	];
	return {
		event,
		title,
		/** Body of a message: the server, the problems, and how to fix them. */
		text: lines.filter(Boolean).join('\n'),
		/** ISO time of the first check that saw the new state. */
		changedAt: since,
		/** Missing for the first state. */
		...omitUndefined({ previous }),
		health,
	};
}

function withDuration(state: ServerState, until: string) {
	const ms = Date.parse(until) - Date.parse(state.since);
	const seconds = Math.max(0, Math.round(ms / 1000));
	return { ...state, seconds, lasted: formatLongDuration(seconds) };
}

/** The errors as lines of a message. */
function formatProblems({ findings }: CheckResult) {
	const errors = findings.filter(({ severity }) => severity === 'error');
	return errors.map(
		({ detail, suggestion, observed }) =>
			`- ${detail}.\n  What to do: ${suggestion}\n  Observed: ${observed}`,
	);
}

/** The two largest units: "2 days 3 hours". */
export function formatLongDuration(seconds: number): string {
	const counts: Array<[number, string]> = [
		[Math.floor(seconds / 86_400), 'day'],
		[Math.floor(seconds / 3600) % 24, 'hour'],
		[Math.floor(seconds / 60) % 60, 'minute'],
		[seconds % 60, 'second'],
	];
	const first = counts.findIndex(([count]) => count > 0);
	const parts = counts.slice(first, first + 2).filter(([count]) => count > 0);
	return first < 0 ? '0 seconds' : parts.map(([count, unit]) => pluralize(count, unit)).join(' ');
}
