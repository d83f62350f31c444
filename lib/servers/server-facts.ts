/** What is known of the server of a failed request, or can be asked of it. */
import type { ContextSizes } from '../errors/facts';
import type { FactSources } from '../errors/investigate';
import type { ServerError } from '../errors/server-error';
import { toKnownServer } from './known-server';
import { listModels } from './list-models';
import { getProfile } from './profile';
import type { ModelServer } from './types/server-type';
import { asFiniteNumber } from '../values/numbers';

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
	const fetchType = async () => await profile.fetchType(requested.signal);
	const fetchIsAddressRight = async () => await profile.fetchIsAddressRight(requested.signal);
	return {
		server: async () => toKnownServer(await fetchType()),
		mayHaveKeyBehind: async () => (await fetchType()).texts.keyBehind !== undefined || undefined,
		mayHaveModelBehind: async () =>
			(await fetchType()).texts.modelBehind !== undefined || undefined,
		isListedForKey: async () => (await isListed(server, requested)) || undefined,
		isInKnownList: () => profile.isInKnownList(requested.model) || undefined,
		contextSizes: async () => await fetchContextSizes(error, server, requested),
		isRightAddress: async () => (await fetchIsAddressRight()) || undefined,
		isUnprovenAddress: async () =>
			(error.sentence === undefined && !(await fetchIsAddressRight())) || undefined,
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
