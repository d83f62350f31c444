/** The documents of a retriever, from records of any kind in several knowledge bases: their order, number and metadata. */
import { createDifyError } from '../../../lib/dify/create-error';
import { retrieve, truncateQuery } from '../../../lib/dify/knowledge/retrieval';
import { createRetriever } from '../../../nodes/DifyRetriever/supply';
import type { SubNodeLog } from '../../../lib/n8n/sub-node-log';
import { createRecordedClient } from '../../lib/dify/recorded-client';
import { expectApproved } from '../../support/approved/approved-table';
import { awaitOutcome } from '../../support/approved/outcome';
import path from 'node:path';

const A = 'a1111111-2222-4333-8444-555555555555';
const B = 'b1111111-2222-4333-8444-555555555555';

const record = (content: string, score: unknown, more: object = {}, document: object = {}) => ({
	segment: {
		id: `id of ${content}`,
		document_id: 'd',
		content,
		document: { id: 'd', name: `${content}.txt`, ...document },
	},
	score,
	...more,
});
const META = [
	{ name: 'city', value: 'Lima' },
	{ name: 'score', value: 'of the document' },
	{ name: 'source', value: 'of the document' },
];

const RECORDS: Readonly<Record<string, [unknown[], unknown[]]>> = {
	'in another order': [[record('one', 0.2), record('two', 0.9)], [record('three', 0.5)]],
	'keywords have no score': [[record('one', 0), record('two', null)], [record('three', 0.5)]],
	'metadata with names of fields': [[record('one', 0.2, {}, { doc_metadata: META })], []],
	'questions, answers and no text': [
		[
			{ segment: { content: 'Q', answer: 'A', document: {} }, score: 1 },
			{ segment: { content: '' } },
			{},
		],
		[
			record('x', 0.1, {
				child_chunks: [{ content: 'c', score: 0.7 }, { content: null }],
				files: [{ id: 'f' }],
				summary: 'S',
			}),
		],
	],
	'more than asked for': [
		Array.from({ length: 4 }, (_none, at) => record(`n${at}`, at / 10)),
		[record('x', 0.25)],
	],
	nothing: [[], []],
};
const SEARCHES = {
	usual: {},
	'two best': { topK: 2 },
	'a threshold of 0': { scoreThreshold: 0 },
	'a filter': {
		filter: { logic: 'and', conditions: [{ field: 'city', operator: 'is', value: 'Lima' }] },
	},
} as const;
const DATASETS: Readonly<Record<string, object>> = {
	plain: { indexing_technique: 'high_quality' },
	economy: {
		indexing_technique: 'economy',
		retrieval_model_dict: { search_method: 'semantic_search', top_k: 9 },
	},
	stored: {
		retrieval_model_dict: {
			search_method: 'hybrid_search',
			top_k: 3,
			score_threshold_enabled: true,
			score_threshold: 0.4,
			reranking_enable: true,
			reranking_mode: 'weighted_score',
			reranking_model: { reranking_model_name: '' },
			weights: { a: 1 },
		},
	},
	'stored, off': {
		retrieval_model_dict: {
			search_method: 'keyword_search',
			score_threshold_enabled: false,
			score_threshold: 0.4,
			reranking_model: { reranking_model_name: 'r' },
		},
	},
	external: { provider: 'external', name: 'X' },
};

test('each record with each search', async () => {
	const rows = [];
	for (const [name, [first, second]] of Object.entries(RECORDS))
		for (const [search, settings] of Object.entries(SEARCHES)) {
			const { client } = createRecordedClient({
				[`POST /datasets/${A}/retrieve`]: { records: first },
				[`POST /datasets/${B}/retrieve`]: { records: second },
			});
			const hints: string[] = [];
			const log = {
				hint: (text: string) => void hints.push(text),
				call: async ({
					run,
					output,
				}: {
					run: (signal?: AbortSignal) => Promise<never>;
					output: (result: never) => object;
				}) => {
					const result = await run();
					hints.push(JSON.stringify(output(result)));
					return result;
				},
			} as unknown as SubNodeLog;
			const retriever = createRetriever({ client, datasetIds: [A, B], search: settings, log });
			const outcome = await awaitOutcome(async () => await retriever.invoke(' What? '));
			rows.push({
				input: `${name}, ${search}`,
				outcome: `${JSON.stringify(outcome)} ; ${hints.join(' ; ')}`
					.replaceAll(A, 'A')
					.replaceAll(B, 'B'),
			});
		}
	expectApproved(
		path.join(__dirname, 'supply.any-hits.approved.txt'),
		rows,
		'A record becomes a document with its metadata, best first',
	);
});

test('what is sent for each knowledge base, and questions of any length', async () => {
	const rows = [];
	for (const [name, dataset] of Object.entries(DATASETS))
		for (const [search, settings] of Object.entries(SEARCHES)) {
			const { client, sent } = createRecordedClient({
				[`GET /datasets/${A}`]: dataset,
				[`POST /datasets/${A}/retrieve`]: { records: [] },
			});
			const outcome = await awaitOutcome(
				async () => await retrieve(client, { datasetId: A, query: 'q', ...settings }),
			);
			rows.push({
				input: `${name}, ${search}`,
				outcome: [...sent, JSON.stringify(outcome)].join(' ; ').replaceAll(A, 'A'),
			});
		}
	const failing = createRecordedClient({
		[`GET /datasets/${A}`]: createDifyError('datasetNotFound', { status: 404 }),
	});
	rows.push({
		input: 'a missing one',
		outcome: await awaitOutcome(
			async () => await retrieve(failing.client, { datasetId: A, query: 'q' }),
		),
	});
	const questions = [
		'',
		' a ',
		'x'.repeat(250),
		'x'.repeat(251),
		'word '.repeat(50),
		'word '.repeat(51),
		`${'x'.repeat(248)} yy zz`,
		'😀'.repeat(251),
	];
	for (const [at, text] of questions.entries()) {
		const { query, isTruncated } = truncateQuery(text);
		rows.push({
			input: `question ${at} of ${text.length}`,
			outcome: `${query.length} "${query.slice(-6)}" ${isTruncated}`,
		});
	}
	expectApproved(
		path.join(__dirname, 'supply.any-hits.requests.approved.txt'),
		rows,
		'A knowledge base is searched with its own settings',
	);
});
