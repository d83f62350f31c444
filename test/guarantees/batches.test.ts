/**
 * The result of an item is that of the item alone: the size of batches, the number of concurrent items, and the place of
 * items that fail change no other item.
 */
import type { INodeExecutionData } from 'n8n-workflow';

import fc from 'fast-check';

import { CHAT, delta, LLAMA_SERVER, sse, sendEvents } from './support/responses';
import { embeddings, reranker, run } from './support/node-runner';
import { sendJson, startScripted } from '../support/servers/scripted-server';
import type { Answer, ScriptedServer } from '../support/servers/scripted-server';

/** What the server does with a text, by the text's first word. */
const KINDS = ['good', 'blank', 'refused', 'tooLong', 'broken'] as const;
type Kind = (typeof KINDS)[number];
interface Text {
	kind: Kind;
	text: string;
}

const BLANK = ' ';
const isOf = (kind: Kind) => (text: string) => text.startsWith(kind);

/** The vector of a text, which no other text of a test has. */
const vectorOf = (text: string): unknown[] => [
	text.length,
	[...text].reduce((sum, character) => (sum * 31 + character.codePointAt(0)!) % 9973, 7),
	isOf('broken')(text) ? null : 1,
];
const scoreOf = (text: string): number => Number(vectorOf(text)[1]);

const TOO_LONG = {
	error: {
		code: 400,
		message: 'the request exceeds the available context size, try increasing it',
		type: 'exceed_context_size_error',
		n_prompt_tokens: 900,
		n_ctx: 512,
	},
};

/** Answers for each text alone, and refuses the whole batch if it has one that it does not like. */
const answerWith =
	(toBody: (texts: string[]) => unknown): Answer =>
	({ body }, response) => {
		const texts = [body.input ?? body.documents].flat() as string[];
		if (texts.some(isOf('tooLong'))) sendJson(response, TOO_LONG, 400);
		else if (texts.some(isOf('refused')))
			sendJson(response, { error: { code: 400, message: 'no', type: 'server_error' } }, 400);
		else sendJson(response, toBody(texts));
	};

/** What the server generates for a text. */
const TO_TEXT: Readonly<Record<string, (text: string) => string>> = {
	chat: (text) => `You said ${text}`,
	complete: (text) => `${text} and so on`,
	extract: (text) => JSON.stringify({ city: text }),
	classify: (text) => 'AB'[scoreOf(text) % 2]!,
};

interface GenerationBody {
	messages?: Array<{ content: string }>;
	prompt?: string;
	response_format?: object;
	logprobs?: unknown;
}

/** Generates a response to the text of an item, which is the last one of the request. */
const generate: Answer = ({ body }, response) => {
	const { messages, prompt, response_format: format, logprobs } = body as GenerationBody;
	const text = prompt ?? messages!.at(-1)!.content;
	// In whatever form the conversation is sent.
	if (text.includes('refused ')) {
		sendJson(response, { error: { code: 400, message: 'no', type: 'server_error' } }, 400);
		return;
	}
	const isClassified = logprobs !== undefined;
	const task = format ? 'extract' : isClassified ? 'classify' : prompt ? 'complete' : 'chat';
	const content = TO_TEXT[task]!(text);
	const chunk =
		task === 'complete'
			? { choices: [{ index: 0, text: content, finish_reason: 'stop' }] }
			: delta({ content }, 'stop');
	sendEvents(response, sse(chunk, '[DONE]'));
};

let server: ScriptedServer;
beforeAll(async () => {
	server = await startScripted({
		...LLAMA_SERVER,
		[`POST ${CHAT}`]: generate,
		'POST /v1/completions': generate,
		'POST /v1/embeddings': answerWith((texts) => ({
			data: texts.map((text, index) => ({ index, embedding: vectorOf(text) })),
		})),
		'POST /v1/rerank': answerWith((texts) => ({
			results: texts.map((text, index) => ({ index, relevance_score: scoreOf(text) })),
		})),
	});
});
afterAll(async () => await server.close());

/** Different texts, good ones and others. */
const textsOf = (...kinds: Kind[]): fc.Arbitrary<Text[]> =>
	fc
		.array(fc.record({ kind: fc.constantFrom(...kinds), more: fc.string({ maxLength: 3 }) }), {
			minLength: 1,
			maxLength: 9,
		})
		.map((list) =>
			list.map(({ kind, more }, at) => ({
				kind,
				text: kind === 'blank' ? BLANK : `${kind} ${at} ${more}`,
			})),
		);
const sizes = fc.constantFrom(1, 2, 3, 32);
const EXAMPLES = { numRuns: 60 };

const toParameters = (batchSize: number) => ({ options: { batchSize, maxRetries: 0 } });

/** What a user sees of an item, by the item that it comes from. */
function outcomes(items: INodeExecutionData[]) {
	return items
		.map(({ json, pairedItem }) => ({
			from: (pairedItem as { item: number }).item,
			result: json.output ?? json.classification ?? 'error',
		}))
		.sort((one, other) => one.from - other.from);
}

describe('Local Llama: Embed', () => {
	const embed = async (perItem: object[], batchSize: number) =>
		await run(server.url, 'vector:embed', {
			items: perItem.map(() => ({ json: {} })),
			perItem: perItem as Array<Record<string, unknown>>,
			parameters: toParameters(batchSize),
			continueOnFail: true,
		});
	const expected = ({ kind, text }: Text): unknown => (kind === 'good' ? vectorOf(text) : 'error');

	test('each text has its own vector or error', async () => {
		await fc.assert(
			fc.asyncProperty(textsOf(...KINDS), sizes, async (texts, batchSize) => {
				const items = await embed(texts, batchSize);
				expect(outcomes(items)).toEqual(
					texts.map((text, from) => ({ from, result: expected(text) })),
				);
			}),
			EXAMPLES,
		);
	});

	test('each array has its own vectors, or the error of one of its texts', async () => {
		const arrays = fc.array(textsOf('good', 'good', 'good', ...KINDS), {
			minLength: 1,
			maxLength: 4,
		});
		await fc.assert(
			fc.asyncProperty(arrays, sizes, async (lists, batchSize) => {
				const items = await embed(
					lists.map((list) => ({ text: list.map(({ text }) => text) })),
					batchSize,
				);
				expect(outcomes(items)).toEqual(
					lists.flatMap((list, from): object[] =>
						list.every(({ kind }) => kind === 'good')
							? list.map(({ text }) => ({ from, result: vectorOf(text) }))
							: [{ from, result: 'error' }],
					),
				);
			}),
			EXAMPLES,
		);
	});

	test('each text has the vector of its own role', async () => {
		const roles = fc.array(fc.constantFrom('query', 'document'), { minLength: 1, maxLength: 6 });
		await fc.assert(
			fc.asyncProperty(roles, sizes, async (list, batchSize) => {
				const options = { batchSize, queryPrefix: 'Q ', documentPrefix: 'D ' };
				const perItem = list.map((role, at) => ({ text: `good ${at}`, role, options }));
				const prefixes: Record<string, string> = { query: 'Q ', document: 'D ' };
				expect(outcomes(await embed(perItem, batchSize))).toEqual(
					list.map((role, from) => ({ from, result: vectorOf(`${prefixes[role]}good ${from}`) })),
				);
			}),
			EXAMPLES,
		);
	});
});

describe('Local Llama: operations with one request for each item', () => {
	const OPERATIONS: ReadonlyArray<{
		operation: 'chat' | 'complete' | 'classify' | 'extract';
		/** Field for the text of the item. */
		field: string;
		parameters?: object;
		expected: (text: string) => unknown;
	}> = [
		{ operation: 'chat', field: 'prompt', expected: TO_TEXT.chat! },
		{ operation: 'complete', field: 'prompt', expected: TO_TEXT.complete! },
		{
			operation: 'classify',
			field: 'text',
			parameters: { labels: { label: [{ name: 'even' }, { name: 'odd' }] } },
			expected: (text) => (scoreOf(text) % 2 === 0 ? 'even' : 'odd'),
		},
		{
			operation: 'extract',
			field: 'text',
			parameters: { fields: { field: [{ name: 'city', type: 'text' }] } },
			expected: (text) => ({ city: text }),
		},
	];

	test.each(OPERATIONS)(
		'$operation returns the same, whatever the concurrency',
		async ({ operation, field, parameters, expected }) => {
			await fc.assert(
				fc.asyncProperty(
					textsOf('good', 'good', 'refused'),
					fc.constantFrom(1, 2, 9),
					async (texts, maxConcurrentItems) => {
						const items = await run(server.url, `text:${operation}`, {
							items: texts.map(() => ({ json: {} })),
							perItem: texts.map(({ text }) => ({ [field]: text })),
							parameters: { ...parameters, options: { maxConcurrentItems, maxRetries: 0 } },
							continueOnFail: true,
						});
						expect(outcomes(items)).toEqual(
							texts.map(({ kind, text }, from) => ({
								from,
								result: kind === 'good' ? expected(text) : 'error',
							})),
						);
					},
				),
				{ numRuns: 25 },
			);
		},
	);
});

/** The numbers (from 1) of the texts or documents that an error names. */
function namedIn(error: unknown): number[] {
	const { message, description } = error as { message: string; description?: string };
	const found = `${message} ${description}`.matchAll(/(?:text|document) (\d+)/gi);
	return [...new Set([...found].map(([, number]) => Number(number)))];
}

/** One bad text among good ones. */
const oneBad = fc
	.record({
		texts: textsOf('good'),
		bad: fc.constantFrom<Kind>('refused', 'tooLong'),
		at: fc.nat(),
	})
	.map(({ texts, bad, at }) => {
		const place = at % texts.length;
		return { texts: texts.with(place, { kind: bad, text: `${bad} ${place}` }), place };
	});

describe('Local Embeddings', () => {
	const embed = async (texts: Text[], batchSize: number) => {
		const { supplied } = await embeddings(server.url, { parameters: toParameters(batchSize) });
		return await supplied.embedDocuments(texts.map(({ text }) => text));
	};

	test('each text has its own vector', async () => {
		await fc.assert(
			fc.asyncProperty(textsOf('good'), sizes, async (texts, batchSize) => {
				expect(await embed(texts, batchSize)).toEqual(texts.map(({ text }) => vectorOf(text)));
			}),
			EXAMPLES,
		);
	});

	test('the text that the server refuses is named, wherever it stands', async () => {
		await fc.assert(
			fc.asyncProperty(oneBad, sizes, async ({ texts, place }, batchSize) => {
				const error = await embed(texts, batchSize).then(
					() => undefined,
					(thrown: unknown) => thrown,
				);
				// With no other text, the server may refuse all of them.
				expect(namedIn(error)).toEqual(texts.length > 1 ? [place + 1] : []);
			}),
			EXAMPLES,
		);
	});
});

/** Good and blank documents, best first. */
const ranked = (texts: Text[]) =>
	[...texts.entries()]
		.map(([at, { kind, text }]) => ({ at, score: kind === 'good' ? scoreOf(text) : undefined }))
		.sort((one, other) => (other.score ?? -1) - (one.score ?? -1) || one.at - other.at);

describe('Local Llama: Rerank', () => {
	const rerank = async (texts: Text[], batchSize: number) =>
		await run(server.url, 'vector:rerank', {
			items: texts.map(() => ({ json: {} })),
			perItem: texts.map(({ text }) => ({ document: text })),
			parameters: { query: 'q', ...toParameters(batchSize) },
		});

	test('each document has its own score, in the order of the scores', async () => {
		await fc.assert(
			fc.asyncProperty(textsOf('good', 'good', 'blank'), sizes, async (texts, batchSize) => {
				const items = await rerank(texts, batchSize);
				expect(
					items.map(({ json, pairedItem }) => ({
						at: (pairedItem as { item: number }).item,
						score: json.output ?? undefined,
					})),
				).toEqual(ranked(texts));
			}),
			EXAMPLES,
		);
	});
});

describe('Local Reranker', () => {
	const compress = async (texts: Text[], batchSize: number) => {
		const { supplied } = await reranker(server.url, { parameters: toParameters(batchSize) });
		const documents = texts.map(({ text }, at) => ({ pageContent: text, metadata: { at } }));
		return (await supplied.compressDocuments(documents, 'q')) as typeof documents;
	};

	test('each document has its own score, in the order of the scores', async () => {
		await fc.assert(
			fc.asyncProperty(textsOf('good'), sizes, async (texts, batchSize) => {
				const documents = await compress(texts, batchSize);
				expect(documents.map(({ metadata }) => metadata)).toMatchObject(
					ranked(texts).map(({ at, score }) => ({ at, relevanceScore: score })),
				);
			}),
			EXAMPLES,
		);
	});

	test('the document that the server refuses comes last, without a score, wherever it stands', async () => {
		await fc.assert(
			fc.asyncProperty(oneBad, sizes, async ({ texts, place }, batchSize) => {
				fc.pre(texts.length > 1);
				const documents = await compress(texts, batchSize);
				expect(documents).toHaveLength(texts.length);
				expect(documents.at(-1)!.metadata).toEqual({ at: place });
			}),
			EXAMPLES,
		);
	});
});

describe('a server that accepts at most 4 texts: the size that it accepted is kept for the rest of the run', () => {
	const MAX_TEXTS = 4;
	let limited: ScriptedServer;
	/** Numbers of texts in the requests that the server rejected. */
	let rejectedSizes: number[];
	beforeEach(async () => {
		rejectedSizes = [];
		const limit =
			(toBody: (texts: string[]) => unknown): Answer =>
			(request, response) => {
				const texts = [request.body.input ?? request.body.documents].flat() as string[];
				if (texts.length <= MAX_TEXTS) {
					answerWith(toBody)(request, response);
					return;
				}
				rejectedSizes.push(texts.length);
				sendJson(
					response,
					{ error: `batch size ${texts.length} > maximum allowed batch size ${MAX_TEXTS}` },
					413,
				);
			};
		limited = await startScripted({
			...LLAMA_SERVER,
			'POST /v1/embeddings': limit((texts) => ({
				data: texts.map((text, index) => ({ index, embedding: vectorOf(text) })),
			})),
			'POST /v1/rerank': limit((texts) => ({
				results: texts.map((text, index) => ({ index, relevance_score: scoreOf(text) })),
			})),
		});
	});
	afterEach(async () => await limited.close());

	const texts = Array.from({ length: 40 }, (_none, at) => `good ${at}`);
	const documents = texts.map((pageContent) => ({ pageContent, metadata: {} }));
	/** The first batch, and its halves. */
	const ONCE = [16, 8, 8];

	const ROWS: ReadonlyArray<{ name: string; execute(): Promise<void> }> = [
		{
			name: 'Embed, a text of each item',
			execute: async () => {
				const items = await run(limited.url, 'vector:embed', {
					items: texts.map(() => ({ json: {} })),
					perItem: texts.map((text) => ({ text })),
					parameters: toParameters(16),
				});
				expect(items.map(({ json }) => json.output)).toEqual(texts.map(vectorOf));
			},
		},
		{
			name: 'Embed, an array',
			execute: async () => {
				const items = await run(limited.url, 'vector:embed', {
					parameters: { text: texts, ...toParameters(16) },
				});
				expect(items.map(({ json }) => json.output)).toEqual(texts.map(vectorOf));
			},
		},
		{
			name: 'Embed, with items of both roles',
			execute: async () => {
				await run(limited.url, 'vector:embed', {
					items: texts.map(() => ({ json: {} })),
					perItem: texts.map((text, at) => ({ text, role: at < 20 ? 'query' : 'document' })),
					parameters: toParameters(16),
				});
			},
		},
		{
			name: 'Embed, with a text that fails',
			execute: async () => {
				const others = texts.with(20, 'refused');
				const items = await run(limited.url, 'vector:embed', {
					items: others.map(() => ({ json: {} })),
					perItem: others.map((text) => ({ text })),
					parameters: toParameters(16),
					continueOnFail: true,
				});
				expect(items.filter(({ json }) => json.error !== undefined)).toHaveLength(1);
			},
		},
		{
			name: 'Local Embeddings, with a call for each part of the documents',
			execute: async () => {
				const { supplied } = await embeddings(limited.url, { parameters: toParameters(16) });
				await supplied.embedDocuments(texts.slice(0, 20));
				await supplied.embedDocuments(texts.slice(20));
			},
		},
		{
			name: 'Rerank, the documents of all items',
			execute: async () => {
				await run(limited.url, 'vector:rerank', {
					items: texts.map(() => ({ json: {} })),
					perItem: texts.map((document) => ({ document })),
					parameters: { query: 'q', ...toParameters(16) },
				});
			},
		},
		{
			name: 'Rerank, an array in each item',
			execute: async () => {
				await run(limited.url, 'vector:rerank', {
					items: [{ json: {} }, { json: {} }],
					perItem: [{ document: texts }, { document: texts }],
					parameters: {
						query: 'q',
						options: { batchSize: 16, maxRetries: 0, maxConcurrentItems: 1 },
					},
				});
			},
		},
		{
			name: 'Local Reranker, with two queries',
			execute: async () => {
				const { supplied } = await reranker(limited.url, { parameters: toParameters(16) });
				await supplied.compressDocuments(documents, 'first');
				await supplied.compressDocuments(documents, 'second');
			},
		},
	];
	test.each(ROWS)('$name', async ({ execute }) => {
		await execute();
		expect(rejectedSizes).toEqual(ONCE);
	});

	test('another model is asked with the full size', async () => {
		await run(limited.url, 'vector:embed', {
			items: [{ json: {} }, { json: {} }],
			perItem: ['one', 'two'].map((name) => ({
				text: texts.slice(0, 16),
				model: { __rl: true, mode: 'id', value: name },
			})),
			parameters: toParameters(16),
		});
		expect(rejectedSizes).toEqual([...ONCE, ...ONCE]);
	});

	test('the next run begins with the full size', async () => {
		for (const round of [1, 2]) {
			await run(limited.url, 'vector:embed', { parameters: { text: texts, ...toParameters(16) } });
			expect(rejectedSizes).toEqual(Array(round).fill(ONCE).flat());
		}
	});

	test('a text that is truncated reduces nothing', async () => {
		const sizes: number[] = [];
		const server = await startScripted({
			...LLAMA_SERVER,
			'POST /v1/embeddings': ({ body }, response) => {
				const inputs = [body.input].flat() as string[];
				sizes.push(inputs.length);
				if (inputs.some((text) => text.length > 512)) sendJson(response, TOO_LONG, 400);
				else
					sendJson(response, {
						data: inputs.map((text, index) => ({ index, embedding: vectorOf(text) })),
					});
			},
		});
		await run(server.url, 'vector:embed', {
			parameters: {
				text: texts.with(3, 'x'.repeat(900)),
				options: { batchSize: 16, maxRetries: 0, longTexts: 'truncate' },
			},
		});
		await server.close();
		expect(sizes.slice(-2)).toEqual([16, 8]);
	});
});
