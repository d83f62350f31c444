/** Runs a task for many texts, in as many requests as the server needs. */
import { getTruncationWarnings } from '../servers/truncation';
import type { ModelServer } from '../servers/types/server-type';
import { pushAll } from '../values/lists';
import type { BatchRules } from './batches';
import { processInBatches } from './batches';
import type { BatchText } from './long-texts';
import type { TaskRequest, TaskSettings } from './run-task';
import { runTask } from './run-task';

/** What the requests of a task have in common. */
export interface BatchTotals {
	/** Undefined if the server does not count them. */
	tokens?: number;
	/** Number of requests, with those for a rejected text. */
	requests: number;
	/** Number of truncated texts. */
	truncated: number;
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

export interface BatchTask<Result> extends BatchRules {
	texts: readonly BatchText[];
	createRequest(batch: readonly BatchText[]): Promise<BatchRequest<Result>>;
}

export interface BatchTaskResult<Result> extends BatchTotals {
	/** In the order of the texts. */
	results: Result[];
	/** The model that the first response with one names. */
	responseModel: string | undefined;
}

export interface BatchSettings extends TaskSettings {
	/** Texts in one request. */
	batchSize: number;
}

/**
 * Runs a task for all texts.
 *
 * @throws a `ServerError`, that of `toError` if it is about one text.
 */
export async function runBatches<Result>(
	server: ModelServer,
	settings: BatchSettings,
	{ texts: allTexts, createRequest, ...rules }: BatchTask<Result>,
): Promise<BatchTaskResult<Result>> {
	const responses: Array<BatchResponse<Result>> = [];
	const warnings: string[] = [];
	let requests = 0;
	const send = async (batch: readonly BatchText[]) => {
		const { texts, ...request } = await createRequest(batch);
		requests++;
		const result = await runTask(server, settings, {
			...request,
			isIdempotent: true,
			// Halves of a batch are sent anew.
			isRepeatable: batch.length === 1,
			getUsage: ({ tokens }) => ({ promptTokens: tokens }),
		});
		const response = result.value;
		const truncationWarnings = await getTruncationWarnings(server, {
			texts,
			processedTokens: response.tokens,
			model: settings.model,
		});
		pushAll(warnings, [...result.warnings, ...truncationWarnings, ...(response.warnings ?? [])]);
		responses.push(response);
		return response.results;
	};
	const { results, truncated } = await processInBatches(allTexts, {
		...rules,
		size: settings.batchSize,
		send,
	});
	return {
		results,
		tokens: sumTokens(responses),
		requests,
		truncated,
		warnings,
		responseModel: responses.find(({ model }) => model !== undefined)?.model,
	};
}

/** Undefined if no response counts its tokens. */
function sumTokens(responses: ReadonlyArray<{ tokens?: number }>) {
	const counts = responses.flatMap(({ tokens }) => tokens ?? []);
	return counts.length === 0 ? undefined : counts.reduce((sum, tokens) => sum + tokens, 0);
}
