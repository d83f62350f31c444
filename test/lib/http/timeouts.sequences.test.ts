/** Sequences of a request with each timeout: which of them expires, and when. */
import path from 'node:path';
import { Watchdog } from '../../../lib/http/timeouts';
import { expectApproved, joinPlaces } from '../../support/approved/approved-table';
import { useClock } from '../../guarantees/support/fake-clock';

const clock = useClock();

/** Seconds that pass, and what happens after them: a part of an upload, content, the begin of the end, the end, or Stop. */
const SEQUENCES = [
	'99',
	'9 upload 9 upload 9 upload 99',
	'9 content 99',
	'9 content 9 content 9 content 99',
	'9 content 9 upload 9 upload 99',
	'9 content 9 end 99',
	'9 content 9 end 2 content 2 content 99',
	'9 end 2 end 2 end 99',
	'9 content 9 stop 99',
	'9 over 99',
	'9 content 9 over 99',
];

const TIMEOUTS: Readonly<Record<string, ConstructorParameters<typeof Watchdog>[0]>> = {
	none: { firstTokenMs: 0, idleMs: 0 },
	'first 10 s': { firstTokenMs: 10_000, idleMs: 0 },
	'idle 10 s': { firstTokenMs: 0, idleMs: 10_000 },
	'idle 1 s': { firstTokenMs: 0, idleMs: 1_000 },
	'total 20 s': { firstTokenMs: 0, idleMs: 0, totalMs: 20_000 },
	'all of them': { firstTokenMs: 10_000, idleMs: 10_000, totalMs: 30_000 },
};

const play = async (sequence: string, timeouts: ConstructorParameters<typeof Watchdog>[0]) => {
	const caller = new AbortController();
	const watchdog = new Watchdog(timeouts, caller.signal);
	const startedAt = performance.now();
	let abortedAt = '';
	watchdog.signal.addEventListener('abort', () => {
		abortedAt = `after ${String((performance.now() - startedAt) / 1000)} s`;
	});
	const steps: Readonly<Record<string, () => void>> = {
		upload: () => watchdog.onUpload(),
		content: () => watchdog.onContent(),
		end: () => watchdog.expectEnd(3_000),
		over: () => watchdog.stop(),
		stop: () => caller.abort(new Error('Stop')),
	};
	for (const step of sequence.split(' ')) {
		const apply = steps[step];
		if (apply === undefined) await clock.pass(1000 * Number(step));
		else apply();
	}
	watchdog.stop();
	return abortedAt === '' ? 'not ended' : `${watchdog.expired ?? 'stopped'} ${abortedAt}`;
};

test('each sequence ends by its timeout', async () => {
	const outcomes = [];
	for (const subject of SEQUENCES)
		for (const [place, timeouts] of Object.entries(TIMEOUTS))
			outcomes.push({ subject, place, outcome: await play(subject, timeouts) });
	expectApproved(
		path.join(__dirname, 'timeouts.sequences.approved.txt'),
		joinPlaces(outcomes),
		'A request ends by the first timeout that is over, and no other',
	);
});
