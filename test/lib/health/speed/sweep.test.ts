import { sweep, type Slots, type SweepOptions } from '../../../../lib/health/speed/sweep';
import type { SpeedRun } from '../../../../lib/health/speed/measure';
import { delay } from '../../../support/node';
import { run } from '../report/support';

interface Given extends Partial<SweepOptions> {
	most?: number;
	/** What the server says at each look; the last one stays. */
	seen?: Slots[];
	/** How long a round takes. */
	roundMs?: number;
	failsAt?: number;
}

const FREE: Slots = { total: 4, busy: 0 };

async function sweepOf({ most = 8, seen = [FREE], roundMs = 0, failsAt, ...options }: Given) {
	const levels: number[] = [];
	const looks = [...seen];
	const measure = async (atOnce: number): Promise<SpeedRun> => {
		levels.push(atOnce);
		await delay(roundMs);
		const failure = { kind: 'serverError', message: 'm', remedy: 'r' } as const;
		return { ...run(atOnce, 50, 100), failures: atOnce === failsAt ? [failure] : [] };
	};
	const slots = async () => await Promise.resolve(looks.length > 1 ? looks.shift()! : looks[0]!);
	const { runs, findings } = await sweep(measure, slots, {
		whenBusy: 'freeSlots',
		limitMs: 60_000,
		most,
		totalMs: 60_000,
		...options,
	});
	expect(runs.map(({ atOnce }) => atOnce)).toEqual(levels);
	return { levels, ids: findings.map(({ id }) => id) };
}

const busy = (count: number, total: number | null = 4): Slots => ({ total, busy: count });

describe('the rounds of a sweep', () => {
	it.each([
		// One alone, several times.
		[1, [1, 1, 1, 1]],
		[2, [1, 2]],
		[6, [1, 2, 4, 6]],
		[8, [1, 2, 4, 8]],
		[64, [1, 2, 4, 8, 16, 32, 64]],
	])('up to %d: %j', async (most, levels) => {
		expect(await sweepOf({ most, seen: [{ total: null, busy: null }] })).toEqual({
			levels,
			ids: [],
		});
	});

	it('never more than the slots of the server', async () => {
		expect((await sweepOf({ most: 64 })).levels).toEqual([1, 2, 4]);
		expect((await sweepOf({ most: 64, seen: [{ total: 6, busy: 0 }] })).levels).toEqual([
			1, 2, 4, 6,
		]);
	});

	it('end with a round in which a request failed', async () => {
		expect((await sweepOf({ failsAt: 2 })).levels).toEqual([1, 2]);
	});

	it('end where the next one would not fit into the time, and say so', async () => {
		const { levels, ids } = await sweepOf({ roundMs: 400, limitMs: 1_000 });
		expect(levels).toEqual([1]);
		expect(ids).toEqual(['sweepCut']);
	});
});

describe('where others use the server, a sweep', () => {
	it('uses the free slots only, and says so', async () => {
		expect(await sweepOf({ seen: [busy(1)] })).toEqual({
			levels: [1, 2, 3],
			ids: ['sweepReduced'],
		});
		expect(await sweepOf({ seen: [busy(3)] })).toEqual({ levels: [1], ids: ['sweepReduced'] });
	});

	it('measures nothing where no slot is free', async () => {
		expect(await sweepOf({ seen: [busy(4)] })).toEqual({ levels: [], ids: ['sweepSkipped'] });
		expect(await sweepOf({ seen: [busy(2, null)] })).toEqual({ levels: [], ids: ['sweepSkipped'] });
	});

	it('stops when they come in between', async () => {
		expect(await sweepOf({ seen: [FREE, FREE, busy(3)] })).toEqual({
			levels: [1, 2],
			ids: ['sweepReduced'],
		});
	});

	it('takes a slot that is about to be free for free', async () => {
		expect(await sweepOf({ seen: [FREE, busy(1), FREE] })).toEqual({ levels: [1, 2, 4], ids: [] });
	});

	it('skips all, or measures all, where told to', async () => {
		expect(await sweepOf({ whenBusy: 'skip', seen: [busy(1)] })).toEqual({
			levels: [],
			ids: ['sweepSkipped'],
		});
		expect(await sweepOf({ whenBusy: 'skip', seen: [FREE, busy(1)] })).toEqual({
			levels: [1],
			ids: ['sweepReduced'],
		});
		expect(await sweepOf({ whenBusy: 'measure', seen: [busy(4)] })).toEqual({
			levels: [1, 2, 4],
			ids: [],
		});
	});
});
