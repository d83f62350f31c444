/** Ranks documents by relevance to a query. */
import { assertTextLength } from '../errors/text-limits';
import { createServerError, createInputError } from '../errors/create-error';
import { getProfile } from '../servers/profile';
import { assertRerankSupported, findOtherModel } from '../servers/list-models';
import { assertModelName, toShownModelName } from '../servers/model-names';
import { keepAny } from '../fields/check-value';
import type { FieldTable } from '../fields/field';
import type { RequestField } from '../exchange/request-fields';
import { getRoutes } from '../exchange/routes';
import type { HttpResponse } from '../http/types';
import type { Origin } from '../origin';
import type { ModelServer, RouteName, ServerType } from '../servers/types/server-type';
import { asNonEmptyString, asRecord, isRecord } from '../values/records';
import { maxOf, parseNumber, minOf } from '../values/numbers';
import { createTokenBreaker, getTokenChange } from '../text/turn-tokens';
import { readJson } from './read-json';
import type { BatchRequest, TextTaskTotals } from './run-text-task';
import { runTextTask } from './run-text-task';
import type { TaskSettings } from './run-task';
import { fetchTemplateTokens } from './run-task';
import type { TextFailure } from './send-in-batches';
import type { IndexedText } from './texts';
import { excerpt, getTruncationHints } from './texts';
import { findEntries, getValueByName, matchTextIndexes, parseTokenCount } from './vectors';

export interface RerankSettings extends TaskSettings {
	/** Documents in one request. */
	batchSize: number;
	longDocuments: 'fail' | 'truncate';
	/** `sigmoid`: for models that return logits. */
	scores: 'received' | 'sigmoid';
	/** Documents with a lower score are omitted. */
	minimumScore?: number;
	/** 0 = all. */
	topN: number;
}

/** What a person says about a ranking that is sent. */
export const RERANK_OPTIONS = {
	query: {
		kind: 'text',
		label: 'Query',
		rows: 2,
		required: true,
		description:
			'The query to rank the documents by. If each item is a document, the query of the first item applies to all.',
	},
	document: {
		kind: 'text',
		label: 'Document',
		rows: 2,
		default: '={{ $json.text }}',
		required: true,
		parse: keepAny,
		description:
			'The text of the document: each item is one. Expressions may also return an array of texts or objects: each item is then ranked by itself.',
	},
} as const satisfies FieldTable;

/** What a request for a ranking contains. */
export const RERANK_FIELDS: readonly RequestField[] = [
	{ field: 'query', label: RERANK_OPTIONS.query.label, canOmit: false },
	{
		field: 'documents',
		otherNames: ['texts'],
		label: RERANK_OPTIONS.document.label,
		canOmit: false,
	},
	// TEI: without it, long documents are truncated silently.
	{ field: 'truncate', label: undefined, canOmit: false },
];

export interface RerankRequest {
	query: string;
	/** Who wrote the query. */
	queryOrigin: Origin;
	/** Texts of the documents. Those without text are not sent. */
	documents: readonly string[];
	/** Who wrote the documents: an author, or somebody else whom nobody knows. */
	documentOrigin: 'author' | 'foreign';
}

/** The score of a document that was sent. */
export interface ScoredDocument {
	/** Position (from 0) among the documents. */
	index: number;
	/** Of any range, as the model returns it; from 0 to 1 for `sigmoid`. */
	score: number;
}

export interface RankedDocument {
	/** Position (from 0) among the documents. */
	index: number;
	/** Undefined for a document without text, and for one that the server refuses. */
	score?: number;
}

export interface RerankResult extends TextTaskTotals {
	/** Best first. Documents without text, then those that the server refuses, have no score and come last. */
	ranking: RankedDocument[];
}

/**
 * Ranks documents by relevance to a query. A document that the server refuses while it accepts others has no score.
 *
 * @throws a `ServerError`
 */
export async function rerank(
	server: ModelServer,
	settings: RerankSettings,
	{ query, queryOrigin, documents: texts, documentOrigin }: RerankRequest,
): Promise<RerankResult> {
	assertModelName(settings.model);
	if (texts.length === 0) return { ranking: [], requests: 0, truncatedTexts: [], warnings: [] };
	if (!query.trim())
		throw createInputError(
			'The query is empty, so the documents cannot be ranked',
			'Check the expression of the query, in a vector store that of its prompt.',
			{ field: 'Query', inputProblem: 'empty' },
		);
	assertTextLength(query, 'The query');
	for (const [index, text] of texts.entries()) assertTextLength(text, `Document ${index + 1}`);
	const { topN, minimumScore, signal } = settings;
	const serverType = await getProfile(server).fetchType(signal);
	assertRerankSupported(server, serverType);
	const allDocuments = texts.map((text, index) => ({ index, text }));
	const documents = allDocuments.filter(({ text }) => text.trim() !== '');
	const templateTokens = await fetchTemplateTokens(server, settings);
	const safeQuery = getTokenChange(queryOrigin, createTokenBreaker(templateTokens))(query);
	const toSafeDocument = getTokenChange(documentOrigin);
	const refusals: TextFailure[] = [];
	const { results, responseModel, ...totals } = await runTextTask(server, settings, {
		routedTask: 'rerank',
		texts: documents,
		createRequest: async (batch) =>
			createRequest(
				serverType,
				safeQuery,
				batch.map(({ index, text }) => ({ index, text: toSafeDocument(text) })),
			),
		canTruncate: settings.longDocuments === 'truncate',
		onFailure: (failure) => {
			if (!failure.isRefusedAlone) throw failure.error;
			refusals.push(failure);
		},
	});
	const scores = results.filter((score) => score !== undefined);
	const documentsWithoutScore = [
		...allDocuments.filter(({ text }) => text.trim() === ''),
		...refusals.flatMap(({ texts: refused }) => refused),
	].map(({ index }) => ({ index }));
	const ranking = [
		...sortByScore(scores, settings),
		...(minimumScore === undefined ? documentsWithoutScore : []),
	];
	const warnings = new Set([
		...totals.warnings,
		...getTruncationHints(totals.truncatedTexts, { count: texts.length, noun: 'Document' }),
		...getRefusalHints(refusals, settings),
		...getScoreWarnings(scores, documents, settings),
		...(await collectOtherModelWarnings(server, settings, responseModel)),
	]);
	return {
		...totals,
		ranking: topN > 0 ? ranking.slice(0, topN) : ranking,
		warnings: [...warnings],
	};
}

/** llama-server repeats the requested name (docs/protocols/llama-server.md 4.3); others name the model that they used. */
async function collectOtherModelWarnings(
	server: ModelServer,
	{ model, signal }: RerankSettings,
	reported: string | undefined,
): Promise<string[]> {
	if (reported === undefined) return [];
	const otherModel = await findOtherModel(server, { requested: model, reported }, signal);
	if (otherModel === undefined) return [];
	return [
		`The server ranked the documents with the model "${toShownModelName(otherModel)}" instead of "${toShownModelName(model)}". Select a model that the server has.`,
	];
}

/** Documents that a hint names. */
const MAX_NAMED_DOCUMENTS = 3;

/** The hint about documents that the server refuses; none if there are none. */
function getRefusalHints(
	refusals: readonly TextFailure[],
	{ minimumScore, longDocuments }: RerankSettings,
): string[] {
	if (refusals.length === 0) return [];
	const named = refusals
		.slice(0, MAX_NAMED_DOCUMENTS)
		.flatMap(({ error, texts }) =>
			texts.map(
				({ index, text }) => `document ${index + 1} ("${excerpt(text)}"): ${error.message}`,
			),
		);
	const rest = refusals.length - named.length;
	const place = minimumScore === undefined ? 'come last' : 'are omitted';
	const advice =
		longDocuments === 'truncate'
			? ''
			: ' To rank the beginning of documents that are too long, set the option Long Documents to Truncate.';
	return [
		`Documents without a score ${place}, because the server refuses them: ${named.join('; ')}${rest > 0 ? `; and ${rest} more` : ''}.${advice}`,
	];
}

function createRequest(
	serverType: ServerType,
	query: string,
	batch: readonly IndexedText[],
): BatchRequest<ScoredDocument> {
	const documents = batch.map(({ text }) => text);
	return {
		texts: [...documents, ...documents.map(() => query)],
		routes: getRoutes(serverType, 'rerank'),
		fields: RERANK_FIELDS,
		// At the root with the field names of TEI and of Jina: servers ignore unknown names.
		toBody: (route: RouteName) => ({
			query,
			documents,
			...(route === 'rootRerank' && { texts: documents, truncate: false }),
		}),
		task: 'rerank',
		arePropsRequested: true,
		operation: 'rerank',
		getFacts: () => ({ task: () => 'rerank', textNoun: () => 'Document' }),
		readResponse: async (response: HttpResponse) => {
			const json = await readJson(response);
			const scores = parseScores(json, batch.length);
			if (typeof scores === 'string')
				throw createServerError('invalidResponse', response.errorContext, {
					about: { resultIssue: { kind: 'ranking', problem: scores } },
				});
			return {
				results: batch.map(({ index }, at) => ({ index, score: scores[at]! })),
				tokens: parseTokenCount(json),
				model: asNonEmptyString(asRecord(json).model),
			};
		},
	};
}

/**
 * Parses scores: `{results: [{index, relevance_score}]}` of Jina, or `[{index, score}]` of TEI, a list of scores, or
 * another form. Document texts are ignored.
 *
 * @param count - Number of documents that were sent.
 * @returns the scores in the order of the documents, or what is wrong with them, as text after "an unusable ranking: ".
 */
export function parseScores(json: unknown, count: number): number[] | string {
	// A server may return any number: of one more than there are documents, one is wrong.
	const list = findEntries(json)?.slice(0, count + 1);
	if (!list) return 'the response contains no scores';
	const scores = new Map<number, number>();
	const indexes = matchTextIndexes(list, count);
	for (const [at, entry] of list.entries()) {
		// Objects without an index may be sorted.
		const index = indexes[at] ?? (isRecord(entry) || list.length !== count ? NaN : at);
		const issue = scores.has(index)
			? `document ${index + 1} has two scores`
			: findIndexIssue({ index, count });
		if (issue !== undefined) return issue;
		const received = getScores(entry);
		// Classifiers with two classes: which one means "relevant" is not known.
		if (received.length > 1) return `document ${index + 1} has several scores`;
		const value = parseNumber(received[0]);
		if (value === undefined) return `the score of document ${index + 1} is not a number`;
		scores.set(index, value);
	}
	if (scores.size < count)
		return `${scores.size} ${scores.size === 1 ? 'score was' : 'scores were'} returned for ${count} documents`;
	return Array.from({ length: count }, (_none, index) => scores.get(index)!);
}

/** The scores of an entry under the name of its server, or the entry itself; some servers send a list of one. */
function getScores(entry: unknown): unknown[] {
	return [getValueByName(asRecord(entry), SCORE_NAMES) ?? entry].flat();
}

const SCORE_NAMES = ['relevancescore', 'score', 'logit', 'similarity'];

function findIndexIssue({ index, count }: { index: number; count: number }) {
	if (!Number.isInteger(index)) return 'a score has no document index';
	if (index >= 0 && index < count) return undefined;
	return `a score is for document ${index + 1}, but ${count} ${count === 1 ? 'was' : 'were'} sent`;
}

/** Best first; equal scores keep the order of the documents. */
export function sortByScore(
	scores: readonly ScoredDocument[],
	{ scores: scoreMode, minimumScore = -Infinity }: Pick<RerankSettings, 'scores' | 'minimumScore'>,
): ScoredDocument[] {
	return scores
		.map(({ index, score }) => ({
			index,
			score: scoreMode === 'sigmoid' ? 1 / (1 + Math.exp(-score)) : score,
		}))
		.filter(({ score }) => score >= minimumScore)
		.sort((a, b) => b.score - a.score || a.index - b.index);
}

const MIN_SCORE_RANGE = 1e-3;

/** Warns about scores that a reranker would hardly return. */
function getScoreWarnings(
	scores: ScoredDocument[],
	documents: IndexedText[],
	{ scores: scoreMode }: RerankSettings,
) {
	const values = scores.map(({ score }) => score);
	const isProbability = values.length >= 2 && minOf(values) >= 0 && maxOf(values) <= 1;
	if (scoreMode === 'sigmoid' && isProbability)
		return [
			'All scores of the server are between 0 and 1, so they look like probabilities already. Set Scores to "As Received".',
		];
	const hasDistinctTexts = new Set(documents.map(({ text }) => text)).size >= 3;
	if (values.length < 3 || !hasDistinctTexts || maxOf(values) - minOf(values) >= MIN_SCORE_RANGE)
		return [];
	return ['All documents have nearly the same score. The model may not be a reranker.'];
}
