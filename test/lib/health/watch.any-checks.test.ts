/** Which changes of a server are reported, for made-up sequences of checks. */
import type { CheckResult, HealthStatus } from '../../../lib/health/check-result';
import { formatLongDuration, toCurrentState, updateWatchState } from '../../../lib/health/watch';
import type { WatchOptions, WatchState } from '../../../lib/health/watch';
import { expectApproved } from '../../support/approved/approved-table';
import { createDraws } from '../../support/jest/draws';
import path from 'node:path';

/** States of a check by one letter. */
const STATES: Readonly<Record<string, { status: HealthStatus; problems: string[] }>> = {
	h: { status: 'healthy', problems: [] },
	// A warning.
	w: { status: 'healthy', problems: ['slow'] },
	u: { status: 'unreachable', problems: ['noResponse'] },
	l: { status: 'loading', problems: ['modelLoading'] },
	m: { status: 'misconfigured', problems: ['noModels', 'slow'] },
	// The same status for another reason.
	k: { status: 'misconfigured', problems: ['contextBelowExpected'] },
};

function toCheck(letter: string, at: number): CheckResult {
	const { status, problems } = STATES[letter]!;
	return {
		summary: `Summary of ${letter}.`,
		status,
		healthy: status === 'healthy',
		findings: problems.map((id) => ({
			id,
			severity: id === 'slow' ? 'warning' : 'error',
			observed: `${id} observed`,
			detail: `${id} detail`,
			suggestion: `${id} suggestion`,
		})),
		server: letter === 'u' ? { type: 'unknown' } : { type: 'other', url: 'http://s' },
		checkedAt: new Date(at * 60_000).toISOString(),
	} as CheckResult;
}

const toMinute = (iso: string | undefined): string =>
	iso === undefined ? '-' : String(Date.parse(iso) / 60_000);

function play(letters: string, options: WatchOptions): string {
	let memory: WatchState = {};
	const reported: string[] = [];
	[...letters].forEach((letter, at) => {
		const update = updateWatchState(memory, toCheck(letter, at), options);
		({ memory } = update);
		const { change } = update;
		if (change !== undefined)
			reported.push(
				`${at} ${change.event} since ${toMinute(change.changedAt)}, was ${change.previous?.status ?? '-'} for ${change.previous?.seconds ?? '-'} s`,
			);
	});
	const { state, candidate } = memory;
	const left = `at ${state?.status} since ${toMinute(state?.since)}, next ${candidate?.state.status ?? '-'} ${candidate?.seen ?? 0} ${candidate?.denied ?? 0}`;
	return [...reported, left].join('; ');
}

const EVENTS = [
	['unhealthy', 'healthy', 'problem'],
	['unhealthy'],
	['healthy'],
	['problem'],
] as const;
const { oneOf, count } = createDraws(1);

test('made-up sequences', () => {
	const letters = Object.keys(STATES);
	const cases = Array.from({ length: 120 }, () => ({
		sequence: Array.from({ length: count(2, 8) }, () => oneOf(letters)).join(''),
		confirmations: count(1, 3),
		events: oneOf(EVENTS.slice(0, count(1, 4))),
	}));
	const outcomes = new Map(
		cases.map(({ sequence, confirmations, events }) => [
			`${sequence}, ${confirmations} confirmations, ${events.join('+')}`,
			play(sequence, { events, confirmations }),
		]),
	);
	const rows = [...outcomes].map(([input, outcome]) => ({ input, outcome }));
	expectApproved(
		path.join(__dirname, 'watch.any-checks.approved.txt'),
		rows,
		'A change is reported once, after it was confirmed',
	);
});

test('the texts of changes, and durations', () => {
	const texts = Object.keys(STATES).map((letter) => {
		const { title, text, event } = toCurrentState(toCheck(letter, 7));
		return { input: `first ${letter}`, outcome: `${event}: ${title} | ${text}` };
	});
	const changes = [...'wulmk'].flatMap((from) =>
		[...'hulmk'].map((to) => {
			const options = { events: ['unhealthy', 'healthy', 'problem'], confirmations: 1 } as const;
			const { memory } = updateWatchState({}, toCheck(from, 0), options);
			const { change } = updateWatchState(memory, toCheck(to, 90), options);
			return {
				input: `${from} to ${to}`,
				outcome: `${change?.event}: ${change?.title} | ${change?.text}`,
			};
		}),
	);
	const durations = [0, 1, 59, 60, 61, 3_599, 3_600, 3_605, 86_399, 86_400, 90_061, 1e6].map(
		(seconds) => ({
			input: `${seconds} s`,
			outcome: formatLongDuration(seconds),
		}),
	);
	const rows = [...texts, ...changes, ...durations];
	expectApproved(
		path.join(__dirname, 'watch.any-checks.texts.approved.txt'),
		rows,
		'A change is told with its times',
	);
});
