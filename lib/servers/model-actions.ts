/** Actions on the models of a server, if its type supports them. */
import { createServerError } from '../errors/create-error';
import { toErrorContext } from '../http/request-errors';
import { listModels } from './list-models';
import { isListMissing, probe } from './probe';
import { assertModelName } from './model-names';
import { parseModels } from './parse-models';
import { getProfile } from './profile';
import { toKnownServer } from './known-server';
import { TimeLimit } from './time-limit';
import { SERVER_TYPES } from './types';
import type {
	ModelAction,
	ModelActionOptions,
	ModelActionResult,
	ModelServer,
	ServerType,
} from './types/server-type';
import type { ServerTypeName } from '../server-type-name';

/** What an action did, on which server. */
export interface ModelActionReport extends ModelActionResult {
	/** Its name on the server. */
	model: string;
	server: ServerTypeName;
	/** Whether the state of the model changed; undefined if the server does not report it. */
	changed: boolean | undefined;
	/** Milliseconds. */
	tookMs: number;
}

/**
 * Loads a model into memory, unloads it, downloads it onto the server, or deletes it from its disk, after detecting the
 * server type again. A model that is already loaded or unloaded stays so. Running responses are not interrupted.
 *
 * @throws a `ServerError` if the server does not support it, has no such model, fails, or exceeds the timeout; of type
 * `busy` if the model is generating and `wait` is off.
 */
export async function runModelAction(
	server: ModelServer,
	action: ModelAction,
	options: ModelActionOptions,
): Promise<ModelActionReport> {
	const startedAt = performance.now();
	const limit = new TimeLimit(options.timeoutMs);
	const model = options.model.trim();
	assertModelName(model);
	const profile = getProfile(server);
	profile.forget();
	const serverType = await profile.fetchType(options.signal);
	const runAction = serverType.modelActions?.[action];
	if (runAction === undefined) {
		await assertReachable(server, options.signal);
		throw createUnsupportedError(server, serverType, action);
	}
	const result = await runAction(server, { ...options, model, limit });
	const { before, state } = result;
	const changed = before === undefined ? result.changed : before !== state;
	const tookMs = Math.round(performance.now() - startedAt);
	return { model, server: serverType.name, ...result, changed, tookMs };
}

/**
 * The type of a server is unknown if it is down, busy, behind a failing proxy, or rejects the key.
 *
 * @throws a `ServerError`.
 */
async function assertReachable(server: ModelServer, signal: AbortSignal | undefined) {
	const response = await probe(server, `${server.getApiUrl()}/models`, { signal });
	if (isListMissing(response) || parseModels(response.json) !== undefined) return;
	await listModels(server, { signal });
}

function createUnsupportedError(server: ModelServer, serverType: ServerType, action: ModelAction) {
	const supportingTypes = Object.values(SERVER_TYPES).filter(
		({ modelActions }) => modelActions?.[action] !== undefined,
	);
	const supporting = supportingTypes.map(({ label }) => label);
	return createServerError('featureDisabled', toErrorContext(server, { url: server.url.root }), {
		about: { unsupportedAction: { action, supporting }, server: toKnownServer(serverType) },
	});
}
