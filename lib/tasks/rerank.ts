/** Orders documents by a query. */
import { breakControlTokens } from '../chat/content';
import { createServerError, createInputError } from '../errors/create-error';
import type { ServerError } from '../errors/server-error';
import { toErrorContext } from '../http/request-errors';
import { matchTextIndexes, parseTokenCount } from './vectors';
import { assertRerankSupported } from '../servers/list-models';
import { assertModelName } from '../servers/model-names';
import type { Adaptation } from '../servers/adaptations';
import { getServerType } from '../servers/types';
import type { ModelServer } from '../servers/types/server-type';
import {
	pushAll,
	asArray,
	isRecord,
	maxOf,
	omitUndefined,
	parseNumber,
	asRecord,
	minOf,
} from '../values';
import {
	type BatchText,
	truncateToLimit,
	processInBatches,
	explainUnsupportedTask,
	formatTokenSizes,
	excerpt,
	parseTokenSizes,
} from './batches';
import { readJson, runTask, type TaskSettings } from './run-task';
import { getTruncationWarnings } from '../servers/truncation';

export interface RerankSettings extends TaskSettings {
	/** Documents in one request. */
	batchSize: number;
	longDocuments: 'fail' | 'truncate';
	/** `sigmoid`: for models that give logits. */
	scores: 'received' | 'sigmoid';
	/** Documents with a lower score are left out. */
	minimumScore?: number;
	/** 0: all. */
	topN: number;
}

interface ScoredDocument {
	/** Of the document. */
	index: number;
	score: number;
}

export interface RerankResult {
	/** Best first. A document without text has no score and stands at the end. */
	ranking: Array<{ index: number; score?: number }>;
	/** As far as the server counts them. */
	tokens?: number;
	requests: number;
	/** Documents of which only the beginning counts. */
	truncated: number;
	warnings: string[];
}

/**
 * Orders documents by a query.
 *
 * @throws {ServerError} naming the document, where one is at fault
 */
export async function rerank(
	server: ModelServer,
	settings: RerankSettings,
	query: string,
	texts: readonly string[],
): Promise<RerankResult> {
	assertModelName(settings.model);
	const done: RerankResult = { ranking: [], requests: 0, truncated: 0, warnings: [] };
	if (texts.length === 0) return done;
	if (query.trim() === '')
		throw createInputError(
			'The query is empty, so the documents cannot be ranked',
			'Check the expression in the prompt of the vector store.',
		);
	assertRerankSupported(server, await getServerType(server, settings.signal));
	const all = texts.map((text, index) => ({ index, text }));
	const documents = all.filter(({ text }) => text.trim() !== '');
	const scores = await scoreDocuments(server, settings, query, documents, done);
	const { topN, minimumScore } = settings;
	const blank = all.flatMap(({ text, index }) => (text.trim() === '' ? [{ index }] : []));
	const ranking = [...sortByScore(scores, settings), ...(minimumScore === undefined ? blank : [])];
	const hints = new Set([...done.warnings, ...getScoreWarnings(scores, documents)]);
	return { ...done, ranking: topN > 0 ? ranking.slice(0, topN) : ranking, warnings: [...hints] };
}

async function scoreDocuments(
	server: ModelServer,
	settings: RerankSettings,
	query: string,
	documents: readonly BatchText[],
	done: RerankResult,
): Promise<ScoredDocument[]> {
	const question = breakControlTokens(query);
	const send = async (batch: readonly BatchText[]) =>
		await sendBatch(server, settings, question, batch, done);
	const afterRefusal = async (
		error: ServerError,
		document: BatchText,
	): Promise<ScoredDocument[]> => {
		const tooLong = parseTokenSizes(error);
		if (tooLong === undefined) throw error;
		const text = truncateToLimit(document.text, tooLong);
		const isCutable = settings.longDocuments === 'truncate' && text.trim() !== '';
		if (!isCutable) throw documentTooLong(error, document);
		const shorter = { ...document, text };
		return await send([shorter]).catch(
			async (failed: ServerError) => await afterRefusal(failed, shorter),
		);
	};
	const batches = {
		size: settings.batchSize,
		send,
		onRejected: async (error: ServerError, document: BatchText) => {
			const scores = await afterRefusal(error, document);
			done.truncated++;
			return scores;
		},
	};
	return await processInBatches(documents, batches).catch(async (error: ServerError) => {
		throw await explainUnsupportedTask(server, error, { work: 'rerank', model: settings.model });
	});
}

async function sendBatch(
	server: ModelServer,
	settings: RerankSettings,
	query: string,
	batch: readonly BatchText[],
	done: RerankResult,
): Promise<ScoredDocument[]> {
	const documents = batch.map(({ text }) => breakControlTokens(text));
	done.requests++;
	const { value, notes } = await runTask(server, settings, {
		// TEI has it at the root.
		route: (body) => ('texts' in body ? `${server.url.root}/rerank` : `${server.url.api}/rerank`),
		body: { query, documents },
		operation: 'rerank',
		adaptations: [useRootRoute],
		isIdempotent: true,
		read: async (answer, refused) => {
			const found = parseScores(await readJson(answer, refused), batch.length);
			if ('scores' in found) return found;
			throw createServerError(
				'invalidResponse',
				toErrorContext(server, answer.url, settings.model),
				{
					message: `The server returned an unusable ranking: ${found.fault}`,
					suggestion:
						'Check that the Base URL points to a server with a rerank endpoint, and that the model is a reranker.',
				},
			);
		},
		getUsage: ({ tokens }) => omitUndefined({ promptTokens: tokens }),
	});
	const { scores, tokens: processedTokens } = value;
	if (processedTokens !== undefined) done.tokens = (done.tokens ?? 0) + processedTokens;
	const read = [...documents, ...documents.map(() => query)];
	const unread = await getTruncationWarnings(server, {
		texts: read,
		processedTokens,
		model: settings.model,
	});
	pushAll(done.warnings, [...notes, ...unread]);
	if (scores.length < batch.length)
		done.warnings.push(
			`The server returned ${scores.length} scores for ${batch.length} documents. Documents without a score were omitted.`,
		);
	return scores.map(({ index, score }) => ({ index: batch[index]!.index, score }));
}

/** The other route, with the names of TEI and of Jina: each server takes its own and ignores the others. */
const useRootRoute: Adaptation = ({ type }, { texts }) =>
	type === 'routeNotFound' && texts === undefined
		? {
				name: 'at the root',
				apply: (body) => ({ ...body, texts: body.documents, truncate: false }),
			}
		: undefined;

/**
 * The scores of an answer, in its order: `{results: [{index, relevance_score}]}` of Jina, or `[{index, score}]` of TEI.
 * Document texts in it are ignored.
 *
 * @param count of documents that were sent
 */
export function parseScores(
	json: unknown,
	count: number,
): { scores: ScoredDocument[]; tokens?: number } | { fault: string } {
	const list = isRecord(json) ? (json.results ?? json.data) : json;
	if (!Array.isArray(list)) return { fault: 'the response contains no scores' };
	const scores = new Map<number, number>();
	const indexes = matchTextIndexes(list, count);
	for (const [at, entry] of asArray(list).entries()) {
		const index = indexes[at] ?? NaN;
		const fault = scores.has(index)
			? `document ${index + 1} has two scores`
			: faultOfIndex(index, count);
		if (fault !== undefined) return { fault };
		const { relevance_score: relevance, score } = asRecord(entry);
		const value = parseNumber(relevance ?? score);
		if (value === undefined) return { fault: `the score of document ${index + 1} is not a number` };
		scores.set(index, value);
	}
	return {
		scores: [...scores].map(([index, score]) => ({ index, score })),
		...omitUndefined({ tokens: parseTokenCount(asRecord(json)) }),
	};
}

function faultOfIndex(index: number, count: number): string | undefined {
	if (!Number.isInteger(index)) return 'a score has no document index';
	if (index >= 0 && index < count) return undefined;
	return `a score is for document ${index + 1}, but ${count} ${count === 1 ? 'was' : 'were'} sent`;
}

/** Best first; equal scores keep the order of the documents. */
export function sortByScore(
	scores: readonly ScoredDocument[],
	{ scores: form, minimumScore = -Infinity }: Pick<RerankSettings, 'scores' | 'minimumScore'>,
): ScoredDocument[] {
	return scores
		.map(({ index, score }) => ({ index, score: form === 'sigmoid' ? sigmoid(score) : score }))
		.filter(({ score }) => score >= minimumScore)
		.sort((one, other) => other.score - one.score || one.index - other.index);
}

function sigmoid(value: number): number {
	return 1 / (1 + Math.exp(-value));
}

const FLAT = 1e-3;

/** A hint about scores that a reranker would hardly give. */
function getScoreWarnings(
	scores: readonly ScoredDocument[],
	documents: readonly BatchText[],
): string[] {
	const values = scores.map(({ score }) => score);
	const differ = new Set(documents.map(({ text }) => text)).size >= 3;
	if (values.length < 3 || !differ || maxOf(values) - minOf(values) >= FLAT) return [];
	return ['All documents have nearly the same score. The model may not be a reranker.'];
}

function documentTooLong(error: ServerError, { index, text }: BatchText): ServerError {
	const tooLong = parseTokenSizes(error) ?? {};
	const { size, most } = formatTokenSizes(tooLong);
	return error.copyWith({
		message: `Document ${index + 1} and the query are too long for the reranker`,
		detail: `Document ${index + 1} ("${excerpt(text)}") together with the query is${size} too long for the reranker${most}`,
		suggestion:
			'Split documents into smaller chunks before they are stored, or set the option Long Documents to Truncate.',
		facts: { index, ...tooLong },
	});
}
