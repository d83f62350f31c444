/** Sends many texts in batches that a server accepts, and finds the text that it rejects. */
import type { ErrorType } from '../errors/error-types';
import { asServerErrorOrThrow, ServerError } from '../errors/server-error';
import { pushAll } from '../values/lists';
import type { IndexedText } from './long-texts';
import { parseTokenSizes, truncateToLimit } from './long-texts';

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

/** What happens to a text that the server rejects. */
export interface RejectedTextRules {
	/** Whether a text that is too long is sent again, each time shorter, until the server accepts it. */
	canTruncate: boolean;
	/** The error of a rejected text. */
	toError(error: ServerError, text: IndexedText, otherTexts: OtherTextsStatus): ServerError;
}

/** What requests showed about the batches that a server accepts, for all calls of a run. */
export interface BatchLimit {
	/** Texts in one request: the size that worked after a larger one was rejected. Infinity: no batch was too large. */
	maxTexts: number;
}

/** `Result`: of one text. */
export interface BatchSender<Result> extends RejectedTextRules {
	/** Texts in one request, if the limit allows as many. */
	batchSize: number;
	/** Reduced if a batch was too large. */
	limit: BatchLimit;
	/**
	 * Sends one request.
	 *
	 * @returns the results in the order of the texts.
	 * @throws a `ServerError`.
	 */
	send(batch: readonly IndexedText[]): Promise<Result[]>;
}

export interface SentTexts<Result> {
	/** In the order of the texts. */
	results: Result[];
	/** Number of truncated texts. */
	truncatedTexts: number;
}

/**
 * Sends all texts. A rejected batch is halved until the rejected text is alone.
 *
 * @throws a `ServerError`, that of `toError` if it is about one text.
 */
export async function sendInBatches<Result>(
	texts: readonly IndexedText[],
	{ batchSize, limit, send, canTruncate, toError }: BatchSender<Result>,
): Promise<SentTexts<Result>> {
	let hasAccepted = false;
	let truncatedTexts = 0;
	/** Sends texts as they are, and remembers that the server accepted some. */
	const sendBatch = async (batch: readonly IndexedText[]) => {
		const results = await send(batch);
		hasAccepted = true;
		return results;
	};
	/** Sends some of the other texts alone, until the server accepts one. */
	const sendOthersUntilAccepted = async (item: IndexedText) => {
		const others = texts.filter((text) => text !== item).slice(-MAX_CHECKED_TEXTS);
		if (!hasAccepted && others.length === 0) return 'none';
		for (const other of others.reverse()) {
			if (hasAccepted) break;
			await sendBatch([other]).catch(asServerErrorOrThrow);
		}
		return hasAccepted ? 'accepted' : 'rejected';
	};
	/** Sends a rejected text shorter, if it was too long and may be truncated. Otherwise its error is thrown. */
	const sendShorterOrThrow = async (
		error: ServerError,
		item: IndexedText,
		otherTexts: OtherTextsStatus,
	) => {
		const tokenSizes = parseTokenSizes(error);
		const text = tokenSizes ? truncateToLimit(item.text, tokenSizes) : '';
		if (!canTruncate || !text.trim()) throw toError(error, item, otherTexts);
		const shorter = { ...item, text };
		const result = await send([shorter]).catch(asServerErrorOrThrow);
		if (result instanceof ServerError) return await sendShorterOrThrow(result, shorter, otherTexts);
		truncatedTexts++;
		return result;
	};
	/** Sends a batch, or its halves if it is rejected. */
	const sendOrHalve = async (batch: readonly IndexedText[]): Promise<Result[]> => {
		const result = await sendBatch(batch).catch(asServerErrorOrThrow);
		if (!(result instanceof ServerError)) return result;
		const [text, second] = batch;
		const isBatchSpecific = BATCH_SPECIFIC_ERRORS.has(result.type) || isInvalidJsonResponse(result);
		if (!isBatchSpecific) throw result;
		if (!second)
			return await sendShorterOrThrow(result, text!, await sendOthersUntilAccepted(text!));
		const middle = Math.ceil(batch.length / 2);
		const truncatedBefore = truncatedTexts;
		const results = await sendOrHalve(batch.slice(0, middle));
		pushAll(results, await sendOrHalve(batch.slice(middle)));
		// All its texts were accepted as they are, so the batch was too large.
		if (truncatedTexts === truncatedBefore) limit.maxTexts = Math.min(limit.maxTexts, middle);
		return results;
	};
	const results: Result[] = [];
	let sentCount = 0;
	while (sentCount < texts.length) {
		const size = Math.min(batchSize, limit.maxTexts);
		const batch = selectBatch(texts.slice(sentCount, sentCount + size));
		pushAll(results, await sendOrHalve(batch));
		sentCount += batch.length;
	}
	return { results, truncatedTexts };
}

/** Whether a success response is not valid JSON: Python writes NaN, which JSON does not support. */
export function isInvalidJsonResponse({ type, status }: ServerError): boolean {
	return type === 'invalidResponse' && status !== undefined && status < 300;
}

/** The first texts that fit into one request, at least one. */
function selectBatch(texts: readonly IndexedText[]) {
	const batch: IndexedText[] = [];
	let bytes = 0;
	for (const item of texts) {
		bytes += Buffer.byteLength(item.text);
		if (batch.length > 0 && bytes > MAX_BYTES) break;
		batch.push(item);
	}
	return batch;
}
