import { failure } from '../errors/failure';
import { asFailed, type ServerError } from '../errors/server-error';
import type { Connection } from '../http/connection';
import type { Limits } from '../http/limits';
import type { EmbeddingRequest, ServerKind } from '../servers/kinds/kind';
import { requireModel } from '../servers/model-names';
import { type Attempt, type Served, ServerPool } from '../servers/pool/server-pool';
import { noteOnMove } from '../servers/pool/moves';
import { fitKinds } from '../servers/purpose';
import { retryIdempotent, retryOptions } from '../servers/retry';
import { inSpan } from '../tracing/span';
import { isRecord } from '../values';
import { eachAtOnce } from '../servers/batches';
import { KnownLength } from './check';
import { type Culprit, explained, notANumber, refusedAlone, refusedText, textTooLong, wrongSize } from './failures';
import { batchesFor, learnedOf } from './learned';
import { parts, shortened } from './long-texts';
import { prefixesOf, type Prefixes } from './prefixes';
import { readEmbeddings } from './read';
import { batchLimitIn, isNotANumber, mayBeOfOne, namedTextIn, tooLongIn, type TooLong } from '../servers/text-refusals';
import { cutTo, weightedMean } from './vectors';
import { cutsItself, embeddingCall } from './wire';

export interface EmbeddingSettings {
	model: string;
	/** Default: by the name of the model. */
	prefixes: Partial<Prefixes>;
	/** Numbers that a vector should have. */
	dimensions?: number;
	/** Numbers that a vector must have. */
	expectedDimensions?: number;
	longTexts: 'fail' | 'truncate' | 'average';
	blankTexts: 'refuse' | 'space';
	/** Texts in one request. */
	batchSize: number;
	keepAlive?: string | number;
	limits: Partial<Limits>;
	retries: number;
}

/** What came of one call. */
export interface Embeddings {
	/** In the order of the texts. */
	vectors: number[][];
	/** Numbers of a vector as the server sent it. */
	received?: number;
	/** As far as the server counts them. */
	tokens?: number;
	requests: number;
	/** Texts that were cut, and texts whose vector is the mean of several. */
	truncated: number;
	averaged: number;
	/** Which of several servers answered, with the number of texts; what the user should know of the others. */
	servers?: Record<string, number>;
	remarks: string[];
}

/** A text with its place among those of the call. */
interface Place extends Culprit {
	/** What is sent of it, where that is not the text. */
	input?: EmbeddingRequest['input'][number];
	/** The server was told to keep its beginning only. */
	cutByServer?: boolean;
}

interface Call extends Attempt {
	kind: ServerKind;
	signal?: AbortSignal;
	done: Done;
}

type Done = Pick<Embeddings, 'received' | 'tokens' | 'requests' | 'truncated' | 'averaged'>;

/** How often a text is cut or divided again. */
const MAX_DEPTH = 12;
/**
 * Turns texts into vectors on the servers of a credential with one set of settings. Keeps working for as long as it is held, also beyond
 * an execution.
 */
export class EmbeddingsClient {
	private readonly length = new KnownLength();
	private readonly servers: ServerPool;
	private readonly kindOf: ReturnType<typeof fitKinds>;
	readonly prefixes: Prefixes;

	constructor(
		servers: Connection | ServerPool,
		readonly settings: EmbeddingSettings,
	) {
		requireModel(settings.model);
		this.servers = ServerPool.of(servers);
		this.kindOf = fitKinds('embeddings');
		this.prefixes = { ...prefixesOf(settings.model), ...settings.prefixes };
	}

	/**
	 * @param texts of any type, as n8n hands them over; those of the wrong type are refused
	 * @param indexes by which errors name the texts; default: their places among the texts
	 * @throws {ServerError} naming the text, where one is at fault. Nothing partial is returned.
	 */
	async embed(
		texts: readonly unknown[],
		role: keyof Prefixes,
		signal?: AbortSignal,
		indexes?: readonly number[],
	): Promise<Embeddings> {
		const places = texts.map((text, index) => this.placeOf(text, indexes?.[index] ?? index, role));
		const done: Done = { requests: 0, truncated: 0, averaged: 0 };
		if (places.length === 0) return { ...done, vectors: [], remarks: [] };
		const servers: Record<string, number> = {};
		const remarks = new Set<string>();
		const batches = this.batches(places, this.servers.first);
		// One batch for each server at the same time: none of them waits for another.
		const vectors = await eachAtOnce(batches, this.servers.connections.length, signal, async (batch, own) => {
			const served = await this.embedAnywhere(batch, done, own);
			const { root } = served.connection.url;
			servers[root] = (servers[root] ?? 0) + batch.length;
			const moved = noteOnMove(served.passedOver, root);
			if (moved !== undefined) remarks.add(moved);
			return served.value;
		});
		const several = this.servers.hasSeveral ? { servers } : {};
		return { ...done, ...several, vectors: vectors.flat(), remarks: [...remarks] };
	}

	/** The vectors of a batch from one of the servers; nothing of it from another one. */
	private async embedAnywhere(
		batch: Place[],
		done: Done,
		signal: AbortSignal | undefined,
	): Promise<Served<number[][]>> {
		return await this.servers.run(
			async (attempt) => {
				const kind = await this.kindOf(attempt, signal);
				const own: Done = { requests: 0, truncated: 0, averaged: 0 };
				return await inSpan(
					attempt.connection,
					{ operation: 'embeddings', model: attempt.model, provider: kind },
					async (connection) => {
						const call: Call = { ...attempt, connection, kind, signal, done: own };
						const received = await this.embedBatch(call, batch);
						const cut = received.map((vector) => cutTo(vector, this.settings.dimensions));
						this.checkExpected(cut[0]!, call);
						add(call.done, done);
						return cut;
					},
					() => ({ usage: { promptTokens: own.tokens } }),
				);
			},
			{
				model: this.settings.model.trim(),
				limits: this.settings.limits,
				idempotent: true,
				signal,
				retry: (connection) => retryIdempotent(connection, retryOptions(this.settings)),
			},
		);
	}

	private placeOf(text: unknown, index: number, role: keyof Prefixes): Place {
		if (typeof text !== 'string') throw refusedText(index, `is no text but ${text === null ? 'null' : typeof text}`);
		if (text.trim() !== '') return { index, text: this.prefixes[role] + text };
		if (this.settings.blankTexts === 'refuse') throw refusedText(index, 'is empty');
		return { index, text: ' ' };
	}

	private batches(places: readonly Place[], connection: Connection): Place[][] {
		return batchesFor(places, this.settings.batchSize, learnedOf(connection, this.settings.model));
	}

	/** The vectors of a batch, cut into smaller ones where the server wants that. */
	private async embedBatch(call: Call, batch: Place[], depth = 0): Promise<number[][]> {
		const outcome = await this.send(call, batch).catch(asFailed);
		if (!('failed' in outcome)) return outcome;
		const error = outcome.failed;
		if (call.signal?.aborted === true) throw error;
		const most = batchLimitIn(error);
		if (most !== undefined && batch.length > most) {
			learnedOf(call.connection, this.settings.model).batch = most;
			return await this.embedAll(call, this.batches(batch, call.connection));
		}
		const tooLong = tooLongIn(error);
		if (tooLong?.limit !== undefined) learnedOf(call.connection, this.settings.model).tokens = tooLong.limit;
		if (batch.length > 1 && error.kind === 'tooLarge') return await this.embedAll(call, halves(batch));
		const named = batch[namedTextIn(error) ?? -1];
		if (named !== undefined && tooLong === undefined) throw refusedAlone(error, this.contextOf(call), named);
		const isOfText = tooLong !== undefined || isNotANumber(error);
		if (!isOfText && batch.length > 1 && mayBeOfOne(error)) return await this.throwForCulprit(call, batch, error);
		if (!isOfText) throw explained(error, this.contextOf(call), call.kind);
		if (batch.length > 1)
			return tooLong === undefined || this.settings.longTexts === 'fail'
				? await this.throwForCulprit(call, batch, undefined)
				: await this.embedAll(call, halves(batch));
		const [place] = batch as [Place];
		if (tooLong === undefined || this.settings.longTexts === 'fail' || depth >= MAX_DEPTH)
			throw tooLong === undefined
				? notANumber(error, this.contextOf(call), place)
				: textTooLong(error, this.contextOf(call), place, tooLong);
		return [await this.embedLong(call, place, tooLong, depth)];
	}

	private async embedAll(call: Call, batches: readonly Place[][]): Promise<number[][]> {
		const vectors: number[][] = [];
		for (const batch of batches) vectors.push(...(await this.embedBatch(call, batch)));
		return vectors;
	}

	/**
	 * Of a batch that fails because of one text: the half without it passes, so it is in the other.
	 *
	 * @param error where it does not tell that a text is at fault. If no text passes, it is about all of them.
	 */
	private async throwForCulprit(call: Call, batch: Place[], error: ServerError | undefined): Promise<number[][]> {
		let suspects = batch;
		let isSure = error === undefined;
		while (suspects.length > 1) {
			const [first, second] = halves(suspects) as [Place[], Place[]];
			const passes = await this.passes(call, first, error);
			isSure ||= passes;
			suspects = passes ? second : first;
		}
		isSure ||= await this.passes(call, batch.slice(-1), error);
		if (error !== undefined) {
			if (!isSure) throw explained(error, this.contextOf(call), call.kind);
			const isAtFault = !(await this.passes(call, suspects, error));
			if (isAtFault) throw refusedAlone(error, this.contextOf(call), suspects[0]!);
			return await this.embedAll(call, halves(batch));
		}
		await this.embedBatch(call, suspects);
		throw failure('serverError', this.contextOf(call), {
			message: 'The server refuses the texts together, but takes each of them alone',
			remedy: 'Lower Batch Size in the options of the node.',
		});
	}

	private async passes(call: Call, batch: Place[], error: ServerError | undefined): Promise<boolean> {
		const outcome = await this.send(call, batch).catch(asFailed);
		if (!('failed' in outcome)) return true;
		const { failed } = outcome;
		if (tooLongIn(failed) === undefined && !isNotANumber(failed) && failed.kind !== error?.kind) throw failed;
		return false;
	}

	private async embedLong(call: Call, place: Place, tooLong: TooLong, depth: number): Promise<number[]> {
		if (this.settings.longTexts === 'truncate') {
			// Told to cut from the start, a server does not say how many texts it cut.
			if (cutsItself(call.kind) && place.cutByServer !== true) {
				call.done.truncated++;
				return (await this.embedBatch(call, [{ ...place, cutByServer: true }], depth + 1))[0]!;
			}
			const whole = typeof place.input === 'string' ? place.input : place.text;
			const input = await shortened(call, whole, tooLong);
			const [vector] = await this.embedBatch(call, [{ ...place, input }], depth + 1);
			if (place.input === undefined && place.cutByServer !== true) call.done.truncated++;
			return vector!;
		}
		const found: Array<{ vector: number[]; weight: number }> = [];
		for (const part of parts(place.text, tooLong)) {
			const [vector] = await this.embedBatch(call, [{ index: place.index, text: part }], depth + 1);
			found.push({ vector: vector!, weight: part.length });
		}
		if (depth === 0) call.done.averaged++;
		return weightedMean(found);
	}

	private async send(call: Call, batch: readonly Place[]): Promise<number[][]> {
		const { connection, model, limits, retry } = call;
		const input = batch.map((place) => place.input ?? place.text);
		const { dimensions, keepAlive } = this.settings;
		const truncate = batch.some(({ cutByServer }) => cutByServer === true);
		const { url, json } = embeddingCall(connection, call.kind, { model, input, truncate, dimensions, keepAlive });
		const about = { model };
		call.done.requests++;
		const answer = await connection.answer(url, {
			json,
			signal: call.signal,
			about,
			limits,
			retry: retry?.(),
			reuse: true,
		});
		// A page or an error with status 200.
		if (!Array.isArray(answer.json) && !isRecord(answer.json)) throw connection.refusal(answer, about);
		const read = readEmbeddings(answer.json, batch.length);
		const error = isRecord(answer.json) && 'error' in answer.json;
		if ('fault' in read && error) throw connection.refusal(answer, about);
		const { vectors, tokens } = this.length.checked(read, batch, {
			from: connection.url.root,
			context: connection.contextOf(answer.url, about),
		});
		call.done.received = vectors[0]?.length;
		if (tokens !== undefined) call.done.tokens = (call.done.tokens ?? 0) + tokens;
		return vectors;
	}

	private checkExpected(vector: readonly number[], call: Call): void {
		const { expectedDimensions: expected, dimensions, model } = this.settings;
		const wanted = expected ?? dimensions;
		if (wanted === undefined || vector.length === wanted) return;
		const option = expected === undefined ? 'Dimensions' : 'Expected Dimensions';
		throw wrongSize(this.contextOf(call), { model, length: vector.length, wanted, option });
	}

	private contextOf({ connection, kind, model }: Call) {
		const { url } = embeddingCall(connection, kind, { model: '', input: [], truncate: false });
		return connection.contextOf(url, { model });
	}
}

function add(some: Done, to: Done): void {
	to.requests += some.requests;
	to.truncated += some.truncated;
	to.averaged += some.averaged;
	to.received = some.received ?? to.received;
	if (some.tokens !== undefined) to.tokens = (to.tokens ?? 0) + some.tokens;
}

function halves<T>(list: readonly T[]): T[][] {
	const middle = Math.ceil(list.length / 2);
	return [list.slice(0, middle), list.slice(middle)];
}
