import type { CheckResult, HealthStatus } from './observations';
import { append, optional } from '../values';

/** Changes that start the workflow. */
type WatchedEvent = 'unhealthy' | 'healthy' | 'problem';

export interface WatchOptions {
	events: readonly WatchedEvent[];
	/** How many checks in a row must say the same before it counts as a change. */
	confirmations: number;
	/** Whether the state of the first check starts it, too. */
	firstState: 'always' | 'never' | 'unhealthy';
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
	/** Unique, to tell one delivery from another. */
	id: string;
	event: WatchedEvent | 'firstState';
	/** A line for the subject of a message. */
	title: string;
	/** All that a message needs: what changed, what is wrong, what to do. */
	text: string;
	/** ISO time of the check that saw the new state first. */
	changedAt: string;
	/** The state before. Null for the first one. */
	before: (ServerState & { seconds: number; lasted: string }) | null;
	health: CheckResult;
	/** When the workflow was last started with it (ms), and whether this was a repetition without a restart between. */
	given?: { at: number; again: boolean };
}

/** What is remembered from check to check. Plain data, for n8n's static data. */
export interface WatchMemory {
	state?: ServerState;
	/** A state that is not confirmed yet. `denied`: checks since then that saw a healthy server. */
	candidate?: { state: ServerState; seen: number; denied?: number };
	/** Changes that were not yet delivered to a workflow with success, oldest first. */
	untold: HealthChange[];
}

/** The newest ones are kept: n8n stores them with the workflow. */
const MAX_UNTOLD = 50;

/** What is remembered after one more check. Does not modify its arguments. */
export function watch(
	memory: WatchMemory,
	check: CheckResult,
	options: WatchOptions,
	newId: () => string,
): WatchMemory {
	const { state, untold } = memory;
	const now = stateOf(check);
	if (state === undefined) {
		if (!isFirstReported(now, options)) return { state: now, untold };
		return { state: now, untold: [changeOf('firstState', undefined, now, check, newId())] };
	}
	if (isSame(state, now)) return { state, untold, ...doubted(memory, state, options) };
	const candidate = candidateOf(memory, state, now);
	if (candidate.seen < options.confirmations) return { state, candidate, untold };
	const event = eventOf(state, candidate.state);
	if (!options.events.includes(event)) return { state: candidate.state, untold };
	const change = changeOf(event, state, candidate.state, check, newId());
	return { state: candidate.state, untold: [...untold, change].slice(-MAX_UNTOLD) };
}

function isFirstReported({ healthy }: ServerState, { firstState }: WatchOptions): boolean {
	return firstState === 'always' || (firstState === 'unhealthy' && !healthy);
}

function eventOf(before: ServerState, now: ServerState): WatchedEvent {
	if (now.healthy === before.healthy) return 'problem';
	return now.healthy ? 'healthy' : 'unhealthy';
}

/**
 * The candidate after a check that saw the known state again. It takes as many healthy checks in a row to drop a
 * suspicion as to find the server healthy again.
 */
function doubted(
	{ candidate }: WatchMemory,
	state: ServerState,
	{ confirmations }: WatchOptions,
): Pick<WatchMemory, 'candidate'> {
	const denied = (candidate?.denied ?? 0) + 1;
	const isDropped = candidate === undefined || !state.healthy || denied >= confirmations;
	return isDropped ? {} : { candidate: { ...candidate, denied } };
}

/**
 * A state that may become the next one. A server that is down for another reason at every check, or at every second
 * one, is down.
 */
function candidateOf(
	{ candidate }: WatchMemory,
	state: ServerState,
	now: ServerState,
): NonNullable<WatchMemory['candidate']> {
	const isSameSide = candidate?.state.healthy === now.healthy;
	const goesOn = isSameSide && (now.healthy !== state.healthy || isSame(candidate.state, now));
	if (!goesOn) return { state: now, seen: 1 };
	return { state: { ...now, since: candidate.state.since }, seen: candidate.seen + 1 };
}

/** The current state as a change, for a test run in the editor. */
export function currentState(check: CheckResult, newId: () => string): HealthChange {
	return changeOf('firstState', undefined, stateOf(check), check, newId());
}

function stateOf({ healthy, status, findings, checkedAt }: CheckResult): ServerState {
	const problem = healthy ? undefined : findings[0]?.id;
	return { healthy, status, ...optional({ problem }), since: checkedAt };
}

/** Findings of a healthy server do not make another state. */
function isSame(one: ServerState, other: ServerState): boolean {
	return (
		one.healthy === other.healthy &&
		(one.healthy || (one.status === other.status && one.problem === other.problem))
	);
}

function changeOf(
	event: HealthChange['event'],
	before: ServerState | undefined,
	now: ServerState,
	health: CheckResult,
	id: string,
): HealthChange {
	const again = event === 'healthy' ? ' again' : '';
	const title = `The server at ${health.url ?? 'the address of the credential'} is ${now.status}${again}`;
	const previous = before === undefined ? null : withDuration(before, now);
	const lines = [title, health.summary];
	if (previous !== null) lines.push(`It was ${previous.status} for ${previous.lasted}.`);
	if (!now.healthy) append(lines, problemsIn(health));
	return {
		id,
		event,
		title,
		text: lines.filter((line) => line !== '').join('\n'),
		changedAt: now.since,
		before: previous,
		health,
	};
}

function withDuration(before: ServerState, now: ServerState) {
	const ms = Date.parse(now.since) - Date.parse(before.since);
	const seconds = Math.max(0, Math.round(ms / 1000));
	return { ...before, seconds, lasted: durationInWords(seconds) };
}

function problemsIn({ findings }: CheckResult): string[] {
	const errors = findings.filter(({ severity }) => severity === 'error');
	return errors.map(
		({ meaning, advice, observed }) =>
			`- ${meaning}.\n  What to do: ${advice}\n  Seen: ${observed}`,
	);
}

/** The two largest units: "2 days 3 hours". */
export function durationInWords(seconds: number): string {
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
