/** Actions on the models of a server, where its kind has them. */
import { createServerError } from '../errors/create-error';
import type { ServerError } from '../errors/server-error';
import { rethrowWith } from '../errors/server-error';
import { toErrorContext } from '../http/request-errors';
import { listModels } from './list-models';
import { probe } from './probe';
import { assertModelName } from './model-names';
import { forgetServerType, getServerType, getCachedTypeName, SERVER_TYPES } from './types';
import type {
	LoadOptions,
	ModelActions,
	PullOptions,
	ServerType,
	ModelActionOptions,
	ModelServer,
} from './types/server-type';

/** The actions, in words after "cannot". */
const ACTION_LABELS: Readonly<Record<keyof ModelActions, string>> = {
	load: 'load or unload models',
	unload: 'load or unload models',
	pull: 'download models',
	remove: 'delete models',
};

/**
 * Loads a model into memory or unloads it. Nothing happens if the model is already in that state. Running answers are
 * not cut off.
 *
 * @throws {ServerError} if the server cannot do that, does not know the model, fails, or exceeds the limit; of kind
 *   `busy` if the model is answering and `wait` is off
 */
export async function changeModel(
	server: ModelServer,
	action: 'load' | 'unload',
	options: LoadOptions,
) {
	return await timed(server, action, options, async (work, given) => {
		const change = await work[action]!(server, given);
		return { ...change, changed: change.before !== change.state };
	});
}

/** Downloads a model onto the server. @throws {ServerError} */
export async function pullModel(server: ModelServer, options: PullOptions) {
	return await timed(
		server,
		'pull',
		options,
		async (work, given) => await work.pull!(server, given),
	);
}

/** Deletes a model from the server's disk. @throws {ServerError} */
export async function deleteModel(server: ModelServer, options: ModelActionOptions) {
	return await timed(server, 'remove', options, async (work, given) => {
		await work.remove!(server, given).catch(rethrowWith(notThere));
		return { deleted: true };
	});
}

/** A model that is to be deleted need not be fetched first. */
function notThere(error: ServerError): ServerError {
	if (error.type !== 'modelNotFound') return error;
	return error.withSuggestion('It may already be deleted. The list shows the existing models.');
}

/** Runs an action, and adds the kind of server and the duration in milliseconds. What is known of it is asked anew. */
async function timed<Options extends ModelActionOptions, Done extends object>(
	server: ModelServer,
	action: keyof ModelActions,
	options: Options,
	run: (work: ModelActions, options: Options) => Promise<Done>,
): Promise<{ model: string; server: string; tookMs: number } & Done> {
	const startedAt = performance.now();
	const model = options.model.trim();
	assertModelName(model);
	forgetServerType(server);
	const kind = await getServerType(server, options.signal);
	const { modelActions = {} } = kind;
	if (modelActions[action] === undefined) {
		await assertReachable(server, options.signal);
		throw unsupported(server, kind, action);
	}
	const done = await run(modelActions, { ...options, model });
	const tookMs = Math.round(performance.now() - startedAt);
	return { model, server: getCachedTypeName(server) ?? 'other', ...done, tookMs };
}

/** A server that is down, or refuses the key, is of no kind that is known. @throws {ServerError} */
async function assertReachable(
	server: ModelServer,
	signal: AbortSignal | undefined,
): Promise<void> {
	const reply = await probe(server, `${server.url.api}/models`, { signal });
	if (reply.status !== 401 && reply.status !== 403) return;
	await listModels(server, signal);
}

function unsupported(
	server: ModelServer,
	kind: ServerType,
	action: keyof ModelActions,
): ServerError {
	const able = Object.values<ServerType>(SERVER_TYPES).filter(
		({ modelActions }) => modelActions?.[action] !== undefined,
	);
	const only = `Only ${able.map(({ label }) => label).join(', ')} support this.`;
	const way = action === 'load' || action === 'unload' ? kind.texts.noModelActions : undefined;
	return createServerError('featureDisabled', toErrorContext(server, server.url.root), {
		message: `${kind.label} cannot ${ACTION_LABELS[action]} on request`,
		suggestion: way === undefined ? only : `${only} ${way}`,
	});
}
