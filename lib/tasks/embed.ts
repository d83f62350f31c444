/** Turns texts into vectors. */
import type { ServerError } from '../errors/server-error';
import { createServerError, createInputError } from '../errors/create-error';
import { isUnknownError } from '../errors/error-types';
import type { Priority } from '../http/queue';
import type { HttpResponse } from '../http/types';
import { getProfile } from '../servers/profile';
import { assertModelName } from '../servers/models';
import { other } from '../servers/types/other';
import type { ModelServer, RouteName } from '../servers/types/server-type';
import { toErrorContext } from '../http/request-errors';
import { findOtherModel } from '../servers/list-models';
import { asNonEmptyString, asRecord } from '../values/records';
import type { BatchText, OtherTextsStatus } from './batches';
import {
	runBatches,
	isInvalidJsonResponse,
	explainTooLong,
	explainUnsupportedTask,
	excerpt,
} from './batches';
import type { TaskSettings } from './run-task';
import { readJson } from './run-task';
import { getRoutes } from '../exchange/routes';
import type { VectorIssue } from './vectors';
import { parseTokenCount, parseVectors, truncateVector } from './vectors';
import type { Prefixes } from './prefixes';
import { getPrefixes } from './prefixes';

/** Bytes of a vector as text: 16,384 numbers with 24 characters each. */
const MAX_VECTOR_BYTES = 384 * 1024;

/** Bytes of a response without its vectors, and those of all vectors. */
const [MIN_RESPONSE_BYTES, MAX_RESPONSE_BYTES] = [4 * 1024 * 1024, 64 * 1024 * 1024];

function getMaxResponseBytes(count: number): number {
	return Math.min(MIN_RESPONSE_BYTES + count * MAX_VECTOR_BYTES, MAX_RESPONSE_BYTES);
}

export interface EmbedSettings extends TaskSettings {
	/** Texts in one request. */
	batchSize: number;
	/** Default: from the model name. */
	prefixes: Partial<Prefixes>;
	/** Dimensions to return. */
	dimensions?: number;
	/** Dimensions that every vector must have. */
	expectedDimensions?: number;
	longTexts: 'fail' | 'truncate';
	blankTexts: 'fail' | 'space';
	keepAlive?: string | number;
	/** Queue priority of documents. */
	documentPriority?: Priority;
}

/** Turns texts into vectors with the same settings. Caches the length of the vectors. */
export class Embedder {
	readonly prefixes: Prefixes;
	private length: number | undefined;
	private otherModel: Promise<string | undefined> | undefined;

	constructor(
		private readonly server: ModelServer,
		readonly settings: EmbedSettings,
	) {
		assertModelName(settings.model);
		this.prefixes = { ...getPrefixes(settings.model), ...settings.prefixes };
	}

	/**
	 * `texts` may have any type, since n8n does not check them.
	 * `indexes`: numbers (from 0) of the texts in errors; default: positions in `texts`.
	 * Throws a `ServerError` naming the text, if one caused it. No partial results are returned.
	 */
	async embed(
		texts: readonly unknown[],
		role: keyof Prefixes,
		signal?: AbortSignal,
		indexes?: readonly number[],
	): Promise<{
		warnings: string[];
		/** In the order of the texts. */
		vectors: number[][];
		/** Dimensions of the vectors that the server sent. */
		receivedDimensions: number | undefined;
		/** The model that created the vectors, if it is not the requested one. */
		otherModel: string | undefined;
		tokens?: number;
		requests: number;
		truncated: number;
	}> {
		const { settings } = this;
		const prepared = texts.map((text, at) => this.prepareText(text, indexes?.[at] ?? at, role));
		const priority = (role === 'document' && settings.documentPriority) || settings.priority;
		const { results: vectors, ...totals } = await runBatches(
			this.server,
			{ ...settings, priority, signal },
			prepared,
			{
				createRequest: async (batch) => await this.createRequest(batch, signal),
				canTruncate: settings.longTexts === 'truncate',
				toError: toTextError,
			},
		).catch(async (error: ServerError) => {
			throw await this.explainError(error);
		});
		const otherModel = await this.otherModel;
		if (otherModel !== undefined)
			totals.warnings.push(
				`The server created the vectors with the model "${otherModel}" instead of "${settings.model}". Select the model that the vector store was filled with.`,
			);
		const warnings = [...new Set(totals.warnings)];
		return {
			...totals,
			warnings,
			/** In the order of the texts. */
			vectors,
			/** Dimensions of the vectors that the server sent. */
			receivedDimensions: this.length,
			/** The model that created the vectors, if it is not the requested one. */
			otherModel,
		};
	}

	private prepareText(text: unknown, index: number, role: keyof Prefixes): BatchText {
		if (typeof text !== 'string')
			throw createTextError(index, `is not text but ${text === null ? 'null' : typeof text}`);
		if (text.trim()) return { index, text: this.prefixes[role] + text };
		if (this.settings.blankTexts === 'fail') throw createTextError(index, 'is empty');
		return { index, text: ' ' };
	}

	private async createRequest(batch: readonly BatchText[], signal: AbortSignal | undefined) {
		const { server, settings } = this;
		const serverType = await getProfile(server).getType(signal);
		const texts = batch.map(({ text }) => text);
		return {
			texts,
			routes: getRoutes(serverType, 'embed'),
			toBody: (route: RouteName) => ({
				// Ollama's own route supports rejecting long texts.
				...(route === 'ollamaEmbed'
					? { truncate: false, keep_alive: settings.keepAlive }
					: { encoding_format: serverType.supportsBase64 ? 'base64' : 'float' }),
				dimensions: settings.dimensions,
				input: texts,
			}),
			operation: 'embeddings' as const,
			maxBytes: getMaxResponseBytes(batch.length),
			read: async (response: HttpResponse) => {
				const json = await readJson(response);
				const vectors = parseVectors(json, batch.length, this.length);
				if (!Array.isArray(vectors))
					throw this.createUnusableError(vectors, batch[vectors.index ?? -1]);
				this.length ??= vectors[0]!.length;
				const model = asNonEmptyString(asRecord(json).model);
				if (model !== undefined)
					this.otherModel ??= findOtherModel(server, settings.model, model, signal);
				const results = vectors.map((vector) =>
					this.assertDimensions(truncateVector(vector, settings.dimensions)),
				);
				return { results, tokens: parseTokenCount(json) };
			},
		};
	}

	private assertDimensions(vector: number[]) {
		const { model, dimensions, expectedDimensions } = this.settings;
		const expected = expectedDimensions ?? dimensions;
		if (expected === undefined || vector.length === expected) return vector;
		const option = expectedDimensions === undefined ? 'Dimensions' : 'Expected Dimensions';
		const title = `The model "${model}" returns vectors with ${vector.length} dimensions instead of ${expected}`;
		throw createServerError('invalidResponse', this.context(), {
			title,
			detail: `${title} as set in ${option}. No vectors were returned`,
			suggestion: 'Choose the model that the vector store was filled with, or correct the option.',
			facts: { dimensions: vector.length },
		});
	}

	private createUnusableError(
		{ message: issue, suggestion }: VectorIssue,
		text: BatchText | undefined,
	) {
		const quotedText = text ? ` (text ${text.index + 1}: "${excerpt(text.text)}")` : '';
		const title = `The server returned unusable embeddings: ${issue}`;
		return createServerError('invalidResponse', this.context(), {
			title,
			detail: `${title}${quotedText}. No vectors were returned`,
			suggestion:
				suggestion ??
				'Check that the Base URL points to a server for embeddings, and that the model is an embedding model.',
			facts: { index: text?.index },
		});
	}

	private context() {
		return toErrorContext(
			this.server,
			`${this.server.getApiUrl()}/embeddings`,
			this.settings.model,
		);
	}

	private async explainError(error: ServerError) {
		const { model } = this.settings;
		// The server type may still be unknown, and Stop must not wait for it.
		if (error.type === 'aborted') return error;
		const rejectedOption = explainRejectedOption(error, this.settings);
		if (rejectedOption) return rejectedOption;
		const serverType = await getProfile(this.server).getType();
		const { routes, hasEveryRoute, texts } = serverType;
		if (/pooling type 'none'/i.test(error.serverText ?? ''))
			return error.copyWith({
				type: 'featureDisabled',
				title: 'The server returns token vectors instead of one vector per text',
				suggestion:
					'Choose an embedding model. If it is one, start the server with --pooling mean, cls or last, as the model requires.',
			});
		// Servers with native routes start each model for its task, so the model is the wrong one.
		const isWrongModel = routes !== undefined && error.type === 'featureDisabled';
		if (isWrongModel || error.type === 'wrongModelType')
			return error.copyWith({
				type: 'wrongModelType',
				title: `The model "${model}" is not an embedding model`,
				suggestion: `Choose an embedding model. ${texts.embeddings}`,
			});
		if (error.type === 'routeNotFound' && (hasEveryRoute || serverType === other)) return error;
		if (error.type === 'routeNotFound')
			return error.copyWith({
				type: 'featureDisabled',
				title: 'The server has no endpoint for embeddings',
				suggestion: texts.embeddings,
			});
		return await explainUnsupportedTask(this.server, error, 'embeddings', model);
	}
}

/** Error for a text that is not sent. `issue` continues the sentence "Text 3 …". */
function createTextError(index: number, issue: string) {
	return createInputError(
		`Text ${index + 1} ${issue}`,
		'Filter out such items before the vector store, or set the option Blank Texts to "Embed as a Space" for empty texts.',
		{
			detail: `Text ${index + 1} ${issue}, so there is nothing to embed`,
			facts: { index },
		},
	);
}

/** Error of a rejected text, with its number and beginning. */
function toTextError(error: ServerError, item: BatchText, otherTexts: OtherTextsStatus) {
	const { index, text } = item;
	const tooLong = explainTooLong(error, item, 'Text', 'is too long for the embedding model');
	if (tooLong) return tooLong;
	const quoted = `text ${index + 1} ("${excerpt(text)}")`;
	// Ollama (seen: 0.17.4, ollama issue 14657) rejects the whole batch without naming the text.
	const isNan = /unsupported value: NaN/i.test(error.serverText ?? '');
	if (isNan || (isInvalidJsonResponse(error) && otherTexts !== 'rejected'))
		return error.copyWith({
			title: isNan
				? `The vector of text ${index + 1} contains no numbers`
				: `The server response for text ${index + 1} cannot be parsed`,
			detail: isNan
				? `The vector of ${quoted} contains values that are not numbers`
				: `The server response for ${quoted} is not valid JSON, which happens when a vector contains values that are not numbers`,
			suggestion:
				'Half-precision models fail on some texts and graphics cards: use another quantization, or run the model on the CPU (num_gpu 0 or -ngl 0).',
			facts: { index },
		});
	if (otherTexts !== 'accepted') return error;
	return error.copyWith({
		title: `The server rejected text ${index + 1}`,
		detail: `The server rejected ${quoted} but accepts other texts`,
		suggestion:
			'Check this text: it may contain characters that the model cannot read, or exceed the maximum length.',
		facts: { index },
	});
}

/** The error that names the option whose value a server rejects. */
function explainRejectedOption(
	error: ServerError,
	{ model, dimensions, keepAlive }: EmbedSettings,
) {
	const { type, serverText = '' } = error;
	const isUnknown = isUnknownError(type);
	// Matryoshka: training that lets vectors be shortened.
	if (isUnknown && dimensions !== undefined && /dimension|matryoshka/i.test(serverText))
		return error.copyWith({
			title: `The server cannot return ${dimensions} dimensions from the model "${model}" (Dimensions)`,
			suggestion:
				'Leave Dimensions empty: the vectors then have the size of the model. Shorter vectors would mean nothing with a model that was not trained for them.',
		});
	const isDurationNamed = /duration|keep_alive/i.test(serverText);
	if (!isUnknown || !keepAlive || !isDurationNamed || !serverText.includes(String(keepAlive)))
		return undefined;
	return error.copyWith({
		type: 'badRequest',
		title: `The server does not accept the Keep Alive "${keepAlive}"`,
		suggestion:
			'Enter a duration such as 30m or 2h in the option Keep Alive, or seconds; -1 keeps the model loaded.',
	});
}
