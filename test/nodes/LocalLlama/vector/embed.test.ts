import fc from 'fast-check';

import { reply, type WireRequest } from '../../../simulators/llama-server';
import { useLocalLlama } from '../run-node';

const { serve, prepare, executeIn, execute, json, getError, getBodies } = useLocalLlama();

const EMBED = { resource: 'vector', operation: 'embed' };
const texts = (...list: unknown[]) => ({
	items: list.map((text) => ({ json: { text } as never })),
	perItem: list.map((text) => ({ text })),
});
const inputs = (): string[][] =>
	getBodies('/embeddings').map(({ input }) => [input].flat() as string[]);

describe('one text of each item', () => {
	it('is sent to the server together with the others, in order', async () => {
		await serve({ embeddings: true });
		const items = await execute({ parameters: EMBED, ...texts('a', 'b', 'c') });
		expect(inputs()).toEqual([['a', 'b', 'c']]);
		expect(items.map((item) => item.json.text)).toEqual(['a', 'b', 'c']);
		expect(items.map(({ pairedItem }) => pairedItem)).toEqual([
			{ item: 0 },
			{ item: 1 },
			{ item: 2 },
		]);
		expect(items[0]!.json).toMatchObject({ dimensions: 8, model: 'sim-model' });
		expect(items[0]!.json.vector).toHaveLength(8);
		expect(items[0]!.json.vector).not.toEqual(items[1]!.json.vector);
	});

	it('is sent in batches', async () => {
		await serve({ embeddings: true });
		const items = await execute({
			parameters: { ...EMBED, options: { batchSize: 2 } },
			...texts('a', 'b', 'c'),
		});
		expect([inputs(), items.length]).toEqual([[['a', 'b'], ['c']], 3]);
	});

	it('is sent separately if an expression returns other options', async () => {
		await serve({ embeddings: true });
		const { items, perItem } = texts('a', 'b', 'c');
		const roles = ['query', 'document', 'query'];
		const parameters = { ...EMBED, options: { queryPrefix: 'Q:', documentPrefix: 'D:' } };
		const out = await execute({
			items,
			perItem: perItem.map((entry, at) => ({ ...entry, role: roles[at] })),
			parameters,
		});
		expect(inputs()).toEqual([['Q:a', 'Q:c'], ['D:b']]);
		expect(out.map((item) => item.json.text)).toEqual(['a', 'b', 'c']);
	});

	it('can be returned as one item for all', async () => {
		await serve({ embeddings: true });
		const items = await execute({
			parameters: { ...EMBED, output: 'together' },
			...texts('a', 'b'),
		});
		expect(items).toHaveLength(1);
		expect(items[0]!.json.vectors).toHaveLength(2);
		expect(items[0]!.pairedItem).toEqual([{ item: 0 }, { item: 1 }]);
	});

	it('that causes an error fails the node, and the item is named', async () => {
		await serve({ embeddings: true });
		const failedItem = await getError(EMBED, texts('a', ' ', 'c'));
		expect(failedItem).toMatchObject({ message: 'Text 2 is empty', context: { itemIndex: 1 } });
		expect(inputs()).toEqual([]);
	});

	it('that the server rejects fails only that item, also if there are several', async () => {
		const sim = await serve({ embeddings: true });
		sim.route('POST /v1/embeddings', ({ body }: WireRequest) => {
			const { input } = body as { input: string[] };
			return input.some((text) => text.startsWith('bad'))
				? reply.error(500, { error: 'Internal Server Error' })
				: reply.json({
						data: input.map((_text, index) => ({ index: index + 1, embedding: [1, 2] })),
					});
		});
		const list = Array.from({ length: 20 }, (_none, at) =>
			[3, 11].includes(at) ? `bad ${at}` : `good ${at}`,
		);
		const items = await execute({ parameters: EMBED, ...texts(...list), continueOnFail: true });
		expect(items.flatMap(({ json: item }, at) => ('error' in item ? [at] : []))).toEqual([3, 11]);
	});

	it('whose vector is NaN fails alone, at any position', async () => {
		const sim = await serve({ embeddings: true });
		sim.route('POST /v1/embeddings', ({ body }: WireRequest) => {
			const vectors = (body as { input: string[] }).input.map((text) =>
				text === 'bad' ? '[NaN, 1]' : '[1, 2]',
			);
			const data = vectors.map((vector, index) => `{"index":${index},"embedding":${vector}}`);
			return reply.error(200, `{"data":[${data.join(',')}]}`);
		});
		await fc.assert(
			fc.asyncProperty(
				fc.integer({ min: 1, max: 20 }),
				fc.nat(),
				fc.constantFrom(1, 3, 32),
				async (count, pick, batchSize) => {
					const at = pick % count;
					const list = Array.from({ length: count }, (_none, index) => `text ${index}`);
					const items = await execute({
						parameters: { ...EMBED, options: { batchSize } },
						...texts(...list.with(at, 'bad')),
						continueOnFail: true,
					});
					const failedItem = items.flatMap((item, index) => ('error' in item.json ? [index] : []));
					expect([items.length, failedItem]).toEqual([count, [at]]);
					expect(items[at]!.json).toMatchObject({
						error: { message: `The server response for text ${at + 1} cannot be parsed` },
					});
				},
			),
			{ numRuns: 25 },
		);
	});

	it('needs few requests if no response can be parsed: the server caused the error', async () => {
		const sim = await serve({ embeddings: true });
		sim.route('POST /v1/embeddings', reply.error(200, '{"data":['));
		const list = Array.from({ length: 32 }, (_none, index) => `text ${index}`);
		const items = await execute({ parameters: EMBED, ...texts(...list), continueOnFail: true });
		expect(items.every((item) => 'error' in item.json)).toBe(true);
		expect(inputs().length).toBeLessThanOrEqual(8);
	});

	it('that causes an error fails alone if the node continues on errors', async () => {
		await serve({ embeddings: { encoder: true, batch: 8 } });
		const long = Array(30).fill('word').join(' ');
		const items = await execute({
			parameters: EMBED,
			...texts('a', long, '', 'd'),
			continueOnFail: true,
		});
		expect(items.map(({ pairedItem }) => pairedItem)).toEqual(
			[0, 1, 2, 3].map((item) => ({ item })),
		);
		expect(items.map((item) => item.json.text)).toEqual(['a', undefined, undefined, 'd']);
		expect(items[1]!.json).toMatchObject({ error: { type: 'promptTooLong' } });
		expect(items[2]!.json).toMatchObject({ error: { message: 'Text 3 is empty' } });
	});

	it('fails with all others if the server caused the error', async () => {
		const sim = await serve({ embeddings: true });
		sim.route('POST /v1/embeddings', reply.error(401, { error: { message: 'Invalid API Key' } }));
		const items = await execute({ parameters: EMBED, ...texts('a', 'b'), continueOnFail: true });
		expect(items).toHaveLength(2);
		for (const item of items) expect(item.json).toMatchObject({ error: { type: 'unauthorized' } });
	});

	it('whose expression fails is an error of that item', async () => {
		await serve({ embeddings: true });
		const { items } = texts('a', 'b');
		const perItem = [{ text: new Error('no such field') }, { text: 'b' }];
		const out = await execute({ parameters: EMBED, items, perItem, continueOnFail: true });
		expect(out[0]!.json).toMatchObject({
			error: { message: expect.stringContaining('no such field') as string },
		});
		expect(out[1]!.json.text).toBe('b');
		expect(await getError(EMBED, { items, perItem })).toMatchObject({ context: { itemIndex: 0 } });
	});
});

describe('a list of texts', () => {
	const LIST = { ...EMBED, textSource: 'list' };

	it.each([[['a', 'b']], ['["a","b"]']])('%j returns one item per text', async (list) => {
		await serve({ embeddings: true });
		const items = await execute({ parameters: { ...LIST, texts: list } });
		expect(items.map((item) => [item.json.text, item.json.index])).toEqual([
			['a', 0],
			['b', 1],
		]);
	});

	it('returns one item with all', async () => {
		await serve({ embeddings: true });
		expect((await json({ ...LIST, texts: ['a', 'b'], output: 'together' })).vectors).toHaveLength(
			2,
		);
	});

	it('that is empty is an error before anything is sent', async () => {
		await serve({ embeddings: true });
		expect((await getError({ ...LIST, texts: [] })).message).toContain('"Texts" contains no texts');
		expect((await getError({ ...LIST, texts: '[1, ' })).message).toContain('"Texts"');
	});
});

test('base64 contains the same numbers, little-endian', async () => {
	await serve({ embeddings: true });
	const { vector: numbers } = await json({ ...EMBED, text: 'a' });
	const { vector } = await json({ ...EMBED, text: 'a', options: { encoding: 'base64' } });
	const bytes = Buffer.from(vector as string, 'base64');
	expect(bytes.byteLength).toBe(32);
	(numbers as number[]).forEach((value, at) =>
		expect(bytes.readFloatLE(at * 4)).toBeCloseTo(value, 5),
	);
});

test('Ollama gets requests at its own route, and truncated texts add a hint', async () => {
	const sim = await serve({ profile: 'ollama' });
	sim.route('POST /api/embed', ({ body }: WireRequest) =>
		(body as { input: string[] }).input[0]!.length < 600
			? reply.json({ model: 'sim-model', embeddings: [[1, 0]], prompt_eval_count: 100 })
			: reply.error(400, { error: 'the input length exceeds the context length' }),
	);
	const fake = prepare({
		parameters: {
			...EMBED,
			text: 'word '.repeat(400),
			options: { longTexts: 'truncate', keepAlive: '120' },
		},
	});
	const [item] = await executeIn(fake);
	expect(item!.json.vector).toEqual([1, 0]);
	expect(getBodies('/api/embed')).toMatchObject([
		{ truncate: false },
		{ truncate: false },
		{ truncate: false, keep_alive: 120 },
	]);
	expect(fake.hints.map(({ message }) => message)).toEqual([
		expect.stringContaining('1 of 1 texts were too long'),
	]);
});

test('Stop ends the work between two batches', async () => {
	const sim = await serve({ embeddings: true });
	const cancel = new AbortController();
	sim.route('POST /v1/embeddings', () => {
		cancel.abort();
		return reply.silence();
	});
	const parameters = { ...EMBED, options: { batchSize: 1 } };
	const result = await execute({
		parameters,
		...texts('a', 'b'),
		signal: cancel.signal,
		continueOnFail: true,
	}).catch((error: unknown) => error);
	expect(inputs().length).toBeLessThanOrEqual(1);
	expect(JSON.stringify(result)).not.toContain('"vector"');
});

it('Stop is reported as Stop', async () => {
	const server = await serve({ embeddings: true });
	server.route('POST /v1/embeddings', async () => await new Promise<never>(() => undefined));
	const stop = new AbortController();
	const pending = getError(EMBED, { ...texts('a'), signal: stop.signal });
	await server.until(() => getBodies('/embeddings').length > 0);
	stop.abort();
	const failedItem = await pending;
	expect(failedItem.message).toBe('The execution was stopped');
	expect(failedItem.description).toContain('most servers stop');
});
