import fc from 'fast-check';

import { bestAtOnce } from '../../../../lib/health/speed/best-at-once';
import type { SpeedRun } from '../../../../lib/health/speed/measure';
import { run } from '../report/support';

const round = (atOnce: number, total: number | null): SpeedRun => ({
	...run(atOnce, 1, 1),
	totalTokensPerSecond: total,
});

describe('the best number of requests at once', () => {
	it.each([
		[
			[
				[1, 40],
				[2, 76],
				[4, 78],
				[8, 79],
			],
			2,
		],
		[
			[
				[1, 40],
				[2, 76],
				[4, 140],
			],
			4,
		],
		[
			[
				[1, 40],
				[2, 20],
			],
			1,
		],
		[
			[
				[1, 40],
				[2, null],
				[4, 41],
			],
			1,
		],
		[
			[
				[1, 40],
				[1, 44],
			],
			undefined,
		],
		[[], undefined],
	] as Array<[Array<[number, number | null]>, number | undefined]>)('%j: %s', (rounds, best) => {
		expect(bestAtOnce(rounds.map(([atOnce, total]) => round(atOnce, total)))).toBe(best);
	});

	it('is none that failed', () => {
		const failure = { kind: 'serverError', message: 'm', remedy: 'r' } as const;
		const failed = { ...round(4, 500), failures: [failure] };
		expect(bestAtOnce([round(1, 40), round(2, 70), failed])).toBe(2);
	});

	it('is one that was measured, and none below it brings as much', () => {
		const rounds = fc.uniqueArray(
			fc.tuple(fc.integer({ min: 1, max: 64 }), fc.integer({ min: 1 })),
			{
				minLength: 2,
				selector: ([atOnce]) => atOnce,
			},
		);
		fc.assert(
			fc.property(rounds, (all) => {
				const best = bestAtOnce(all.map(([atOnce, total]) => round(atOnce, total)))!;
				const most = Math.max(...all.map(([, total]) => total));
				const isEnough = ([, total]: [number, number]) => total >= 0.9 * most;
				expect(isEnough(all.find(([atOnce]) => atOnce === best)!)).toBe(true);
				expect(all.filter(([atOnce]) => atOnce < best).some(isEnough)).toBe(false);
			}),
		);
	});
});
