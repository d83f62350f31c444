/** Turns texts into vectors: texts → requests in batches → vectors, or the error that explains what is wrong. */
import type { ServerError } from '../errors/server-error';
import { DURATION_EXAMPLE } from '../errors/value-limits';
import { getIgnoredOptionWarnings } from '../chat/body/ignored-options';
import type { RequestField } from '../exchange/request-fields';
import { getRoutes } from '../exchange/routes';
import type { Priority } from '../http/queue';
import type { HttpResponse } from '../http/types';
import { findOtherModel } from '../servers/list-models';
import { assertModelName } from '../servers/model-names';
import { getProfile } from '../servers/profile';
import type { ModelServer, RouteName } from '../servers/types/server-type';
import type { JsonRecord } from '../values/records';
import { asNonEmptyString, asRecord } from '../values/records';
import {
	createDimensionsError,
	createTextError,
	createUnusableError,
	explainEmbedError,
	explainRejectedText,
} from './embed-errors';
import type { IndexedText } from './long-texts';
import type { Prefixes } from './prefixes';
import { getPrefixes } from './prefixes';
import { readJson } from './read-json';
import type { BatchRequest, TextTaskTotals } from './run-text-task';
import { runTextTask } from './run-text-task';
import { getDifferenceWarnings } from './result-checks';
import type { TaskSettings } from './run-task';
import { parseTokenCount, parseVectors, truncateVector } from './vectors';

export interface EmbedSettings extends TaskSettings {
	/** Texts in one request. */
	batchSize: number;
	/** Added before the texts. Default: from the model name. */
	prefixes: Partial<Prefixes>;
	/** Dimensions to return. */
	dimensions?: number;
	/** Dimensions that every vector must have. */
	expectedDimensions?: number;
	longTexts: 'fail' | 'truncate';
	blankTexts: 'fail' | 'space';
	/** Of Ollama's own route: seconds, or a duration with a unit. */
	keepAlive?: string | number;
	/** Queue priority of documents. Default: `priority`. */
	documentPriority?: Priority;
}

/** What a request for embeddings contains. */
export const EMBED_FIELDS: readonly RequestField[] = [
	{
		field: 'input',
		otherNames: ['inputs'],
		label: 'Text',
		canOmit: false,
		noun: 'text',
		countLabel: 'Batch Size',
		shorten: 'Split the text into smaller parts.',
	},
	// Longer vectors are shortened by the node.
	{
		field: 'dimensions',
		// Infinity; Voyage and Gemini behind a gateway
		otherNames: ['matryoshka_dim', 'output_dimension', 'output_dimensionality'],
		label: 'Dimensions',
		canOmit: true,
	},
	{ field: 'encoding_format', label: undefined, canOmit: true, isTechnical: true },
	{ field: 'keep_alive', label: 'Keep Alive', canOmit: true, accepted: DURATION_EXAMPLE },
	// Ollama: without it, long texts are truncated silently.
	{ field: 'truncate', label: undefined, canOmit: false },
];

/** Options of one call, whose settings are those of all calls. */
export interface EmbedCallOptions {
	signal?: AbortSignal;
	/** Index of each text in errors. Default: its position in the call. */
	textIndexes?: readonly number[];
}

export interface EmbedResult extends TextTaskTotals {
	/** In the order of the texts. */
	vectors: number[][];
	/** Dimensions of the vectors that the server sent; undefined before the first one. */
	receivedDimensions: number | undefined;
	/** The model that created the vectors, if it is not the requested one. */
	otherModel: string | undefined;
}

/** Turns texts into vectors with the same settings. */
export class Embedder {
	readonly prefixes: Prefixes;

	/**
	 * Dimensions of the first vector that the server sent. All later ones must have as many, also those of other calls: a
	 * vector store mixes them.
	 */
	private receivedDimensions: number | undefined;

	/** Looked up once: it takes a request for the list of models. */
	private otherModelLookUp: Promise<string | undefined> | undefined;

	constructor(
		private readonly server: ModelServer,
		readonly settings: EmbedSettings,
	) {
		assertModelName(settings.model);
		this.prefixes = { ...getPrefixes(settings.model), ...settings.prefixes };
	}

	/**
	 * A vector for every text, or an error: there are no partial results.
	 *
	 * @param texts - Of any type, since n8n does not check them.
	 * @throws a `ServerError` naming the text, if one caused it.
	 */
	async embed(
		texts: readonly unknown[],
		role: keyof Prefixes,
		{ signal, textIndexes }: EmbedCallOptions = {},
	): Promise<EmbedResult> {
		const { server, settings } = this;
		const priority = (role === 'document' && settings.documentPriority) || settings.priority;
		const taskSettings = { ...settings, priority, signal };
		const { results, responseModel, ...totals } = await runTextTask(server, taskSettings, {
			routedTask: 'embed',
			texts: texts.map((text, at) => this.prepareText(text, textIndexes?.[at] ?? at, role)),
			createRequest: async (batch) => await this.createRequest(batch, signal),
			canTruncate: settings.longTexts === 'truncate',
			toError: explainRejectedText,
		}).catch(async (error: ServerError) => {
			throw await explainEmbedError(error, server, settings);
		});
		const otherModel = await this.lookUpOtherModel(responseModel, signal);
		const warnings = [
			...totals.warnings,
			...getOtherModelWarnings(otherModel, settings),
			...getDifferenceWarnings('embed', {
				requestedFields: { dimensions: settings.dimensions },
				result: { dimensions: this.receivedDimensions },
				warnings: totals.warnings,
			}),
			...(await this.collectKeepAliveWarnings(signal)),
		];
		return {
			...totals,
			warnings: [...new Set(warnings)],
			vectors: results,
			receivedDimensions: this.receivedDimensions,
			otherModel,
		};
	}

	/** Checks a text, and adds its prefix. */
	private prepareText(text: unknown, index: number, role: keyof Prefixes): IndexedText {
		if (typeof text !== 'string')
			throw createTextError(index, `is not text but ${text === null ? 'null' : typeof text}`);
		if (text.trim()) return { index, text: this.prefixes[role] + text };
		if (this.settings.blankTexts === 'fail') throw createTextError(index, 'is empty');
		return { index, text: ' ' };
	}

	private async createRequest(
		batch: readonly IndexedText[],
		signal: AbortSignal | undefined,
	): Promise<BatchRequest<number[]>> {
		const { server, settings } = this;
		const { dimensions, keepAlive } = settings;
		const serverType = await getProfile(server).fetchType(signal);
		const texts = batch.map(({ text }) => text);
		const encoding = serverType.supportsBase64 ? 'base64' : 'float';
		return {
			texts,
			routes: getRoutes(serverType, 'embed'),
			fields: EMBED_FIELDS,
			toBody: (route: RouteName) => ({
				// Ollama's own route supports rejecting long texts.
				...(route === 'ollamaEmbed'
					? { truncate: false, keep_alive: keepAlive }
					: { encoding_format: encoding }),
				dimensions,
				input: texts,
			}),
			operation: 'embeddings',
			maxBytes: getMaxResponseBytes(batch.length),
			readResponse: async (response: HttpResponse) => {
				const json = await readJson(response);
				const received = this.parseVectorsOrThrow(json, batch);
				const results = received.map((vector) => truncateVector(vector, dimensions));
				for (const vector of results) this.assertDimensions(vector);
				const model = asNonEmptyString(asRecord(json).model);
				return { results, tokens: parseTokenCount(json), model };
			},
		};
	}

	/** @throws a `ServerError` naming the text whose vector is not usable. */
	private parseVectorsOrThrow(
		json: JsonRecord | unknown[],
		batch: readonly IndexedText[],
	): number[][] {
		const vectors = parseVectors(json, {
			count: batch.length,
			dimensions: this.receivedDimensions,
		});
		if (!Array.isArray(vectors))
			throw createUnusableError(this.server, this.settings, {
				issue: vectors,
				text: batch[vectors.position ?? -1],
			});
		this.receivedDimensions ??= vectors[0]!.length;
		return vectors;
	}

	private assertDimensions(vector: readonly number[]): void {
		const { dimensions, expectedDimensions } = this.settings;
		const expected = expectedDimensions ?? dimensions;
		if (expected !== undefined && vector.length !== expected)
			throw createDimensionsError(this.server, this.settings, vector.length);
	}

	/** The warning about Keep Alive on a server other than Ollama, which ignores it. May fetch the server type. */
	private async collectKeepAliveWarnings(signal: AbortSignal | undefined): Promise<string[]> {
		const { keepAlive } = this.settings;
		if (keepAlive === undefined) return [];
		return getIgnoredOptionWarnings({ keepAlive }, await getProfile(this.server).fetchType(signal));
	}

	/** The model of the response, if it is another one than was requested. */
	private async lookUpOtherModel(
		responseModel: string | undefined,
		signal: AbortSignal | undefined,
	): Promise<string | undefined> {
		if (responseModel !== undefined)
			this.otherModelLookUp ??= findOtherModel(
				this.server,
				{ requested: this.settings.model, reported: responseModel },
				signal,
			);
		return await this.otherModelLookUp;
	}
}

/** Bytes of a vector as text: 16,384 numbers with 24 characters each. */
const MAX_VECTOR_BYTES = 384 * 1024;

/** Bytes of a response besides its vectors. */
const MAX_BYTES_BESIDES_VECTORS = 4 * 1024 * 1024;

/** Bytes of a response with many vectors. */
const MAX_RESPONSE_BYTES = 64 * 1024 * 1024;

function getMaxResponseBytes(count: number) {
	return Math.min(MAX_BYTES_BESIDES_VECTORS + count * MAX_VECTOR_BYTES, MAX_RESPONSE_BYTES);
}

function getOtherModelWarnings(otherModel: string | undefined, { model }: EmbedSettings) {
	if (otherModel === undefined) return [];
	return [
		`The server created the vectors with the model "${otherModel}" instead of "${model}". Select the model that created the stored vectors.`,
	];
}
