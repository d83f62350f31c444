import fc from 'fast-check';

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
	])('%s', (_server, json) => {
		expect(readScores(json, 2)).toEqual({ scores: SCORES });
	});

	test('tokens, of GPUStack also without those of the prompt', () => {
		expect(readScores({ results: [], usage: { total_tokens: 7 } }, 1)).toEqual({
			scores: [],
			tokens: 7,
		});
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
		['no index', [{ score: 1 }], /no index/],
		['no score', [{ index: 0, score: null }], /not a number/],
		['no list', { object: 'list' }, /no scores/],
	])('%s is a fault', (_case, json, says) => {
		expect(readScores(json, 2)).toMatchObject({ fault: expect.stringMatching(says) as string });
	});

	test('whatever comes, scores are numbers of documents that were sent', () => {
		fc.assert(
			fc.property(fc.jsonValue(), fc.integer({ min: 1, max: 4 }), (json, count) => {
				const read = readScores(json, count);
				const scores = 'fault' in read ? [] : read.scores;
				expect(
					scores.filter(({ index, score }) => index >= count || !Number.isFinite(score)),
				).toEqual([]);
			}),
		);
	});
});
