import fc from 'fast-check';

import { sortByScore, parseScores } from '../../../lib/tasks/rerank';
import { parseTokenCount } from '../../../lib/tasks/vectors';

const SCORES = [
	{ index: 1, score: 0.9 },
	{ index: 0, score: -2 },
];

describe('responses of rerank routes', () => {
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
			'indexes and scores as text',
			[
				{ index: '1', score: '0.9' },
				{ index: '0', score: '-2e0' },
			],
		],
		[
			'indexes from 1',
			{
				results: [
					{ index: 2, relevance_score: 0.9 },
					{ index: 1, relevance_score: -2 },
				],
			},
		],
		[
			'text_index',
			{
				data: [
					{ text_index: 1, score: 0.9 },
					{ text_index: 0, score: -2 },
				],
			},
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
		['DashScope', { output: { results: SCORES } }],
		[
			'NIM',
			{
				rankings: [
					{ index: 1, logit: 0.9 },
					{ index: 0, logit: -2 },
				],
			},
		],
		[
			'other names',
			{
				data: {
					results: [
						{ document_index: 1, similarity: 0.9 },
						{ corpus_id: 0, score: [-2] },
					],
				},
			},
		],
	])('%s', (_server, json) => {
		expect(parseScores(json, 2)).toEqual(SCORES);
	});

	test.each([[[-2, 0.9]], [{ scores: [-2, 0.9] }], [{ scores: [[-2], ['0.9']] }]])(
		'numbers in the order of the documents: %j',
		(json) => {
			expect(parseScores(json, 2)).toEqual([SCORES[1], SCORES[0]]);
			expect(parseScores(json, 3)).toBe('a score has no document index');
		},
	);

	test('tokens, also without prompt tokens (GPUStack)', () => {
		expect(parseTokenCount({ results: [], usage: { total_tokens: 7 } })).toBe(7);
	});

	test.each([
		['a score that is words', [{ index: 0, score: 'high' }], /score of document 1 is not a number/],
		[
			'an index out of range',
			{ results: [{ index: 2, relevance_score: 1 }] },
			/document 3, but 2 were sent/,
		],
		[
			'a repeated index',
			[
				{ index: 0, score: 1 },
				{ index: 0, score: 2 },
			],
			/two scores/,
		],
		['no index', [{ score: 1 }], /no document index/],
		['no indexes, and perhaps sorted', [{ score: 1 }, { score: 0 }], /no document index/],
		['no score', [{ index: 0, score: null }], /not a number/],
		['no list', { object: 'list' }, /no scores/],
	])('%s is an issue', (_case, json, issue) => {
		expect(parseScores(json, 2)).toMatch(issue);
	});

	test('for any response, scores are numbers for documents that were sent', () => {
		fc.assert(
			fc.property(fc.jsonValue(), fc.integer({ min: 1, max: 4 }), (json, count) => {
				const result = parseScores(json, count);
				const scores = typeof result === 'string' ? [] : result;
				expect(
					scores.filter(({ index, score }) => index >= count || !Number.isFinite(score)),
				).toEqual([]);
			}),
		);
	});
});

describe('the ranking', () => {
	const settings = { scores: 'received' } as const;

	test('best first; equal scores keep the order of the documents', () => {
		const scores = [2, 0, 1, 3].map((index) => ({ index, score: index === 3 ? 5 : 1 }));
		expect(sortByScore(scores, settings).map(({ index }) => index)).toEqual([3, 0, 1, 2]);
	});

	test('the sigmoid keeps the order, and the minimum score applies after it', () => {
		const toScores = (...scores: number[]) => scores.map((score, index) => ({ index, score }));
		const [best, ...others] = sortByScore(toScores(-6, 2), {
			scores: 'sigmoid',
			minimumScore: 0.5,
		});
		expect([best!.index, best!.score, others]).toEqual([1, expect.closeTo(0.8808), []]);
		fc.assert(
			fc.property(fc.double({ noNaN: true }), fc.double({ noNaN: true }), (a, b) => {
				const all = sortByScore(toScores(a, b), { scores: 'sigmoid' });
				expect(all.every(({ score }) => score >= 0 && score <= 1)).toBe(true);
				expect(all[0]!.index === 1 ? b >= a : a >= b || all[0]!.score === all[1]!.score).toBe(true);
			}),
		);
	});
});
