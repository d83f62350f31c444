/** Actions on the models of a server, where its kind has them. */
import { asFailed, throwAs, type ServerError } from '../../errors/server-error';
import type { Connection } from '../../http/connection';
import { askServerKindAgain } from '../identify';
import { isIdentified, type KindName, kindOf, labelsOf } from '../kinds';
import type { ModelAbilities } from '../kinds/model-abilities';
import type { ChangeOptions, ModelAction, ModelWork, PullOptions } from '../kinds/work';
import { requireModel } from '../model-names';
import { CALL_MS } from '../offered-models';

type ActionName = 'load' | 'unload' | 'pull' | 'remove';

/** The actions, in words after "cannot". */
const WHAT: Readonly<Record<ActionName, string>> = {
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
	connection: Connection,
	action: ModelAction,
	options: ChangeOptions,
) {
	return await workOnModel(connection, action, options, async (run, given) => {
		const change = await run(connection, given);
		return { ...change, changed: change.before !== change.state };
	});
}

/**
 * Downloads a model onto the server.
 *
 * @throws {ServerError}
 */
export async function pullModel(connection: Connection, options: PullOptions) {
	return await workOnModel(connection, 'pull', options, async (run, given, kind) => {
		const outcome = await run(connection, given).catch(asFailed);
		if (!('failed' in outcome)) return outcome;
		const { status } = outcome.failed;
		// An unknown server was only tried.
		const isMissing = !isIdentified(kind) && (status === 404 || status === 405);
		throw isMissing ? await unsupported(connection, kind, 'pull', given.signal) : outcome.failed;
	});
}

/**
 * Deletes a model from the server's disk.
 *
 * @throws {ServerError}
 */
export async function deleteModel(connection: Connection, options: ModelWork) {
	return await workOnModel(connection, 'remove', options, async (run, given) => {
		await run(connection, given).catch(throwAs(notThere));
		return { deleted: true };
	});
}

/** A model that is to be deleted need not be fetched first. */
function notThere(error: ServerError): ServerError {
	if (error.kind !== 'modelNotFound') return error;
	return error.withRemedy('It may be deleted already. The list has those that are there.');
}

/**
 * Runs an action on a model, and adds the kind of server and the duration in milliseconds.
 *
 * @param work gets the action of the kind of server, which is not taken from the cache
 * @throws {ServerError}
 */
async function workOnModel<Name extends ActionName, Options extends ModelWork, Done extends object>(
	connection: Connection,
	action: Name,
	options: Options,
	work: (run: NonNullable<ModelAbilities[Name]>, options: Options, kind: KindName) => Promise<Done>,
): Promise<{ model: string; server: KindName; tookMs: number } & Done> {
	const startedAt = performance.now();
	const model = options.model.trim();
	requireModel(model);
	const { signal } = options;
	const server = await askServerKindAgain(connection, { signal, limitMs: CALL_MS });
	const run = kindOf(server).models[action];
	if (run === undefined) throw await unsupported(connection, server, action, signal);
	const done = await work(run, { ...options, model }, server);
	return { model, server, ...done, tookMs: Math.round(performance.now() - startedAt) };
}

/**
 * The error for a server that cannot do this with its models. The kind of a server that refuses the key, or is down, is
 * unknown: then that failure is reported.
 */
async function unsupported(
	connection: Connection,
	server: KindName,
	action: ActionName,
	signal: AbortSignal | undefined,
): Promise<ServerError> {
	if (!isIdentified(server)) {
		const answer = await connection.call(`${connection.url.api}/models`, { signal });
		if (answer.status === 401 || answer.status === 403) return connection.refusal(answer);
	}
	const { label, words } = kindOf(server);
	const only = `Only ${labelsOf(({ models }) => models[action])} can.`;
	const way = action === 'load' || action === 'unload' ? words.loadsNone : undefined;
	return connection.failure('notSupported', {
		url: connection.url.root,
		message: `${label} cannot ${WHAT[action]} on request`,
		remedy: way === undefined ? only : `${only} ${way}`,
	});
}
