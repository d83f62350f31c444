import fc from 'fast-check';

import { sortByScore, parseScores } from '../../../lib/tasks/rerank';
import { parseTokenCount } from '../../../lib/tasks/vectors';

/** In the order of the documents. */
const SCORES = [-2, 0.9];

describe('responses of rerank routes', () => {
	test.each<{ name: string; response: object }>([
		{
			name: 'Jina and llama-server',
			response: {
				results: [
					{ index: 1, relevance_score: 0.9 },
					{ index: 0, relevance_score: -2 },
				],
			},
		},
		{
			name: 'vLLM, with the texts',
			response: {
				results: [
					{ index: 1, document: { text: 'b' }, relevance_score: 0.9 },
					{ index: 0, relevance_score: -2 },
				],
			},
		},
		{
			name: 'Text Embeddings Inference',
			response: [
				{ index: 1, score: 0.9, text: 'b' },
				{ index: 0, score: -2 },
			],
		},
		{
			name: 'indexes and scores as text',
			response: [
				{ index: '1', score: '0.9' },
				{ index: '0', score: '-2e0' },
			],
		},
		{
			name: 'indexes from 1',
			response: {
				results: [
					{ index: 2, relevance_score: 0.9 },
					{ index: 1, relevance_score: -2 },
				],
			},
		},
		{
			name: 'indexes named text_index',
			response: {
				data: [
					{ text_index: 1, score: 0.9 },
					{ text_index: 0, score: -2 },
				],
			},
		},
		{
			name: 'a list named data',
			response: {
				data: [
					{ index: 1, relevance_score: 0.9 },
					{ index: 0, relevance_score: -2 },
				],
			},
		},
		{
			name: 'DashScope',
			response: {
				output: {
					results: [
						{ index: 1, score: 0.9 },
						{ index: 0, score: -2 },
					],
				},
			},
		},
		{
			name: 'NIM',
			response: {
				rankings: [
					{ index: 1, logit: 0.9 },
					{ index: 0, logit: -2 },
				],
			},
		},
		{
			name: 'other names',
			response: {
				data: {
					results: [
						{ document_index: 1, similarity: 0.9 },
						{ corpus_id: 0, score: [-2] },
					],
				},
			},
		},
		{
			name: 'Bedrock, in camel case',
			response: {
				results: [
					{ index: 1, relevanceScore: 0.9 },
					{ index: 0, relevanceScore: -2 },
				],
			},
		},
		{
			name: 'indexes in camel case',
			response: {
				results: [
					{ documentIndex: 1, relevance_score: 0.9 },
					{ documentIndex: 0, relevance_score: -2 },
				],
			},
		},
		{
			name: 'names in capitals',
			response: {
				Results: [
					{ Index: 1, RelevanceScore: 0.9 },
					{ Index: 0, RelevanceScore: -2 },
				],
			},
		},
		{
			name: 'Elasticsearch, the only list',
			response: {
				rerank: [
					{ index: 1, relevance_score: 0.9, text: 'b' },
					{ index: 0, relevance_score: -2, text: 'a' },
				],
			},
		},
	])('scores are read from $name', ({ response }) => {
		const input = JSON.stringify(response);
		expect({ input, scores: parseScores(response, 2) }).toEqual({ input, scores: SCORES });
	});

	test.each([[[-2, 0.9]], [{ scores: [-2, 0.9] }], [{ scores: [[-2], ['0.9']] }]])(
		'numbers in the order of the documents: %j',
		(json) => {
			expect(parseScores(json, 2)).toEqual(SCORES);
			expect(parseScores(json, 3)).toBe('a score has no document index');
		},
	);

	test('tokens, also without prompt tokens (GPUStack)', () => {
		expect(parseTokenCount({ results: [], usage: { total_tokens: 7 } })).toBe(7);
	});

	test.each<{ name: string; response: object; issue: string }>([
		{
			name: 'a score that is a word',
			response: [{ index: 0, score: 'high' }],
			issue: 'score of document 1 is not a number',
		},
		{
			name: 'an index out of range',
			response: { results: [{ index: 2, relevance_score: 1 }] },
			issue: 'document 3, but 2 were sent',
		},
		{
			name: 'a repeated index',
			response: [
				{ index: 0, score: 1 },
				{ index: 0, score: 2 },
			],
			issue: 'two scores',
		},
		{
			name: 'a score for one of two documents',
			response: { results: [{ index: 1, relevance_score: 1 }] },
			issue: '1 score was returned for 2 documents',
		},
		{ name: 'a missing index', response: [{ score: 1 }], issue: 'no document index' },
		{
			name: 'a list without indexes, which may be sorted',
			response: [{ score: 1 }, { score: 0 }],
			issue: 'no document index',
		},
		{ name: 'a missing score', response: [{ index: 0, score: null }], issue: 'not a number' },
		{ name: 'a response without a list', response: { object: 'list' }, issue: 'no scores' },
		// Classifiers with two classes: which one means "relevant" is not known.
		...[
			[
				[0.1, 0.9],
				[0.8, 0.2],
			],
			{
				results: [
					{ index: 0, score: [0.1, 0.9] },
					{ index: 1, score: [0.8, 0.2] },
				],
			},
			{
				data: [
					{ index: 0, relevance_score: ['0.1', '0.9'] },
					{ index: 1, relevance_score: 0.2 },
				],
			},
		].map((response) => ({
			name: 'several scores of a document',
			response,
			issue: 'document 1 has several scores',
		})),
	])('$name is an issue: $issue', ({ response, issue }) => {
		const input = JSON.stringify(response);
		expect({ input, issue: parseScores(response, 2) }).toEqual({
			input,
			issue: expect.stringContaining(issue) as string,
		});
	});

	test('for any response, scores are numbers for documents that were sent', () => {
		fc.assert(
			fc.property(fc.jsonValue(), fc.integer({ min: 1, max: 4 }), (json, count) => {
				const result = parseScores(json, count);
				const scores = typeof result === 'string' ? Array<number>(count).fill(0) : result;
				expect(scores).toHaveLength(count);
				expect(scores.filter((score) => !Number.isFinite(score))).toEqual([]);
			}),
		);
	});
});

test('of more scores than documents, those that decide are read', () => {
	const results = Array.from({ length: 100_000 }, (_none, index) => ({ index, score: 1 }));
	const unread = {
		get index(): number {
			throw new Error('This score was read');
		},
	};
	expect(parseScores({ results }, 2)).toBe('a score is for document 3, but 2 were sent');
	expect(parseScores({ results: [...results.slice(0, 3), unread] }, 2)).toBe(
		'a score is for document 3, but 2 were sent',
	);
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
				expect(all.filter(({ score }) => !(score >= 0 && score <= 1))).toEqual([]);
				const [first, second] = all;
				if (first!.score > second!.score)
					expect([a, b][first!.index]).toBeGreaterThan([a, b][second!.index]!);
				else expect(first!.score).toBe(second!.score);
			}),
		);
	});
});

test('a minimum keeps those whose returned score reaches it, and changes nothing else', () => {
	const score = fc.double({ min: -20, max: 20, noNaN: true });
	const modes = fc.constantFrom('received' as const, 'sigmoid' as const);
	fc.assert(
		fc.property(fc.array(score, { maxLength: 8 }), score, modes, (list, minimumScore, scores) => {
			const entries = list.map((value, index) => ({ index, score: value }));
			const all = sortByScore(entries, { scores });
			const kept = sortByScore(entries, { scores, minimumScore });
			expect(kept).toEqual(all.filter((entry) => entry.score >= minimumScore));
		}),
	);
});

test('a minimum score keeps the documents that reach it', () => {
	const scores = [0.49, 0.5, 0.51].map((score, index) => ({ index, score }));
	const kept = sortByScore(scores, { scores: 'received', minimumScore: 0.5 });
	expect(kept.map(({ index }) => index)).toEqual([2, 1]);
});
