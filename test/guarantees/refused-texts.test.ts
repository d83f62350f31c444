/**
 * Texts that a server refuses: which requests are sent, what is returned, and who is named, for each operation that sends
 * many texts. The words of the server change nothing: each row is played with those of a known server, and reworded.
 */
import type { INodeExecutionData } from 'n8n-workflow';

import { actionContext, embeddings, localLlama, reranker } from './support/node-runner';
import { takeSome } from '../support/jest/properties';
import { LLAMA_SERVER } from './support/responses';
import { reword } from '../support/servers/reword';
import { sendJson, useServers } from '../support/servers/scripted-server';

const start = useServers();

/** What is wrong with some texts. */
interface Refusal {
	name: string;
	/** 200: something unusable, as `body` says. */
	status: number;
	body(results: unknown[]): unknown;
}

const error = (body: object) => () => body;

const REFUSALS: readonly Refusal[] = [
	{
		name: 'llama-server: too long, with numbers as fields',
		status: 400,
		body: error({
			error: {
				code: 400,
				message: 'request (900 tokens) exceeds the available context size (512 tokens)',
				type: 'exceed_context_size_error',
				n_prompt_tokens: 900,
				n_ctx: 512,
			},
		}),
	},
	{
		name: 'Ollama: too long, in a sentence',
		status: 400,
		body: error({ error: 'the input length exceeds the context length' }),
	},
	{
		name: 'Ollama: NaN',
		status: 500,
		body: error({ error: 'failed to encode response: json: unsupported value: NaN' }),
	},
	{
		name: 'text-embeddings-inference: too many characters',
		status: 413,
		body: error({
			error: '`inputs` must have less than 32000 characters. Given: 40000',
			error_type: 'Validation',
		}),
	},
	{
		name: 'FastAPI: a text that a rule forbids',
		status: 422,
		body: error({ detail: [{ type: 'value_error', msg: 'Value error, no emoji please' }] }),
	},
	{
		name: 'LM Studio: a model that crashed',
		status: 500,
		body: error({ error: 'The model has crashed without additional information. (Exit code: 0)' }),
	},
	{ name: 'a server that says nothing', status: 400, body: () => '' },
	{
		name: 'an error with a success status',
		status: 200,
		body: error({ error: { message: 'this text cannot be processed' } }),
	},
	{ name: 'fewer results than texts', status: 200, body: (results) => results.slice(1) },
	{ name: 'more results than texts', status: 200, body: (results) => [...results, ...results] },
	{ name: 'no results', status: 200, body: () => [] },
	{ name: 'a NaN, which is no JSON', status: 200, body: () => '{"data": [NaN]}' },
];

/** Which of 12 texts the server refuses. */
const REFUSED = {
	none: [],
	one: [6],
	'the first': [0],
	several: [2, 3, 11],
	all: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11],
} as const;

const TEXTS = Array.from({ length: 12 }, (_none, at) => `text ${at + 1} of twelve`);

/** What a user sees. */
interface Outcome {
	/** By text, in the order of the texts; `error`: the text has an error of its own. */
	results: Array<number | 'no score' | 'error'>;
	/** The numbers of the texts that errors and hints name, in order. */
	named: number[];
	/** Different errors. */
	errors: number;
	/** The numbers of the texts that the fields of errors name, which workflows read: those that the errors name. */
	inFields: number[];
}

interface Operation {
	name: string;
	route: string;
	toBody(results: unknown[]): unknown;
	run(url: string): Promise<Outcome>;
	/** What is right if these texts (from 0) are refused. */
	expected(refused: readonly number[]): Omit<Outcome, 'inFields'>;
}

const OPTIONS = { options: { maxRetries: 0 } };

/** The numbers (from 1) of the texts that a sentence names with their beginning. */
const namedIn = (sentence: string): number[] =>
	[...sentence.matchAll(/(?:text|document) (\d+) \("text \1 of twelve"\)/g)].map(([, number]) =>
		Number(number),
	);

interface ItemError {
	message: string;
	description?: string;
	index?: number;
}

/** The error of a node. */
interface NodeError extends ItemError {
	context?: { data?: ItemError };
	/** Of a sub-node. */
	facts?: { index?: number };
}

const toSentence = ({ message, description = '' }: ItemError): string =>
	`${message} ${description}`;

function toOutcome(items: INodeExecutionData[], hints: readonly string[]): Outcome {
	const byItem = items.toSorted(
		(a, b) => (a.pairedItem as { item: number }).item - (b.pairedItem as { item: number }).item,
	);
	const errors = byItem.flatMap(({ json }) => (json.error as unknown as ItemError) ?? []);
	const named = [...errors.map(toSentence), ...hints].flatMap(namedIn);
	return {
		results: byItem.map(({ json }) =>
			json.error ? 'error' : json.output === null ? 'no score' : [json.output].flat().length,
		),
		named: [...new Set(named)],
		errors: new Set(errors.map(({ message }) => message)).size,
		inFields: errors.flatMap(({ index }) => toNumbers(index)),
	};
}

const toNumbers = (index: number | undefined): number[] => (index === undefined ? [] : [index + 1]);

const thrown = (failure: unknown): Outcome => {
	const error = failure as NodeError;
	return {
		results: [],
		named: namedIn(toSentence(error)),
		errors: 1,
		inFields: toNumbers(error.context?.data?.index ?? error.facts?.index),
	};
};

const runOperation =
	(operation: 'vector:embed' | 'vector:rerank', field: string, continueOnFail: boolean) =>
	async (url: string): Promise<Outcome> => {
		const fake = actionContext(url, operation, {
			items: TEXTS.map(() => ({ json: {} })),
			perItem: TEXTS.map((text) => ({ [field]: text })),
			parameters: { query: 'q', ...OPTIONS },
			continueOnFail,
		});
		return await localLlama(fake).then(
			(items) =>
				toOutcome(
					items,
					fake.hints.map(({ message }) => message),
				),
			thrown,
		);
	};

const toVectors = (results: unknown[]) => ({
	data: results.map((_result, index) => ({ index, embedding: [1, 2] })),
});
const toScores = (results: unknown[]) => ({
	results: results.map((_result, index) => ({ index, relevance_score: index })),
});
const isAll = (refused: readonly number[]): boolean => refused.length === TEXTS.length;
const numbersOf = (refused: readonly number[]): number[] => refused.map((index) => index + 1);

const failed: Omit<Outcome, 'inFields'> = { results: [], named: [], errors: 1 };
const perText = (refused: readonly number[], good: number, bad: 'error' | 'no score') =>
	TEXTS.map((_text, at) => (refused.includes(at) ? bad : good));

const OPERATIONS: readonly Operation[] = [
	{
		name: 'Embed',
		route: 'POST /v1/embeddings',
		toBody: toVectors,
		run: runOperation('vector:embed', 'text', false),
		expected: (refused) =>
			refused.length === 0
				? { results: perText(refused, 2, 'error'), named: [], errors: 0 }
				: { ...failed, named: isAll(refused) ? [] : numbersOf(refused).slice(0, 1) },
	},
	{
		name: 'Embed, with On Error Continue',
		route: 'POST /v1/embeddings',
		toBody: toVectors,
		run: runOperation('vector:embed', 'text', true),
		expected: (refused) => ({
			results: perText(refused, 2, 'error'),
			named: isAll(refused) ? [] : numbersOf(refused),
			errors: isAll(refused) ? 1 : refused.length,
		}),
	},
	{
		name: 'Local Embeddings',
		route: 'POST /v1/embeddings',
		toBody: toVectors,
		run: async (url) => {
			const { supplied } = await embeddings(url, { parameters: OPTIONS });
			return await supplied.embedDocuments(TEXTS).then(
				(vectors) => ({
					results: vectors.map(({ length }) => length),
					named: [],
					errors: 0,
					inFields: [],
				}),
				thrown,
			);
		},
		expected: (refused) =>
			refused.length === 0
				? { results: perText(refused, 2, 'error'), named: [], errors: 0 }
				: { ...failed, named: isAll(refused) ? [] : numbersOf(refused).slice(0, 1) },
	},
	...[false, true].map((continueOnFail): Operation => ({
		name: `Rerank${continueOnFail ? ', with On Error Continue' : ''}`,
		route: 'POST /v1/rerank',
		toBody: toScores,
		run: runOperation('vector:rerank', 'document', continueOnFail),
		expected: (refused) => {
			if (!isAll(refused))
				return {
					results: perText(refused, 1, 'no score'),
					named: numbersOf(refused),
					errors: 0,
				};
			return continueOnFail
				? { results: perText(refused, 1, 'error'), named: [], errors: 1 }
				: failed;
		},
	})),
	{
		name: 'Local Reranker',
		route: 'POST /v1/rerank',
		toBody: toScores,
		run: async (url) => {
			const { supplied, hints } = await reranker(url, { parameters: OPTIONS });
			const documents = TEXTS.map((pageContent, at) => ({ pageContent, metadata: { at } }));
			return await supplied.compressDocuments(documents, 'q').then((ranked) => {
				const scores = new Map(
					(ranked as Array<{ metadata: { at: number; relevanceScore?: number } }>).map(
						({ metadata }) => [metadata.at, metadata.relevanceScore],
					),
				);
				return {
					results: TEXTS.map((_text, at) => (scores.get(at) === undefined ? 'no score' : 1)),
					named: hints.flatMap(({ message }) => namedIn(message)),
					errors: 0,
					inFields: [],
				};
			}, thrown);
		},
		expected: (refused) =>
			isAll(refused)
				? failed
				: { results: perText(refused, 1, 'no score'), named: numbersOf(refused), errors: 0 },
	},
];

/** Requests that are enough to find out which of 12 texts are refused, each repeated once. */
const MAX_REQUESTS: Readonly<Record<keyof typeof REFUSED, number>> = {
	none: 1,
	one: 12,
	'the first': 12,
	several: 20,
	all: 24,
};

const ROWS = OPERATIONS.flatMap((operation, at) =>
	takeSome(REFUSALS, at).flatMap((refusal) =>
		(Object.keys(REFUSED) as Array<keyof typeof REFUSED>).map((which) => ({
			operation,
			refusal,
			which,
			name: `${operation.name}: ${which} of 12, ${refusal.name}`,
		})),
	),
);

/** The sizes of the requests, and the outcome. */
async function play(
	{ operation, refusal, which }: (typeof ROWS)[number],
	isReworded: boolean,
): Promise<{ sizes: number[]; outcome: Outcome }> {
	const sizes: number[] = [];
	const refused = new Set(REFUSED[which].map((at) => TEXTS[at]));
	const server = await start({
		...LLAMA_SERVER,
		[operation.route]: ({ body }, response) => {
			const texts = [body.input ?? body.documents].flat() as string[];
			sizes.push(texts.length);
			const isRefused = texts.some((text) => refused.has(text));
			const content = isRefused ? refusal.body(texts) : texts;
			const answer = Array.isArray(content) ? operation.toBody(content) : content;
			const text = typeof answer === 'string' ? answer : JSON.stringify(answer);
			sendJson(
				response,
				isReworded && isRefused ? reword(text, { seed: 1 }) : text,
				isRefused ? refusal.status : 200,
			);
		},
	});
	return { outcome: await operation.run(server.url), sizes };
}

test.each(ROWS)('$name', async (row) => {
	const known = await play(row, false);
	const expected = row.operation.expected(REFUSED[row.which]);
	const inFields = expected.errors > 0 ? expected.named : [];
	expect(known.outcome).toEqual({ ...expected, inFields });
	expect(known.sizes.length).toBeLessThanOrEqual(MAX_REQUESTS[row.which]);
	expect(await play(row, true)).toEqual(known);
});
