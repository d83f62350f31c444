/** Changes of the server state between checks, which start a workflow. */
import type { CheckResult, HealthStatus } from './check-result';
import { STATUSES, pluralize } from './check-result';
import { asFiniteNumber } from '../values/numbers';
import { asNonEmptyString, asRecord, omitUndefined } from '../values/records';

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
	/** ISO time of the first check that saw it. Missing if the stored one was unreadable. */
	since?: string;
}

/** A state that has ended. */
interface PreviousState extends ServerState {
	/** How long it lasted. Missing if a time is unknown. */
	seconds?: number;
	/** The same as text, in its two largest units: "2 days 3 hours". */
	lasted?: string;
}

/** A change of the state: the output item of the trigger. */
export interface HealthChange {
	event: WatchedEvent | 'firstState';
	/** A line for the subject of a message. */
	title: string;
	/** Body of a message: the server, the problems, and how to fix them. */
	text: string;
	/** ISO time of the first check that saw the new state; of the last one if that is unknown. */
	changedAt: string;
	/** Missing for the first state. */
	previous?: PreviousState;
	/** The check that confirmed the new state. */
	health: CheckResult;
}

/** A state that is not confirmed yet. */
interface Candidate {
	state: ServerState;
	/** Checks that saw it. */
	seen: number;
	/** Consecutive checks since then that saw a healthy server. */
	denied?: number;
}

/** Stored between checks. Plain data, for n8n's static data. */
export interface WatchState {
	/** Missing before the first check. */
	state?: ServerState;
	candidate?: Candidate;
}

/** What follows from a check. */
interface WatchUpdate {
	/** To store until the next check. */
	memory: WatchState;
	/** To report, if anything. */
	change?: HealthChange;
}

/**
 * Reads the state that n8n stored, which another version, an import or a person may have changed. What is unreadable is
 * missing: without a state, the next check is the first one.
 */
export function parseWatchState(stored: unknown): WatchState {
	const { state, candidate } = asRecord(stored);
	const { state: next, seen, denied } = asRecord(candidate);
	const nextState = parseServerState(next);
	const count = asFiniteNumber(seen);
	return omitUndefined({
		state: parseServerState(state),
		candidate:
			nextState && count !== undefined
				? { state: nextState, seen: count, ...omitUndefined({ denied: asFiniteNumber(denied) }) }
				: undefined,
	});
}

function parseServerState(stored: unknown): ServerState | undefined {
	const { healthy, status: storedStatus, problem, since } = asRecord(stored);
	const status = STATUSES.find((name) => name === storedStatus);
	if (typeof healthy !== 'boolean' || status === undefined) return undefined;
	return {
		healthy,
		status,
		...omitUndefined({
			problem: asNonEmptyString(problem),
			since: parseSince(since),
		}),
	};
}

/** A later time is wrong, or n8n's clock was set back since. */
const MAX_AHEAD_MS = 60_000;

/** The stored time in our own form; undefined if it is unreadable or in the future. */
function parseSince(since: unknown): string | undefined {
	const text = asNonEmptyString(since) ?? '';
	const time = /^\d{4}-\d\d-\d\dT[\d:.]{1,20}Z$/.test(text) ? Date.parse(text) : NaN;
	return time <= Date.now() + MAX_AHEAD_MS ? new Date(time).toISOString() : undefined;
}

/** Evaluates a check against the stored state. Does not modify its arguments. */
export function updateWatchState(
	{ state, candidate: stored }: WatchState,
	check: CheckResult,
	{ events, confirmations }: WatchOptions,
): WatchUpdate {
	const now = toServerState(check);
	if (state === undefined) {
		return { memory: { state: now }, change: now.healthy ? undefined : toCurrentState(check) };
	}
	if (isSame(state, now)) {
		return { memory: { state, candidate: updateCandidate(stored, state, confirmations) } };
	}
	const candidate = toCandidate(stored, { state, now });
	if (candidate.seen < confirmations) return { memory: { state, candidate } };
	const event = getEvent({ state, now: candidate.state });
	const isWatched = events.includes(event);
	const change = isWatched
		? createChange({ event, previous: state, now: candidate.state, check })
		: undefined;
	return { memory: { state: candidate.state }, change };
}

/** Dropping a candidate takes as many consecutive healthy checks as a recovery. */
function updateCandidate(
	candidate: Candidate | undefined,
	state: ServerState,
	confirmations: number,
): Candidate | undefined {
	if (candidate === undefined || !state.healthy) return undefined;
	const denied = (candidate.denied ?? 0) + 1;
	return denied >= confirmations ? undefined : { ...candidate, denied };
}

/** The current state as a change, for a first check and a test run in the editor. */
export function toCurrentState(check: CheckResult): HealthChange {
	return createChange({ event: 'firstState', now: toServerState(check), check });
}

/** The known state of a server, and that of this check. */
interface ComparedStates {
	state: ServerState;
	now: ServerState;
}

function getEvent({ state, now }: ComparedStates): WatchedEvent {
	if (now.healthy === state.healthy) return 'problem';
	return now.healthy ? 'healthy' : 'unhealthy';
}

/**
 * The unconfirmed next state. A server that is unhealthy for another reason at every check, or at every second one, is
 * unhealthy.
 */
function toCandidate(candidate: Candidate | undefined, { state, now }: ComparedStates): Candidate {
	const isSameSide = candidate?.state.healthy === now.healthy;
	const isContinued = isSameSide && (now.healthy !== state.healthy || isSame(candidate.state, now));
	if (!isContinued) return { state: now, seen: 1 };
	const { since = now.since } = candidate.state;
	return { state: { ...now, ...omitUndefined({ since }) }, seen: candidate.seen + 1 };
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

/** Two states, and the check that confirmed the new one. */
interface StateChange {
	event: HealthChange['event'];
	/** Missing for the first state. */
	previous?: ServerState;
	now: ServerState;
	check: CheckResult;
}

function createChange({ event, previous: ended, now, check }: StateChange): HealthChange {
	const { healthy, status, since = check.checkedAt } = now;
	const suffix = event === 'healthy' ? ' again' : '';
	const title = `The server at ${check.server.url ?? 'the address of the credential'} is ${status}${suffix}`;
	const previous = ended && withDuration(ended, since);
	// The title contains the status of an unhealthy server.
	const lines = [
		healthy ? check.summary : undefined,
		previous && describePrevious(previous),
		...(healthy ? [] : formatProblems(check)),
	];
	return {
		event,
		title,
		text: lines.filter(Boolean).join('\n'),
		changedAt: since,
		...omitUndefined({ previous }),
		health: check,
	};
}

function withDuration(state: ServerState, until: string): PreviousState {
	if (state.since === undefined) return state;
	const ms = Date.parse(until) - Date.parse(state.since);
	// n8n's clock may have been set back.
	const seconds = Math.max(0, Math.round(ms / 1000));
	return { ...state, seconds, lasted: formatLongDuration(seconds) };
}

function describePrevious({ status, lasted }: PreviousState): string {
	return lasted === undefined ? `It was ${status}.` : `It was ${status} for ${lasted}.`;
}

/** The errors as lines of a message. */
function formatProblems({ findings }: CheckResult) {
	const errors = findings.filter(({ severity }) => severity === 'error');
	return errors.map(({ detail, suggestion, observed }) => {
		const advice = suggestion === '' ? [] : [`  What to do: ${suggestion}`];
		return [`- ${detail}.`, ...advice, `  Observed: ${observed}`].join('\n');
	});
}

/** The two largest units: "2 days 3 hours". */
export function formatLongDuration(seconds: number): string {
	const units = [
		{ name: 'day', count: Math.floor(seconds / 86_400) },
		{ name: 'hour', count: Math.floor(seconds / 3600) % 24 },
		{ name: 'minute', count: Math.floor(seconds / 60) % 60 },
		{ name: 'second', count: seconds % 60 },
	];
	const first = units.findIndex(({ count }) => count > 0);
	if (first < 0) return '0 seconds';
	const largest = units.slice(first, first + 2).filter(({ count }) => count > 0);
	return largest.map(({ name, count }) => pluralize(count, name)).join(' ');
}
