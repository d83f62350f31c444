/** Searches with each stored and each chosen setting, and what becomes of each record. */
import { retrieve, truncateQuery } from '../../../../lib/dify/knowledge/retrieval';
import { expectApproved } from '../../../support/approved/approved-table';
import { awaitOutcome, combine } from '../../../support/approved/outcome';
import { createRecordedClient } from '../recorded-client';
import path from 'node:path';

const datasetId = '11111111-2222-4333-8444-555555555555';
const shorten = (text: string): string => text.replaceAll(datasetId, 'BASE');

/** What the knowledge base stores. */
const DATASETS: Readonly<Record<string, object>> = {
	'nothing stored': {},
	economy: {
		indexing_technique: 'economy',
		retrieval_model_dict: { search_method: 'semantic_search', top_k: 9 },
	},
	'a placeholder': { retrieval_model_dict: { search_method: 'keyword_search', top_k: 2 } },
	'a threshold that is on': {
		retrieval_model_dict: {
			search_method: 'hybrid_search',
			top_k: 3,
			score_threshold_enabled: true,
			score_threshold: 0.25,
			weights: { vector: 1 },
		},
	},
	'a threshold that is off': {
		retrieval_model_dict: { score_threshold_enabled: false, score_threshold: 0.25 },
	},
	'a reranker': {
		retrieval_model_dict: {
			search_method: 'full_text_search',
			reranking_enable: true,
			reranking_mode: 'reranking_model',
			reranking_model: { reranking_provider_name: 'p', reranking_model_name: 'm' },
		},
	},
	'a reranker without a name': {
		retrieval_model_dict: {
			reranking_enable: 'yes',
			reranking_mode: '',
			reranking_model: { reranking_model_name: '' },
			weights: 'w',
		},
	},
	external: { provider: 'external', name: 'Wiki' },
};

const document = { id: 'd', name: 'Vicuna.txt', doc_metadata: { city: 'Lima' } };
const RECORDS: Readonly<Record<string, object>> = {
	whole: {
		score: 0.5,
		segment: {
			id: 's',
			document_id: 'of the segment',
			content: 'Question',
			answer: 'Answer',
			document,
		},
		child_chunks: [{ content: 'child', score: 0.75 }, { content: null }],
		files: [{ name: 'f' }],
		summary: 'in short',
	},
	'without a document ID': { score: 0, segment: { id: 's', content: 'text', document } },
	'without a text': { score: 1, segment: { id: 's', content: '', document } },
	'only an answer': { segment: { answer: 'Answer' } },
	'another city': {
		score: 1,
		segment: { content: 'text', document: { ...document, doc_metadata: { city: 'Quito' } } },
	},
	'a list of metadata': {
		segment: { content: 'text', document: { doc_metadata: [{ name: 'city', value: 'Lima' }] } },
	},
	'no segment': { score: 1 },
};
const IN_LIMA = {
	conditions: [{ field: 'city', operator: 'is', value: 'Lima' }],
	logic: 'and',
};

async function search(dataset: object, settings: object, records: readonly object[]) {
	const { client, sent } = createRecordedClient({
		[`GET /datasets/${datasetId}`]: dataset,
		[`POST /datasets/${datasetId}/retrieve`]: { records },
	});
	const outcome = await awaitOutcome(
		async () => await retrieve(client, { datasetId, query: 'q', ...settings }),
	);
	return { outcome, sent: sent.slice(1).map(shorten).join(' ') };
}

test('each stored setting with each chosen one', async () => {
	const rows = [];
	for (const { name, settings } of combine({
		name: Object.keys(DATASETS),
		settings: [{}, { topK: 1 }, { scoreThreshold: 0 }, { topK: 7, scoreThreshold: 0.9 }],
	})) {
		const { outcome, sent } = await search(DATASETS[name]!, settings, []);
		const result = typeof outcome === 'string' ? outcome : sent;
		rows.push({ input: `${name}, ${JSON.stringify(settings)}`, outcome: result });
	}
	expectApproved(
		path.join(__dirname, 'retrieval.any-settings.approved.txt'),
		rows,
		'A search sends the stored settings but for those that were chosen',
	);
});

test('each record, with and without a filter and a limit', async () => {
	const rows = [];
	const filter = { filter: IN_LIMA };
	const dataset = { doc_metadata: [{ name: 'city', type: 'string' }] };
	for (const [name, record] of Object.entries(RECORDS))
		for (const settings of [{}, filter]) {
			const { outcome } = await search(dataset, settings, [record]);
			const input = `${name}${settings === filter ? ', filtered' : ''}`;
			rows.push({ input, outcome: hitsOf(outcome) });
		}
	const all = Object.values(RECORDS);
	for (const topK of [undefined, 1, 2, 3])
		for (const settings of [{ topK }, { ...filter, topK }]) {
			const { outcome } = await search(dataset, settings, all);
			const input = `all records, top ${topK}${'filter' in settings ? ', filtered' : ''}`;
			rows.push({ input, outcome: hitsOf(outcome) });
		}
	for (const query of [
		' short ',
		'a'.repeat(250),
		'a'.repeat(251),
		`${'a'.repeat(200)} ${'b'.repeat(49)} c`,
		`${'a'.repeat(200)} ${'b'.repeat(60)}`,
		`${'a'.repeat(100)} ${'b'.repeat(200)}`,
		`${'\u{1f999}'.repeat(251)}`,
		`${'\u{1f999}'.repeat(250)}`,
	]) {
		const { query: kept, isTruncated } = truncateQuery(query);
		rows.push({
			input: `a query of ${query.length} units: ${query.slice(0, 2)}…${query.slice(-2)}`,
			outcome: `${kept.length} units, ${isTruncated ? 'truncated' : 'whole'}`,
		});
	}
	expectApproved(
		path.join(__dirname, 'retrieval.any-settings.records.approved.txt'),
		rows,
		'No record is lost but by the filter, the limit or the minimum score',
	);
});

const hitsOf = (outcome: unknown): string => {
	if (typeof outcome === 'string') return outcome;
	const { hits, records, filteredOut } = outcome as {
		hits: object[];
		records: object[];
		filteredOut: number;
	};
	return `${records.length} records, ${filteredOut} filtered out ; ${JSON.stringify(hits)}`;
};
