import fc from 'fast-check';

import type { ErrorType } from '../../../lib/errors/error-types';
import { ServerError } from '../../../lib/errors/server-error';
import type { TextFailure } from '../../../lib/tasks/send-in-batches';
import { createBatchMemory, sendInBatches } from '../../../lib/tasks/send-in-batches';
import type { IndexedText } from '../../../lib/tasks/texts';
import { TASK_LIMITS } from '../../../lib/task-limits';

const createError = (details: Partial<ServerError> = {}) =>
	new ServerError({
		type: 'badRequest',
		inputWords: { title: 'no', suggestion: '' },
		status: 400,
		...details,
	});

const toTexts = (count: number, text = 'ab'): IndexedText[] =>
	Array.from({ length: count }, (_none, index) => ({ index, text }));

interface RunSetup {
	texts: readonly IndexedText[];
	batchSize?: number;
	canTruncate?: boolean;
	memory?: ReturnType<typeof createBatchMemory>;
	/** The error of a request; undefined: accepted. */
	refuse(batch: readonly IndexedText[], request: number): ServerError | undefined;
	/** Default: failures are collected. */
	onFailure?(failure: TextFailure): void;
}

/** What a call sent and returned. The result of a text is its index, with the length that was accepted. */
async function run({
	texts,
	batchSize = 32,
	canTruncate = false,
	memory = createBatchMemory(),
	refuse,
	onFailure,
}: RunSetup) {
	const batches: number[][] = [];
	const failures: TextFailure[] = [];
	const { results, truncatedTexts } = await sendInBatches(texts, {
		batchSize,
		maxBytes: TASK_LIMITS.embed.sentBytes,
		memory,
		canTruncate,
		send: async (batch) => {
			batches.push(batch.map(({ index }) => index));
			const error = refuse(batch, batches.length);
			if (error) throw error;
			return await Promise.resolve(batch.map(({ index, text }) => `${index}:${text.length}`));
		},
		onFailure: onFailure ?? ((failure) => void failures.push(failure)),
	});
	return { results, truncatedTexts, batches, failures, sizes: batches.map(({ length }) => length) };
}

const toResult = ({ index, text }: IndexedText) => `${index}:${text.length}`;
const isAmong =
	(indexes: readonly number[], error = createError()) =>
	(batch: readonly IndexedText[]) =>
		batch.some(({ index }) => indexes.includes(index)) ? error : undefined;

describe('a text that is refused alone', () => {
	test('is the only one without a result, wherever it stands, and however many there are', async () => {
		await fc.assert(
			fc.asyncProperty(
				fc.integer({ min: 9, max: 60 }),
				fc.integer({ min: 1, max: 20 }),
				fc.uniqueArray(fc.nat(59), { maxLength: 7 }),
				async (count, batchSize, badIndexes) => {
					const texts = toTexts(count);
					const bad = badIndexes.filter((index) => index < count);
					const { results, failures } = await run({ texts, batchSize, refuse: isAmong(bad) });
					expect(results).toEqual(
						texts.map((text) => (bad.includes(text.index) ? undefined : toResult(text))),
					);
					expect(
						failures.map(({ texts: [text], isRefusedAlone }) => [text!.index, isRefusedAlone]),
					).toEqual(expect.arrayContaining(bad.map((index) => [index, true])));
					expect(failures).toHaveLength(bad.length);
				},
			),
		);
	});

	test('of 5,000, at any place, takes few requests more than none', async () => {
		const texts = toTexts(5_000);
		await fc.assert(
			fc.asyncProperty(fc.nat(4_999), async (bad) => {
				const { failures, sizes } = await run({ texts, refuse: isAmong([bad]) });
				expect(failures).toMatchObject([{ texts: [{ index: bad }], isRefusedAlone: true }]);
				// 157 batches, two for each halving, one for a text that is accepted.
				expect(sizes.length).toBeLessThanOrEqual(157 + 10 + 1);
			}),
			{ numRuns: 30 },
		);
	});

	test.each([0, 15, 31])(
		'ends the requests as soon as the server accepts another: %s',
		async (bad) => {
			const batches: number[] = [];
			const sent = run({
				texts: toTexts(5_000),
				refuse: (batch) => {
					batches.push(batch.length);
					return isAmong([bad])(batch);
				},
				onFailure: ({ error }) => {
					throw error;
				},
			});
			await expect(sent).rejects.toMatchObject({ message: 'no' });
			expect(batches.length).toBeLessThanOrEqual(12);
		},
	);
});

describe('a server that refuses everything', () => {
	const refuse = () => createError();

	test.each([
		{ count: 5_000, batchSize: 32, requests: 13 },
		{ count: 5_000, batchSize: 2048, requests: 19 },
		{ count: 5_000, batchSize: 1, requests: 8 },
		{ count: 12, batchSize: 32, requests: 12 },
		{ count: 3, batchSize: 32, requests: 5 },
		{ count: 1, batchSize: 32, requests: 1 },
	])('$count texts in batches of $batchSize: $requests requests, one error', async (row) => {
		const texts = toTexts(row.count);
		const { failures, sizes } = await run({ texts, batchSize: row.batchSize, refuse });
		expect(sizes).toHaveLength(row.requests);
		expect(failures).toEqual([
			{ error: expect.any(ServerError) as ServerError, texts, isRefusedAlone: false },
		]);
		const isSaid = failures[0]!.error.detail.includes('refused 8 texts, each sent alone');
		expect(isSaid).toBe(row.count >= 8);
	});

	test('is asked about texts from the end to the beginning, evenly spread', async () => {
		const { batches } = await run({ texts: toTexts(68), batchSize: 1, refuse });
		expect(batches).toEqual([[0], [67], [56], [45], [34], [23], [12], [1]]);
	});

	test('a later call sends one text, and all if it is accepted', async () => {
		const memory = createBatchMemory();
		await run({ texts: toTexts(40), memory, refuse });
		const { sizes, failures } = await run({ texts: toTexts(40), memory, refuse });
		expect(sizes).toEqual([1]);
		expect(failures).toMatchObject([{ texts: toTexts(40), isRefusedAlone: false }]);
		const accepted = await run({ texts: toTexts(40), memory, refuse: () => undefined });
		expect([accepted.sizes, accepted.failures]).toEqual([[1, 32, 7], []]);
	});

	test('after some batches: the texts before keep their results, and no text is blamed', async () => {
		await fc.assert(
			fc.asyncProperty(fc.integer({ min: 1, max: 15 }), async (accepted) => {
				const texts = toTexts(500);
				const { results, failures, sizes } = await run({
					texts,
					refuse: (_batch, request) => (request <= accepted ? undefined : createError()),
				});
				expect(results.filter((result) => result !== undefined)).toHaveLength(accepted * 32);
				expect(failures).toMatchObject([
					{ texts: texts.slice(accepted * 32), isRefusedAlone: false },
				]);
				expect(sizes.length - accepted).toBeLessThanOrEqual(20);
			}),
			{ numRuns: 15 },
		);
	});
});

test('a refusal that changes between tries: each text has a result or an error, with a bounded number of requests', async () => {
	await fc.assert(
		fc.asyncProperty(
			fc.integer({ min: 1, max: 80 }),
			fc.integer({ min: 1, max: 40 }),
			fc.array(fc.boolean(), { minLength: 1, maxLength: 60 }),
			fc.boolean(),
			async (count, batchSize, pattern, canTruncate) => {
				const texts = toTexts(count, 'a text that can be shortened');
				const { results, failures, sizes } = await run({
					texts,
					batchSize,
					canTruncate,
					refuse: (_batch, request) =>
						pattern[request % pattern.length] === true ? createError() : undefined,
				});
				const failed = failures.flatMap((failure) => failure.texts.map(({ index }) => index));
				const missing = texts.filter((_text, at) => results[at] === undefined);
				expect([...failed].sort((a, b) => a - b)).toEqual(missing.map(({ index }) => index));
				expect(sizes.length).toBeLessThanOrEqual(10 + 6 * count);
			},
		),
	);
});

test('Stop in the middle ends the requests', async () => {
	await fc.assert(
		fc.asyncProperty(fc.integer({ min: 1, max: 30 }), fc.nat(159), async (stopAt, bad) => {
			let requests = 0;
			const sent = run({
				texts: toTexts(160),
				batchSize: 8,
				refuse: (batch, request) => {
					requests = request;
					if (request >= stopAt)
						return createError({ type: 'aborted', status: undefined, message: 'stopped' });
					return isAmong([bad])(batch);
				},
			});
			const error = await sent.then(
				() => undefined,
				(thrown: ServerError) => thrown.type,
			);
			expect([error, requests]).toEqual(
				requests < stopAt ? [undefined, requests] : ['aborted', stopAt],
			);
		}),
	);
});

test.each<{ type: ErrorType; status?: number; message?: string }>([
	{ type: 'unauthorized', status: 401 },
	{ type: 'keyBudgetExceeded', status: 402 },
	{ type: 'forbidden', status: 403 },
	{ type: 'routeNotFound', status: 404 },
	{ type: 'modelNotFound', status: 404 },
	{ type: 'proxyError', status: 407 },
	{ type: 'busy', status: 429 },
	{ type: 'featureDisabled', status: 501 },
	{ type: 'badGateway', status: 502 },
	{ type: 'busy', status: 503 },
	{ type: 'gatewayTimeout', status: 504 },
	{ type: 'connectionRefused', status: undefined },
	{ type: 'connectionLost', status: undefined },
	{ type: 'firstTokenTimeout', status: undefined },
	{ type: 'notAnApi', status: 200 },
	{ type: 'wrongServer', status: 200 },
])('$status $type is about no text: each batch is sent once', async (details) => {
	const { sizes, failures } = await run({ texts: toTexts(64), refuse: () => createError(details) });
	expect(sizes).toEqual([32, 32]);
	expect(failures.map(({ texts, isRefusedAlone }) => [texts.length, isRefusedAlone])).toEqual([
		[32, false],
		[32, false],
	]);
});

test.each<{ type: ErrorType; status?: number }>([
	{ type: 'badRequest', status: 400 },
	{ type: 'modelNotFound', status: 400 },
	{ type: 'badRequest', status: 409 },
	{ type: 'requestTooLarge', status: 413 },
	{ type: 'badRequest', status: 422 },
	{ type: 'serverError', status: 424 },
	{ type: 'modelCrashed', status: 500 },
	{ type: 'serverError', status: 200 },
	{ type: 'invalidResponse', status: 200 },
	{ type: 'invalidResponse', status: undefined },
])('$status $type is a refusal, whatever the server wrote', async (details) => {
	const error = createError(details);
	const { failures } = await run({ texts: toTexts(64), refuse: isAmong([40], error) });
	expect(failures).toMatchObject([
		{ error, texts: [{ index: 40, text: 'ab' }], isRefusedAlone: true },
	]);
});

describe('the size of batches', () => {
	test('that a server accepts is kept from then on, also for the next call', async () => {
		const memory = createBatchMemory();
		const refuse = (batch: readonly IndexedText[]) =>
			batch.length > 4 ? createError() : undefined;
		const { sizes } = await run({ texts: toTexts(64), batchSize: 16, memory, refuse });
		expect(sizes.slice(0, 3)).toEqual([16, 8, 4]);
		expect(sizes.filter((size) => size > 4)).toEqual([16, 8, 8]);
		const next = await run({ texts: toTexts(64), batchSize: 16, memory, refuse });
		expect(next.sizes.filter((size) => size !== 4)).toEqual([]);
	});

	test('is not reduced by a failure that passes, nor by a text that is refused or truncated', async () => {
		const memory = createBatchMemory();
		await run({
			texts: toTexts(96),
			memory,
			refuse: (_batch, request) => (request === 2 ? createError() : undefined),
		});
		await run({ texts: toTexts(96), memory, refuse: isAmong([40]) });
		await run({
			texts: toTexts(96).with(40, { index: 40, text: 'x'.repeat(20) }),
			memory,
			canTruncate: true,
			refuse: (batch) => (batch.some(({ text }) => text.length > 9) ? createError() : undefined),
		});
		expect(memory.maxTexts).toBeGreaterThanOrEqual(32);
	});
});

test('a limit of texts beside one of characters: each text is sent whole, or as long as it would be alone', async () => {
	const length = fc.integer({ min: 1, max: 60 });
	await fc.assert(
		fc.asyncProperty(
			fc.array(length, { minLength: 1, maxLength: 40 }),
			fc.integer({ min: 1, max: 40 }),
			fc.integer({ min: 1, max: 12 }),
			fc.integer({ min: 20, max: 60 }),
			async (lengths, batchSize, maxTexts, maxLength) => {
				const texts = lengths.map((count, index) => ({ index, text: 'x'.repeat(count) }));
				const refuse = (batch: readonly IndexedText[]) =>
					batch.length > maxTexts || batch.some(({ text }) => text.length > maxLength)
						? createError()
						: undefined;
				const together = await run({ texts, batchSize, canTruncate: true, refuse });
				const alone = [];
				for (const text of texts) {
					const { results } = await run({ texts: [text], canTruncate: true, refuse });
					alone.push(...results);
				}
				expect({ lengths, results: together.results }).toEqual({ lengths, results: alone });
				expect(together.failures).toEqual([]);
				expect(together.truncatedTexts.map(({ index }) => index).sort((a, b) => a - b)).toEqual(
					texts.filter(({ text }) => text.length > maxLength).map(({ index }) => index),
				);
			},
		),
	);
});

describe('Truncate', () => {
	const long = { index: 3, text: 'word '.repeat(8_000) };
	const texts = toTexts(10).with(3, long);
	const refuseAbove =
		(max: number, message: string, facts = {}) =>
		(batch: readonly IndexedText[]) =>
			batch.some(({ text }) => text.length > max)
				? createError({ status: 413, serverText: message, facts })
				: undefined;

	test.each([
		{ message: '`inputs` must have less than 32000 characters. Given: 40000', max: 31_999 },
		{ message: 'Text has 40,000 characters, but 30,000 chars are the limit', max: 29_999 },
		{ message: 'payload of 40000 bytes exceeds 20000 bytes', max: 19_999 },
		{ message: 'zoq plim 4711 vex', max: 20_000 },
		{ message: '', max: 5_000 },
	])('to what is accepted: $message', async ({ message, max }) => {
		const { results, truncatedTexts, failures } = await run({
			texts,
			canTruncate: true,
			refuse: refuseAbove(max, message),
		});
		expect(truncatedTexts).toEqual([{ index: 3, keptLength: max, length: 40_000 }]);
		expect([results[3], failures]).toEqual([`3:${max}`, []]);
	});

	test('by the numbers of tokens, with a margin, as often as they change', async () => {
		const { truncatedTexts } = await run({
			texts,
			canTruncate: true,
			refuse: (batch) => {
				const length = Math.max(...batch.map(({ text }) => text.length));
				const facts = { n_prompt_tokens: Math.ceil(length / 4), n_ctx: 512 };
				return length > 1_500 ? createError({ facts }) : undefined;
			},
		});
		expect(truncatedTexts).toEqual([
			{ index: 3, keptLength: expect.any(Number) as number, length: 40_000 },
		]);
		expect(truncatedTexts[0]!.keptLength).toBeGreaterThan(900);
	});

	test('ends at an eighth, and the text is named', async () => {
		const lengths: number[] = [];
		const { failures } = await run({
			texts,
			canTruncate: true,
			refuse: (batch) => {
				const [text] = batch;
				if (batch.length === 1 && text!.index === 3) lengths.push(text!.text.length);
				return refuseAbove(4_999, 'zoq')(batch);
			},
		});
		expect(lengths).toEqual([40_000, 20_000, 10_000, 5_000]);
		expect(failures).toMatchObject([{ texts: [long], isRefusedAlone: true }]);
	});

	test.each([
		{ name: 'much shorter than an accepted one', type: 'badRequest', size: 100, tried: 1 },
		{ name: 'as long as an accepted one', type: 'badRequest', size: 4_000, tried: 4 },
		{ name: 'too long, as its code says', type: 'promptTooLong', size: 100, tried: 4 },
		{ name: 'read, with an unusable result', type: 'invalidResponse', size: 4_000, tried: 1 },
	] as const)(
		'is only sent shorter if it may be too long: $name',
		async ({ type, size, tried }) => {
			const accepted = toTexts(3, 'x'.repeat(4_400));
			const refused = { index: 3, text: 'y'.repeat(size) };
			let requests = 0;
			const { failures } = await run({
				texts: [...accepted, refused],
				canTruncate: true,
				refuse: (batch) => {
					if (!batch.some(({ index }) => index === 3)) return undefined;
					if (batch.length === 1) requests += 1;
					return createError({ type, status: type === 'invalidResponse' ? 200 : 400 });
				},
			});
			const isShortened = tried > 1;
			expect({ requests, failures }).toMatchObject({
				requests: tried,
				failures: [{ texts: [refused], isShortened }],
			});
			expect(failures[0]!.isNotTooLong).toBe(!isShortened);
		},
	);

	test.each([1, 2, 20])('also if all of %s texts are too long', async (count) => {
		const { truncatedTexts, failures } = await run({
			texts: toTexts(count, 'x'.repeat(2_000)),
			canTruncate: true,
			refuse: refuseAbove(1_200, 'zoq'),
		});
		expect(failures).toEqual([]);
		expect(truncatedTexts.map(({ keptLength }) => keptLength)).toEqual(Array(count).fill(1_000));
	});

	test('a server that refuses everything gets a bounded number of requests', async () => {
		const { sizes, failures } = await run({
			texts: toTexts(5_000, 'x'.repeat(100)),
			canTruncate: true,
			refuse: () => createError(),
		});
		expect([sizes.length, failures.length]).toEqual([16, 1]);
	});

	test('never splits a character', async () => {
		const { results } = await run({
			texts: [{ index: 0, text: 'a😀b' }],
			canTruncate: true,
			refuse: (batch) => (batch[0]!.text.length > 2 ? createError() : undefined),
		});
		expect(results).toEqual(['0:1']);
	});
});
