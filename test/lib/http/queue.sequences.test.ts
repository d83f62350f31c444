/** Sequences of requests to a queue: which of them runs when, which is canceled, and what each has waited for. */
import path from 'node:path';
import type { Permit, QueueStats } from '../../../lib/http/queue';
import { RequestQueue } from '../../../lib/http/queue';
import { expectApproved } from '../../support/approved/approved-table';
import { useClock } from '../../guarantees/support/fake-clock';

const clock = useClock();

/**
 * Steps of a sequence. `b1`: batch request 1 comes, `i2`: interactive request 2, `n3`: a batch request that cannot be canceled;
 * `-1`: request 1 releases its permit, `+1`: the server has taken it, `!1`: the server was too busy for it, `x1`: it is
 * stopped; `60s`: time passes, `=3`: the limit is 3 from now on.
 */
const SEQUENCES = [
	'=1 b1 b2 -1 -2',
	'=1 i1 i2 -1 -2',
	'=1 i1 b2 i3 -1 -3 -2',
	'=1 b1 i2 -1 -2',
	'=1 n1 i2 -1 -2',
	'=1 b1 b2 i3 -1 -3 -2',
	'=1 b1 i2 i3 -1 -2 -3',
	'=2 b1 b2 i3 -2 -3 -1',
	'=2 b1 b2 i3 i4 -2 -1 -3 -4',
	'=2 b1 b2 b3 i4 -1 -2 -4 -3',
	'=2 b1 i2 i3 -1 -2 -3',
	'=2 b1 n2 i3 -1 -2 -3',
	'=1 i1 b2 x2 -1 b3 -3',
	'=1 i1 b2 b3 x2 -1 -3',
	'=1 i1 i2 x1 -1 -2',
	'=1 i1 b2 60s i3 -1 -3 -2',
	'=1 i1 b2 i3 60s -1 i4 -3 -4 -2',
	'=1 i1 b2 i3 30s -1 30s i4 -3 -4 -2',
	'=1 i1 b2 60s -1 i3 -2 -3',
	'=1 i1 =2 i2 i3 -1 -2 -3',
	'=2 i1 i2 =1 i3 -1 -2 -3',
	'=4 i1 i2 i3 i4 !4 -4 i5 -1 -2 i6 -3',
	'=4 i1 i2 i3 i4 !4 !3 -4 -3 i5 -1 -2 i6',
	'=4 i1 i2 i3 i4 !4 -4 -3 -2 i5 !5 -5 -1 i6 i7 +6 -6',
	'=4 i1 i2 i3 i4 !4 -4 -3 +1 +2 i5 i6 i7',
	'=2 i1 !1 -1 i2 +2 i3',
	'=2 i1 +1 -1 i2 i3',
	'=1 b1 i2 -1 b1 -2 -1',
	'=1 b1 i2 x2 -1 b3 -3',
	'=1 i1 -1 -1 i2 i3 -2',
];

const KINDS: Readonly<Record<string, 'batch' | 'interactive'>> = {
	b: 'batch',
	n: 'batch',
	i: 'interactive',
};

/** Plays a sequence: the events, each after the step that caused it. */
const play = async (sequence: string): Promise<string> => {
	const queue = new RequestQueue();
	const permits = new Map<string, Permit>();
	const stops = new Map<string, AbortController>();
	const allStats = new Map<string, QueueStats>();
	const log: string[] = [];
	const enter = (kind: string, name: string) => {
		const stats = { waitedMs: 0, hasPreemptedBatch: false, timesPreempted: 0 };
		const stop = new AbortController();
		stops.set(name, stop);
		allStats.set(name, stats);
		const preempt = () => {
			log.push(`${kind === 'n' ? 'keep' : 'cancel'} ${name}`);
			return kind !== 'n';
		};
		queue
			.acquire({ priority: KINDS[kind]!, signal: stop.signal, preempt, stats })
			.then((permit) => {
				permits.set(name, permit);
				const waited = stats.waitedMs > 0 ? ` after ${String(stats.waitedMs / 1000)} s` : '';
				log.push(`run ${name}${waited}${stats.hasPreemptedBatch ? ' for a batch' : ''}`);
			})
			.catch(() => log.push(`stop ${name}`));
	};
	const apply: Readonly<Record<string, (name: string) => void>> = {
		'-': (name) => permits.get(name)?.release(),
		'+': (name) => permits.get(name)?.onAccept(),
		'!': (name) => permits.get(name)?.onRefuse(),
		x: (name) => stops.get(name)?.abort(new Error('Stop')),
		'=': (name) => (queue.limit = Number(name)),
	};
	for (const step of sequence.split(' ')) {
		const [kind = '', name] = [step.charAt(0), step.slice(1)];
		log.push(`[${step}]`);
		if (step.endsWith('s')) await clock.pass(1000 * Number.parseInt(step, 10));
		else if (kind in KINDS) enter(kind, name);
		else apply[kind]!(name);
		// Time passes, so that a wait is seen.
		await clock.pass(1000);
	}
	return `${log.join(' ')} | active ${String(queue.active)}, waiting ${String(queue.length)}`;
};

test('each sequence of requests has its order', async () => {
	const rows = [];
	for (const sequence of SEQUENCES) rows.push({ input: sequence, outcome: await play(sequence) });
	expectApproved(
		path.join(__dirname, 'queue.sequences.approved.txt'),
		rows,
		'Interactive requests go first, and no class starves',
	);
});
