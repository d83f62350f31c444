import * as fc from 'fast-check';
import { toPlainText } from '../../../lib/values/safe-text';
import type { CheckResult } from '../../../lib/health/check-result';
import {
	toCurrentState,
	formatLongDuration,
	parseWatchState,
	updateWatchState,
} from '../../../lib/health/watch';
import type { HealthChange, WatchState, WatchOptions } from '../../../lib/health/watch';

const URL = 'http://llama:8080';
const all: WatchOptions = {
	events: ['unhealthy', 'healthy', 'problem'],
	confirmations: 1,
};
const minute = (count: number) => new Date(Date.UTC(2026, 0, 1, 0, count)).toISOString();

function healthy(at: number): CheckResult {
	return {
		status: 'healthy',
		healthy: true,
		summary: toPlainText('All is well.'),
		findings: [],
		server: { url: URL, type: 'llamaServer', latencyMs: 1 },
		checkedAt: minute(at),
	};
}

function broken(
	at: number,
	id = 'connectionRefused',
	status: CheckResult['status'] = 'unreachable',
): CheckResult {
	const findings = [
		{
			id,
			severity: 'error' as const,
			observed: toPlainText('ECONNREFUSED'),
			detail: toPlainText('Nothing listens'),
			suggestion: toPlainText('Start it.'),
		},
	];
	return {
		...healthy(at),
		status,
		healthy: false,
		summary: toPlainText('Nothing answers.'),
		findings,
	};
}

interface Watched {
	memory: WatchState;
	changes: HealthChange[];
}

/** The state after these checks, and the reported changes. The state is stored after each check, as in n8n. */
function runChecks(checks: CheckResult[], options: Partial<WatchOptions> = {}): Watched {
	return checks.reduce<Watched>(
		({ memory: stored, changes }, check) => {
			const { memory, change } = updateWatchState(stored, check, { ...all, ...options });
			const restored = JSON.parse(JSON.stringify(memory)) as WatchState;
			return { memory: restored, changes: change === undefined ? changes : [...changes, change] };
		},
		{ memory: {}, changes: [] },
	);
}

const summarizeChanges = ({ changes }: Watched) =>
	changes.map(({ event, changedAt }) => [event, changedAt]);

describe('a server that is watched', () => {
	it('is reported once when it becomes unhealthy, and once when it is healthy again', () => {
		const memory = runChecks([
			healthy(0),
			healthy(1),
			broken(2),
			broken(3),
			broken(64),
			healthy(65),
			healthy(66),
		]);
		expect(summarizeChanges(memory)).toEqual([
			['unhealthy', minute(2)],
			['healthy', minute(65)],
		]);
		expect(memory.changes.map(({ previous }) => previous)).toEqual([
			{ healthy: true, status: 'healthy', since: minute(0), seconds: 120, lasted: '2 minutes' },
			{
				healthy: false,
				status: 'unreachable',
				problem: 'connectionRefused',
				since: minute(2),
				seconds: 3780,
				lasted: '1 hour 3 minutes',
			},
		]);
	});

	it('describes the change, the problems and how to fix them', () => {
		const [down, up] = runChecks([healthy(0), broken(2), healthy(65)]).changes;
		expect(down).toMatchObject({ title: `The server at ${URL} is unreachable` });
		expect(down!.text).toBe(
			`It was healthy for 2 minutes.\n- Nothing listens.\n  What to do: Start it.\n  Observed: ECONNREFUSED`,
		);
		expect(up).toMatchObject({
			title: `The server at ${URL} is healthy again`,
			text: `All is well.\nIt was unreachable for 1 hour 3 minutes.`,
		});
	});

	it('reports a change after the set number of checks, with the time of the first of them', () => {
		const options = { confirmations: 3 };
		expect(summarizeChanges(runChecks([healthy(0), broken(1), broken(2)], options))).toEqual([]);
		expect(
			summarizeChanges(runChecks([healthy(0), broken(1), broken(2), broken(3)], options)),
		).toEqual([['unhealthy', minute(1)]]);
		const cleared = [
			healthy(0),
			broken(1),
			broken(2),
			healthy(3),
			healthy(4),
			healthy(5),
			broken(6),
			broken(7),
		];
		expect(summarizeChanges(runChecks(cleared, options))).toEqual([]);
	});

	it('has another problem', () => {
		const checks = [broken(0), broken(1, 'auth', 'unauthorized'), healthy(2)];
		expect(summarizeChanges(runChecks(checks))).toEqual([
			['firstState', minute(0)],
			['problem', minute(1)],
			['healthy', minute(2)],
		]);
		const quiet = runChecks(checks, { events: ['unhealthy', 'healthy'] });
		expect(summarizeChanges(quiet)).toEqual([
			['firstState', minute(0)],
			['healthy', minute(2)],
		]);
		expect(quiet.changes[1]!.previous).toMatchObject({ problem: 'auth', since: minute(1) });
	});

	it('is not reported while hints of a healthy server change', () => {
		const hint = {
			id: 'noMetrics',
			severity: 'info' as const,
			observed: toPlainText(''),
			detail: toPlainText(''),
			suggestion: toPlainText(''),
		};
		expect(
			summarizeChanges(runChecks([healthy(0), { ...healthy(1), findings: [hint] }, healthy(2)])),
		).toEqual([]);
	});

	it('is reported at the first check if it is unhealthy then', () => {
		expect(runChecks([healthy(0)]).changes).toEqual([]);
		const { changes } = runChecks([broken(0)]);
		expect(changes).toMatchObject([{ event: 'firstState' }]);
		expect(changes[0]).not.toHaveProperty('previous');
	});

	it('has no line for advice if nothing is known to do', () => {
		const findings = broken(0).findings.map((finding) => ({
			...finding,
			suggestion: toPlainText(''),
		}));
		const { text } = toCurrentState({ ...broken(0), findings });
		expect(text).toContain('- Nothing listens.\n  Observed: ECONNREFUSED');
	});

	it('reports its current state', () => {
		expect(toCurrentState(broken(0))).toMatchObject({ event: 'firstState', health: broken(0) });
	});
});

it.each([
	[0, '0 seconds'],
	[1, '1 second'],
	[61, '1 minute 1 second'],
	[3600, '1 hour'],
	[93_784, '1 day 2 hours'],
])('%i seconds as text', (seconds, words) => {
	expect(formatLongDuration(seconds)).toBe(words);
});

describe('an alarm does not depend on the ID of the finding', () => {
	const LOADING = (at: number) => broken(at, 'loading', 'loading');

	it('with any findings, a server is unhealthy until the set number of consecutive checks is healthy', () => {
		const check = fc.constantFrom(healthy, broken, LOADING);
		fc.assert(
			fc.property(
				fc.array(check, { maxLength: 30 }),
				fc.integer({ min: 1, max: 4 }),
				(kinds, confirmations) => {
					const checks = [healthy, ...kinds].map((make, at) => make(at));
					const { changes } = runChecks(checks, {
						confirmations,
						events: ['unhealthy', 'healthy'],
					});
					// Stretches that as many healthy checks in a row divide.
					const stretches = checks
						.map((one) => (one.healthy ? 'h' : 'u'))
						.join('')
						.split(new RegExp(`h{${confirmations},}`));
					const bad = stretches.filter(
						(stretch) => stretch.replaceAll('h', '').length >= confirmations,
					);
					const isBadNow = bad.length > 0 && bad.at(-1) === stretches.at(-1);
					const events = bad.flatMap((_, at) =>
						at === bad.length - 1 && isBadNow ? ['unhealthy'] : ['unhealthy', 'healthy'],
					);
					expect(changes.map(({ event }) => event)).toEqual(events);
				},
			),
		);
	});
});

describe('the stored state', () => {
	const restore = (memory: unknown) => JSON.parse(JSON.stringify(memory)) as unknown;

	it('is read as it was stored, and any other value starts anew', () => {
		const stored = runChecks([healthy(1), broken(2)], { confirmations: 2 }).memory;
		expect(parseWatchState(restore(stored))).toEqual(restore(stored));
		fc.assert(
			fc.property(fc.jsonValue(), fc.jsonValue(), (state, candidate) => {
				const parsed = parseWatchState({ state, candidate });
				const { memory } = updateWatchState(parsed, broken(3), all);
				expect(memory.state).toMatchObject({ healthy: false, status: 'unreachable' });
			}),
		);
	});
});
