import { failure } from '../errors/failure';
import { asFailed } from '../errors/server-error';
import type { Connection } from '../http/connection';
import type { Limits } from '../http/limits';
import { retryAfterMs } from '../http/retry-after';
import type { ServerKind } from '../servers/kinds/kind';
import { fitKind } from '../servers/purpose';
import { retryIdempotent } from '../servers/retry';
import { isRecord } from '../values';
import { batchesOf } from '../servers/batches';
import { faultIn } from './check';
import { type Culprit, explained, notANumber, refusedText, textTooLong, unusable, wrongSize } from './failures';
import { parts, shortened } from './long-texts';
import { prefixesOf, type Prefixes } from './prefixes';
import { readEmbeddings, type Embedded, type Fault } from './read';
import { batchLimitIn, isNotANumber, tooLongIn, type TooLong } from '../servers/text-refusals';
import { cutTo, weightedMean } from './vectors';
import { embeddingCall, type EmbeddingInput, type LongTexts } from './wire';

export interface EmbeddingSettings {
	model: string;
	/** Default: by the name of the model. */
	prefixes: Partial<Prefixes>;
	/** Numbers that a vector should have. */
	dimensions?: number;
	/** Numbers that a vector must have. */
	expectedDimensions?: number;
	longTexts: LongTexts;
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
}

/** A text with its place among those of the call. */
interface Place extends Culprit {
	/** What is sent of it, where that is not the text. */
	input?: EmbeddingInput;
}

interface Call {
	kind: ServerKind;
	signal?: AbortSignal;
	done: Omit<Embeddings, 'vectors'>;
}

/** What one server takes for one model, learned from its refusals. */
const learned = new Map<string, { batch?: number; tokens?: number }>();
const MAX_REMEMBERED = 500;
/** How often a text is cut or divided again. */
const MAX_DEPTH = 12;
/** In no language does a token stand for fewer characters on average than a text of this many a token suggests. */
const SAFE_CHARACTERS_PER_TOKEN = 2;

/**
 * Turns texts into vectors on one server with one set of settings. Keeps working for as long as it is held, also beyond
 * an execution.
 */
export class EmbeddingsClient {
	/** Numbers that the vectors of this model have: others would spoil a store. */
	private length: number | undefined;
	private readonly kind: (signal?: AbortSignal) => Promise<ServerKind>;
	readonly prefixes: Prefixes;

	constructor(
		readonly connection: Connection,
		readonly settings: EmbeddingSettings,
	) {
		if (settings.model.trim() === '')
			throw failure(
				'invalidInput',
				{},
				{ message: 'No model is chosen', remedy: 'Choose a model from the list or type its name.' },
			);
		this.kind = fitKind(connection, settings.model.trim(), 'embeddings');
		this.prefixes = { ...prefixesOf(settings.model), ...settings.prefixes };
	}

	/**
	 * @param texts of any type, as n8n hands them over; those of the wrong type are refused
	 * @throws {ServerError} naming the text, where one is at fault. Nothing partial is returned.
	 */
	async embed(texts: readonly unknown[], role: keyof Prefixes, signal?: AbortSignal): Promise<Embeddings> {
		const places = texts.map((text, index) => this.placeOf(text, index, role));
		const done = { requests: 0, truncated: 0, averaged: 0 };
		if (places.length === 0) return { ...done, vectors: [] };
		const call: Call = { kind: await this.kind(signal), signal, done };
		const vectors: number[][] = [];
		for (const batch of this.batches(places)) {
			const received = await this.embedBatch(call, batch);
			const cut = received.map((vector) => cutTo(vector, this.settings.dimensions));
			this.checkExpected(cut[0]!, call);
			vectors.push(...cut);
		}
		return { ...call.done, vectors };
	}

	private placeOf(text: unknown, index: number, role: keyof Prefixes): Place {
		if (typeof text !== 'string') throw refusedText(index, `is no text but ${text === null ? 'null' : typeof text}`);
		if (text.trim() !== '') return { index, text: this.prefixes[role] + text };
		if (this.settings.blankTexts === 'refuse') throw refusedText(index, 'is empty');
		return { index, text: ' ' };
	}

	private get limits(): { batch?: number; tokens?: number } {
		const key = `${this.connection.url.api} ${this.settings.model}`;
		if (!learned.has(key)) {
			if (learned.size >= MAX_REMEMBERED) learned.clear();
			learned.set(key, {});
		}
		return learned.get(key)!;
	}

	private batches(places: readonly Place[]): Place[][] {
		const { batch = Infinity, tokens } = this.limits;
		const longest = tokens === undefined ? Infinity : tokens * SAFE_CHARACTERS_PER_TOKEN;
		const texts = places.map(({ text }) => text);
		const count = Math.min(this.settings.batchSize, batch);
		let next = 0;
		return batchesOf(texts, { count, alone: (text) => text.length > longest }).map(({ length }) =>
			places.slice(next, (next += length)),
		);
	}

	/** The vectors of a batch, cut into smaller ones where the server wants that. */
	private async embedBatch(call: Call, batch: Place[], depth = 0): Promise<number[][]> {
		const outcome = await this.send(call, batch).catch(asFailed);
		if (!('failed' in outcome)) return outcome;
		const error = outcome.failed;
		if (call.signal?.aborted === true) throw error;
		const most = batchLimitIn(error);
		if (most !== undefined && batch.length > most) {
			this.limits.batch = most;
			return await this.embedAll(call, this.batches(batch));
		}
		const tooLong = tooLongIn(error);
		if (tooLong?.limit !== undefined) this.limits.tokens = tooLong.limit;
		if (batch.length > 1 && error.kind === 'tooLarge') return await this.embedAll(call, halves(batch));
		if (tooLong === undefined && !isNotANumber(error)) throw explained(error, this.contextOf(call), call.kind);
		if (batch.length > 1)
			return tooLong === undefined || this.settings.longTexts === 'fail'
				? await this.throwForCulprit(call, batch)
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

	/** Of a batch that fails because of one text: the half without it passes, so it is in the other. */
	private async throwForCulprit(call: Call, batch: Place[]): Promise<never[]> {
		let suspects = batch;
		while (suspects.length > 1) {
			const [first, second] = halves(suspects) as [Place[], Place[]];
			suspects = (await this.passes(call, first)) ? second : first;
		}
		await this.embedBatch(call, suspects);
		throw failure('serverError', this.contextOf(call), {
			message: 'The server refuses the texts together, but takes each of them alone',
			remedy: 'Lower Batch Size in the options of the node.',
		});
	}

	private async passes(call: Call, batch: Place[]): Promise<boolean> {
		const outcome = await this.send(call, batch).catch(asFailed);
		if (!('failed' in outcome)) return true;
		if (tooLongIn(outcome.failed) === undefined && !isNotANumber(outcome.failed)) throw outcome.failed;
		return false;
	}

	private async embedLong(call: Call, place: Place, tooLong: TooLong, depth: number): Promise<number[]> {
		if (this.settings.longTexts === 'truncate') {
			const whole = typeof place.input === 'string' ? place.input : place.text;
			const input = await shortened({ connection: this.connection, ...call }, whole, tooLong);
			const [vector] = await this.embedBatch(call, [{ ...place, input }], depth + 1);
			if (place.input === undefined) call.done.truncated++;
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
		const { connection, settings } = this;
		const model = settings.model.trim();
		const input = batch.map((place) => place.input ?? place.text);
		const { longTexts, dimensions, keepAlive, limits, retries } = settings;
		const { url, json } = embeddingCall(connection, call.kind, { model, input, longTexts, dimensions, keepAlive });
		const about = { model };
		call.done.requests++;
		const answer = await connection.answer(url, {
			json,
			signal: call.signal,
			about,
			limits,
			retry: retryIdempotent(connection, { retries, firstTokenMs: limits.firstTokenMs, about }),
			refuse: (refused) =>
				connection.refusal(refused, about).withFacts({ retryAfterMs: retryAfterMs(refused.headers['retry-after']) }),
		});
		// A page or an error with status 200.
		if (!Array.isArray(answer.json) && !isRecord(answer.json)) throw connection.refusal(answer, about);
		const read = readEmbeddings(answer.json, batch.length);
		const error = isRecord(answer.json) && 'error' in answer.json;
		if ('fault' in read && error) throw connection.refusal(answer, about);
		const embedded = this.checked(read, batch, answer.url);
		this.count(call, embedded, batch);
		return embedded.vectors;
	}

	private checked(read: Embedded | Fault, batch: readonly Place[], url: string): Embedded {
		const fault = 'fault' in read ? read : faultIn(read.vectors, this.length);
		if (fault === undefined) {
			const embedded = read as Embedded;
			this.length ??= embedded.vectors[0]?.length;
			return embedded;
		}
		const place = fault.index === undefined ? undefined : batch[fault.index];
		throw unusable(fault, this.connection.contextOf(url, { model: this.settings.model }), place);
	}

	private count({ kind, done }: Call, { vectors, tokens }: Embedded, batch: readonly Place[]): void {
		done.received = vectors[0]?.length;
		if (tokens === undefined) return;
		done.tokens = (done.tokens ?? 0) + tokens;
		// Ollama cuts without a word: as many tokens as a model reads at most, of a text that has more of them.
		const [only] = batch;
		const isCut = kind === 'ollama' && this.settings.longTexts === 'truncate' && batch.length === 1;
		if (isCut && only !== undefined && isContextSize(tokens) && only.text.length > tokens) done.truncated++;
	}

	private checkExpected(vector: readonly number[], call: Call): void {
		const { expectedDimensions: expected, dimensions, model } = this.settings;
		const wanted = expected ?? dimensions;
		if (wanted === undefined || vector.length === wanted) return;
		const option = expected === undefined ? 'Dimensions' : 'Expected Dimensions';
		throw wrongSize(this.contextOf(call), { model, length: vector.length, wanted, option });
	}

	private contextOf({ kind }: Call) {
		const { url } = embeddingCall(this.connection, kind, { model: '', input: [], longTexts: 'fail' });
		return this.connection.contextOf(url, { model: this.settings.model });
	}
}

/** Forgets what was learned of servers. For tests. */
export function forgetEmbeddingLimits(): void {
	learned.clear();
}

function halves<T>(list: readonly T[]): T[][] {
	const middle = Math.ceil(list.length / 2);
	return [list.slice(0, middle), list.slice(middle)];
}

/** 512, 2048, 8192, …: a text rarely has just as many tokens. */
function isContextSize(tokens: number): boolean {
	return tokens >= 256 && Number.isInteger(Math.log2(tokens));
}
