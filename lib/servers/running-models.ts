import type { Connection } from '../http/connection';
import type { ServerModel } from './models';
import { CALL_MS } from './offered-models';
import { jsonAt } from './optional-json';
import type { ModelAbilities } from './kinds/model-abilities';

/** Adds the states to listed models, by the route that lists what is in memory. */
export function withStatesOf({
	path,
	stateOf,
}: NonNullable<ModelAbilities['running']>): NonNullable<ModelAbilities['withDetails']> {
	return async (
		connection: Connection,
		models: ServerModel[],
		signal?: AbortSignal,
	): Promise<ServerModel[]> => {
		const running = await jsonAt(connection, connection.url.root + path, {
			timeoutMs: CALL_MS,
			signal,
		});
		if (running === undefined) return models;
		return models.map((model) => ({ ...model, state: stateOf(model.id, running) }));
	};
}
