/** What is known of the server of a failed request, or can be asked of it. */
import type { ServerError } from '../errors/server-error';
import { listModels } from '../servers/list-models';
import { getProfile } from '../servers/profile';
import type { ModelServer } from '../servers/types/server-type';
import { asFiniteNumber } from '../values/numbers';
import type { ContextSizes } from './context-size';
import type { FactSources } from './facts';

/** The model of the request that failed. */
interface RequestedModel {
	/** As sent; empty: none. */
	model: string;
	/** Ends the requests for facts. */
	signal?: AbortSignal;
}

/** The facts of every request to a model server. */
export function getServerFacts(
	error: ServerError,
	server: ModelServer,
	requested: RequestedModel,
): FactSources {
	const profile = getProfile(server);
	const fetchIsAddressRight = async () => await profile.fetchIsAddressRight(requested.signal);
	return {
		serverType: async () => await profile.fetchType(requested.signal),
		keyBehind: async () => (await profile.fetchType(requested.signal)).texts.keyBehind,
		modelBehind: async () => (await profile.fetchType(requested.signal)).texts.modelBehind,
		isListedForKey: async () => (await isListed(server, requested)) || undefined,
		isInKnownList: () => profile.isInKnownList(requested.model) || undefined,
		contextSizes: async () => await fetchContextSizes(error, server, requested),
		isRightAddress: async () => (await fetchIsAddressRight()) || undefined,
		isUnprovenAddress: async () =>
			(error.isServerText !== true && !(await fetchIsAddressRight())) || undefined,
	};
}

async function isListed(server: ModelServer, { model, signal }: RequestedModel): Promise<boolean> {
	const models = await listModels(server, { signal }).catch(() => []);
	return models.some(({ id }) => id === model);
}

async function fetchContextSizes(
	{ facts }: ServerError,
	server: ModelServer,
	{ model, signal }: RequestedModel,
): Promise<ContextSizes> {
	const profile = getProfile(server);
	const props = await profile.fetchProps(model, signal);
	return {
		current: asFiniteNumber(facts.n_ctx) ?? props?.context,
		trained: await profile.fetchTrainedContext(model, signal),
		slots: props?.slots,
	};
}
