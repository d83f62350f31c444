/** Turns texts into vectors. */
import { createServerError, createInputError } from '../errors/create-error';
import type { ServerError } from '../errors/server-error';
import type { Priority } from '../http/queue';
import { assertModelName } from '../servers/model-names';
import type { Adaptation } from '../servers/adaptations';
import { isRecognizedType, getServerType } from '../servers/types';
import type { ModelServer, ServerType } from '../servers/types/server-type';
import { toErrorContext } from '../http/request-errors';
import { pushAll, type JsonRecord, omitUndefined } from '../values';
import {
	type BatchText,
	truncateToLimit,
	processInBatches,
	isInvalidJsonResponse,
	type OtherTextsStatus,
	explainUnsupportedTask,
	formatTokenSizes,
	excerpt,
	parseTokenSizes,
} from './batches';
import { getPrefixes, type Prefixes } from './prefixes';
import { readJson, runTask, type TaskSettings } from './run-task';
import { getTruncationWarnings } from '../servers/truncation';
import { truncateVector, type VectorIssue, parseVectors } from './vectors';

export interface EmbedSettings extends TaskSettings {
	/** Texts in one request. */
	batchSize: number;
	/** Default: by the name of the model. */
	prefixes: Partial<Prefixes>;
	/** Numbers that a vector should have. */
	dimensions?: number;
	/** Numbers that a vector must have. */
	expectedDimensions?: number;
	longTexts: 'fail' | 'truncate';
	blankTexts: 'refuse' | 'space';
	keepAlive?: string | number;
	/** The class of documents in the queue. */
	documentPriority?: Priority;
}

/** The vectors of one call. */
export interface EmbeddingResult {
	/** In the order of the texts. */
	vectors: number[][];
	/** Numbers of a vector as the server sent it. */
	receivedDimensions?: number;
	/** As far as the server counts them. */
	tokens?: number;
	requests: number;
	/** Texts of which only the beginning counts. */
	truncated: number;
	warnings: string[];
}

interface EmbeddedText extends BatchText {
	isTruncated?: true;
}

/** Turns texts into vectors with one set of settings. It remembers the length of the model's vectors. */
export class Embedder {
	readonly prefixes: Prefixes;
	private length: number | undefined;

	constructor(
		private readonly server: ModelServer,
		readonly settings: EmbedSettings,
	) {
		assertModelName(settings.model);
		this.prefixes = { ...getPrefixes(settings.model), ...settings.prefixes };
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
	): Promise<EmbeddingResult> {
		const { settings } = this;
		const prepared = texts.map((text, at) => this.textOf(text, indexes?.[at] ?? at, role));
		const done: EmbeddingResult = { vectors: [], requests: 0, truncated: 0, warnings: [] };
		if (prepared.length === 0) return done;
		const priority = (role === 'document' && settings.documentPriority) || settings.priority;
		const call = { ...settings, priority, ...omitUndefined({ signal }) };
		const send = async (batch: readonly EmbeddedText[]) => await this.send(call, batch, done);
		const onRejected = async (
			error: ServerError,
			text: EmbeddedText,
			others: OtherTextsStatus,
		): Promise<number[][]> => {
			const tooLong = parseTokenSizes(error);
			const isCutable = tooLong !== undefined && settings.longTexts === 'truncate';
			if (!isCutable || text.text.length < 2) throw toTextError(error, text, others);
			if (text.isTruncated !== true) done.truncated++;
			const shorter = {
				...text,
				text: truncateToLimit(text.text, tooLong),
				isTruncated: true as const,
			};
			return await send([shorter]).catch(
				async (failed: ServerError) => await onRejected(failed, shorter, others),
			);
		};
		const batches = { size: settings.batchSize, send, onRejected };
		done.vectors = await processInBatches(prepared, batches).catch(async (error: ServerError) => {
			throw await this.explainError(error);
		});
		done.warnings = [...new Set(done.warnings)];
		return { ...done, ...omitUndefined({ receivedDimensions: this.length }) };
	}

	private textOf(text: unknown, index: number, role: keyof Prefixes): EmbeddedText {
		if (typeof text !== 'string')
			throw createTextError(index, `is not text but ${text === null ? 'null' : typeof text}`);
		if (text.trim() !== '') return { index, text: this.prefixes[role] + text };
		if (this.settings.blankTexts === 'refuse') throw createTextError(index, 'is empty');
		return { index, text: ' ' };
	}

	private async send(
		call: TaskSettings,
		batch: readonly EmbeddedText[],
		done: EmbeddingResult,
	): Promise<number[][]> {
		const { server, settings } = this;
		const kind = await getServerType(server, call.signal);
		const input = batch.map(({ text }) => text);
		done.requests++;
		const { value, notes } = await runTask(server, call, {
			route: (body) =>
				'truncate' in body ? `${server.url.root}/api/embed` : `${server.url.api}/embeddings`,
			body: { ...buildBody(kind, settings), input },
			operation: 'embeddings',
			adaptations: [useOpenAiRoute],
			isIdempotent: true,
			read: async (answer, refused) => {
				const json = await readJson(answer, refused);
				const found = parseVectors(json, batch.length, this.length);
				if ('vectors' in found) return found;
				throw this.unusable(found, found.index === undefined ? undefined : batch[found.index]);
			},
			getUsage: ({ tokens }) => omitUndefined({ promptTokens: tokens }),
		});
		const { vectors, tokens: processedTokens } = value;
		this.length ??= vectors[0]!.length;
		if (processedTokens !== undefined) done.tokens = (done.tokens ?? 0) + processedTokens;
		const unread = await getTruncationWarnings(server, {
			texts: input,
			processedTokens,
			model: call.model,
		});
		pushAll(done.warnings, [...notes, ...unread]);
		return vectors.map((vector) =>
			this.assertDimensions(truncateVector(vector, settings.dimensions)),
		);
	}

	private assertDimensions(vector: number[]): number[] {
		const { model, dimensions, expectedDimensions } = this.settings;
		const expected = expectedDimensions ?? dimensions;
		if (expected === undefined || vector.length === expected) return vector;
		const option = expectedDimensions === undefined ? 'Dimensions' : 'Expected Dimensions';
		const message = `The model "${model}" returns vectors with ${vector.length} dimensions instead of ${expected}`;
		throw createServerError('invalidResponse', this.context(), {
			message,
			detail: `${message} as set in ${option}. No vectors were returned`,
			suggestion: 'Choose the model that the vector store was filled with, or correct the option.',
			facts: { dimensions: vector.length },
		});
	}

	private unusable(
		{ message: fault, suggestion }: VectorIssue,
		text: BatchText | undefined,
	): ServerError {
		const where = text === undefined ? '' : ` (text ${text.index + 1}: "${excerpt(text.text)}")`;
		const message = `The server returned unusable embeddings: ${fault}`;
		return createServerError('invalidResponse', this.context(), {
			message,
			detail: `${message}${where}. No vectors were returned`,
			suggestion:
				suggestion ??
				'Check that the Base URL points to a server for embeddings, and that the model is an embedding model.',
			facts: omitUndefined({ index: text?.index }),
		});
	}

	private context() {
		return toErrorContext(this.server, `${this.server.url.api}/embeddings`, this.settings.model);
	}

	private async explainError(error: ServerError): Promise<ServerError> {
		const { model } = this.settings;
		const kind = await getServerType(this.server);
		const { nativeApi, hasEveryRoute, texts } = kind;
		if (/pooling type 'none'/i.test(error.serverText ?? ''))
			return error.copyWith({
				type: 'featureDisabled',
				message: 'The server returns token vectors instead of one vector per text',
				suggestion:
					'Choose an embedding model. If it is one, start the server with --pooling mean, cls or last, as the model requires.',
			});
		// A server that starts its models itself starts them for what they are made for.
		const isOfModel = nativeApi !== undefined && error.type === 'featureDisabled';
		if (isOfModel || error.type === 'wrongModelType')
			return error.copyWith({
				type: 'wrongModelType',
				message: `The model "${model}" is not an embedding model`,
				suggestion: `Choose an embedding model. ${texts.embeddings}`,
			});
		if (error.type === 'routeNotFound' && (hasEveryRoute === true || !isRecognizedType(kind)))
			return error;
		if (error.type === 'routeNotFound')
			return error.copyWith({
				type: 'featureDisabled',
				message: 'The server has no endpoint for embeddings',
				suggestion: texts.embeddings,
			});
		return await explainUnsupportedTask(this.server, error, { work: 'embeddings', model });
	}
}

/** Ollama's own route can be told to refuse what is too long. */
function buildBody({ nativeApi, supportsBase64 }: ServerType, settings: EmbedSettings): JsonRecord {
	const { dimensions, keepAlive } = settings;
	if (nativeApi !== undefined)
		return { truncate: false, ...omitUndefined({ dimensions, keep_alive: keepAlive }) };
	return {
		encoding_format: supportsBase64 === true ? 'base64' : 'float',
		...omitUndefined({ dimensions }),
	};
}

/** A gateway may pass on the routes of OpenAI's API only. */
const useOpenAiRoute: Adaptation = ({ type }, body) => {
	if (type !== 'routeNotFound' || !('truncate' in body)) return undefined;
	const apply = (sent: JsonRecord) =>
		Object.fromEntries(
			Object.entries(sent).filter(([name]) => name !== 'truncate' && name !== 'keep_alive'),
		);
	return { name: 'by the route of OpenAI', apply };
};

/** Error for a text that is not sent. `what` continues the sentence "Text 3 …". */
function createTextError(index: number, what: string): ServerError {
	return createInputError(
		`Text ${index + 1} ${what}`,
		'Filter out such items before the vector store, or set the option Blank Texts to "Embed as a Space" for empty texts.',
		{
			detail: `Text ${index + 1} ${what}, so there is nothing to embed`,
			facts: { index },
		},
	);
}

/** The error of a text that is refused alone, where it names that text. */
function toTextError(
	error: ServerError,
	{ index, text }: BatchText,
	others: OtherTextsStatus,
): ServerError {
	const tooLong = parseTokenSizes(error);
	const quoted = `text ${index + 1} ("${excerpt(text)}")`;
	if (tooLong !== undefined) {
		const { size, most } = formatTokenSizes(tooLong);
		return error.copyWith({
			message: `Text ${index + 1} is too long for the embedding model`,
			detail: `Text ${index + 1}${size} ("${excerpt(text)}") is too long for the embedding model${most}`,
			suggestion: 'Split documents into smaller chunks, or set the option Long Texts to Truncate.',
			facts: { index, ...tooLong },
		});
	}
	// Ollama (seen: 0.17.4, ollama issue 14657) refuses a whole batch for it, without naming the text.
	const isNan = /unsupported value: NaN/i.test(error.serverText ?? '');
	if (isNan || (isInvalidJsonResponse(error) && others !== 'refused'))
		return error.copyWith({
			message: isNan
				? `The vector of text ${index + 1} contains no numbers`
				: `The server response for text ${index + 1} cannot be parsed`,
			detail: isNan
				? `The vector of ${quoted} contains values that are not numbers`
				: `The server response for ${quoted} is not valid JSON, which happens when a vector contains values that are not numbers`,
			suggestion:
				'Half-precision models fail on some texts and graphics cards: use another quantization, or run the model on the CPU (num_gpu 0 or -ngl 0).',
			facts: { index },
		});
	if (others !== 'taken') return error;
	return error.copyWith({
		message: `The server rejected text ${index + 1}`,
		detail: `The server rejected ${quoted} but accepts other texts`,
		suggestion:
			'Check this text: it may contain characters that the model cannot read, or exceed the maximum length.',
		facts: { index },
	});
}
