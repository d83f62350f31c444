import {
	type BatchCall,
	BatchClient,
	type BatchCounts,
	type BatchSettings,
	type BatchText,
	halves,
	noCounts,
	type Refused,
} from '../batches/client';
import { learnedOf } from '../batches/learned';
import { asFailed, type ServerError } from '../errors/server-error';
import type { Connection } from '../http/connection';
import type { Priority } from '../http/scheduler';
import { kindOf, UNIDENTIFIED } from '../servers/kinds';
import {
	isNotANumber,
	isUnreadable,
	mayBeAboutOneText,
	refusedTextIndex,
	takesOneTextOnly,
	tooLongIn,
	type TooLong,
} from '../servers/text-refusals';
import { optional } from '../values';
import { VectorCheck } from './check';
import {
	explained,
	notANumber,
	refusedAlone,
	refusedText,
	textTooLong,
	unreadableAlone,
	wrongSize,
} from './failures';
import { cutToFit, remarkOnFull } from './long-texts';
import { prefixesOf, type Prefixes } from './prefixes';
import { readEmbeddings } from './read';
import { cutTo } from './vectors';
import { embeddingCall } from './wire';

export interface EmbeddingSettings extends BatchSettings {
	/** Default: by the name of the model. */
	prefixes: Partial<Prefixes>;
	/** Numbers that a vector should have. */
	dimensions?: number;
	/** Numbers that a vector must have. */
	expectedDimensions?: number;
	longTexts: 'fail' | 'truncate';
	blankTexts: 'refuse' | 'space';
	keepAlive?: string | number;
	/** The class of documents in the queue, in place of the connection's. */
	documentPriority?: Priority;
}

/** Result of one call. */
export interface Embeddings extends BatchCounts {
	/** In the order of the texts. */
	vectors: number[][];
	/** Numbers of a vector as the server sent it. */
	received?: number;
	remarks: string[];
}

interface EmbeddedText extends BatchText {
	/** What is sent in place of the text: its beginning. */
	input?: string;
}

/**
 * Turns texts into vectors on a server with one set of settings. It stays usable after the
 * execution.
 */
export class EmbeddingsClient extends BatchClient<EmbeddingSettings, EmbeddedText, number[]> {
	private readonly length = new VectorCheck();
	readonly prefixes: Prefixes;

	constructor(connection: Connection, settings: EmbeddingSettings) {
		super(connection, settings, 'embeddings');
		this.prefixes = { ...prefixesOf(settings.model), ...settings.prefixes };
	}

	/**
	 * @param texts of any type, as n8n hands them over; those of the wrong type are refused
	 * @param indexes numbers (from 0) by which errors name the texts; default: positions in `texts`
	 * @throws {ServerError} naming the text, where one is at fault. Nothing partial is returned.
	 */
	async embed(
		texts: readonly unknown[],
		role: keyof Prefixes,
		signal?: AbortSignal,
		indexes?: readonly number[],
	): Promise<Embeddings> {
		const prepared = texts.map((text, index) => this.textOf(text, indexes?.[index] ?? index, role));
		const total = noCounts();
		if (prepared.length === 0) return { ...total, vectors: [], remarks: [] };
		const remarks = new Set<string>();
		const priority = role === 'document' ? this.settings.documentPriority : undefined;
		const vectors: number[][] = [];
		for (const batch of this.batches(prepared, this.connection)) {
			const done = await this.atServer(
				signal,
				async (call) => await this.ofBatch(call, batch),
				priority,
			);
			for (const remark of done.remarks) remarks.add(remark);
			add(done.counts, total);
			for (const vector of done.result) vectors.push(cutTo(vector, this.settings.dimensions));
		}
		return { ...total, received: this.length.known, vectors, remarks: [...remarks] };
	}

	private textOf(text: unknown, index: number, role: keyof Prefixes): EmbeddedText {
		if (typeof text !== 'string')
			throw refusedText(index, `is not text but ${text === null ? 'null' : typeof text}`);
		if (text.trim() !== '') return { index, text: this.prefixes[role] + text };
		if (this.settings.blankTexts === 'refuse') throw refusedText(index, 'is empty');
		return { index, text: ' ' };
	}

	protected async afterRefusal(
		call: BatchCall,
		batch: EmbeddedText[],
		refused: Refused,
	): Promise<number[][]> {
		const { error, tooLong } = refused;
		if (this.learnsMissingRoute(call, refused)) return await this.ofBatch(call, batch);
		if (this.learnsOneText(call, refused))
			return await this.allOf(call, this.batches(batch, call.connection));
		this.learnLimit(call, tooLong);
		const namedText = batch[refusedTextIndex(error) ?? -1];
		if (namedText !== undefined && tooLong === undefined) throw refusedAlone(error, namedText);
		if (batch.length === 1) return await this.afterRefusedText(call, batch[0]!, refused);
		return await this.afterRefusedBatch(call, batch, refused);
	}

	private async afterRefusedBatch(
		call: BatchCall,
		batch: EmbeddedText[],
		{ error, tooLong }: Refused,
	): Promise<number[][]> {
		const isOfText = tooLong !== undefined || isNotANumber(error);
		if (!isOfText && !mayBeAboutOneText(error)) throw explained(error, call);
		if (tooLong !== undefined && this.settings.longTexts === 'truncate')
			return await this.allOf(call, halves(batch));
		return await this.bisect(call, batch, error, isOfText);
	}

	/** Whether the server's own route is missing, which was not known. OpenAI's may be there. */
	private learnsMissingRoute({ connection, kind }: BatchCall, { error, known }: Refused): boolean {
		const hasOwnRoute = kindOf(kind).embeddings.request !== undefined;
		if (!hasOwnRoute || known.lacksOwnRoute === true || error.kind !== 'wrongPath') return false;
		learnedOf(connection, this.settings.model).lacksOwnRoute = true;
		return true;
	}

	/** Whether the server refused a list of texts, which it was not known to do. */
	private learnsOneText({ connection }: BatchCall, { error, known }: Refused): boolean {
		if (known.takesOneText === true || !takesOneTextOnly(error)) return false;
		Object.assign(learnedOf(connection, this.settings.model), { batch: 1, takesOneText: true });
		return true;
	}

	private learnLimit({ connection }: BatchCall, tooLong: TooLong | undefined): void {
		if (tooLong?.limit === undefined) return;
		learnedOf(connection, this.settings.model).tokens = tooLong.limit;
	}

	/** Cuts a text that is too long, if the settings allow it. */
	private async afterRefusedText(
		call: BatchCall,
		text: EmbeddedText,
		{ error, tooLong, isLast, depth }: Refused,
	): Promise<number[][]> {
		const { longTexts } = this.settings;
		if (isUnreadable(error)) throw unreadableAlone(error, text);
		if (tooLong === undefined)
			throw isNotANumber(error) ? notANumber(error, text) : explained(error, call);
		if (longTexts === 'fail' || isLast) throw textTooLong(error, text, tooLong, call.kind);
		return await this.truncated(call, text, depth, () => ({
			...text,
			input: cutToFit(text.input ?? text.text, tooLong),
			isShortened: true,
		}));
	}

	/**
	 * Finds the text that makes a batch fail, by bisection, and throws for it. If no single text is at fault, returns the
	 * vectors of the halves.
	 *
	 * @param isOfText whether the error says that a text is at fault. If not, and no text passes, it is about the
	 * request.
	 */
	private async bisect(
		call: BatchCall,
		batch: EmbeddedText[],
		error: ServerError,
		isOfText: boolean,
	): Promise<number[][]> {
		let suspects = batch;
		let isSure = isOfText;
		while (suspects.length > 1) {
			const [first, second] = halves(suspects) as [EmbeddedText[], EmbeddedText[]];
			const passes = await this.passes(call, first, error);
			isSure ||= passes;
			suspects = passes ? second : first;
		}
		isSure ||= await this.passes(call, batch.slice(-1), error);
		if (!isSure) throw explained(error, call);
		if (!isOfText && !(await this.passes(call, suspects, error))) throw alone(error, suspects[0]!);
		if (!isOfText) return await this.allOf(call, halves(batch));
		await this.ofBatch(call, suspects);
		throw error.reworded({
			kind: 'serverError',
			message: 'The server refuses the texts together, but takes each of them alone',
			remedy: 'Lower Batch Size in the options of the node.',
		});
	}

	private async passes(
		call: BatchCall,
		batch: EmbeddedText[],
		error: ServerError,
	): Promise<boolean> {
		const outcome = await this.send(call, batch).catch(asFailed);
		if (!('failed' in outcome)) return true;
		const { failed } = outcome;
		if (tooLongIn(failed) !== undefined || isNotANumber(failed)) return false;
		const isAlike = failed.kind === error.kind && isUnreadable(failed) === isUnreadable(error);
		if (!isAlike) throw failed;
		return false;
	}

	protected async send(call: BatchCall, batch: readonly EmbeddedText[]): Promise<number[][]> {
		const { connection, model } = call;
		const { lacksOwnRoute, takesOneText } = learnedOf(connection, this.settings.model);
		const input = batch.map(({ text, input: beginning = text }) => beginning);
		const { dimensions, keepAlive, expectedDimensions } = this.settings;
		const truncate = batch.some(({ isCutByServer }) => isCutByServer === true);
		const request = embeddingCall(connection, lacksOwnRoute === true ? UNIDENTIFIED : call.kind, {
			model,
			input,
			truncate,
			dimensions,
			keepAlive,
			...optional({ takesOneText }),
		});
		const { content, context } = await this.ask(call, request, (json) =>
			readEmbeddings(json, batch.length),
		);
		const { vectors, tokens } = this.length.checked(content, batch, {
			from: connection.url.root,
			context,
		});
		const full = await remarkOnFull(call, batch, truncate ? 0 : tokens);
		if (full !== undefined) call.remarks.add(full);
		const expected = expectedDimensions ?? dimensions;
		const { length } = cutTo(vectors[0]!, dimensions);
		if (expected === undefined || length === expected) return vectors;
		const option = expectedDimensions === undefined ? 'Dimensions' : 'Expected Dimensions';
		throw wrongSize(context, { model: this.settings.model, length, expected, option });
	}
}

/** The failure of the one text at fault. */
function alone(error: ServerError, text: BatchText): ServerError {
	return isUnreadable(error) ? unreadableAlone(error, text) : refusedAlone(error, text);
}

function add(some: BatchCounts, to: BatchCounts): void {
	to.requests += some.requests;
	to.truncated += some.truncated;
	if (some.tokens !== undefined) to.tokens = (to.tokens ?? 0) + some.tokens;
}
