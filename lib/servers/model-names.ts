/** Names of models: which mean the same model, and how they are shown. */
import { createInputError } from '../errors/create-error';
import { truncate } from '../values/text';
import type { ServerModel } from './server-model';

/** Characters of a name in a sentence. The field of a node and the list of a server may have names of any length. */
const MAX_SHOWN_LENGTH = 200;

/** The name of a model as a sentence shows it. */
export function toShownModelName(name: string): string {
	return truncate(name, MAX_SHOWN_LENGTH);
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
