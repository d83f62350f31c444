import fc from 'fast-check';

import { failure } from '../../../lib/errors/failure';
import { batchesOf } from '../../../lib/servers/batches';
import { firstTokens, parts } from '../../../lib/embeddings/long-texts';
import { prefixesOf } from '../../../lib/embeddings/prefixes';
import { batchLimitIn, isNotANumber, tooLongIn } from '../../../lib/servers/text-refusals';
import { cutTo, normalised, weightedMean } from '../../../lib/embeddings/vectors';
import { keepAliveOf } from '../../../lib/embeddings/wire';

const said = (serverText: string) => failure('badRequest', {}, { serverText });
const length = (vector: number[]) => Math.hypot(...vector);

describe('refusals', () => {
	test.each([
		[
			'llama-server, -ub',
			'input (602 tokens) is too large to process. increase the physical batch size (current batch size: 512)',
			{ tokens: 602, limit: 512 },
		],
		[
			'llama-server, context',
			'input (302 tokens) is larger than the max context size (256 tokens). skipping',
			{ tokens: 302, limit: 256 },
		],
		['Ollama', 'the input length exceeds the context length', {}],
		[
			'Text Embeddings Inference',
			'Input validation error: `inputs` must have less than 512 tokens. Given: 602',
			{ tokens: 602, limit: 512 },
		],
		[
			'vLLM',
			"This model's maximum context length is 512 tokens. However, you requested 602 tokens in the input",
			{ tokens: 602, limit: 512 },
		],
	])('too long: %s', (_server, text, facts) => {
		expect(tooLongIn(said(text))).toEqual(facts);
	});

	test('too long by the facts of the error; anything else is not', () => {
		expect(tooLongIn(failure('contextOverflow', {}, { facts: { n_ctx: 9, n_prompt_tokens: 12 } }))).toEqual({
			limit: 9,
			tokens: 12,
		});
		expect(tooLongIn(said('model not found'))).toBeUndefined();
	});

	test('the batch limit of Text Embeddings Inference, and NaN of Ollama', () => {
		expect(batchLimitIn(said('batch size 100 > maximum allowed batch size 32'))).toBe(32);
		expect(batchLimitIn(said('batch size 100'))).toBeUndefined();
		expect(isNotANumber(said('failed to encode response: json: unsupported value: NaN'))).toBe(true);
	});
});

describe('cutting', () => {
	test('batches keep every text and its order, and both limits', () => {
		fc.assert(
			fc.property(fc.array(fc.string()), fc.integer({ min: 1, max: 9 }), (texts, count) => {
				const batches = batchesOf(texts, { count, alone: (text) => text.length > 8 });
				expect(batches.flat()).toEqual(texts);
				expect(batches.every((batch) => batch.length >= 1 && batch.length <= count)).toBe(true);
				expect(batches.every((batch) => batch.length === 1 || batch.every((text) => text.length <= 8))).toBe(true);
			}),
		);
		const large = 'x'.repeat(300_000);
		expect(batchesOf([large, large, 'a', 'b'], { count: 32 }).map((batch) => batch.length)).toEqual([1, 3]);
	});

	test('parts are the text again and never halve a character', () => {
		const text = fc.string({ unit: 'binary', minLength: 2 }).filter((one) => one.trim().length > 3);
		fc.assert(
			fc.property(text, fc.integer({ min: 2, max: 20 }), (whole, tokens) => {
				const found = parts(whole, { limit: 1, tokens });
				expect(found.join('').replace(/\s/g, '')).toBe(whole.replace(/\s/g, ''));
				expect(found.every((part) => part.isWellFormed())).toBe(true);
			}),
		);
		expect(parts('one two three four', {})).toHaveLength(2);
	});

	test('tokens: the closing special token stays', () => {
		expect(firstTokens([101, 1, 2, 3, 102], [1, 2, 3], 4)).toEqual([101, 1, 2, 102]);
		expect(firstTokens([101, 1, 2, 3], [1, 2, 3], 3)).toEqual([101, 1, 2]);
		expect(firstTokens([1, 2], [1, 2], 3)).toEqual([1, 2]);
	});

	test('fewer dimensions have length 1 again', () => {
		expect(cutTo([3, 4, 5], 2)).toEqual([0.6000000000000001, 0.8].map((value) => expect.closeTo(value) as number));
		expect(cutTo([3, 4], 2)).toEqual([3, 4]);
		expect(length(normalised([1e200, 1e200]))).toBeCloseTo(1);
		expect(
			length(
				weightedMean([
					{ vector: [1, 0], weight: 3 },
					{ vector: [0, 1], weight: 1 },
				]),
			),
		).toBeCloseTo(1);
	});
});

test.each([
	['nomic-embed-text:latest', 'search_query: ', 'search_document: '],
	['intfloat/multilingual-e5-large', 'query: ', 'passage: '],
	['intfloat/e5-mistral-7b-instruct', expect.stringMatching(/^Instruct: .*\nQuery: $/s), ''],
	['Qwen3-Embedding-0.6B-Q8_0', expect.stringMatching(/\nQuery:$/), ''],
	['bge-large-en-v1.5', 'Represent this sentence for searching relevant passages: ', ''],
	['embeddinggemma:300m', 'task: search result | query: ', 'title: none | text: '],
	['bge-m3', '', ''],
	['snowflake-arctic-embed2', '', ''],
	['all-minilm', '', ''],
])('prefixes of %s', (model, query, document) => {
	expect(prefixesOf(model)).toEqual({ query, document });
});

test('a number for keep_alive is sent as a number: Ollama refuses "120"', () => {
	expect(['120', ' -1 ', '3m', ''].map(keepAliveOf)).toEqual([120, -1, '3m', undefined]);
});
