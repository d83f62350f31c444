/**
 * Parses what servers report about their models: `/v1/models`, llama-server's `/props`, Ollama's `/api/tags`, `/api/ps`
 * and `/api/show`.
 */
import { memoize } from '../lru-cache';
import type { JsonRecord } from '../values/records';
import {
	asArray,
	findList,
	isNonEmpty,
	isRecord,
	asNonEmptyString,
	omitUndefined,
	asRecord,
} from '../values/records';
import { asFiniteNumber } from '../values/numbers';
import type { ErrorContext } from '../errors/create-error';
import { createServerError, createInputError } from '../errors/create-error';

/** A model, with the facts that its server reports. */
export interface ServerModel {
	id: string;
	aliases: string[];
	/** Tokens of context that one request can use. */
	context?: number;
	/** Tokens of context that the model was trained for. */
	trainedContext?: number;
	/** Number of parameters, or the server's text for it ("8.0B"). */
	parameters?: number | string;
	/** Bytes. */
	size?: number;
	quantization?: string;
	vision?: boolean;
	audio?: boolean;
	video?: boolean;
	tools?: boolean;
	/** Whether it returns vectors or scores, not text. */
	embeddings?: boolean;
	/** Whether it returns scores. */
	isReranker?: boolean;
	/** `loaded`, `loading`, `unloaded`, `sleeping`, `failed`, … */
	state?: string;
	/** The host on which it runs, if not on this server: for example Ollama's cloud. */
	remoteHost?: string;
	/** How much of it is in the memory of the GPU, from 0 to 1 (Ollama). */
	gpuShare?: number;
	/** Exit code of a router's failed process. */
	exitCode?: number;
	/** The command line of a router's process. */
	args?: string[];
}

/**
 * The entries of a `/v1/models` response; undefined if it is not a list. Custom servers send a bare list, also of names;
 * Ollama sends null for an empty one.
 */
export function getModelEntries(json: unknown): JsonRecord[] | undefined {
	const list = findList(json, ['data', 'models', 'result']);
	const isEmpty = isRecord(json) && json.data === null;
	return list || isEmpty ? toEntries(list ?? []) : undefined;
}

/** Once for each list: all identity rules read the entries. */
const toEntries = memoize((list: unknown[]) => {
	const hasNamesOnly = list.length > 0 && list.every((entry) => typeof entry === 'string');
	return hasNamesOnly ? list.map((id) => ({ id })) : list.filter(isRecord);
});

/** The models of a `/v1/models` response, without duplicates; undefined if it is not a list. */
export function parseModels(json: unknown): ServerModel[] | undefined {
	const entries = getModelEntries(json);
	return entries && [...toModels(entries)];
}

const toModels = memoize((entries: JsonRecord[]) => {
	// Gateways list a model once per upstream server.
	const byId = new Map<string, ServerModel>();
	for (const entry of entries) {
		const model = toServerModel(entry);
		if (model !== undefined && !byId.has(model.id)) byId.set(model.id, model);
	}
	return [...byId.values()];
});

function toServerModel(entry: JsonRecord): ServerModel | undefined {
	const name = [entry.id, entry.model, entry.name, entry.key, entry.model_name].find(isNonEmpty);
	const id = typeof name === 'number' ? String(name) : asNonEmptyString(name);
	if (id === undefined || id.trim() === '') return undefined;
	const meta = asRecord(entry.meta);
	const aliases = [...toStrings(entry.aliases), ...toStrings(asRecord(meta.llamaswap).aliases)];
	return {
		id,
		aliases: [...new Set(aliases)].filter((alias) => alias !== id),
		...omitUndefined({
			// llama-server, vLLM, gateways
			context: [meta.n_ctx, entry.max_model_len, entry.context_length]
				.map(asPositiveNumber)
				.find(isNonEmpty),
			trainedContext: asPositiveNumber(meta.n_ctx_train),
			parameters: asPositiveNumber(meta.n_params),
			size: asPositiveNumber(meta.size),
			quantization: asNonEmptyString(meta.ftype),
		}),
		...readModalities(asRecord(entry.architecture)),
		...readProcess(entry.status),
	};
}

/** Inputs of a model (docs/protocols/llama-server.md 2.2). */
function readModalities({ input_modalities: inputs }: JsonRecord): Partial<ServerModel> {
	if (!Array.isArray(inputs)) return {};
	return {
		vision: inputs.includes('image'),
		audio: inputs.includes('audio'),
		video: inputs.includes('video'),
	};
}

/** The process of a model of a router. */
function readProcess(status: unknown): Partial<ServerModel> {
	if (!isRecord(status)) return {};
	const args = toStrings(status.args);
	const hasOption = (name: RegExp) => args.some((arg) => name.test(arg));
	const options = {
		args,
		embeddings: hasOption(/^--(?:embeddings?|rerank(?:ing)?)$/),
		isReranker: hasOption(/^--rerank(?:ing)?$/),
	};
	return {
		...(args.length > 0 ? options : {}),
		...omitUndefined({
			state: status.failed === true ? 'failed' : asNonEmptyString(status.value),
			exitCode: asFiniteNumber(status.exit_code),
		}),
	};
}

/** Reads `/props` of llama-server, or of a router for one of its models. */
export function parseProps(props: JsonRecord): Partial<ServerModel> {
	const modalities = asRecord(props.modalities);
	return omitUndefined({
		context: asPositiveNumber(asRecord(props.default_generation_settings).n_ctx),
		vision: asBoolean(modalities.vision),
		audio: asBoolean(modalities.audio),
		video: asBoolean(modalities.video),
		tools: asBoolean(asRecord(props.chat_template_caps).supports_tools),
		state: props.is_sleeping === true ? 'sleeping' : undefined,
	});
}

/** "8.0B" → 8e9, "134.52M" → 134520000; numbers stay. */
export function parseParameterCount(value: number | string | undefined): number | undefined {
	if (typeof value !== 'string') return value;
	const [, digits, unit = ''] = /^([0-9.]+)\s*([KMBT]?)/i.exec(value) ?? [];
	const factor = { '': 1, k: 1e3, m: 1e6, b: 1e9, t: 1e12 }[unit.toLowerCase()];
	return digits === undefined || factor === undefined
		? undefined
		: Math.round(Number(digits) * factor);
}

export function toStrings(value: unknown): string[] {
	return asArray(value).filter((entry) => typeof entry === 'string');
}

function asBoolean(value: unknown) {
	return typeof value === 'boolean' ? value : undefined;
}

/** A positive number; 0 means unknown. */
export function asPositiveNumber(value: unknown): number | undefined {
	return typeof value === 'number' && value > 0 ? value : undefined;
}

/** @throws a `ServerError` of type `invalidInput`. */
export function assertModelName(model: string): void {
	if (model.trim() === '')
		throw createInputError(
			'No model is selected',
			'Select a model from the list or enter its name.',
		);
}

/** Whether a name means this model ID. Ollama reads a name without a tag as `:latest`. */
export function matchesModelId(id: string, name: string | undefined): boolean {
	return name !== undefined && (id === name || id === `${name}:latest`);
}

/**
 * The same for the ID and the aliases of a model.
 *
 * @param isSame - Further rules, such as those of its server type.
 */
export function matchesModel(
	{ id, aliases }: Pick<ServerModel, 'id' | 'aliases'>,
	name: string | undefined,
	isSame: (id: string, name: string) => boolean = () => false,
): boolean {
	if (name === undefined) return false;
	return [id, ...aliases].some((known) => matchesModelId(known, name) || isSame(known, name));
}

/** Whether two names, paths or file names refer to the same model. */
export function isSameModelName(a: string, b: string): boolean {
	return toComparableName(a) === toComparableName(b);
}

function toComparableName(name: string) {
	const fileName = name.split(/[/\\]/).at(-1) ?? name;
	return getDisplayName(fileName).trim().toLowerCase();
}

/** Embedding and reranking models, on servers that do not report what a model is for. */
const VECTOR_MODEL = /embed|rerank|minilm|(?:^|[/:_-])(?:bge|gte|e5)-/i;

/** Models that do not chat, by their names, come last. */
export function sortForChat<T>(models: readonly T[], getName: (model: T) => string): T[] {
	const rank = (model: T) => Number(VECTOR_MODEL.test(getName(model)));
	return models.toSorted((a, b) => rank(a) - rank(b));
}

const MAX_NAMES = 10;

/**
 * Suggestion for a missing model.
 *
 * @param alternative - A sentence for the server type that begins in lower case.
 */
export function suggestModels(names: readonly string[], alternative: string | undefined): string {
	const remainder = names.length > MAX_NAMES ? `, and ${names.length - MAX_NAMES} more` : '';
	const sentences: string[] = [];
	if (names.length > 0)
		sentences.push(
			`Use one of: ${sortForChat(names, String).slice(0, MAX_NAMES).join(', ')}${remainder}.`,
		);
	if (alternative !== undefined)
		sentences.push(`${names.length === 0 ? 'Select another model, or' : 'Or'} ${alternative}`);
	return sentences.join(' ');
}

/**
 * A display name: for a path, the file name without `.gguf` and part number. Without `--alias`, llama-server's ID is
 * the whole path.
 */
export function getDisplayName(id: string): string {
	const isPath = /^(?:[/\\~.]|[a-z]:[/\\])|\.gguf$/i.test(id);
	const name = isPath ? id.split(/[/\\]/).at(-1)! : id;
	return name.replace(/(?:-\d{5}-of-\d{5})?\.gguf$/i, '');
}

/** A display name for each ID: the full ID if several would have the same name. */
export function getDisplayNames(ids: readonly string[]): Map<string, string> {
	const entries = [...new Set(ids)].map((id) => [getDisplayName(id), id] as const);
	const lastIds = new Map(entries);
	const firstIds = new Map(entries.toReversed());
	const isRepeated = (name: string) => firstIds.get(name) !== lastIds.get(name);
	return new Map(entries.map(([name, id]) => [id, isRepeated(name) ? id : name]));
}

/**
 * A line for a drop-down: name and known facts, for example "qwen3-8b (8.2B, Q4_K_M, 32k context, vision, loaded)".
 *
 * @param name - Display name.
 */
export function describeModel(model: ServerModel, name: string = getDisplayName(model.id)): string {
	const { parameters, quantization, context, state, remoteHost } = model;
	const capabilities = (['vision', 'audio', 'video'] as const).filter(
		(capability) => model[capability] === true,
	);
	const tokens = context && context >= 1024 ? `${Math.round(context / 1024)}k` : context;
	const facts = [
		typeof parameters === 'number' ? formatCount(parameters) : parameters,
		quantization,
		tokens && `${tokens} context`,
		...capabilities,
		state === 'unloaded' ? 'not loaded' : state,
		remoteHost === undefined ? undefined : `runs on ${remoteHost}`,
	].filter((fact) => fact !== undefined);
	return facts.length === 0 ? name : `${name} (${facts.join(', ')})`;
}

function formatCount(count: number) {
	return count >= 1e9 ? `${(count / 1e9).toFixed(1)}B` : `${Math.round(count / 1e6)}M`;
}

/** Whether its process crashed, could not be started, or was ended by force: a suggestion does not name it. */
export function hasFailed({ state }: { state?: string | null }): boolean {
	return state === 'failed';
}

/**
 * Models without those whose process crashed or could not be started, which are not offered. If all have failed, all:
 * the error of a request then says why.
 */
export function withoutFailedModels<T extends { state?: string | null }>(
	models: readonly T[],
): readonly T[] {
	const usable = models.filter((model) => !hasFailed(model));
	return usable.length > 0 ? usable : models;
}

/** The candidates for an empty model field: the loaded models, or all that have not failed if none is loaded. */
export function preferLoadedModels<T extends { state?: string | null }>(
	models: readonly T[],
): readonly T[] {
	const loaded = models.filter(({ state }) => state === 'loaded' || state === 'sleeping');
	return loaded.length > 0 ? loaded : withoutFailedModels(models);
}

/**
 * The model for an empty field: the only loaded one, or the only one.
 *
 * @throws a `ServerError` of type `invalidInput` if there is none or several, with their names.
 */
export function selectOnlyModel(
	models: ReadonlyArray<{ id: string; state?: string | null }>,
	context: Partial<ErrorContext> = {},
): string {
	const candidates = preferLoadedModels(models);
	if (candidates.length === 1) return candidates[0]!.id;
	throw createServerError('invalidInput', context, {
		title:
			candidates.length === 0
				? 'The server lists no models'
				: 'The server has several models, and none is selected',
		suggestion: `Select a model in the node or enter its name. ${suggestModels(
			candidates.map(({ id }) => id),
			undefined,
		)}`.trim(),
	});
}

/** The models that may generate text; all models if none is known to. */
export function filterChatModels<M extends { embeddings?: boolean | null }>(
	models: readonly M[],
): M[] {
	const chatModels = models.filter(({ embeddings }) => embeddings !== true);
	return chatModels.length > 0 ? chatModels : [...models];
}
