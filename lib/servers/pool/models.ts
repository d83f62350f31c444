import { asFailed, type ServerError } from '../../errors/server-error';
import type { Connection } from '../../http/connection';
import type { ServerPool } from './server-pool';
import type { ServerModel } from '../models';
import { allFailed } from './failover';

/**
 * The models of all servers of a credential, each once, in the order of the servers. Servers with their own model names
 * are left out: nodes request models by the names on the others.
 *
 * @param list lists the models of one server
 * @throws {ServerError} if none of them has a list
 */
export async function listModelsOf(
	servers: ServerPool,
	list: (connection: Connection) => Promise<ServerModel[]>,
): Promise<{ models: ServerModel[]; failed: Array<{ url: string; error: ServerError }> }> {
	const connections = servers.connectionsWithSameNames;
	const answers = await Promise.all(
		connections.map(
			async (connection) => await list(connection).then((models) => ({ models }), asFailed),
		),
	);
	const models = new Map<string, ServerModel>();
	const failed: Array<{ url: string; error: ServerError }> = [];
	for (const [at, answer] of answers.entries()) {
		if ('failed' in answer) failed.push({ url: connections[at]!.url.root, error: answer.failed });
		else for (const model of answer.models) if (!models.has(model.id)) models.set(model.id, model);
	}
	if (failed.length === connections.length) {
		const errors = failed.map(({ error }) => error);
		throw errors.length === 1 ? errors[0]! : allFailed(errors);
	}
	return { models: [...models.values()], failed };
}
