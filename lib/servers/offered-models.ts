/** The models that a server offers, by a fresh list. */
import type { ServerError } from '../errors/server-error';
import type { Connection } from '../http/connection';
import type { ServerKind } from './kinds/kind';
import type { ModelWork } from './kinds/work';
import { isModelNamed, missingModelAdvice } from './model-names';
import { readModelsInSlices, type ServerModel } from './models';

/** Limit in milliseconds for a short request. */
export const CALL_MS = 15_000;

/** @throws {ServerError} if the server sends no list */
export async function offeredModels(
	connection: Connection,
	{ model, signal }: ModelWork,
): Promise<ServerModel[]> {
	const answer = await connection.accepted(`${connection.url.api}/models`, {
		timeoutMs: CALL_MS,
		signal,
		about: { model },
	});
	return (await readModelsInSlices(answer.json)) ?? [];
}

/** Finds a model in a list by its name or alias. @throws {ServerError} of kind `modelNotFound` */
export function offeredModel(
	connection: Connection,
	models: readonly ServerModel[],
	model: string,
	kind: ServerKind,
): ServerModel {
	const listed = models.find((one) => isModelNamed(one, model, kind.models.isSameName));
	if (listed !== undefined) return listed;
	throw notOffered(
		connection,
		model,
		models.map(({ id }) => id),
		kind.words.missingModel,
	);
}

/** The error for a model that is not among the others. */
export function notOffered(
	connection: Connection,
	model: string,
	others: readonly string[],
	missingModel?: (model: string) => string,
): ServerError {
	const url = `${connection.url.api}/models`;
	return connection.failure('modelNotFound', {
		url,
		model,
		message: `The server does not offer the model "${model}"`,
		remedy: missingModelAdvice(others, missingModel?.(model)) || 'Choose the model from the list.',
		facts: { models: others },
	});
}
