import fc from 'fast-check';

import { ranked, remarksOn, sigmoid } from '../../../lib/rerank/rank';

describe('the ranking', () => {
	const settings = { scores: 'received', topN: 0 } as const;

	test('best first; equal scores keep the order of the documents', () => {
		const scores = [2, 0, 1, 3].map((index) => ({ index, score: index === 3 ? 5 : 1 }));
		expect(ranked(scores, settings).map(({ index }) => index)).toEqual([3, 0, 1, 2]);
		expect(ranked(scores, { ...settings, topN: 2 }).map(({ index }) => index)).toEqual([3, 0]);
	});

	test('the sigmoid keeps the order, and the minimum counts after it', () => {
		expect(
			ranked(
				[
					{ index: 0, score: -6 },
					{ index: 1, score: 2 },
				],
				{ scores: 'sigmoid', minimumScore: 0.5, topN: 0 },
			),
		).toEqual([{ index: 1, score: sigmoid(2) }]);
		fc.assert(
			fc.property(fc.double({ noNaN: true }), fc.double({ noNaN: true }), (one, other) => {
				const [first, second] = [sigmoid(one), sigmoid(other)];
				expect(first >= 0 && first <= 1).toBe(true);
				expect(one <= other ? first <= second : first >= second).toBe(true);
			}),
		);
	});

	test('remarks: scores that are probabilities already, and scores that say nothing', () => {
		expect(remarksOn([{ index: 0, score: 0.2 }], 'sigmoid', ['a'])[0]).toContain(
			'between 0 and 1 already',
		);
		expect(remarksOn([{ index: 0, score: -1 }], 'sigmoid', ['a'])).toEqual([]);
		const flat = [0, 1, 2].map((index) => ({ index, score: 0.5 }));
		expect(remarksOn(flat, 'received', ['a', 'b', 'c'])[0]).toContain('not be a reranker');
		expect(remarksOn(flat, 'received', ['a', 'a', 'a'])).toEqual([]);
	});
});
