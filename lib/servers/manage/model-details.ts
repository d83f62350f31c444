import type { Connection } from '../../http/connection';
import { kindOf } from '../kinds';
import { listModels } from '../model-list';
import { requireModel } from '../model-names';
import { offeredModel } from '../offered-models';
import { kindFor } from '../purpose';

/**
 * Everything that a server tells about one model. Loads nothing.
 *
 * @throws {ServerError} also if the server does not have the model
 */
export async function modelDetails(
	connection: Connection,
	{ model, signal }: { model: string; signal?: AbortSignal },
) {
	requireModel(model);
	const server = await kindFor(connection, model, signal);
	const kind = kindOf(server);
	const find = async () =>
		offeredModel(connection, await listModels(connection, signal), model, kind);
	const details = await (kind.models.describe?.(connection, { model, find, signal }) ?? find());
	return { ...details, server };
}
