import type { Connection } from '../http/connection';
import type { ServerError } from '../errors/server-error';
import { failure } from '../errors/failure';
import { isRecord } from '../values';
import { entries, optionalJson } from './optional-json';

/** A model as a server lists it. What the server does not tell is left out. */
export interface ListedModel {
	id: string;
	aliases: string[];
	/** Tokens of context that one request can use. */
	contextTokens?: number;
	/** Number of parameters, or the server's own words for it ("8.0B"). */
	parameters?: number | string;
	quantization?: string;
	vision?: boolean;
	audio?: boolean;
	/** `loaded`, `loading`, `unloaded`, `sleeping`, `failed`, … */
	state?: string;
}

const LIST_LIMIT_MS = 10_000;

/**
 * The models of a server: from `/v1/models`, and where that has none, from Ollama's `/api/tags`. llama-server's `/props` and Ollama's
 * `/api/ps` add what the list leaves out; neither loads a model nor wakes a sleeping server.
 *
 * @throws {ServerError} that says why there is no list
 */
export async function listModels(connection: Connection, signal?: AbortSignal): Promise<ListedModel[]> {
	const outcome = await openAiList(connection, signal);
	if ('models' in outcome && outcome.models.length > 0) return await withDetails(connection, outcome, signal);
	const ollama = await ollamaList(connection, signal);
	if (ollama !== undefined && ollama.length > 0) return ollama;
	if ('failed' in outcome && ollama === undefined) throw outcome.failed;
	throw failure('modelNotFound', connection.contextOf(`${connection.url.api}/models`), {
		message: 'The server has no models',
		remedy:
			'Ollama: fetch one with "ollama pull". GPUStack: deploy one and allow the key to use it. Router: check --models-dir. You can also type a name with "By Name".',
	});
}

type OpenAiList = { models: ListedModel[]; llamaServer: boolean; ollama: boolean } | { failed: ServerError };

async function openAiList(connection: Connection, signal: AbortSignal | undefined): Promise<OpenAiList> {
	const url = `${connection.url.api}/models`;
	const answer = await connection.call(url, { timeoutMs: LIST_LIMIT_MS, signal });
	// Home-made servers answer with the bare list.
	const list = Array.isArray(answer.json) ? { data: answer.json as unknown[] } : answer.json;
	if (answer.status >= 300 || !isRecord(list) || !('data' in list)) return { failed: connection.refusal(answer) };
	// Ollama writes null for an empty list.
	const data = entries(list.data);
	return {
		models: data.flatMap(openAiModel),
		llamaServer: data.some(({ owned_by: owner }) => owner === 'llamacpp'),
		ollama: data.some(({ owned_by: owner }) => owner === 'library'),
	};
}

function openAiModel(item: Record<string, unknown>): ListedModel[] {
	if (typeof item.id !== 'string') return [];
	const meta = isRecord(item.meta) ? item.meta : {};
	const inputs =
		isRecord(item.architecture) && Array.isArray(item.architecture.input_modalities)
			? (item.architecture.input_modalities as unknown[])
			: undefined;
	const status = isRecord(item.status) ? item.status : undefined;
	return [
		{
			id: item.id,
			aliases: Array.isArray(item.aliases)
				? item.aliases.filter((alias): alias is string => typeof alias === 'string')
				: [],
			...given('contextTokens', numberOf(meta.n_ctx) ?? numberOf(item.max_model_len)),
			...given('parameters', numberOf(meta.n_params)),
			...given('quantization', textOf(meta.ftype)),
			...given('vision', inputs?.includes('image')),
			...given('audio', inputs?.includes('audio')),
			...given('state', status === undefined ? undefined : status.failed === true ? 'failed' : textOf(status.value)),
		},
	];
}

async function withDetails(
	connection: Connection,
	list: Extract<OpenAiList, { models: ListedModel[] }>,
	signal: AbortSignal | undefined,
): Promise<ListedModel[]> {
	const { models } = list;
	if (list.ollama) return merged(models, (await ollamaList(connection, signal)) ?? []);
	const only = models.length === 1 ? models[0] : undefined;
	// A router's /props would need a model's name and may load it; its list tells the inputs itself.
	if (!list.llamaServer || only === undefined || only.state !== undefined) return models;
	const props = await optionalJson(connection, '/props', { timeoutMs: LIST_LIMIT_MS, signal });
	const modalities = isRecord(props?.modalities) ? props.modalities : {};
	return [
		{
			...only,
			...given('vision', typeof modalities.vision === 'boolean' ? modalities.vision : undefined),
			...given('audio', typeof modalities.audio === 'boolean' ? modalities.audio : undefined),
			...given('state', props?.is_sleeping === true ? 'sleeping' : props === undefined ? undefined : 'loaded'),
		},
	];
}

function merged(models: ListedModel[], details: ListedModel[]): ListedModel[] {
	return models.map((model) => ({ ...details.find(({ id }) => id === model.id), ...model }));
}

async function ollamaList(connection: Connection, signal: AbortSignal | undefined): Promise<ListedModel[] | undefined> {
	const options = { timeoutMs: LIST_LIMIT_MS, signal };
	const [tags, running] = await Promise.all([
		optionalJson(connection, '/api/tags', options),
		optionalJson(connection, '/api/ps', options),
	]);
	if (!Array.isArray(tags?.models)) return undefined;
	const loaded = new Map(entries(running?.models).map((model) => [textOf(model.name) ?? '', model]));
	return entries(tags.models).flatMap((item): ListedModel[] => {
		const id = textOf(item.name) ?? textOf(item.model);
		if (id === undefined) return [];
		const details = isRecord(item.details) ? item.details : {};
		const capabilities = Array.isArray(item.capabilities) ? (item.capabilities as unknown[]) : undefined;
		return [
			{
				id,
				aliases: [],
				...given('parameters', textOf(details.parameter_size)),
				...given('quantization', textOf(details.quantization_level)),
				...given('contextTokens', numberOf(loaded.get(id)?.context_length)),
				...given('vision', capabilities?.includes('vision')),
				state: loaded.has(id) ? 'loaded' : 'not loaded',
			},
		];
	});
}

function numberOf(value: unknown): number | undefined {
	return typeof value === 'number' && value > 0 ? value : undefined;
}

function textOf(value: unknown): string | undefined {
	return typeof value === 'string' && value !== '' ? value : undefined;
}

function given<K extends string, V>(name: K, value: V | undefined): Partial<Record<K, V>> {
	return value === undefined ? {} : ({ [name]: value } as Record<K, V>);
}

/** One line for a drop-down: the name, then what is known, for example "qwen3-8b (8.2B, Q4_K_M, 32k context, vision, loaded)". */
export function describeModel({
	id,
	parameters,
	quantization,
	contextTokens,
	vision,
	audio,
	state,
}: ListedModel): string {
	const facts = [
		typeof parameters === 'number' ? inBillions(parameters) : parameters,
		quantization,
		contextTokens === undefined
			? undefined
			: `${contextTokens >= 1024 ? `${Math.round(contextTokens / 1024)}k` : contextTokens} context`,
		vision === true ? 'vision' : undefined,
		audio === true ? 'audio' : undefined,
		state,
	].filter((fact) => fact !== undefined);
	return facts.length === 0 ? id : `${id} (${facts.join(', ')})`;
}

function inBillions(count: number): string {
	return count >= 1e9 ? `${(count / 1e9).toFixed(1)}B` : `${Math.round(count / 1e6)}M`;
}
