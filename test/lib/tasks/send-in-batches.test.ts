import fc from 'fast-check';

import { classifyErrorResponse } from '../../../lib/errors/classify-error';
import { ServerError } from '../../../lib/errors/server-error';
import { sendInBatches } from '../../../lib/tasks/send-in-batches';
import type { IndexedText } from '../../../lib/tasks/long-texts';
import { parseTokenSizes, truncateToLimit } from '../../../lib/tasks/long-texts';

const createError = (details: Partial<ServerError> = {}) =>
	new ServerError({ type: 'badRequest', title: 'no', suggestion: '', ...details });

describe('texts in batches', () => {
	const run = async (
		count: number,
		batchSize: number,
		isRejected: (batch: IndexedText[]) => boolean,
	) => {
		const texts = Array.from({ length: count }, (_none, index) => ({ index, text: 'ab' }));
		const sizes: number[] = [];
		const { results } = await sendInBatches(texts, {
			batchSize,
			limit: { maxTexts: Infinity },
			send: async (batch) => {
				sizes.push(batch.length);
				const isTruncated = batch[0]!.text.length < 2;
				if (!isTruncated && isRejected([...batch])) throw createError({ type: 'promptTooLong' });
				return batch.map(({ index }) => (isTruncated ? -index : index));
			},
			canTruncate: true,
			toError: (error) => error,
		});
		return { results, sizes };
	};

	test('results keep their order, and each rejected text fails alone', async () => {
		await fc.assert(
			fc.asyncProperty(
				fc.integer({ min: 1, max: 40 }),
				fc.integer({ min: 1, max: 10 }),
				fc.uniqueArray(fc.nat(39)),
				async (count, size, badIndexes) => {
					const isBad = (batch: IndexedText[]) =>
						batch.some(({ index }) => badIndexes.includes(index));
					const { results } = await run(count, size, isBad);
					const expected = Array.from({ length: count }, (_none, index) =>
						badIndexes.includes(index) ? -index : index,
					);
					expect(results).toEqual(expected);
				},
			),
		);
	});

	test('a server that accepts fewer texts gets smaller batches from then on', async () => {
		const { sizes } = await run(64, 16, (batch) => batch.length > 4);
		expect(sizes.slice(0, 3)).toEqual([16, 8, 4]);
		expect(sizes.filter((size) => size > 4)).toEqual([16, 8, 8]);
	});

	test('an error that other batches would have, too, is thrown', async () => {
		const send = jest.fn().mockRejectedValue(createError({ type: 'unauthorized' }));
		const texts = [0, 1].map((index) => ({ index, text: 'a' }));
		const batchOptions = {
			batchSize: 2,
			limit: { maxTexts: Infinity },
			send,
			canTruncate: true,
			toError: (error: ServerError) => error,
		};
		await expect(sendInBatches(texts, batchOptions)).rejects.toMatchObject({
			type: 'unauthorized',
		});
		expect(send).toHaveBeenCalledTimes(1);
	});
});

test.each([
	[
		'input (31 tokens) is too large to process. increase the physical batch size (current batch size: 20)',
		31,
		20,
	],
	['request (3000 tokens) exceeds the available context size (1024 tokens)', 3000, 1024],
	[
		"This model's maximum context length is 512 tokens. However, you requested 700 tokens",
		700,
		512,
	],
	['`inputs` must have less than 512 tokens. Given: 700', 700, 512],
	['the input length exceeds the context length', undefined, undefined],
])('the sizes are read from: %s', (serverText, tokens, limit) => {
	const body = JSON.stringify({ error: { message: serverText } });
	expect(parseTokenSizes(classifyErrorResponse({ status: 400, body }, {}))).toEqual({
		...(tokens === undefined ? {} : { tokens, limit }),
	});
});

test('a text is truncated to the limit, and never within a character', () => {
	expect(truncateToLimit('x'.repeat(100), { tokens: 20, limit: 10 })).toHaveLength(45);
	expect(truncateToLimit('a😀b', {})).toBe('a');
	expect(truncateToLimit('abcd', {})).toBe('ab');
});
