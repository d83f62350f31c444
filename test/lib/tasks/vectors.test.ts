import fc from 'fast-check';
import { runAtOnce } from '../../../lib/http/steps';
import {
	getZeroWarnings,
	parseTokenCount,
	parseVectors,
	truncateVector,
} from '../../../lib/tasks/vectors';

const readEmbeddings = (json: unknown, count: number) =>
	runAtOnce(parseVectors(json as never, count));

const base64 = (...numbers: number[]) =>
	Buffer.from(Float32Array.from(numbers).buffer).toString('base64');
const A = [0.5, -0.25];
const B = [1, 2];

describe('responses of embedding routes', () => {
	test.each<{ name: string; response: object }>([
		{
			name: 'OpenAI, as floats',
			response: {
				data: [
					{ index: 0, embedding: A },
					{ index: 1, embedding: B },
				],
			},
		},
		{
			name: 'OpenAI, as base64',
			response: {
				data: [
					{ index: 0, embedding: base64(...A) },
					{ index: 1, embedding: base64(...B) },
				],
			},
		},
		{
			name: 'OpenAI, floats and base64',
			response: {
				data: [
					{ index: 0, embedding: A },
					{ index: 1, embedding: base64(...B) },
				],
			},
		},
		{
			name: 'OpenAI, in another order',
			response: {
				data: [
					{ index: 1, embedding: B },
					{ index: 0, embedding: A },
				],
			},
		},
		{ name: 'OpenAI, without indexes', response: { data: [{ embedding: A }, { embedding: B }] } },
		{
			name: 'OpenAI, with indexes as text',
			response: {
				data: [
					{ index: '1', embedding: B },
					{ index: '0', embedding: A },
				],
			},
		},
		{
			name: 'OpenAI, with indexes from 1',
			response: {
				data: [
					{ index: 2, embedding: B },
					{ index: 1, embedding: A },
				],
			},
		},
		{
			name: 'text_index, with numbers as text',
			response: {
				data: [
					{ text_index: 1, embedding: ['1', '2.0'] },
					{ text_index: 0, embedding: A },
				],
			},
		},
		{ name: 'Ollama', response: { model: 'm', embeddings: [A, B] } },
		{ name: 'Text Embeddings Inference', response: [A, B] },
		{ name: 'Cohere', response: { texts: ['a', 'b'], embeddings: { float: [A, B] } } },
		{
			name: 'DashScope',
			response: {
				output: {
					embeddings: [
						{ text_index: 0, embedding: A },
						{ text_index: 1, embedding: B },
					],
				},
			},
		},
		{
			name: 'Vertex',
			response: { predictions: [{ embeddings: { values: A } }, { embeddings: { values: B } }] },
		},
		{ name: 'other names', response: { result: [{ vector: A }, { embedding: { dense: B } }] } },
		{
			name: 'Elasticsearch, the only list',
			response: { text_embedding: [{ embedding: A }, { embedding: B }] },
		},
		{ name: 'the only list of vectors', response: { model: 'm', sentence_embeddings: [A, B] } },
		{
			name: 'the only list within data',
			response: { data: { items: [{ vector: A }, { vector: B }] } },
		},
		{
			name: 'indexes in camel case, in another order',
			response: {
				data: [
					{ textIndex: 1, embedding: B },
					{ textIndex: 0, embedding: A },
				],
			},
		},
		{
			name: 'the only list, beside one with other entries',
			response: { first_list: [{ embedding: A }, 3], second_list: [{ vector: A }, { vector: B }] },
		},
		{
			name: 'JSON as text',
			response: { data: [{ embedding: '[0.5, -0.25]' }, { embedding: '[1,2]' }] },
		},
	])('vectors are read from $name', ({ response }) => {
		const input = JSON.stringify(response);
		expect({ input, vectors: readEmbeddings(response, 2) }).toEqual({
			input,
			vectors: [A, B],
		});
	});

	test.each([[A], [{ embedding: A }], [{ data: { embedding: [A] } }]])(
		'one vector without a list: %j',
		(json) => {
			expect(readEmbeddings(json, 1)).toEqual([A]);
			expect(readEmbeddings(json, 2)).toHaveProperty('issue');
		},
	);

	test('tokens of OpenAI and of Ollama', () => {
		expect(parseTokenCount({ usage: { prompt_tokens: 4 } })).toBe(4);
		expect(parseTokenCount({ embeddings: [A], prompt_eval_count: 5 })).toBe(5);
	});

	test.each<{ name: string; response: object; issue: string }>([
		{
			name: 'a missing vector',
			response: { embeddings: [A] },
			issue: 'count',
		},
		{
			name: 'an empty list of Ollama',
			response: { embeddings: [] },
			issue: 'count',
		},
		{
			name: 'an index from 2',
			response: {
				data: [
					{ index: 2, embedding: A },
					{ index: 3, embedding: B },
				],
			},
			issue: 'indexes',
		},
		{
			name: 'a missing index',
			response: { data: [{ index: 0, embedding: A }, { embedding: B }] },
			issue: 'indexes',
		},
		{
			name: 'a repeated index',
			response: {
				data: [
					{ index: 0, embedding: A },
					{ index: 0, embedding: B },
				],
			},
			issue: 'indexes',
		},
		{
			name: 'an index out of range',
			response: {
				data: [
					{ index: 0, embedding: A },
					{ index: 2, embedding: B },
				],
			},
			issue: 'indexes',
		},
		{
			name: 'a text that is not base64 of floats',
			response: { data: [{ embedding: 'abc' }, { embedding: 'abc' }] },
			issue: 'notBase64',
		},
		{ name: 'an empty vector', response: { embeddings: [[], []] }, issue: 'notNumbers' },
		{
			name: 'a response without a list',
			response: { object: 'list' },
			issue: 'missing',
		},
		{
			name: 'a text that is not a list',
			response: { data: [{ embedding: '[1,' }, { embedding: '[1,' }] },
			issue: 'notNumbers',
		},
		// Text Embeddings Inference (/embed_sparse), Pinecone, Vespa
		...[
			[[{ index: 1, value: 0.5 }], [{ index: 3, value: 0.2 }]],
			{ data: [{ embedding: [{ indices: [1], values: [0.5] }] }, { embedding: A }] },
			{ embeddings: [[{ token: 'a', weight: 0.5 }], [{ token: 'b', weight: 0.2 }]] },
		].map((response) => ({
			name: 'a sparse vector',
			response,
			issue: 'sparse',
		})),
		{
			name: 'one of two unknown lists',
			response: { first: [A, B], second: [B, A] },
			issue: 'missing',
		},
		{
			name: 'an only list of texts',
			response: { warnings: ['AAAAAAAAAAAAAAAA', 'AAAAAAAAAAAAAAAA'] },
			issue: 'missing',
		},
	])('$name is an issue: $issue', ({ response, issue }) => {
		const input = JSON.stringify(response);
		expect({ input, issue: readEmbeddings(response, 2) }).toMatchObject({
			input,
			issue: { issue: { kind: issue } },
		});
	});

	test('for any response, there is one vector per text, or an issue', () => {
		fc.assert(
			fc.property(
				fc.oneof(fc.dictionary(fc.string(), fc.jsonValue()), fc.array(fc.jsonValue())),
				fc.integer({ min: 1, max: 4 }),
				(json, count) => {
					const result = readEmbeddings(json, count);
					expect(Array.isArray(result) ? result.length : count).toBe(count);
				},
			),
		);
	});

	test('base64 preserves floats', () => {
		fc.assert(
			fc.property(
				fc.array(fc.float({ noNaN: true, noDefaultInfinity: true, min: 1 }), { minLength: 1 }),
				(numbers) => {
					expect(readEmbeddings({ data: [{ embedding: base64(...numbers) }] }, 1)).toEqual([
						numbers,
					]);
				},
			),
		);
	});
});

describe('vectors that no store may receive', () => {
	test.each([
		['llama-server with NaN weights: null', { data: [{ embedding: A }, { embedding: [null, 1] }] }],
		['the same in base64', { data: [{ embedding: A }, { embedding: base64(NaN, 1) }] }],
		['more than 32 bits hold', { data: [{ embedding: A }, { embedding: [1e39, 1] }] }],
	])('a vector that no store may receive is an issue: %s', (_case, json) => {
		expect(readEmbeddings(json, 2)).toMatchObject({
			position: 1,
			issue: { kind: 'notFinite' },
		});
	});

	test('zeros, as a reranker returns them, are an issue', () => {
		expect(readEmbeddings({ embeddings: [A, [0, 0]] }, 2)).toMatchObject({
			position: 1,
			issue: { kind: 'zeros' },
		});
	});

	// llama-server v0.5.0 returns such vectors with a reranker.
	test('zeros with a few other numbers are a warning', () => {
		const vector = [-3.3281758770629797e-18, ...Array<number>(30).fill(0), -1];
		expect(readEmbeddings({ embeddings: [vector] }, 1)).toEqual([vector]);
		expect(getZeroWarnings([A, vector])).toEqual([
			expect.stringContaining('Nearly all numbers of some vectors are zero') as string,
		]);
		expect(getZeroWarnings([A, [1, 0, 0, 0]])).toEqual([]);
	});

	test('a vector has only zeros if each number is zero as a 32-bit number', () => {
		const number = fc.oneof(
			fc.constant(0),
			fc.constant(1e-60),
			fc.float({ noNaN: true, noDefaultInfinity: true }),
		);
		fc.assert(
			fc.property(fc.array(number, { minLength: 1, maxLength: 96 }), (vector) => {
				const isRefused = !Array.isArray(readEmbeddings({ embeddings: [vector] }, 1));
				expect(isRefused).toBe(vector.every((value) => Math.fround(value) === 0));
			}),
		);
	});

	test.each([
		[
			'two token vectors',
			{
				data: [
					{
						embedding: [
							[1, 2],
							[3, 4],
						],
					},
				],
			},
		],
		['one token vector', { data: [{ embedding: [[1, 2]] }] }],
		['Ollama', { embeddings: [[[1], [2], [3]]] }],
		['numbers and vectors', { data: [{ embedding: [1, [2]] }] }],
	])('several vectors for one text: %s', (_name, json) => {
		expect(readEmbeddings(json, 1)).toMatchObject({
			issue: { kind: 'several' },
		});
	});

	test('different lengths', () => {
		expect(readEmbeddings({ embeddings: [[1, 2], [1]] }, 2)).toMatchObject({
			position: 1,
			issue: { kind: 'dimensions', dimensions: 1, expected: 2 },
		});
	});
});

test('fewer dimensions are normalized', () => {
	const closeTo = (...values: number[]) => values.map((value) => expect.closeTo(value) as number);
	expect(truncateVector([3, 4, 5], 2)).toEqual(closeTo(0.6, 0.8));
	expect(truncateVector([3, 4], 2)).toEqual([3, 4]);
	expect(Math.hypot(...truncateVector([1e200, 1e200, 1], 2))).toBeCloseTo(1);
});

test('n8n does its other work between two vectors of a long response', () => {
	const steps = parseVectors({ embeddings: [A, B, A] }, 3);
	expect([...steps]).toHaveLength(3);
});

test('a vector of any length is shortened', () => {
	const vector = new Array<number>(300_000).fill(2);
	const [first] = truncateVector(vector, 250_000);
	expect(first).toBeCloseTo(1 / Math.sqrt(250_000), 10);
});
