import { errorIn } from '../errors/error-body';
import { asFailed, type ServerError } from '../errors/server-error';
import type { FailureContext } from '../errors/failure';
import { Place } from '../http/place';
import type { Priority } from '../http/scheduler';
import type { CallAnswer } from '../http/types';
import type { Connection } from '../http/connection';
import { type KindName, kindOf } from '../servers/kinds';
import { requireModel } from '../servers/model-names';
import { checkedKinds, type Purpose } from '../servers/purpose';
import { refusedFieldsIn, withFieldChanges } from '../servers/refused-fields';
import { type Attempt, type ClientSettings, retryIdempotent, retryOptions } from '../servers/retry';
import { batchLimitIn, tooLongIn, type TooLong } from '../servers/text-refusals';
import { inSpan } from '../tracing/span';
import { append, isRecord, type JsonRecord, recordOf } from '../values';
import { batchesFor, type Learned, learnedOf } from './learned';

export interface BatchSettings extends ClientSettings {
	/** Texts in one request. */
	batchSize: number;
}

/** A text with its position among those of the call. */
export interface BatchText {
	index: number;
	text: string;
	isShortened?: boolean;
	/** The server was told to keep only its beginning. */
	isCutByServer?: boolean;
}

/** Usage of a call. */
export interface BatchCounts {
	requests: number;
	/** As far as the server counts them. */
	tokens?: number;
	truncated: number;
}

/** A call to one server. */
export interface BatchCall extends Attempt {
	kind: KindName;
	signal?: AbortSignal;
	/** The class in the queue, in place of the connection's. */
	priority?: Priority;
	place: Place;
	counts: BatchCounts;
	/** Warnings for the user. */
	remarks: Set<string>;
}

export const noCounts = (): BatchCounts => ({ requests: 0, truncated: 0 });

/** A refused request. */
export interface Refused {
	error: ServerError;
	tooLong: TooLong | undefined;
	/** What was known when it was sent; another request may have learned more since. */
	known: Readonly<Learned>;
	/** How often its text was cut or divided before. `isLast`: not once more. */
	depth: number;
	isLast: boolean;
}

/**
 * Optional fields: without them the answer is the same (LiteLLM with `jina_ai/` refuses the first one, seen: 1.106.2).
 */
const DISPENSABLE: ReadonlySet<string> = new Set(['encoding_format', 'return_documents', 'top_n']);

/** How often a text is cut or divided again. */
const MAX_DEPTH = 12;

/** Sends many texts to a server, in batches that it takes. Base of embeddings and reranking. */
export abstract class BatchClient<Settings extends BatchSettings, Text extends BatchText, Result> {
	private readonly kindOf: ReturnType<typeof checkedKinds>;

	constructor(
		protected readonly connection: Connection,
		readonly settings: Settings,
		private readonly purpose: Purpose,
	) {
		requireModel(settings.model);
		this.kindOf = checkedKinds(purpose);
	}

	/** Sends one request. */
	protected abstract send(call: BatchCall, batch: readonly Text[]): Promise<Result[]>;

	/** Handles a refusal that is not about the size of the batch. */
	protected abstract afterRefusal(
		call: BatchCall,
		batch: Text[],
		refused: Refused,
	): Promise<Result[]>;

	/** Runs all of the work, and again where it gave up its place for a person. */
	protected async atServer<T>(
		signal: AbortSignal | undefined,
		work: (call: BatchCall) => Promise<T>,
		priority?: Priority,
	): Promise<{ result: T } & Pick<BatchCall, 'counts' | 'remarks'>> {
		const operation = this.purpose === 'embeddings' ? 'embeddings' : 'rerank';
		const place = new Place(true);
		const { connection } = this;
		const model = this.settings.model.trim();
		return await place.keepTrying(signal, async (own) => {
			const kind = await this.kindOf({ connection, model }, own);
			const log = { counts: noCounts(), remarks: new Set<string>() };
			const { limits } = this.settings;
			const newRetryPolicy = () => retryIdempotent(connection, retryOptions(this.settings));
			const call = { model, limits, newRetryPolicy, kind, signal: own, priority, place, ...log };
			return await inSpan(
				connection,
				{ operation, model, provider: kind },
				async (traced) => ({ result: await work({ ...call, connection: traced }), ...log }),
				() => ({ usage: { promptTokens: log.counts.tokens } }),
			);
		});
	}

	protected batches(texts: readonly Text[], connection: Connection): Text[][] {
		return batchesFor(texts, this.settings.batchSize, learnedOf(connection, this.settings.model));
	}

	protected async allOf(call: BatchCall, batches: readonly Text[][]): Promise<Result[]> {
		const results: Result[] = [];
		for (const batch of batches) append(results, await this.ofBatch(call, batch));
		return results;
	}

	/** Sends a batch, as smaller ones if the server refuses its size. */
	protected async ofBatch(call: BatchCall, batch: Text[], depth = 0): Promise<Result[]> {
		const learned = learnedOf(call.connection, this.settings.model);
		if (batch.length > (learned.batch ?? Infinity))
			return await this.allOf(call, this.batches(batch, call.connection));
		const known = { ...learned };
		const outcome = await this.send(call, batch).catch(asFailed);
		if (!('failed' in outcome)) return outcome;
		const error = outcome.failed;
		if (call.signal?.aborted === true) throw error;
		if (this.learnsRefusedFields(call, error, known)) return await this.ofBatch(call, batch, depth);
		if (this.learnsBatchLimit(call, batch.length, error))
			return await this.allOf(call, this.batches(batch, call.connection));
		if (batch.length > 1 && error.kind === 'tooLarge') return await this.allOf(call, halves(batch));
		const refused = { error, tooLong: tooLongIn(error), known, isLast: depth >= MAX_DEPTH, depth };
		return await this.afterRefusal(call, batch, refused);
	}

	/** Whether the server refused the batch with the number of texts that it takes. */
	private learnsBatchLimit(
		{ connection }: BatchCall,
		batchLength: number,
		error: ServerError,
	): boolean {
		const most = batchLimitIn(error);
		if (most === undefined || batchLength <= most) return false;
		learnedOf(connection, this.settings.model).batch = most;
		return true;
	}

	/** Whether the server refused optional fields that it was not known to refuse. */
	private learnsRefusedFields(
		{ connection }: BatchCall,
		{ serverText = '' }: ServerError,
		known: Readonly<Learned>,
	): boolean {
		const learned = learnedOf(connection, this.settings.model);
		const refused = refusedFieldsIn(serverText).filter((name) => DISPENSABLE.has(name));
		if (refused.every((name) => known.without?.[name] !== undefined)) return false;
		const changes = Object.fromEntries(refused.map((name) => [name, null]));
		learned.without = { ...learned.without, ...changes };
		return true;
	}

	/**
	 * Sends the beginning of a text that is too long.
	 *
	 * @param shortened makes the text shorter
	 */
	protected async truncated(
		call: BatchCall,
		text: Text,
		depth: number,
		shortened: () => Text,
	): Promise<Result[]> {
		// Not in the first request: a server does not say how many texts it cut.
		const isByServer = truncatesItself(call.kind, this.purpose) && text.isCutByServer !== true;
		const shorter = isByServer ? { ...text, isCutByServer: true } : shortened();
		const results = await this.ofBatch(call, [shorter], depth + 1);
		if (text.isShortened !== true && text.isCutByServer !== true) call.counts.truncated++;
		return results;
	}

	/**
	 * Sends a request and reads its answer.
	 *
	 * @throws {ServerError} also for an HTML page, and for an error with status 200
	 */
	protected async ask<T extends { tokens?: number } | { fault: string }>(
		{ connection, model, limits, newRetryPolicy, signal, priority, place, counts }: BatchCall,
		{ url, json: fields }: { url: string; json: JsonRecord },
		contentOf: (json: unknown) => T,
	): Promise<{ content: T; context: FailureContext }> {
		const about = { model };
		const json = withFieldChanges(fields, learnedOf(connection, this.settings.model).without);
		counts.requests++;
		const answer = await connection.answer(url, {
			json,
			signal,
			priority,
			place,
			about,
			limits,
			retry: newRetryPolicy(),
			reuse: true,
		});
		const isData = Array.isArray(answer.json) || isRecord(answer.json);
		if (!isData) throw connection.refusal(answer, about);
		const content = contentOf(answer.json);
		if ('fault' in content && saysError(answer)) throw connection.refusal(answer, about);
		if ('tokens' in content && content.tokens !== undefined)
			counts.tokens = (counts.tokens ?? 0) + content.tokens;
		return { content, context: connection.contextOf(answer.url, about) };
	}
}

function saysError({ json, text }: CallAnswer): boolean {
	return errorIn(recordOf(json), undefined, text) !== undefined;
}

/** Whether a server can cut long texts itself, when told to. */
export function truncatesItself(kind: KindName, purpose: Purpose): boolean {
	const { embeddings, rerank } = kindOf(kind);
	if (purpose === 'reranking') return rerank.truncateFields !== undefined;
	return embeddings.request !== undefined || embeddings.truncateFields !== undefined;
}

export function halves<T>(list: readonly T[]): T[][] {
	const middle = Math.ceil(list.length / 2);
	return [list.slice(0, middle), list.slice(middle)];
}
