/** Which of a server's models are used for an empty field, offered, and suggested. */
import type { ErrorContext } from '../errors/create-error';
import { createServerError } from '../errors/create-error';
import { suggestModels } from '../errors/other-models';

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
		inputWords: {
			title:
				candidates.length === 0
					? 'The server lists no models'
					: 'The server has several models, and none is selected',
			suggestion: `Select a model in the node or enter its name. ${suggestModels(
				candidates.map(({ id }) => id),
				undefined,
			)}`.trim(),
		},
	});
}

/** What a list says of whether a model writes text. */
export interface TextFacts {
	embeddings?: boolean | null;
	writesText?: boolean | null;
}

/** Whether nothing says that a model writes vectors or decisions only. */
export function mayWriteText({ embeddings, writesText }: TextFacts): boolean {
	return embeddings !== true && writesText !== false;
}

/** The models that may generate text; all models if none is known to. */
export function filterChatModels<M extends TextFacts>(models: readonly M[]): M[] {
	const chatModels = models.filter(mayWriteText);
	return chatModels.length > 0 ? chatModels : [...models];
}
