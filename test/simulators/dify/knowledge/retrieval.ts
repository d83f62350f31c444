import { DifyHttpError, invalid, isJson, missing, pydantic } from '../http';
import type { Call } from '../store';
import type { Json } from '../types';
import { checkRetrievalModel, datasetOf, oneOf } from './checks';
import { builtInValue, recordItem } from './shapes';
import type { SimDataset, SimDocument, SimSegment } from './state';

const METHODS = ['semantic_search', 'full_text_search', 'hybrid_search', 'keyword_search'];

export function retrieve(call: Call): void {
	const { payload, store } = call;
	const query = queryOf(payload);
	const dataset = datasetOf(call);
	const model = payload.retrieval_model;
	const requestModel = isJson(model) ? model : undefined;
	if (requestModel !== undefined) checkModel(requestModel);
	const method = String(
		requestModel?.search_method ?? dataset.retrieval?.search_method ?? 'semantic_search',
	);
	if (!METHODS.includes(method)) throw invalid(`'${method}' is not a valid RetrievalMethod`);
	if (dataset.documents.size === 0 && dataset.technique === null) {
		const text = 'The dataset is still being initialized or indexing. Please wait a moment.';
		throw new DifyHttpError(400, 'dataset_not_initialized', text);
	}
	const byVector = method !== 'keyword_search';
	if (byVector && dataset.technique === 'high_quality' && store.knowledge.embeddingDown)
		throw invalid(DOWN);
	if (byVector && dataset.technique === 'high_quality' && requestModel !== undefined)
		checkTopK(requestModel.top_k);
	// Each indexing technique has its own methods; others find nothing. The simulator's vector store has no full-text search.
	const finds =
		dataset.technique === 'economy' ? !byVector : byVector && method !== 'full_text_search';
	const hits = finds ? hitsOf(dataset, query, requestModel) : [];
	const records = hits.map((hit) => recordItem({ ...hit, score: byVector ? hit.score : 0 }));
	call.reply(200, { query: { content: query }, records });
}

const DOWN = `req_id:  PluginInvokeError: ${JSON.stringify({
	args: {
		description:
			"[models] Error: HTTPConnectionPool(host='127.0.0.1', port=15930): Max retries exceeded with url: /v1/embeddings (Caused by NewConnectionError(\"HTTPConnection(host='127.0.0.1', port=15930): Failed to establish a new connection: [Errno 111] Connection refused\"))",
	},
	error_type: 'InvokeError',
	message:
		"[models] Error: HTTPConnectionPool(host='127.0.0.1', port=15930): Max retries exceeded with url: /v1/embeddings (Caused by NewConnectionError(\"HTTPConnection(host='127.0.0.1', port=15930): Failed to establish a new connection: [Errno 111] Connection refused\"))",
})}`;

function queryOf(payload: Json): string {
	const { query } = payload;
	const model = 'HitTestingPayload';
	if (!('query' in payload)) throw pydantic(model, [missing('query', payload)]);
	if (typeof query !== 'string')
		throw pydantic(model, [
			{ field: 'query', text: 'Input should be a valid string', type: 'string_type', input: query },
		]);
	if ([...query].length > 250) {
		const text = 'String should have at most 250 characters';
		throw pydantic(model, [{ field: 'query', text, type: 'string_too_long', input: query }]);
	}
	if (query === '') throw invalid('Query or attachment_ids is required');
	return query;
}

function checkModel(given: Json): void {
	const model = 'HitTestingPayload';

	if (given.search_method !== undefined)
		oneOf(model, 'retrieval_model.search_method', given.search_method, METHODS);
	checkRetrievalModel(model, given);
	const filter = given.metadata_filtering_conditions;
	if (isJson(filter)) checkFilter(filter);
}

/** Errors of the vector store (Chroma). */
function checkTopK(value: unknown): void {
	if (value === null)
		throw invalid('Expected requested number of results to be a int, got None in query.');
	if (typeof value === 'number' && value <= 0) throw invalid('top_k must be a positive integer');
	if (typeof value === 'number' && value <= 0)
		throw invalid(`Number of requested results ${value}, cannot be negative, or zero. in query.`);
}

const OPERATORS = [
	...[
		'contains',
		'not contains',
		'start with',
		'end with',
		'is',
		'is not',
		'empty',
		'not empty',
		'in',
		'not in',
	],
	...['=', '≠', '>', '<', '≥', '≤', 'before', 'after'],
];
const NUMBERS = ['=', '≠', '>', '<', '≥', '≤', 'before', 'after'];

function checkFilter(filter: Json): void {
	const model = 'MetadataFilteringCondition';
	if (filter.logical_operator !== undefined)
		oneOf(model, 'logical_operator', filter.logical_operator, ['and', 'or'], 'literal_error');
	const conditions = (Array.isArray(filter.conditions) ? filter.conditions : []) as Json[];
	conditions.forEach(({ comparison_operator: operator, value, name }, at) => {
		oneOf(model, `conditions.${at}.comparison_operator`, operator, OPERATORS, 'literal_error');
		if (!NUMBERS.includes(String(operator)) || value === undefined || value === null) return;
		if (Number.isFinite(Number(value))) return;
		const text = `(psycopg2.errors.InvalidTextRepresentation) invalid input syntax for type double precision: "${String(value)}"\nLINE 3: ...D CAST((documents.doc_metadata ->> '${String(name)}') AS FLOAT) > '${String(value)}'\n        ^\n\n[SQL: SELECT documents.id FROM documents]`;
		throw new DifyHttpError(500, 'internal_server_error', text);
	});
}

interface Match {
	document: SimDocument;
	segment: SimSegment;
	score: number;
	children: SimSegment['children'];
}

/** Hits by overlap of words, so that scores are deterministic. */
function hitsOf(dataset: SimDataset, query: string, given: Json | undefined): Match[] {
	const queryWords = wordsIn(query);
	const threshold =
		given?.score_threshold_enabled === true ? Number(given.score_threshold ?? 0) : 0;
	const topK = Number(given?.top_k ?? dataset.retrieval?.top_k ?? 2);
	const filter = isJson(given?.metadata_filtering_conditions)
		? given.metadata_filtering_conditions
		: undefined;
	const fits = filterOf(dataset, filter);
	return [...dataset.documents.values()]
		.filter(
			(document) =>
				document.status === 'completed' && document.enabled && !document.archived && fits(document),
		)
		.flatMap((document) =>
			document.segments
				.filter(({ enabled }) => enabled)
				.map((segment) => ({
					document,
					segment,
					score: overlap(queryWords, `${segment.content} ${segment.answer ?? ''}`),
					children: segment.children.filter(({ content }) => overlap(queryWords, content) > 0),
				})),
		)
		.filter(({ score }) => score > 0 && (dataset.technique === 'economy' || score >= threshold))
		.sort((one, other) => other.score - one.score)
		.slice(0, topK);
}

function wordsIn(text: string): Set<string> {
	return new Set(text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? []);
}

function overlap(wanted: Set<string>, text: string): number {
	const has = wordsIn(text);
	const found = [...wanted].filter((word) => has.has(word)).length;
	return wanted.size === 0 ? 0 : Math.round((found / wanted.size) * 1000) / 1000;
}

/** A condition without a value is dropped, which widens the search. */
function filterOf(
	dataset: SimDataset,
	filter: Json | undefined,
): (document: SimDocument) => boolean {
	const all = (Array.isArray(filter?.conditions) ? filter.conditions : []) as Json[];
	const needsNone = (operator: unknown) => operator === 'empty' || operator === 'not empty';
	const conditions = all.filter(
		({ value, comparison_operator: operator }) =>
			needsNone(operator) || (value !== undefined && value !== null),
	);
	if (conditions.length === 0) return () => true;
	const test = (document: SimDocument) => (condition: Json) => meets(dataset, document, condition);
	return filter?.logical_operator === 'or'
		? (document) => conditions.some(test(document))
		: (document) => conditions.every(test(document));
}

function meets(dataset: SimDataset, document: SimDocument, condition: Json): boolean {
	const { name, comparison_operator: operator, value } = condition;
	const builtIn = [
		'document_name',
		'uploader',
		'upload_date',
		'last_update_date',
		'source',
	].includes(String(name));
	const own = document.values.get(String(name))?.value;
	const has = builtIn ? (dataset.builtIn ? builtInValue(document, String(name)) : undefined) : own;
	if (operator === 'empty') return has === undefined || has === null;
	if (has === undefined || has === null) return false;
	const [text, wanted] = [String(has), String(value)];
	const number = Number(has);
	const list = Array.isArray(value)
		? value.map(String)
		: wanted.split(',').map((each) => each.trim());
	const tests: Record<string, boolean> = {
		contains: text.includes(wanted),
		'not contains': !text.includes(wanted),
		'start with': text.startsWith(wanted),
		'end with': text.endsWith(wanted),
		is: text === wanted && wanted !== '',
		'is not': text !== wanted,
		in: list.includes(text),
		'not in': !list.includes(text),
		'not empty': true,
		'=': number === Number(value),
		'≠': number !== Number(value),
		'>': number > Number(value),
		'<': number < Number(value),
		'≥': number >= Number(value),
		'≤': number <= Number(value),
		before: number < Number(value),
		after: number > Number(value),
	};
	return tests[String(operator)] ?? false;
}
