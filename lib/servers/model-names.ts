import { createServerError, type ErrorContext, createInputError } from '../errors/create-error';
import type { ServerModel } from './models';

/** Whether a name means this model ID. Ollama reads a name without a tag as `:latest`. */
export function matchesModelId(id: string, name: string | undefined): boolean {
	return name !== undefined && (id === name || id === `${name}:latest`);
}

/**
 * The same for the ID and the aliases of a model.
 *
 * @param isSameName further rules of its server type
 */
export function matchesModel(
	{ id, aliases }: { id: string; aliases: readonly string[] },
	name: string | undefined,
	isSameName: (id: string, name: string) => boolean = () => false,
): boolean {
	if (name === undefined) return false;
	return matchesModelId(id, name) || aliases.includes(name) || isSameName(id, name);
}

/** Embedding and reranking models, on servers that do not report what a model is for. */
const VECTOR_MODEL = /embed|rerank|minilm|(?:^|[/:_-])(?:bge|gte|e5)-/i;

/** Models whose name tells that they do not chat come last. */
export function sortForChat<T>(models: readonly T[], getName: (model: T) => string): T[] {
	const rank = (model: T) => Number(VECTOR_MODEL.test(getName(model)));
	return models.toSorted((a, b) => rank(a) - rank(b));
}

const MAX_NAMES = 10;

/** Suggestion for a missing model. `alternative`: a sentence for the server type that begins in lower case. */
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
	return withoutFileEnding(isFilePath(id) ? (id.split(/[/\\]/).at(-1) ?? '') : id);
}

/** A display name for each ID: the full ID if several would have the same name. */
export function getDisplayNames(ids: readonly string[]): Map<string, string> {
	const displayNames = [...new Set(ids)].map((id) => [id, getDisplayName(id)] as const);
	const visited = new Set<string>();
	const repeated = new Set(
		displayNames.map(([, name]) => name).filter((name) => !addIfNew(visited, name)),
	);
	return new Map(displayNames.map(([id, name]) => [id, repeated.has(name) ? id : name]));
}

function addIfNew(visited: Set<string>, name: string): boolean {
	return visited.size < visited.add(name).size;
}

function isFilePath(id: string): boolean {
	return /^(?:[/\\~.]|[a-z]:[/\\])/i.test(id) || /\.gguf$/i.test(id);
}

function withoutFileEnding(name: string): string {
	return name.replace(/(?:-\d{5}-of-\d{5})?\.gguf$/i, '');
}

/**
 * A line for a drop-down: name and known facts, for example "qwen3-8b (8.2B, Q4_K_M, 32k context, vision, loaded)".
 *
 * @param name display name
 */
export function describeModel(model: ServerModel, name = getDisplayName(model.id)): string {
	const { parameters, quantization, context, state, remoteHost } = model;
	const capabilities = CAPABILITIES.filter(([capability]) => model[capability] === true);
	const facts = [
		typeof parameters === 'number' ? formatBillions(parameters) : parameters,
		quantization,
		context === undefined ? undefined : `${formatThousands(context)} context`,
		...capabilities.map(([, label]) => label),
		state === 'unloaded' ? 'not loaded' : state,
		remoteHost === undefined ? undefined : `runs on ${remoteHost}`,
	].filter((fact) => fact !== undefined);
	return facts.length === 0 ? name : `${name} (${facts.join(', ')})`;
}

const CAPABILITIES = [
	['vision', 'vision'],
	['audio', 'audio'],
	['video', 'video'],
] as const;

function formatThousands(tokens: number): string {
	return tokens >= 1024 ? `${Math.round(tokens / 1024)}k` : String(tokens);
}

function formatBillions(count: number): string {
	return count >= 1e9 ? `${(count / 1e9).toFixed(1)}B` : `${Math.round(count / 1e6)}M`;
}

/** The candidates for an empty model field: the loaded models, or all if none is loaded. */
export function preferLoadedModels<T extends { state?: string | null }>(
	models: readonly T[],
): readonly T[] {
	const loaded = models.filter(({ state }) => state === 'loaded' || state === 'sleeping');
	return loaded.length > 0 ? loaded : models;
}

/**
 * The model for an empty field: the only loaded one, or the only one.
 *
 * @throws {ServerError} of type `invalidInput` if there is none or several, with their names
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

/** @throws {ServerError} of type `invalidInput` */
export function assertModelName(model: string): void {
	if (model.trim() === '')
		throw createInputError(
			'No model is selected',
			'Select a model from the list or enter its name.',
		);
}

/** Whether two names, paths or file names refer to the same model. */
export function isSameModelName(a: string, b: string): boolean {
	return toComparableName(a) === toComparableName(b);
}

function toComparableName(name: string): string {
	const fileName = name.split(/[/\\]/).at(-1) ?? name;
	return getDisplayName(fileName).trim().toLowerCase();
}

/** Whether a model is listed under a name, its ID or an alias included. */
export function hasModelName(
	model: ServerModel,
	name: string,
	isSame: (id: string, name: string) => boolean = isSameModelName,
): boolean {
	return matchesModel(model, name) || [model.id, ...model.aliases].some((id) => isSame(id, name));
}
