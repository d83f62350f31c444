import fc from 'fast-check';

import { entriesOf, readHistory } from '../../../../lib/health/report/history';
import { examples } from '../../../support/properties';
import { result, run } from './support';

const AT = '2026-11-20T09:00:00.000Z';

describe('an entry of the history', () => {
	it('has the speed alone, and the most of all rounds', () => {
		expect(entriesOf(result())).toEqual([
			{
				checkedAt: AT,
				url: 'http://10.0.0.5:8080',
				status: 'healthy',
				model: 'qwen3-8b',
				tokensPerSecond: 82.4,
				firstTokenMs: 210,
				totalTokensPerSecond: 61 * 4 * 0.9,
				atOnce: 4,
				latencyMs: 3,
				queue: 0,
			},
		]);
	});

	it('of a check has no speed', () => {
		expect(entriesOf(result({ speed: undefined }))).toMatchObject([
			{ tokensPerSecond: null, atOnce: null, model: null },
		]);
	});

	it('of several servers is one each', () => {
		const servers = [result(), result({ url: 'http://b', speed: null })];
		expect(entriesOf(result({ servers })).map(({ url }) => url)).toEqual([
			'http://10.0.0.5:8080',
			'http://b',
		]);
	});
});

describe('earlier results', () => {
	const entry = entriesOf(result())[0]!;

	it('are read from entries, results, items, changes of the trigger, and text of them', () => {
		for (const given of [
			[entry],
			entry,
			[result()],
			[{ json: result() }],
			[{ health: result() }],
			JSON.stringify([entry]),
		])
			expect(readHistory(given)).toEqual({ entries: [entry], skipped: 0 });
	});

	it('a row of a table may have text for numbers, more columns, and an empty cell', () => {
		const row = { ...entry, id: 4, createdAt: AT, tokensPerSecond: '82.4', queue: '', model: null };
		expect(readHistory([row]).entries).toEqual([{ ...entry, queue: null, model: null }]);
	});

	it('the same result twice counts once, and the oldest comes first', () => {
		const earlier = { ...entry, checkedAt: '2026-11-13T10:00:00+01:00' };
		const { entries } = readHistory([entry, earlier, { json: result() }]);
		expect(entries.map(({ checkedAt }) => checkedAt)).toEqual(['2026-11-13T09:00:00.000Z', AT]);
	});

	it('of several servers are those of each', () => {
		const servers = [result(), result({ url: 'http://b' })];
		expect(readHistory([result({ servers })]).entries).toHaveLength(2);
	});

	it('invalid results are counted, except the empty item of an empty table', () => {
		expect(readHistory([{}, '', null, undefined])).toEqual({ entries: [], skipped: 0 });
		expect(
			readHistory([{ name: 'x' }, 'no JSON', 5, { checkedAt: 'yesterday', status: 'healthy' }]),
		).toEqual({
			entries: [],
			skipped: 4,
		});
	});

	it('the newest thousand are kept', () => {
		const many = Array.from({ length: 1_500 }, (_, at) => ({ ...entry, checkedAt: at * 1000 }));
		const { entries } = readHistory(many);
		expect(entries).toHaveLength(1_000);
		expect(entries.at(-1)!.checkedAt).toBe(new Date(1_499_000).toISOString());
	});

	it('a round that failed does not hide the others', () => {
		const failed = { ...run(8, 0, null), totalTokensPerSecond: null };
		expect(
			entriesOf(result({ speed: { model: 'm', runs: [run(1, 50, 100), failed] } })),
		).toMatchObject([{ atOnce: 1 }]);
	});

	it('reads anything without an error, deep and strange as it may be', () => {
		fc.assert(
			fc.property(fc.anything({ maxDepth: 6 }), (given) => {
				const { entries, skipped } = readHistory(given);
				expect(entries.length + skipped).toBeGreaterThanOrEqual(0);
				for (const { checkedAt } of entries)
					expect(new Date(checkedAt).toISOString()).toBe(checkedAt);
			}),
			examples(300),
		);
	});
});
