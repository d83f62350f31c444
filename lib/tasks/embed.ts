/** Turns texts into vectors: texts → requests in batches → vectors, or the error that explains what is wrong. */
import { getServerFacts } from '../servers/server-facts';
import type { FactSources } from '../errors/investigate';
import { investigate } from '../errors/investigate';
import { createInputError } from '../errors/create-error';
import { ServerError } from '../errors/server-error';
import { findLengthProblem, LONG_TEXT_SUGGESTION } from '../errors/text-limits';
import { getIgnoredOptionWarnings } from '../chat/body/ignored-options';
import { keepAny } from '../fields/check-value';
import type { FieldTable } from '../fields/field';
import { keepAliveField } from '../fields/keep-alive';
import type { RequestField } from '../exchange/request-fields';
import { adviseDuration } from '../exchange/request-fields';
import { omitUnnamedField } from '../exchange/omit-rejected-field';
import { getRoutes } from '../exchange/routes';
import type { Priority } from '../http/queue';
import { runInSteps } from '../http/steps';
import type { HttpResponse } from '../http/types';
import { findOtherModel } from '../servers/list-models';
import { assertModelName, toShownModelName } from '../servers/model-names';
import { getProfile } from '../servers/profile';
import type { ModelServer, RouteName } from '../servers/types/server-type';
import type { JsonRecord } from '../values/records';
import { asNonEmptyString, asRecord } from '../values/records';
import { createDimensionsError, createTextError, createUnusableError } from './embed-errors';
import type { Prefixes } from './prefixes';
import { getPrefixes } from './prefixes';
import { readJson } from './read-json';
import type { BatchRequest, TextTaskTotals } from './run-text-task';
import { runTextTask } from './run-text-task';
import { describeDifference, findDifferences, toSentFields } from '../exchange/differences';
import type { TaskSettings } from './run-task';
import type { TextFailure } from './send-in-batches';
import type { IndexedText } from './texts';
import { excerpt, getTruncationHints, nameRefusedText } from './texts';
import { getZeroWarnings, parseTokenCount, parseVectors, truncateVector } from './vectors';

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

/** What a person says about embeddings that is sent. */
export const EMBED_OPTIONS = {
	text: {
		kind: 'text',
		label: 'Text',
		rows: 2,
		default: '={{ $json.text }}',
		required: true,
		parse: keepAny,
		description:
			'The text to embed. Expressions may also return an array of texts, each of which creates an item. The texts of all items are sent together, in batches.',
	},
	dimensions: {
		kind: 'number',
		label: 'Dimensions',
		default: 256,
		range: [1],
		isInteger: true,
		description:
			'How many dimensions a vector should have. Longer vectors are shortened and normalized. Only for models trained for it (Matryoshka).',
	},
	keepAlive: { ...keepAliveField, default: '5m' },
} as const satisfies FieldTable;

/** Longer vectors are shortened by the node. */
const DIMENSIONS_FIELD: RequestField = {
	field: 'dimensions',
	// Of servers behind a gateway
	otherNames: ['matryoshka_dim', 'output_dimension', 'output_dimensionality'],
	label: EMBED_OPTIONS.dimensions.label,
	canOmit: true,
	// Matryoshka: training that lets vectors be shortened.
	getAdvice: () =>
		`Leave ${EMBED_OPTIONS.dimensions.label} empty: the vectors then have the size of the model. Shorter vectors would mean nothing with a model that was not trained for them.`,
};

/** What a request for embeddings contains. */
export const EMBED_FIELDS: readonly RequestField[] = [
	{
		field: 'input',
		otherNames: ['inputs'],
		label: EMBED_OPTIONS.text.label,
		canOmit: false,
	},
	DIMENSIONS_FIELD,
	{ field: 'encoding_format', label: undefined, canOmit: true, isTechnical: true },
	{
		field: 'keep_alive',
		label: keepAliveField.label,
		canOmit: true,
		getAdvice: () => adviseDuration(keepAliveField.label),
	},
	// Ollama: without it, long texts are truncated silently.
	{ field: 'truncate', label: undefined, canOmit: false },
];

/** What every request for embeddings says of itself. */
const EMBED_FACTS: FactSources = { task: () => 'embeddings', textNoun: () => 'Text' };

/** Texts without a vector. */
export interface EmbedFailure {
	/** With the number of the text, if it is about one. */
	error: ServerError;
	/** Positions of the texts in the call. */
	positions: number[];
}

/** Options of one call, whose settings are those of all calls. */
export interface EmbedCallOptions {
	signal?: AbortSignal;
	/** Index of each text in errors. Default: its position in the call. */
	textIndexes?: readonly number[];
	/** Called for texts that have no vector; the others are embedded. Default: the error is thrown. */
	onFailure?(failure: EmbedFailure): void | Promise<void>;
}

export interface EmbedResult extends TextTaskTotals {
	/** In the order of the texts. Undefined for a text whose failure was reported. */
	vectors: Array<number[] | undefined>;
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
	 * A vector for every text, or an error: there are no partial results, unless `onFailure` takes the errors.
	 *
	 * @param texts - Of any type, since n8n does not check them.
	 * @throws a `ServerError` naming the text, if one caused it.
	 */
	async embed(
		texts: readonly unknown[],
		role: keyof Prefixes,
		{ signal, textIndexes, onFailure = throwFailure }: EmbedCallOptions = {},
	): Promise<EmbedResult> {
		const { server, settings } = this;
		const priority = (role === 'document' && settings.documentPriority) || settings.priority;
		const taskSettings = { ...settings, priority, signal };
		const positions = new Map(texts.map((_text, at) => [textIndexes?.[at] ?? at, at]));
		const fail = async (error: ServerError, failedTexts: readonly IndexedText[]) =>
			await onFailure({
				error,
				positions: failedTexts.map(({ index }) => positions.get(index)!),
			});
		const preparedTexts: IndexedText[] = [];
		for (const [index, at] of positions) {
			const prepared = this.prepareText(texts[at], index, role);
			if (prepared instanceof ServerError) await fail(prepared, [{ index, text: '' }]);
			else preparedTexts.push(prepared);
		}
		const { results, responseModel, sentBody, ...totals } = await runTextTask(
			server,
			taskSettings,
			{
				routedTask: 'embed',
				texts: preparedTexts,
				createRequest: async (batch) => await this.createRequest(batch, signal),
				canTruncate: settings.longTexts === 'truncate',
				finish: (vectors) => this.finishVectors(vectors),
				onFailure: async (failure) => await fail(await this.explainFailure(failure), failure.texts),
			},
		);
		const vectors = new Map(
			preparedTexts.map(({ index }, at) => [positions.get(index), results[at]]),
		);
		const otherModel = await this.lookUpOtherModel(responseModel, signal);
		const warnings = [
			...totals.warnings,
			...getTruncationHints(totals.truncatedTexts, { count: texts.length, noun: 'Text' }),
			...getOtherModelWarnings(otherModel, settings),
			...findDifferences('embed', {
				requested: toSentFields({ requestedFields: { dimensions: settings.dimensions }, sentBody }),
				result: { dimensions: this.receivedDimensions },
			}).map((difference) => describeDifference(difference)),
			...(await this.collectKeepAliveWarnings(signal)),
		];
		return {
			...totals,
			warnings: [...new Set(warnings)],
			vectors: texts.map((_text, at) => vectors.get(at)),
			receivedDimensions: this.receivedDimensions,
			otherModel,
		};
	}

	/** Checks a text, and adds its prefix. @returns the error of a text that is not sent. */
	private prepareText(
		text: unknown,
		index: number,
		role: keyof Prefixes,
	): IndexedText | ServerError {
		if (typeof text !== 'string')
			return createTextError(index, `is not text but ${text === null ? 'null' : typeof text}`);
		const problem = findLengthProblem(text);
		if (problem !== undefined)
			return createInputError(`Text ${index + 1} ${problem}`, LONG_TEXT_SUGGESTION, {
				facts: { index },
			});
		if (text.trim()) return { index, text: this.prefixes[role] + text };
		if (this.settings.blankTexts === 'fail') return createTextError(index, 'is empty');
		return { index, text: ' ' };
	}

	/** The error of a text that is refused alone names it. Any other is that of its request. */
	private async explainFailure({
		error,
		texts: [text],
		isRefusedAlone,
		isShortened = false,
		isNotTooLong = false,
	}: TextFailure): Promise<ServerError> {
		if (!isRefusedAlone || text === undefined) return error;
		const refusedText = {
			index: text.index,
			beginning: excerpt(text.text),
			isUnreadable: error.serverText !== undefined,
			isShortened,
			isNotTooLong,
		};
		const explained = await investigate(error.withFacts({ refusedText, textNoun: 'Text' }), {
			...EMBED_FACTS,
			...getServerFacts(error, this.server, this.settings),
		});
		return nameRefusedText(explained, text, 'Text');
	}

	/** Shortens vectors as the settings require, and checks their dimensions. @throws a `ServerError` about the model. */
	private finishVectors(received: number[][]): number[][] {
		const { server, settings } = this;
		const dimensions = received[0]?.length ?? 0;
		this.receivedDimensions ??= dimensions;
		const others = this.receivedDimensions;
		if (dimensions !== others)
			throw createUnusableError(server, settings, {
				vectorIssue: { kind: 'dimensions', dimensions, expected: others },
			});
		const vectors = received.map((vector) => truncateVector(vector, settings.dimensions));
		const expected = settings.expectedDimensions ?? settings.dimensions;
		for (const { length } of expected === undefined ? [] : vectors)
			if (length !== expected) throw createDimensionsError(server, settings, length);
		return vectors;
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
			// What was accepted once is not the reason.
			adaptations:
				this.receivedDimensions === undefined
					? { field: [omitUnnamedField(DIMENSIONS_FIELD)] }
					: {},
			toBody: (route: RouteName) => ({
				// Ollama's own route supports rejecting long texts.
				...(route === 'ollamaEmbed'
					? { truncate: false, keep_alive: keepAlive }
					: { encoding_format: encoding }),
				dimensions,
				input: texts,
			}),
			operation: 'embeddings',
			getFacts: () => EMBED_FACTS,
			task: 'embed',
			maxBytes: MAX_BYTES_BESIDES_VECTORS + batch.length * MAX_VECTOR_BYTES,
			readResponse: async (response: HttpResponse) => {
				const json = await readJson(response);
				const results = await this.parseVectorsOrThrow(json, batch);
				return {
					results,
					tokens: parseTokenCount(json),
					model: asNonEmptyString(asRecord(json).model),
					warnings: getZeroWarnings(results),
				};
			},
		};
	}

	/** @throws a `ServerError` for vectors that are not usable. */
	private async parseVectorsOrThrow(
		json: JsonRecord | unknown[],
		batch: readonly IndexedText[],
	): Promise<number[][]> {
		const vectors = await runInSteps(parseVectors(json, batch.length));
		if (Array.isArray(vectors)) return vectors;
		const text = batch[vectors.position ?? -1];
		throw createUnusableError(this.server, this.settings, {
			vectorIssue: vectors.issue,
			textOfVector: text && { index: text.index, beginning: excerpt(text.text) },
			hasUsableVectors: this.receivedDimensions === undefined ? undefined : true,
		});
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

/** Without partial results, the error of one text is that of the call. */
function throwFailure({ error }: EmbedFailure): never {
	throw error;
}

/** Bytes of a vector as text: 16,384 numbers with 24 characters each. */
const MAX_VECTOR_BYTES = 384 * 1024;

/** Bytes of a response besides its vectors. */
const MAX_BYTES_BESIDES_VECTORS = 4 * 1024 * 1024;

function getOtherModelWarnings(otherModel: string | undefined, { model }: EmbedSettings) {
	if (otherModel === undefined) return [];
	return [
		`The server created the vectors with the model "${toShownModelName(otherModel)}" instead of "${toShownModelName(model)}". Select the model that created the stored vectors.`,
	];
}
