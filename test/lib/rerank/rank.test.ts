import fc from 'fast-check';

import { ranked, remarksOn, sigmoid } from '../../../lib/rerank/rank';
import { readScores } from '../../../lib/rerank/read';

const SCORES = [
	{ index: 1, score: 0.9 },
	{ index: 0, score: -2 },
];

describe('answers of rerank routes', () => {
	test.each([
		[
			'Jina, llama-server',
			{
				results: [
					{ index: 1, relevance_score: 0.9 },
					{ index: 0, relevance_score: -2 },
				],
			},
		],
		[
			'vLLM: with the texts',
			{
				results: [
					{ index: 1, document: { text: 'b' }, relevance_score: 0.9 },
					{ index: 0, relevance_score: -2 },
				],
			},
		],
		[
			'Text Embeddings Inference',
			[
				{ index: 1, score: 0.9, text: 'b' },
				{ index: 0, score: -2 },
			],
		],
		[
			'a list named data',
			{
				data: [
					{ index: 1, relevance_score: 0.9 },
					{ index: 0, relevance_score: -2 },
				],
			},
		],
	])('%s', (_server, json) => {
		expect(readScores(json, 2)).toEqual({ scores: SCORES });
	});

	test('tokens, of GPUStack also without those of the prompt', () => {
		expect(readScores({ results: [], usage: { total_tokens: 7 } }, 1)).toEqual({ scores: [], tokens: 7 });
	});

	test.each([
		['an index out of range', { results: [{ index: 2, relevance_score: 1 }] }, /document 3, but 2 were sent/],
		[
			'a repeated index',
			[
				{ index: 0, score: 1 },
				{ index: 0, score: 2 },
			],
			/two scores/,
		],
		['no index', [{ score: 1 }], /no index/],
		['no score', [{ index: 0, score: null }], /no number/],
		['no list', { object: 'list' }, /no scores/],
	])('%s is a fault', (_case, json, says) => {
		expect(readScores(json, 2)).toMatchObject({ fault: expect.stringMatching(says) as string });
	});

	test('whatever comes, scores are numbers of documents that were sent', () => {
		fc.assert(
			fc.property(fc.jsonValue(), fc.integer({ min: 1, max: 4 }), (json, count) => {
				const read = readScores(json, count);
				return 'fault' in read || read.scores.every(({ index, score }) => index < count && Number.isFinite(score));
			}),
		);
	});
});

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
		expect(remarksOn([{ index: 0, score: 0.2 }], 'sigmoid', ['a'])[0]).toContain('between 0 and 1 already');
		expect(remarksOn([{ index: 0, score: -1 }], 'sigmoid', ['a'])).toEqual([]);
		const flat = [0, 1, 2].map((index) => ({ index, score: 0.5 }));
		expect(remarksOn(flat, 'received', ['a', 'b', 'c'])[0]).toContain('no reranker');
		expect(remarksOn(flat, 'received', ['a', 'a', 'a'])).toEqual([]);
	});
});
