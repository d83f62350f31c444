/** Runs a task for many texts, as several requests: each is a task of its own. */
import { describeResending } from '../exchange/resending';
import type { Resending } from '../exchange/resending';
import { keepWithin } from '../kept';
import type { LruCache } from '../lru-cache';
import { memoize } from '../lru-cache';
import { collectTruncationWarnings } from '../servers/truncation';
import type { ModelServer } from '../servers/types/server-type';
import type { BatchedTask } from '../task-limits';
import { TASK_LIMITS } from '../task-limits';
import { pushAll } from '../values/lists';
import type { JsonRecord } from '../values/records';
import type { TaskRequest, TaskSettings } from './run-task';
import { runTask } from './run-task';
import type { BatchMemory, BatchSender } from './send-in-batches';
import { createBatchMemory, sendInBatches } from './send-in-batches';
import type { IndexedText, TruncatedText } from './texts';

/** What the requests of a task add up to. */
export interface TextTaskTotals {
	/** Undefined if the server does not count them. */
	tokens?: number;
	/** Number of requests, with those for a refused text. */
	requests: number;
	/** Why requests were sent again, for the log; undefined if none was. */
	resentBecause?: string[];
	truncatedTexts: TruncatedText[];
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

export interface TextTask<Result> extends Pick<
	BatchSender<Result>,
	'canTruncate' | 'finish' | 'onFailure'
> {
	/** Each task has its own memory of the batches that a server accepts. */
	routedTask: BatchedTask;
	texts: readonly IndexedText[];
	createRequest(batch: readonly IndexedText[]): Promise<BatchRequest<Result>>;
}

export interface TextTaskResult<Result> extends TextTaskTotals {
	/** In the order of the texts. Undefined for a text whose failure was reported. */
	results: Array<Result | undefined>;
	/** The model that the first response with one names. */
	responseModel: string | undefined;
	/** Of the last request that was answered; empty if none was. */
	sentBody: JsonRecord;
}

export interface TextTaskSettings extends TaskSettings {
	/** Texts in one request. */
	batchSize: number;
}

/**
 * Runs a task for all texts.
 *
 * @throws a `ServerError` after Stop, and what `onFailure` throws.
 */
export async function runTextTask<Result>(
	server: ModelServer,
	settings: TextTaskSettings,
	{ routedTask, texts: allTexts, createRequest, ...sender }: TextTask<Result>,
): Promise<TextTaskResult<Result>> {
	const responses: Array<BatchResponse<Result>> = [];
	const warnings: string[] = [];
	const exchanges: Resending[] = [];
	let requests = 0;
	let sentBody: JsonRecord = {};
	const send = async (batch: readonly IndexedText[]) => {
		const { texts, ...request } = await createRequest(batch);
		requests++;
		const result = await runTask(server, settings, {
			...request,
			isIdempotent: true,
			// Errors number them.
			areTextsChecked: true,
			// The halves of a larger batch are sent instead.
			isRepeatable: batch.length === 1,
			getUsage: ({ tokens }) => ({ promptTokens: tokens }),
		});
		exchanges.push(result);
		sentBody = result.body;
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
		...sender,
		batchSize: settings.batchSize,
		maxBytes: TASK_LIMITS[routedTask].sentBytes,
		memory: getBatchMemory(server, routedTask, settings.model),
		send,
	});
	return {
		results,
		tokens: sumTokens(responses),
		requests,
		resentBecause: describeResending(exchanges),
		truncatedTexts,
		warnings,
		responseModel: responses.find(({ model }) => model !== undefined)?.model,
		sentBody,
	};
}

/** What batches showed, by task and model. Each run has its own server, so the next run tries larger batches again. */
const getBatchMemories = memoize<ModelServer, LruCache<BatchMemory>>(() => keepWithin('batches'));

function getBatchMemory(server: ModelServer, routedTask: BatchedTask, model: string) {
	const memories = getBatchMemories(server);
	const key = JSON.stringify([routedTask, model]);
	const memory = memories.get(key) ?? createBatchMemory();
	memories.set(key, memory);
	return memory;
}

/** Undefined if no response counts its tokens. */
function sumTokens(responses: ReadonlyArray<{ tokens?: number }>) {
	const counts = responses.flatMap(({ tokens }) => tokens ?? []);
	return counts.length === 0 ? undefined : counts.reduce((sum, tokens) => sum + tokens, 0);
}
