import * as fc from 'fast-check';

import { faultIn, VectorCheck } from '../../../lib/embeddings/check';
import { readEmbeddings } from '../../../lib/embeddings/read';

const base64 = (...numbers: number[]) =>
	Buffer.from(Float32Array.from(numbers).buffer).toString('base64');
const A = [0.5, -0.25];

describe('vectors that no store may see', () => {
	test.each([
		['llama-server with NaN weights: null', { data: [{ embedding: A }, { embedding: [null, 1] }] }],
		['the same in base64', { data: [{ embedding: A }, { embedding: base64(NaN, 1) }] }],
	])('%s', (_case, json) => {
		const read = readEmbeddings(json, 2) as { vectors: number[][] };
		expect(faultIn(read.vectors, undefined)).toMatchObject({
			index: 1,
			fault: expect.stringContaining('not 32-bit numbers') as string,
		});
	});

	test('a vector passes as it does when it was stored in 32 bits', () => {
		const number = fc.oneof(fc.double({ noNaN: true }), fc.constantFrom(0, 1e39, -1e300, 1e-50));
		fc.assert(
			fc.property(fc.array(number, { minLength: 1 }), (vector) => {
				const isGood = faultIn([vector], undefined) === undefined;
				const stored = Array.from(Float32Array.from(vector));
				expect(isGood).toBe(stored.every(Number.isFinite) && stored.some((value) => value !== 0));
			}),
		);
	});

	test('zeros, as a reranker answers, are told with what to do', () => {
		expect(
			faultIn(
				[
					[1, 0],
					[0, 0],
				],
				undefined,
			),
		).toMatchObject({
			index: 1,
			remedy: expect.stringContaining('reranker') as string,
		});
	});

	test('another length, in one call and from call to call', () => {
		expect(faultIn([[1, 2], [1]], undefined)).toMatchObject({ index: 1 });
		expect(faultIn([[1, 2]], 3)).toMatchObject({ index: 0 });
		expect(faultIn([[1, 2]], 2)).toBeUndefined();
	});
});

describe('the length of all vectors of a model', () => {
	const texts = [{ index: 4, text: 'a text' }];
	const from = (server: string) => ({ from: server, context: { url: `${server}/v1/embeddings` } });

	test('is that of the first; another one names the text', () => {
		const length = new VectorCheck();
		expect(length.checked({ vectors: [[1, 2]] }, texts, from('http://a'))).toEqual({
			vectors: [[1, 2]],
		});
		expect(() => length.checked({ vectors: [[1]] }, texts, from('http://a'))).toThrow(
			/1 numbers where the others have 2/,
		);
	});

	test('from another server: it has another model, and both are named', () => {
		const length = new VectorCheck();
		length.checked({ vectors: [[1, 2]] }, texts, from('http://a'));
		expect(() => length.checked({ vectors: [[1]] }, texts, from('http://b'))).toThrow(
			expect.objectContaining({
				meaning: expect.stringMatching(/http:\/\/[ab].*http:\/\/[ab]/s) as string,
			}) as Error,
		);
	});
});
