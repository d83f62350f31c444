import fc from 'fast-check';

import { reply } from '../../../simulators/llama-server';
import type { WireRequest } from '../../../simulators/llama-server';
import { SESAME, useLocalLlama } from '../run-node';

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
		expect(items[0]!.json.output).toHaveLength(8);
		expect(items[0]!.json.output).not.toEqual(items[1]!.json.output);
		expect(items.map(({ json: item }) => Object.keys(item))).toEqual(
			Array(3).fill(['output', 'text']),
		);
	});

	it('has metadata without Simplify; the tokens only if they are those of the item', async () => {
		await serve({ embeddings: true });
		const parameters = { ...EMBED, options: { simplify: false } };
		const [first] = await execute({ parameters, ...texts('a', 'b') });
		expect(first!.json.metadata).toEqual({
			dimensions: 8,
			model: 'sim-model',
			seconds: expect.any(Number) as number,
		});
		const [only] = await execute({ parameters, ...texts('a') });
		expect(only!.json.metadata).toMatchObject({ tokens: expect.any(Number) as number });
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

	it('is sent separately if an expression selects a credential with another server type', async () => {
		const { url: baseUrl } = await serve({ embeddings: true });
		const { items, perItem } = texts('a', 'b', 'c');
		const types = ['automatic', 'other', 'automatic'];
		const credentials = types.map((serverType) => ({ baseUrl, apiKey: SESAME, serverType }));
		await execute({ parameters: EMBED, items, perItem, credentials });
		expect(inputs()).toEqual([['a', 'c'], ['b']]);
	});

	it('can be returned as one item for all', async () => {
		await serve({ embeddings: true });
		const items = await execute({
			parameters: { ...EMBED, options: { singleItem: true } },
			...texts('a', 'b'),
		});
		expect(items).toHaveLength(1);
		expect(items[0]!.json).toEqual({ output: [expect.any(Array), expect.any(Array)] });
		expect(items[0]!.pairedItem).toEqual([{ item: 0 }, { item: 1 }]);
	});

	it('that causes an error fails the node, and the item is named', async () => {
		await serve({ embeddings: true });
		const failedItem = await getError(EMBED, texts('a', ' ', 'c'));
		expect(failedItem.message).toBe('Text 2 is empty');
		expect(failedItem.description).toMatch(/^Filter out such items before they are embedded/);
		expect(inputs()).toEqual([]);
	});

	it('fails with all others if the server caused the error', async () => {
		const sim = await serve({ embeddings: true });
		sim.route('POST /v1/embeddings', reply.error(401, { error: { message: 'Invalid API Key' } }));
		const items = await execute({ parameters: EMBED, ...texts('a', 'b'), continueOnFail: true });
		expect(items).toHaveLength(2);
		for (const item of items) expect(item.json).toMatchObject({ error: { type: 'unauthorized' } });
	});
});

describe('an array of texts', () => {
	const arrays = (...lists: unknown[]) => ({
		items: lists.map((_list, id) => ({ json: { id } })),
		perItem: lists.map((text) => ({ text })),
	});
	const getTexts = (items: Array<{ json: object }>) =>
		items.map(({ json: item }) => ('text' in item ? item.text : undefined));

	it('returns one item per text, without the fields of the input item', async () => {
		await serve({ embeddings: true });
		const parameters = { ...EMBED, options: { simplify: false } };
		const items = await execute({ parameters, ...arrays(['a', 5]) });
		expect(items).toEqual(
			['a', '5'].map((text, index) => ({
				json: {
					text,
					output: expect.any(Array) as number[],
					metadata: {
						dimensions: 8,
						model: 'sim-model',
						index,
						seconds: expect.any(Number) as number,
					},
				},
				pairedItem: { item: 0 },
			})),
		);
	});

	it('has the fields of the input item if the option is on', async () => {
		await serve({ embeddings: true });
		const parameters = { ...EMBED, options: { includeInputFields: true } };
		const items = await execute({ parameters, ...arrays(['a']) });
		expect(items[0]!.json).toEqual({ id: 0, text: 'a', output: expect.any(Array) as number[] });
	});

	it('can be returned as one item per array', async () => {
		await serve({ embeddings: true });
		const items = await execute({
			parameters: { ...EMBED, options: { singleItem: true } },
			...arrays(['a', 'b'], ['c']),
		});
		expect(items.map(({ json: item }) => [item.id, (item.output as unknown[]).length])).toEqual([
			[0, 2],
			[1, 1],
		]);
	});

	it('fails as a whole if one text is invalid, and the others succeed', async () => {
		await serve({ embeddings: true });
		const items = await execute({
			parameters: { ...EMBED, options: { batchSize: 2 } },
			...arrays(['a', 'b', ' '], ['c'], ['d', 'e']),
			continueOnFail: true,
		});
		expect(getTexts(items)).toEqual([undefined, 'c', 'd', 'e']);
		expect(items[0]!.json).toMatchObject({ error: { message: 'Text 3 is empty' } });
	});

	it.each([
		{ kind: 'blank', text: ' ' },
		{ kind: 'too long', text: 'x'.repeat(2_200_000) },
	])(
		'that is $kind is named once: by its number, and by its item if that is another one',
		async ({ text }) => {
			await serve({ embeddings: true });
			const same = await getError(EMBED, arrays(['a'], [text]));
			expect(same.message).toMatch(/^Text 2 (?!.*\(item)/);
			const other = await getError(EMBED, arrays(['a', 'b'], ['c', text]));
			expect(other.message).toMatch(/^Text 4 .*\(item 2 of 2\)$/);
		},
	);

	it('names the item of a text, whose number counts the texts of all items', async () => {
		await serve({ embeddings: true });
		const { message } = await getError(EMBED, arrays(['a', 'b'], ['c', ' ']));
		expect(message).toBe('Text 4 is empty (item 2 of 2)');
	});

	it('counts as a text what cannot be read, and the vectors of the others keep their dimensions', async () => {
		await serve({ embeddings: true });
		const items = await execute({
			parameters: { ...EMBED, options: { simplify: false } },
			...arrays([' '], [{ no: 'text' }], ['a', ' '], ['b']),
			continueOnFail: true,
		});
		expect(items.map(({ json: item }) => item.error ?? item.metadata)).toMatchObject([
			{ message: 'Text 1 is empty' },
			{ message: expect.stringContaining('entry 1 that is not text') as string },
			{ message: 'Text 4 is empty' },
			{ dimensions: 8 },
		]);
	});

	it('that is empty or contains something else is an error before anything is sent', async () => {
		await serve({ embeddings: true });
		const getMessage = async (list: unknown) => (await getError(EMBED, arrays(list))).message;
		expect(await getMessage([])).toBe('The field "Text" is an empty array');
		expect(await getMessage(['a', { b: 1 }])).toBe(
			'The field "Text" has an entry 2 that is not text: {"b":1}',
		);
		expect(inputs()).toEqual([]);
	});
});

test('numbers have 7 significant digits, whatever their size', async () => {
	const sim = await serve({ embeddings: true });
	await fc.assert(
		fc.asyncProperty(
			fc.array(fc.float({ noNaN: true, noDefaultInfinity: true, min: -1000, max: 1000 }), {
				minLength: 2,
				maxLength: 50,
			}),
			async (vector) => {
				const embedding = [...vector, 1];
				sim.route('POST /v1/embeddings', reply.json({ data: [{ index: 0, embedding }] }));
				const { output } = await json({ ...EMBED, text: 'a' });
				(output as number[]).forEach((value, at) => {
					const exact = embedding[at]!;
					expect(Math.abs(value - exact)).toBeLessThanOrEqual(5.01e-7 * Math.abs(exact) + 1e-22);
					if (Math.abs(exact) < 10) expect(Number(value.toPrecision(7)) - value).toBeCloseTo(0, 30);
				});
			},
		),
		{ numRuns: 30 },
	);
});

test('base64 contains the same numbers, little-endian', async () => {
	await serve({ embeddings: true });
	const { output: numbers } = await json({ ...EMBED, text: 'a' });
	const { output: vector } = await json({ ...EMBED, text: 'a', options: { encoding: 'base64' } });
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
	expect(item!.json.output).toEqual([1, 0]);
	expect(getBodies('/api/embed')).toMatchObject([
		{ truncate: false },
		{ truncate: false },
		{ truncate: false },
		{ truncate: false, keep_alive: 120 },
	]);
	expect(fake.hints.map(({ message }) => message)).toEqual([
		expect.stringContaining(
			'Text 1 of 1 was truncated: the server accepted its first 500 characters',
		),
	]);
});
