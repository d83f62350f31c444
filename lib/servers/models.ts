/**
 * Parses what servers report about their models: `/v1/models`, llama-server's `/props`, Ollama's `/api/tags`, `/api/ps`
 * and `/api/show`.
 */
import { memoize } from '../lru-cache';
import {
	asArray,
	isNonEmpty,
	isRecord,
	type JsonRecord,
	asNonEmptyString,
	omitUndefined,
	asRecord,
} from '../values';

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
	const list = isRecord(json) ? ('data' in json ? (json.data ?? []) : json.models) : json;
	return Array.isArray(list) ? toEntries(list) : undefined;
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
	const id = asNonEmptyString(entry.id);
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
	return omitUndefined({
		vision: asArrayOrUndefined(inputs)?.includes('image'),
		audio: asArrayOrUndefined(inputs)?.includes('audio'),
		video: asArrayOrUndefined(inputs)?.includes('video'),
	});
}

/** The process of a model of a router. */
function readProcess(status: unknown): Partial<ServerModel> {
	if (!isRecord(status)) return {};
	const args = toStrings(status.args);
	const state = status.failed === true ? 'failed' : asNonEmptyString(status.value);
	const exitCode = typeof status.exit_code === 'number' ? status.exit_code : undefined;
	if (args.length === 0) return omitUndefined({ state, exitCode });
	return {
		args,
		embeddings: args.some((arg) => VECTOR_OPTION.test(arg)),
		isReranker: args.some((arg) => RERANK_OPTION.test(arg)),
		...omitUndefined({ state, exitCode }),
	};
}

const RERANK_OPTION = /^--rerank(?:ing)?$/;
const VECTOR_OPTION = /^--(?:embeddings?|rerank(?:ing)?)$/;

/** Reads `/props` of llama-server, or of a router for one of its models. */
export function parseProps(props: JsonRecord): Partial<ServerModel> {
	const modalities = asRecord(props.modalities);
	return {
		...omitUndefined({
			context: asPositiveNumber(asRecord(props.default_generation_settings).n_ctx),
			vision: asBoolean(modalities.vision),
			audio: asBoolean(modalities.audio),
			video: asBoolean(modalities.video),
			tools: asBoolean(asRecord(props.chat_template_caps).supports_tools),
		}),
		...(props.is_sleeping === true ? { state: 'sleeping' } : {}),
	};
}

/** Ollama's responses about a model. */
interface OllamaResponses {
	/** Its entry in `/api/tags`. */
	tag?: JsonRecord;
	/** Its entry in `/api/ps`; null: not loaded; undefined: unknown. */
	running?: JsonRecord | null;
	/** The response of `/api/show`. */
	shown?: JsonRecord;
}

export function parseOllamaModel(
	id: string,
	{ tag = {}, running, shown = {} }: OllamaResponses,
): ServerModel {
	const details = isRecord(tag.details) ? tag.details : asRecord(shown.details);
	const info = asRecord(shown.model_info);
	const contextEntry = Object.entries(info).find(([name]) => name.endsWith('.context_length'));
	const [, trainedContext = details.context_length] = contextEntry ?? [];
	return {
		id,
		aliases: [],
		...omitUndefined({
			context: asPositiveNumber(asRecord(running).context_length),
			trainedContext: asPositiveNumber(trainedContext),
			parameters:
				asPositiveNumber(info['general.parameter_count']) ??
				asNonEmptyString(details.parameter_size),
			size: asPositiveNumber(tag.size),
			quantization: asNonEmptyString(details.quantization_level),
			...readCapabilities(
				asArrayOrUndefined(shown.capabilities) ?? asArrayOrUndefined(tag.capabilities),
				details,
			),
			remoteHost: asNonEmptyString(tag.remote_host) ?? asNonEmptyString(shown.remote_host),
			state: toState(running),
			gpuShare: computeGpuShare(asRecord(running)),
		}),
	};
}

function readCapabilities(capabilities: unknown[] | undefined, details: JsonRecord) {
	if (capabilities === undefined) {
		// Older releases send no capabilities. Encoders (BERT) generate no text.
		const families = toStrings([details.family, details.families].flat());
		return { embeddings: families.some((family) => /bert/i.test(family)) || undefined };
	}
	return {
		vision: capabilities.includes('vision'),
		audio: capabilities.includes('audio'),
		tools: capabilities.includes('tools'),
		embeddings: capabilities.includes('embedding'),
	};
}

/** @param running null: not loaded; undefined: unknown */
function toState(running: OllamaResponses['running']): string | undefined {
	if (running === undefined) return undefined;
	return running === null ? 'unloaded' : 'loaded';
}

function computeGpuShare({ size, size_vram: gpuBytes }: JsonRecord): number | undefined {
	return typeof gpuBytes === 'number' && asPositiveNumber(size) !== undefined
		? gpuBytes / Number(size)
		: undefined;
}

/** The entries of `/api/tags` or `/api/ps` by name; undefined if the response is not a list. */
export function indexOllamaEntries(
	response: JsonRecord | undefined,
): Map<string, JsonRecord> | undefined {
	const list = asArrayOrUndefined(response?.models);
	return (
		list &&
		new Map(
			list.filter(isRecord).flatMap((entry) => {
				const name = asNonEmptyString(entry.name) ?? asNonEmptyString(entry.model);
				return name === undefined ? [] : [[name, entry] as const];
			}),
		)
	);
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

function asArrayOrUndefined(value: unknown): unknown[] | undefined {
	return Array.isArray(value) ? (value as unknown[]) : undefined;
}

function toStrings(value: unknown): string[] {
	return asArray(value).filter((entry) => typeof entry === 'string');
}

function asBoolean(value: unknown): boolean | undefined {
	return typeof value === 'boolean' ? value : undefined;
}

/** A positive number; 0 means unknown. */
function asPositiveNumber(value: unknown): number | undefined {
	return typeof value === 'number' && value > 0 ? value : undefined;
}
/** Parses the Prometheus text of `/metrics`: the sum over all labels, by metric name. */
export function parseMetrics(text: string): Record<string, number> {
	const values: Record<string, number> = {};
	for (const [, name = '', value = ''] of text.matchAll(
		/^([a-z_:][a-z0-9_:]*)(?:\{[^}\n]*\})? ([0-9.eE+-]+)/gim,
	)) {
		const number = Number(value);
		if (Number.isFinite(number)) values[name] = (values[name] ?? 0) + number;
	}
	return values;
}
