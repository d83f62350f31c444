import { ServerError } from '../errors/server-error';
import { failure } from '../errors/failure';
import type { Connection } from '../http/connection';
import { waysToModel } from '../servers/model-names';
import { readModels } from '../servers/models';
import { traitsOf } from '../servers/kinds';
import type { ServerKind } from '../servers/kinds/kind';

const ASK_LIMIT_MS = 3_000;

/** The same error; where the server does not know the model, with the ones that it has. */
export async function withModelsOf(
	connection: Connection,
	error: unknown,
	{ model, kind, signal }: { model: string; kind: ServerKind; signal?: AbortSignal },
): Promise<unknown> {
	if (!(error instanceof ServerError) || error.kind !== 'modelNotFound') return error;
	const ids = await modelsOf(connection, signal);
	const ways = waysToModel(ids, traitsOf(kind).advice.missingModel?.(model));
	if (ids.length === 0) return error;
	const { status, serverText, facts } = error;
	return failure('modelNotFound', connection.contextOf(error.url ?? connection.url.api, { model }), {
		status,
		serverText,
		remedy: ways,
		facts: { ...facts, models: ids.slice(0, 50) },
	});
}

async function modelsOf(connection: Connection, signal: AbortSignal | undefined): Promise<string[]> {
	try {
		const { status, json } = await connection.call(`${connection.url.api}/models`, { timeoutMs: ASK_LIMIT_MS, signal });
		return status < 300 ? (readModels(json) ?? []).map(({ id }) => id) : [];
	} catch {
		return [];
	}
}
