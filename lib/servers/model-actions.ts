/** Actions on the models of a server, if its type supports them. */
import { type ServerError, createServerError } from '../errors/server-error';
import { rethrowWith } from '../errors/server-error';
import { toErrorContext } from '../http/request-errors';
import { listModels } from './list-models';
import { isListMissing, probe } from './probe';
import { assertModelName, parseModels } from './models';
import { getProfile } from './profile';
import { SERVER_TYPES } from './types';
import type {
	LoadOptions,
	ModelActions,
	PullOptions,
	ServerType,
	ModelActionOptions,
	ModelServer,
} from './types/server-type';

/** The actions, as text after "cannot". */
const ACTION_LABELS: Readonly<Record<keyof ModelActions, string>> = {
	load: 'load or unload models',
	unload: 'load or unload models',
	pull: 'download models',
	remove: 'delete models',
};

/**
 * Loads a model into memory or unloads it. Nothing happens if the model is already in that state. Running responses are
 * not interrupted.
 *
 * @throws {ServerError} if the server does not support it, has no such model, fails, or exceeds the timeout; of type
 *   `busy` if the model is generating and `wait` is off
 */
export async function changeModel(
	server: ModelServer,
	action: 'load' | 'unload',
	options: LoadOptions,
) {
	return await runAction(server, action, options, async (actions, actionOptions) => {
		const change = await actions[action]!(server, actionOptions);
		return { ...change, changed: change.before !== change.state };
	});
}

/** Downloads a model onto the server. @throws {ServerError} */
export async function pullModel(server: ModelServer, options: PullOptions) {
	return await runAction(server, 'pull', options, (actions, actionOptions) =>
		actions.pull!(server, actionOptions),
	);
}

/** Deletes a model from the server's disk. @throws {ServerError} */
export async function deleteModel(server: ModelServer, options: ModelActionOptions) {
	return await runAction(server, 'remove', options, async (actions, actionOptions) => {
		await actions.remove!(server, actionOptions).catch(rethrowWith(suggestAlreadyDeleted));
		return { deleted: true };
	});
}

/** The general suggestion to download the model does not fit a deletion. */
function suggestAlreadyDeleted(error: ServerError) {
	if (error.type !== 'modelNotFound') return error;
	return error.withSuggestion('It may already be deleted. The list shows the existing models.');
}

/** Runs an action after detecting the server type again, and adds the type and the duration in milliseconds. */
async function runAction<Options extends ModelActionOptions, Done extends object>(
	server: ModelServer,
	action: keyof ModelActions,
	options: Options,
	run: (actions: ModelActions, options: Options) => Promise<Done>,
): Promise<{ model: string; server: string; tookMs: number } & Done> {
	const startedAt = performance.now();
	const model = options.model.trim();
	assertModelName(model);
	const profile = getProfile(server);
	profile.forget();
	const serverType = await profile.getType(options.signal);
	const { modelActions = {} } = serverType;
	if (modelActions[action] === undefined) {
		await assertReachable(server, options.signal);
		throw createUnsupportedError(server, serverType, action);
	}
	const result = await run(modelActions, { ...options, model });
	const tookMs = Math.round(performance.now() - startedAt);
	return { model, server: serverType.name, ...result, tookMs };
}

/** The type of a server is unknown if it is down, busy, behind a failing proxy, or rejects the key. @throws {ServerError} */
async function assertReachable(server: ModelServer, signal: AbortSignal | undefined) {
	const response = await probe(server, `${server.getApiUrl()}/models`, { signal });
	if (isListMissing(response) || parseModels(response.json) !== undefined) return;
	await listModels(server, signal);
}

function createUnsupportedError(
	server: ModelServer,
	serverType: ServerType,
	action: keyof ModelActions,
) {
	const supportingTypes = Object.values(SERVER_TYPES).filter(
		({ modelActions }) => modelActions?.[action] !== undefined,
	);
	const supportedBy = `Only ${supportingTypes.map(({ label }) => label).join(', ')} support this.`;
	const alternative =
		action === 'load' || action === 'unload' ? serverType.texts.noModelActions : undefined;
	return createServerError('featureDisabled', toErrorContext(server, server.url.root), {
		title: `${serverType.label} cannot ${ACTION_LABELS[action]} on request`,
		suggestion: alternative === undefined ? supportedBy : `${supportedBy} ${alternative}`,
	});
}
