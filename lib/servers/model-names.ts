import { failure, type FailureContext, invalidInput } from '../errors/failure';

/** Whether a model of the list is meant by a name. Ollama takes a name without a tag for `:latest`. */
export function isNamed(id: string, wanted: string | undefined): boolean {
	return wanted !== undefined && (id === wanted || id === `${wanted}:latest`);
}

/** The same by all of Ollama's rules: in any case, with or without its registry and `library` (types/model/name.go). */
export function isOllamaNamed(id: string, wanted: string): boolean {
	const [known, asked] = [id, wanted].map((name) =>
		name.toLowerCase().replace(/^(?:https?:\/\/)?(?:registry\.ollama\.ai\/)?(?:library\/)?/, ''),
	) as [string, string];
	return isNamed(known, asked) || isNamed(asked, known);
}

/** The same for all names of a model, at a server of its kind. */
export function isModelNamed(
	{ id, aliases }: { id: string; aliases: readonly string[] },
	wanted: string | undefined,
	{ hasOllamaApi }: { hasOllamaApi?: boolean } = {},
): boolean {
	if (wanted === undefined) return false;
	return isNamed(id, wanted) || aliases.includes(wanted) || (hasOllamaApi === true && isOllamaNamed(id, wanted));
}

/** A name with its slashes as a part of a path. */
export function pathOfModel(model: string): string {
	return model.split('/').map(encodeURIComponent).join('/');
}

const MAX_NAMES = 10;

/**
 * What to do where a server does not have a model. `orElse`: what its kind advises, a sentence that begins in lower
 * case.
 */
export function missingModelAdvice(others: readonly string[], orElse: string | undefined): string {
	const more = others.length > MAX_NAMES ? `, and ${others.length - MAX_NAMES} more` : '';
	return [
		...(others.length === 0 ? [] : [`Use one of: ${others.slice(0, MAX_NAMES).join(', ')}${more}.`]),
		...(orElse === undefined ? [] : [`${others.length === 0 ? 'Choose another model, or' : 'Or'} ${orElse}`]),
	].join(' ');
}

/**
 * The name of a model as people know it: of a path, the name of the file without `.gguf` and the number of its part.
 * llama-server without `--alias` takes the whole path for the ID.
 */
export function shortModelName(id: string): string {
	return isPath(id) ? tailOf(id, 1) : withoutEnding(id);
}

/** A short name for each ID. Where two would be the same, as much of their folders as tells them apart. */
export function shortModelNames(ids: readonly string[]): Map<string, string> {
	const nameOf = (id: string) => {
		for (let parts = 1; parts <= partsOf(id).length; parts++) {
			const name = parts === 1 ? shortModelName(id) : tailOf(id, parts);
			const taken = ids.some(
				(other) => other !== id && name === (parts === 1 ? shortModelName(other) : tailOf(other, parts)),
			);
			if (!taken) return name;
		}
		return id;
	};
	return new Map(ids.map((id) => [id, nameOf(id)]));
}

function isPath(id: string): boolean {
	return /^(?:[/\\~.]|[a-z]:[/\\])/i.test(id) || /\.gguf$/i.test(id);
}

function partsOf(id: string): string[] {
	return id.split(/[/\\]/).filter((part) => part !== '');
}

function tailOf(id: string, parts: number): string {
	return withoutEnding(partsOf(id).slice(-parts).join('/'));
}

function withoutEnding(name: string): string {
	return name.replace(/(?:-\d{5}-of-\d{5})?\.gguf$/i, '');
}

/** The models that an empty field may mean: those that are loaded, or where none is, all. */
export function loadedOrAll<T extends { state?: string | null }>(models: readonly T[]): readonly T[] {
	const loaded = models.filter(({ state }) => state === 'loaded' || state === 'sleeping');
	return loaded.length > 0 ? loaded : models;
}

/**
 * The model of a field that is empty: the one that is loaded, or the only one.
 *
 * @throws {ServerError} of kind `invalidInput` that lists them, where there are several
 */
export function onlyModel(
	models: ReadonlyArray<{ id: string; state?: string | null }>,
	context: Partial<FailureContext> = {},
): string {
	const candidates = loadedOrAll(models);
	if (candidates.length === 1) return candidates[0]!.id;
	throw failure('invalidInput', context, {
		message:
			candidates.length === 0 ? 'The server lists no model' : 'The server has several models, and none is chosen',
		remedy: `Choose a model in the node or type its name. ${missingModelAdvice(
			candidates.map(({ id }) => id),
			undefined,
		)}`.trim(),
	});
}

/** @throws {ServerError} of kind `invalidInput` */
export function requireModel(model: string): void {
	if (model.trim() === '') throw invalidInput('No model is chosen', 'Choose a model from the list or type its name.');
}
