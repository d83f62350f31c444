import fc from 'fast-check';

import { readEmbeddings } from '../../../lib/embeddings/read';

const base64 = (...numbers: number[]) =>
	Buffer.from(Float32Array.from(numbers).buffer).toString('base64');
const A = [0.5, -0.25];
const B = [1, 2];

describe('answers of embedding routes', () => {
	test.each([
		[
			'OpenAI: floats',
			{
				data: [
					{ index: 0, embedding: A },
					{ index: 1, embedding: B },
				],
			},
		],
		[
			'OpenAI: base64',
			{
				data: [
					{ index: 0, embedding: base64(...A) },
					{ index: 1, embedding: base64(...B) },
				],
			},
		],
		[
			'one of each',
			{
				data: [
					{ index: 0, embedding: A },
					{ index: 1, embedding: base64(...B) },
				],
			},
		],
		[
			'in another order',
			{
				data: [
					{ index: 1, embedding: B },
					{ index: 0, embedding: A },
				],
			},
		],
		['without indexes', { data: [{ embedding: A }, { embedding: B }] }],
		[
			'indexes as text',
			{
				data: [
					{ index: '1', embedding: B },
					{ index: '0', embedding: A },
				],
			},
		],
		[
			'indexes from 1',
			{
				data: [
					{ index: 2, embedding: B },
					{ index: 1, embedding: A },
				],
			},
		],
		[
			'text_index, and numbers as text',
			{
				data: [
					{ text_index: 1, embedding: ['1', '2.0'] },
					{ text_index: 0, embedding: A },
				],
			},
		],
		['Ollama /api/embed', { model: 'm', embeddings: [A, B] }],
		['Text Embeddings Inference /embed', [A, B]],
		[
			'llama-server /embedding: nested once',
			[
				{ index: 0, embedding: [A] },
				{ index: 1, embedding: [B] },
			],
		],
	])('%s', (_server, json) => {
		expect(readEmbeddings(json, 2)).toEqual({ vectors: [A, B] });
	});

	test('tokens of OpenAI and of Ollama', () => {
		expect(
			readEmbeddings({ data: [{ embedding: A }], usage: { prompt_tokens: 4 } }, 1),
		).toMatchObject({ tokens: 4 });
		expect(readEmbeddings({ embeddings: [A], prompt_eval_count: 5 }, 1)).toMatchObject({
			tokens: 5,
		});
	});

	test.each([
		['a vector too few', { embeddings: [A] }, /2 texts were sent, but 1 vectors/],
		['Ollama: none at all', { embeddings: [] }, /2 texts were sent, but 0 vectors/],
		[
			'indexes that are none',
			{
				data: [
					{ index: 'a', embedding: A },
					{ index: 'b', embedding: B },
				],
			},
			/indexes/,
		],
		[
			'indexes from 2',
			{
				data: [
					{ index: 2, embedding: A },
					{ index: 3, embedding: B },
				],
			},
			/indexes/,
		],
		['one index missing', { data: [{ index: 0, embedding: A }, { embedding: B }] }, /indexes/],
		[
			'an index repeated',
			{
				data: [
					{ index: 0, embedding: A },
					{ index: 0, embedding: B },
				],
			},
			/indexes/,
		],
		[
			'an index out of range',
			{
				data: [
					{ index: 0, embedding: A },
					{ index: 2, embedding: B },
				],
			},
			/indexes/,
		],
		[
			'pooling none',
			[
				{ index: 0, embedding: [A, B] },
				{ index: 1, embedding: [A] },
			],
			/2 vectors came back for one text/,
		],
		[
			'text that is no base64 of floats',
			{ data: [{ embedding: 'abc' }, { embedding: 'abc' }] },
			/base64/,
		],
		['an empty vector', { embeddings: [[], []] }, /empty/],
		['no list', { object: 'list' }, /holds no embeddings/],
	])('%s is a fault', (_case, json, says) => {
		expect(readEmbeddings(json, 2)).toMatchObject({ fault: expect.stringMatching(says) as string });
	});

	test('whatever comes, the number of vectors is that of the texts, or it is a fault', () => {
		fc.assert(
			fc.property(fc.jsonValue(), fc.integer({ min: 1, max: 4 }), (json, count) => {
				const read = readEmbeddings(json, count);
				expect('fault' in read ? count : read.vectors.length).toBe(count);
			}),
		);
	});

	test('floats come through base64 as they are', () => {
		fc.assert(
			fc.property(fc.array(fc.float({ noNaN: true }), { minLength: 1 }), (numbers) => {
				expect(readEmbeddings({ data: [{ embedding: base64(...numbers) }] }, 1)).toEqual({
					vectors: [numbers],
				});
			}),
		);
	});
});
