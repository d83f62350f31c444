/** Sends many texts in batches that a server accepts, and finds the text that it rejects. */
import type { ErrorType } from '../errors/error-types';
import { captureError, ServerError } from '../errors/server-error';
import { getProfile } from '../servers/profile';
import type { ModelServer } from '../servers/types/server-type';
import { pushAll } from '../values/lists';
import { asFiniteNumber } from '../values/numbers';
import type { TaskRequest, TaskSettings } from './run-task';
import { explainUnsupportedRoute, runTask } from './run-task';
import { getTruncationWarnings } from '../servers/truncation';

/** Text with its position in the request. */
export interface BatchText {
	index: number;
	text: string;
}

/** What the requests of a task have in common. */
export interface BatchTotals {
	/** Undefined if the server does not count them. */
	tokens?: number;
	requests: number;
	/** Number of truncated texts. */
	truncated: number;
	warnings: string[];
}

/** Maximum bytes of text per request: the smallest limits of servers and proxies are 1 MB. */
const MAX_BYTES = 512 * 1024;

/** Other texts that are sent alone to find out whether the server rejects one text or all of them. */
const MAX_CHECKED_TEXTS = 8;

/** Errors that another batch may not have. */
const BATCH_SPECIFIC_ERRORS: ReadonlySet<ErrorType> = new Set([
	'badRequest',
	'promptTooLong',
	'serverError',
	'requestTooLarge',
]);

/** Whether the server accepted other texts of the request. */
export type OtherTextsStatus = 'accepted' | 'rejected' | 'none';

interface BatchRules {
	/** Whether a text that is too long is sent again, each time shorter, until the server accepts it. */
	canTruncate: boolean;
	/** The error of a rejected text. */
	toError(error: ServerError, text: BatchText, otherTexts: OtherTextsStatus): ServerError;
}

interface BatchOptions<R> extends BatchRules {
	/** Texts in one request. */
	size: number;
	send(batch: readonly BatchText[]): Promise<R[]>;
	/** Counts the truncated texts. */
	totals: Pick<BatchTotals, 'truncated'>;
}

interface BatchRequest<R> extends TaskRequest<{
	/** One for each text. */
	results: R[];
	tokens?: number;
	warnings?: string[];
}> {
	/** All texts in the request, for the estimate of their tokens. */
	texts: readonly string[];
}

interface BatchTask<R> extends BatchRules {
	createRequest(batch: readonly BatchText[]): Promise<BatchRequest<R>>;
}

/** Runs a task for all texts. Throws a `ServerError`. */
export async function runBatches<R>(
	server: ModelServer,
	settings: TaskSettings & { batchSize: number },
	allTexts: readonly BatchText[],
	{ createRequest, ...rules }: BatchTask<R>,
): Promise<BatchTotals & { results: R[] }> {
	const { batchSize: size, model } = settings;
	const totals: BatchTotals = { requests: 0, truncated: 0, warnings: [] };
	const send = async (batch: readonly BatchText[]) => {
		const { texts, ...request } = await createRequest(batch);
		totals.requests++;
		const { value, warnings } = await runTask(server, settings, {
			...request,
			isIdempotent: true,
			getUsage: ({ tokens }) => ({ promptTokens: tokens }),
		});
		const { results, tokens: processedTokens, warnings: resultWarnings = [] } = value;
		if (processedTokens !== undefined) totals.tokens = (totals.tokens ?? 0) + processedTokens;
		const input = { texts, processedTokens, model };
		const truncationWarnings = await getTruncationWarnings(server, input);
		pushAll(totals.warnings, [...warnings, ...truncationWarnings, ...resultWarnings]);
		return results;
	};
	const results = await processInBatches(allTexts, { ...rules, size, send, totals });
	return { ...totals, results };
}

/**
 * Returns the results in the order of the texts. A rejected batch is halved until the rejected text is alone.
 * Throws a `ServerError`.
 */
export async function processInBatches<R>(
	texts: readonly BatchText[],
	{ size, send, canTruncate, totals, toError }: BatchOptions<R>,
): Promise<R[]> {
	let maxSize = size;
	let hasAccepted = false;
	const sendBatch = async (batch: readonly BatchText[]) => {
		const results = await send(batch);
		hasAccepted = true;
		return results;
	};
	const checkOtherTexts = async (item: BatchText) => {
		const others = texts.filter((text) => text !== item).slice(-MAX_CHECKED_TEXTS);
		if (!hasAccepted && others.length === 0) return 'none';
		for (const other of others.reverse()) {
			if (hasAccepted) break;
			await sendBatch([other]).catch(captureError);
		}
		return hasAccepted ? 'accepted' : 'rejected';
	};
	const sendTruncated = async (
		error: ServerError,
		item: BatchText,
		otherTexts: OtherTextsStatus,
	) => {
		const tokenSizes = parseTokenSizes(error);
		const text = tokenSizes ? truncateToLimit(item.text, tokenSizes) : '';
		if (!canTruncate || !text.trim()) throw toError(error, item, otherTexts);
		const shorter = { ...item, text };
		const result = await send([shorter]).catch(captureError);
		if (result instanceof ServerError) return await sendTruncated(result, shorter, otherTexts);
		totals.truncated++;
		return result;
	};
	const processBatch = async (batch: readonly BatchText[]): Promise<R[]> => {
		const result = await sendBatch(batch).catch(captureError);
		if (!(result instanceof ServerError)) return result;
		const [text, second] = batch;
		const isBatchSpecific = BATCH_SPECIFIC_ERRORS.has(result.type) || isInvalidJsonResponse(result);
		if (!isBatchSpecific) throw result;
		if (!second) return await sendTruncated(result, text!, await checkOtherTexts(text!));
		const middle = Math.ceil(batch.length / 2);
		const results = await processBatch(batch.slice(0, middle));
		pushAll(results, await processBatch(batch.slice(middle)));
		// All its texts were accepted, so the batch was too large.
		maxSize = Math.min(maxSize, middle);
		return results;
	};
	const allResults: R[] = [];
	for (let begin = 0; begin < texts.length;) {
		const batch = nextBatch(texts, begin, maxSize);
		pushAll(allResults, await processBatch(batch));
		begin += batch.length;
	}
	return allResults;
}

/** Whether a success response is not valid JSON: Python writes NaN, which JSON does not support. */
export function isInvalidJsonResponse({ type, status }: ServerError): boolean {
	return type === 'invalidResponse' && status !== undefined && status < 300;
}

function nextBatch(texts: readonly BatchText[], begin: number, maxSize: number) {
	const batch: BatchText[] = [];
	let bytes = 0;
	for (const item of texts.slice(begin, begin + maxSize)) {
		bytes += Buffer.byteLength(item.text);
		if (batch.length > 0 && bytes > MAX_BYTES) break;
		batch.push(item);
	}
	return batch;
}

/** Token counts in the error about a text that is too long. */
interface TokenSizes {
	/** Maximum tokens of one text. */
	limit?: number;
	/** Tokens of the rejected text. */
	tokens?: number;
}

/** Undefined if the error is about something else. */
export function parseTokenSizes({ type, facts }: ServerError): TokenSizes | undefined {
	if (type !== 'promptTooLong') return undefined;
	return { tokens: asFiniteNumber(facts.n_prompt_tokens), limit: asFiniteNumber(facts.n_ctx) };
}

/** The error of a text that is too long; undefined if the error is about something else. */
export function explainTooLong(
	error: ServerError,
	{ index, text }: BatchText,
	noun: 'Text' | 'Document',
	problem: string,
): ServerError | undefined {
	const tokenSizes = parseTokenSizes(error);
	if (!tokenSizes) return undefined;
	const { tokens, limit } = tokenSizes;
	const limitText = limit === undefined ? '' : `, which is limited to ${limit} tokens`;
	const sizeText = tokens === undefined ? '' : ` (${tokens} tokens were sent)`;
	return error.copyWith({
		title: `${noun} ${index + 1} ${problem}`,
		detail: `${noun} ${index + 1} ("${excerpt(text)}") ${problem}${limitText}${sizeText}`,
		suggestion: `Split documents into smaller chunks, or set the option Long ${noun}s to Truncate.`,
		facts: { index, ...tokenSizes },
	});
}

/** Explains the error of a server that was started for another task, or for shorter texts. */
export async function explainUnsupportedTask(
	server: ModelServer,
	error: ServerError,
	task: 'embeddings' | 'rerank',
	model: string,
): Promise<ServerError> {
	// The server type may still be unknown, and Stop must not wait for it.
	if (error.type === 'aborted') return error;
	const { texts } = await getProfile(server).getType();
	if (error.type === 'promptTooLong')
		return error.withSuggestion(`${error.suggestion} ${texts.longerTexts ?? ''}`.trim());
	if (error.type !== 'featureDisabled')
		return await explainUnsupportedRoute(server, error, task, model);
	return error.copyWith({
		title: `The server was not started for ${task === 'rerank' ? 'reranking' : task}`,
		suggestion: texts[task],
	});
}

/** Share of the limit to use, since tokens are estimated from characters. */
const MARGIN = 0.9;

/** Beginning of a text that should fit. Never splits a character. */
export function truncateToLimit(text: string, { limit, tokens }: TokenSizes): string {
	const isMeasured = limit !== undefined && tokens !== undefined && tokens > limit;
	const share = isMeasured ? (limit / tokens) * MARGIN : 0.5;
	return text.slice(0, Math.floor(text.length * share)).replace(/[\uD800-\uDBFF]$/, '');
}

const EXCERPT_LENGTH = 80;

/** Beginning of a text, for errors. */
export function excerpt(text: string): string {
	return text.length <= EXCERPT_LENGTH ? text : `${text.slice(0, EXCERPT_LENGTH)}…`;
}
