/** Parses what servers report about their models: `/v1/models`, and `/props` of llama-server. */
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
import type { ServerModel } from './server-model';
import { getOwn } from '../values/own-properties';

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

/** Inputs and outputs of a model (docs/protocols/llama-server.md 2.2). */
function readModalities({
	input_modalities: inputs,
	output_modalities: outputs,
}: JsonRecord): Partial<ServerModel> {
	return {
		...(Array.isArray(inputs) && {
			vision: inputs.includes('image'),
			audio: inputs.includes('audio'),
			video: inputs.includes('video'),
		}),
		...(Array.isArray(outputs) && readDecisions(outputs, { decision: 'decisions', text: 'text' })),
	};
}

/** How a server names what a model writes. */
interface OutputNames {
	decision: string;
	text: string;
}

/** Nothing for a model without decisions: text is also what llama-server says of a model that it does not know. */
export function readDecisions(
	outputs: readonly unknown[],
	{ decision, text }: OutputNames,
): Pick<ServerModel, 'decisions' | 'writesText'> {
	return outputs.includes(decision) ? { decisions: true, writesText: outputs.includes(text) } : {};
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
	const factor = getOwn({ '': 1, k: 1e3, m: 1e6, b: 1e9, t: 1e12 }, unit.toLowerCase());
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
