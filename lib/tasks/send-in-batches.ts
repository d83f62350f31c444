/**
 * Sends many texts in batches that a server accepts, and finds the texts that it refuses. What a server writes about a
 * refusal decides nothing: only what it accepts.
 */
import type { ErrorType } from '../errors/error-types';
import { isOneOf } from '../errors/error-types';
import { asServerErrorOrThrow, ServerError } from '../errors/server-error';
import { estimateTokens } from '../values/tokens';
import { shortenText } from './shorten-text';
import type { IndexedText, TruncatedText } from './texts';

/** Texts that are refused one after the other, each alone, until it is the server that refuses everything. */
const MAX_REFUSED_TEXTS = 8;

/** What requests showed about the batches that a server accepts, for all calls of a run. */
export interface BatchMemory {
	/** Texts in one request: the size that worked after a larger one was refused. Infinity: no batch was too large. */
	maxTexts: number;
	/** Texts of the largest batch that was accepted: one of that size that is refused later is not too large. */
	acceptedTexts: number;
	/** A text that was accepted; undefined: none yet. If it is refused as well, the server refuses everything. */
	acceptedText: IndexedText | undefined;
	/** Estimated tokens of the longest text that was accepted as it is; 0: none yet. */
	acceptedTokens: number;
	/** The server refused everything, and has accepted nothing since. */
	isRefusing: boolean;
}

/** The memory of a run that has sent nothing. */
export function createBatchMemory(): BatchMemory {
	return {
		maxTexts: Infinity,
		acceptedTexts: 0,
		acceptedText: undefined,
		acceptedTokens: 0,
		isRefusing: false,
	};
}

/** Texts without a result. */
export interface TextFailure {
	error: ServerError;
	/** In the order of the call. */
	texts: readonly IndexedText[];
	/** It is one text, and the server accepts others. */
	isRefusedAlone: boolean;
	/** Its beginning was sent as well. */
	isShortened?: boolean;
	/** It is not too long: the server has accepted one that is much longer, or has read it and returned nothing usable. */
	isNotTooLong?: boolean;
}

/** `Result`: of one text. */
export interface BatchSender<Result> {
	/** Texts in one request, if the memory allows as many. */
	batchSize: number;
	/** Bytes of the texts in one request. A single text may be longer. */
	maxBytes: number;
	memory: BatchMemory;
	/** Whether a text that is refused alone, and may be too long, is sent again, each time shorter, until it is accepted. */
	canTruncate: boolean;
	/**
	 * Sends one request.
	 *
	 * @returns the results in the order of the texts.
	 * @throws a `ServerError`, of type `invalidResponse` for a response without a usable result for each text.
	 */
	send(batch: readonly IndexedText[]): Promise<Result[]>;
	/**
	 * Checks the results of an accepted batch against what is known of the model. Default: unchanged.
	 *
	 * @throws a `ServerError` that is about no text.
	 */
	finish?(results: Result[]): Result[];
	/**
	 * Called for texts without a result. If it throws, nothing more is sent; if it returns, the other texts are sent.
	 */
	onFailure(failure: TextFailure): void | Promise<void>;
}

export interface SentTexts<Result> {
	/** In the order of the texts. Undefined for a text whose failure was reported. */
	results: Array<Result | undefined>;
	truncatedTexts: TruncatedText[];
}

/**
 * Sends all texts. A refused batch is halved until each refused text is alone.
 *
 * @throws a `ServerError` after Stop, and what `onFailure` throws.
 */
export async function sendInBatches<Result>(
	texts: readonly IndexedText[],
	sender: BatchSender<Result>,
): Promise<SentTexts<Result>> {
	return await new BatchRun(texts, sender).sendAll();
}

/** Statuses that are about no text: the key, the payment, the address, the model, a proxy, the load. */
const STATUSES_OF_SERVER: ReadonlySet<number> = new Set([401, 402, 403, 404, 405, 407, 408, 429]);

/** The server says that something is too large. */
const TYPES_OF_SIZE: readonly ErrorType[] = ['promptTooLong', 'requestTooLarge'];

/** Two texts of as many tokens differ by less than this in their estimates. */
const ESTIMATE_FACTOR = 2;

/** Responses of another program, by their form. */
const isOtherProgram = isOneOf('notAnApi', 'wrongServer');

/** Whether other or fewer texts may be accepted: the server refused these, or sent nothing usable for them. */
function isRefusal({ type, status }: { type: ErrorType; status?: number }): boolean {
	if (type === 'invalidResponse') return true;
	if (status === undefined || isOtherProgram(type)) return false;
	return status < 300 || (status >= 400 && status <= 500 && !STATUSES_OF_SERVER.has(status));
}

/** A text, and why it was refused alone. */
interface RefusedText {
	text: IndexedText;
	error: ServerError;
}

/** That the server refuses everything. */
class RefusingServerError extends Error {
	constructor(readonly error: ServerError) {
		super(error.message);
	}
}

/** The requests for the texts of one call. */
class BatchRun<Result> {
	/** Undefined for a text whose failure was reported. */
	private readonly outcomes = new Map<IndexedText, Result | undefined>();
	private readonly truncatedTexts = new Map<IndexedText, TruncatedText>();
	/** Texts that were refused alone since the last one that was accepted: only the next one shows whether it is them. */
	private refusedTexts: RefusedText[] = [];
	/** `onFailure` has thrown. */
	private isEnded = false;

	constructor(
		private readonly texts: readonly IndexedText[],
		private readonly sender: BatchSender<Result>,
	) {}

	async sendAll(): Promise<SentTexts<Result>> {
		const { batchSize, maxBytes, memory } = this.sender;
		const { texts, outcomes, truncatedTexts } = this;
		for (let at = 0; at < texts.length;) {
			// A server that refused everything gets one text, not a batch and its halves.
			const size = memory.isRefusing ? 1 : Math.min(batchSize, memory.maxTexts);
			const batch = selectBatch(texts.slice(at, at + size), maxBytes);
			at += batch.length;
			await this.failOnError(batch, async () => await this.sendOrHalve(batch));
		}
		await this.failOnError(texts, async () => await this.decideOnRefusedTexts());
		return {
			results: texts.map((text) => outcomes.get(text)),
			truncatedTexts: [...truncatedTexts.values()],
		};
	}

	/** Reports the error of requests for some texts, or that of a server that refuses everything for all texts. */
	private async failOnError(batch: readonly IndexedText[], sendRequests: () => Promise<void>) {
		await sendRequests().catch(async (thrown: unknown) => {
			if (this.isEnded) throw thrown;
			const isRefusing = thrown instanceof RefusingServerError;
			const error = isRefusing ? thrown.error : asServerErrorOrThrow(thrown);
			if (error.type === 'aborted') throw error;
			const sentTexts = new Set(isRefusing ? this.texts : batch);
			this.refusedTexts = this.refusedTexts.filter(({ text }) => !sentTexts.has(text));
			const failedTexts = this.getOpenTexts([...sentTexts]);
			if (failedTexts.length > 0)
				await this.fail({ error, texts: failedTexts, isRefusedAlone: false });
		});
	}

	private async fail(failure: TextFailure) {
		this.isEnded = true;
		await this.sender.onFailure(failure);
		this.isEnded = false;
		for (const text of failure.texts) this.outcomes.set(text, undefined);
	}

	/** The texts that have neither a result nor an error. */
	private getOpenTexts(texts: readonly IndexedText[]) {
		const refusedTexts = new Set(this.refusedTexts.map(({ text }) => text));
		return texts.filter((text) => !this.outcomes.has(text) && !refusedTexts.has(text));
	}

	/** Sends the open texts of a batch, or its halves if they are refused. */
	private async sendOrHalve(batch: readonly IndexedText[]): Promise<void> {
		const texts = this.getOpenTexts(batch);
		const [text, second] = texts;
		if (text === undefined) return;
		const error = await this.trySend(texts);
		if (!error) {
			await this.reportRefusedTexts();
			return;
		}
		if (second === undefined) {
			await this.handleRefusedText({ text, error });
			return;
		}
		const middle = Math.ceil(texts.length / 2);
		for (const half of [texts.slice(0, middle), texts.slice(middle)]) await this.sendOrHalve(half);
		if (!texts.every((item) => this.isAcceptedWhole(item))) return;
		const { memory } = this.sender;
		memory.maxTexts = Math.min(memory.maxTexts, Math.max(middle, memory.acceptedTexts));
	}

	private isAcceptedWhole(text: IndexedText) {
		return this.outcomes.get(text) !== undefined && !this.truncatedTexts.has(text);
	}

	/** Sends texts as they are. @returns why they were refused; undefined if they were accepted. */
	private async trySend(batch: readonly IndexedText[]): Promise<ServerError | undefined> {
		const results = await this.sendOrRefuse(batch);
		if (results instanceof ServerError) return results;
		for (const [at, text] of batch.entries()) this.outcomes.set(text, results[at]);
		const { memory } = this.sender;
		memory.acceptedTexts = Math.max(memory.acceptedTexts, batch.length);
		memory.acceptedText ??= batch[0];
		for (const { text } of batch)
			memory.acceptedTokens = Math.max(memory.acceptedTokens, estimateTokens(text));
		return undefined;
	}

	private async sendOrRefuse(batch: readonly IndexedText[]): Promise<Result[] | ServerError> {
		const results = await this.sender.send(batch).catch(asServerErrorOrThrow);
		if (results instanceof ServerError) {
			if (!isRefusal(results)) throw results;
			return results;
		}
		this.sender.memory.isRefusing = false;
		return this.sender.finish?.(results) ?? results;
	}

	/** @throws a `RefusingServerError` if there are enough texts to say so. */
	private async handleRefusedText(refused: RefusedText): Promise<void> {
		const { isRefusing, acceptedText } = this.sender.memory;
		if (isRefusing) throw new RefusingServerError(refused.error);
		this.refusedTexts.push(refused);
		// Without a text that was accepted, the halves of a batch would all be sent.
		if (acceptedText === undefined || this.refusedTexts.length >= MAX_REFUSED_TEXTS)
			await this.decideOnRefusedTexts();
	}

	/**
	 * Finds out whether the server accepts anything, and reports the texts that it refuses alone.
	 *
	 * @throws a `RefusingServerError` if it accepts nothing.
	 */
	private async decideOnRefusedTexts(): Promise<void> {
		const [first] = this.refusedTexts;
		if (first === undefined) return;
		if (!(await this.isAcceptingOthers()) && !(await this.isAcceptingBeginning(first)))
			throw this.toRefusingServerError(first.error);
		await this.reportRefusedTexts();
	}

	/** Sends the text that was accepted, otherwise some open texts until one is. */
	private async isAcceptingOthers(): Promise<boolean> {
		const { acceptedText } = this.sender.memory;
		if (acceptedText !== undefined)
			return !((await this.sendOrRefuse([acceptedText])) instanceof ServerError);
		const count = MAX_REFUSED_TEXTS - this.refusedTexts.length;
		for (const text of spread(this.getOpenTexts(this.texts), count)) {
			const error = await this.trySend([text]);
			if (!error) return true;
			this.refusedTexts.push({ text, error });
		}
		return false;
	}

	/** Perhaps all texts are too long. */
	private async isAcceptingBeginning(refused: RefusedText): Promise<boolean> {
		return this.canShorten(refused) && (await this.trySendShorter(refused));
	}

	/** Whether a shorter beginning may be accepted: nothing shows that the text is not too long. */
	private canShorten(refused: RefusedText): boolean {
		return this.sender.canTruncate && !this.isNotTooLong(refused);
	}

	private isNotTooLong({ text, error }: RefusedText): boolean {
		if (TYPES_OF_SIZE.includes(error.type)) return false;
		if (error.type === 'invalidResponse') return true;
		return estimateTokens(text.text) * ESTIMATE_FACTOR <= this.sender.memory.acceptedTokens;
	}

	private toRefusingServerError(error: ServerError) {
		const count = this.refusedTexts.length;
		if (count < MAX_REFUSED_TEXTS) return new RefusingServerError(error);
		this.sender.memory.isRefusing = true;
		return new RefusingServerError(error.withFacts({ refusedTexts: count }));
	}

	/** Truncates the texts that were refused alone, or reports them: the server accepts others. */
	private async reportRefusedTexts(): Promise<void> {
		for (let [refused] = this.refusedTexts; refused; [refused] = this.refusedTexts) {
			const { text, error } = refused;
			const isShortened = this.canShorten(refused);
			const isDone =
				this.outcomes.has(text) || (isShortened && (await this.trySendShorter(refused)));
			if (!isDone)
				await this.fail({
					error,
					texts: [text],
					isRefusedAlone: true,
					isShortened,
					isNotTooLong: this.isNotTooLong(refused),
				});
			this.refusedTexts.shift();
		}
	}

	/** Sends a refused text shorter, until the server accepts it. @returns whether it did. */
	private async trySendShorter({ text: item, error }: RefusedText): Promise<boolean> {
		let refusal = error;
		for (const text of shortenText(item.text, () => refusal)) {
			const result = await this.sendOrRefuse([{ ...item, text }]);
			if (!(result instanceof ServerError)) {
				this.outcomes.set(item, result[0]);
				const { index, text: whole } = item;
				this.truncatedTexts.set(item, { index, keptLength: text.length, length: whole.length });
				return true;
			}
			refusal = result;
		}
		return false;
	}
}

/** Some of the texts, evenly spread, the last one first. */
function spread(texts: readonly IndexedText[], count: number): IndexedText[] {
	if (texts.length <= count) return [...texts].reverse();
	if (count < 2) return count < 1 ? [] : texts.slice(-1);
	const step = (texts.length - 1) / (count - 1);
	return Array.from({ length: count }, (_none, at) => texts[Math.round(at * step)]!).reverse();
}

/** The first texts that fit into one request, at least one. */
function selectBatch(texts: readonly IndexedText[], maxBytes: number) {
	const batch: IndexedText[] = [];
	let bytes = 0;
	for (const item of texts) {
		bytes += Buffer.byteLength(item.text);
		if (batch.length > 0 && bytes > maxBytes) break;
		batch.push(item);
	}
	return batch;
}
