import { failure } from '../errors/failure';

/** Whether a model of the list is meant by a name. Ollama takes a name without a tag for `:latest`. */
export function isNamed(id: string, wanted: string | undefined): boolean {
	return wanted !== undefined && (id === wanted || id === `${wanted}:latest`);
}

/** The same for its other names. */
export function isModelNamed(
	{ id, aliases }: { id: string; aliases: readonly string[] },
	wanted: string | undefined,
): boolean {
	return isNamed(id, wanted) || (wanted !== undefined && aliases.includes(wanted));
}

const MAX_NAMES = 10;

/**
 * What to do where a server does not have a model. `orElse`: what its kind advises, a sentence that begins in lower
 * case.
 */
export function waysToModel(others: readonly string[], orElse: string | undefined): string {
	const more = others.length > MAX_NAMES ? `, and ${others.length - MAX_NAMES} more` : '';
	return [
		...(others.length === 0 ? [] : [`Use one of: ${others.slice(0, MAX_NAMES).join(', ')}${more}.`]),
		...(orElse === undefined ? [] : [`Or ${orElse}`]),
	].join(' ');
}

/** @throws {ServerError} of kind `invalidInput` */
export function requireModel(model: string): void {
	if (model.trim() === '')
		throw failure(
			'invalidInput',
			{},
			{ message: 'No model is chosen', remedy: 'Choose a model from the list or type its name.' },
		);
}
