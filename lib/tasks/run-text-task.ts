/** Runs a task for many texts, as several requests: each is a task of its own. */
import { LruCache, memoize } from '../lru-cache';
import { collectTruncationWarnings } from '../servers/truncation';
import type { ModelServer, RoutedTask } from '../servers/types/server-type';
import { pushAll } from '../values/lists';
import type { BatchLimit, RejectedTextRules } from './send-in-batches';
import { sendInBatches } from './send-in-batches';
import type { IndexedText } from './long-texts';
import type { TaskRequest, TaskSettings } from './run-task';
import { runTask } from './run-task';

/** What the requests of a task add up to. */
export interface TextTaskTotals {
	/** Undefined if the server does not count them. */
	tokens?: number;
	/** Number of requests, with those for a rejected text. */
	requests: number;
	/** Number of truncated texts. */
	truncatedTexts: number;
	warnings: string[];
}

/** The response to one request. */
export interface BatchResponse<Result> {
	/** One for each text. */
	results: Result[];
	/** Tokens of all texts; undefined if the server does not count them. */
	tokens?: number;
	warnings?: string[];
	/** The model that the response names. */
	model?: string;
}

/** The request for one batch. */
export interface BatchRequest<Result> extends TaskRequest<BatchResponse<Result>> {
	/** All texts in the request, for the estimate of their tokens. */
	texts: readonly string[];
}

export interface TextTask<Result> extends RejectedTextRules {
	/** Each task has its own limit of texts in one request. */
	routedTask: RoutedTask;
	texts: readonly IndexedText[];
	createRequest(batch: readonly IndexedText[]): Promise<BatchRequest<Result>>;
}

export interface TextTaskResult<Result> extends TextTaskTotals {
	/** In the order of the texts. */
	results: Result[];
	/** The model that the first response with one names. */
	responseModel: string | undefined;
}

export interface TextTaskSettings extends TaskSettings {
	/** Texts in one request. */
	batchSize: number;
}

/**
 * Runs a task for all texts.
 *
 * @throws a `ServerError`, that of `toError` if it is about one text.
 */
export async function runTextTask<Result>(
	server: ModelServer,
	settings: TextTaskSettings,
	{ routedTask, texts: allTexts, createRequest, ...rules }: TextTask<Result>,
): Promise<TextTaskResult<Result>> {
	const responses: Array<BatchResponse<Result>> = [];
	const warnings: string[] = [];
	let requests = 0;
	const send = async (batch: readonly IndexedText[]) => {
		const { texts, ...request } = await createRequest(batch);
		requests++;
		const result = await runTask(server, settings, {
			...request,
			isIdempotent: true,
			// The halves of a larger batch are sent instead.
			isRepeatable: batch.length === 1,
			getUsage: ({ tokens }) => ({ promptTokens: tokens }),
		});
		const response = result.value;
		const truncationWarnings = await collectTruncationWarnings(server, {
			texts,
			processedTokens: response.tokens,
			model: settings.model,
		});
		pushAll(warnings, [...result.warnings, ...truncationWarnings, ...(response.warnings ?? [])]);
		responses.push(response);
		return response.results;
	};
	const { results, truncatedTexts } = await sendInBatches(allTexts, {
		...rules,
		batchSize: settings.batchSize,
		limit: getBatchLimit(server, routedTask, settings.model),
		send,
	});
	return {
		results,
		tokens: sumTokens(responses),
		requests,
		truncatedTexts,
		warnings,
		responseModel: responses.find(({ model }) => model !== undefined)?.model,
	};
}

/** The limits of a server by task and model. Each run has its own server, so the next run tries larger batches again. */
const getBatchLimits = memoize<ModelServer, LruCache<BatchLimit>>(() => new LruCache());

function getBatchLimit(server: ModelServer, routedTask: RoutedTask, model: string) {
	const limits = getBatchLimits(server);
	const key = JSON.stringify([routedTask, model]);
	const limit = limits.get(key) ?? { maxTexts: Infinity };
	limits.set(key, limit);
	return limit;
}

/** Undefined if no response counts its tokens. */
function sumTokens(responses: ReadonlyArray<{ tokens?: number }>) {
	const counts = responses.flatMap(({ tokens }) => tokens ?? []);
	return counts.length === 0 ? undefined : counts.reduce((sum, tokens) => sum + tokens, 0);
}
