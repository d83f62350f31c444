/** Probes of a model server (docs/protocols/llama-server.md 8.1, 9.3): two rounds, each concurrent. */
import { getProfile } from '../servers/profile';
import { matchesModel, preferLoadedModels } from '../servers/model-names';
import { parseModels, parseProps, type ServerModel } from '../servers/models';
import { SERVER_TYPES } from '../servers/types';
import { identifyServerType } from '../servers/types/identify';
import type { ModelServer, ServerType } from '../servers/types/server-type';
import { isRouter } from '../servers/types/llama-server';
import { asArray, isRecord, type JsonRecord } from '../values';
import { isListMissing, probeTasks } from './probe-tasks';
import { runProbe, getJsonObject, type CheckOptions, type ProbeResult } from './probe';

/** The first round, which identifies the server. Each of these routes exists on few server types. */
const IDENTITY_PROBES = {
	models: (server: ModelServer) => `${server.getApiUrl()}/models`,
	props: ({ url }: ModelServer) => `${url.root}/props`,
	apiVersion: ({ url }: ModelServer) => `${url.root}/api/version`,
	version: ({ url }: ModelServer) => `${url.root}/version`,
};

/** Result of the first round. */
interface IdentifiedServer {
	server: ModelServer;
	options: CheckOptions;
	identity: Record<keyof typeof IDENTITY_PROBES, ProbeResult>;
	serverType: ServerType;
	/** Undefined if the server has no model list. */
	models?: ServerModel[];
	/** The model that the check is about: the expected one, or the only one that is loaded. */
	checkedModel?: ServerModel;
	/** A router has a process for each model. */
	isRouter: boolean;
	/** Selects the loaded model of a router, so that a probe goes to it and loads nothing. */
	query: string;
}

/** The second round: details that only some servers report. Requests with `json` are sent with POST. */
const DETAIL_PROBES = {
	metrics: ({ server: { url }, query }) => ({ url: `${url.root}/metrics${query}` }),
	// llama-server rejects an empty body before it queues a task: with 501 if the feature is off, with 400 if it is on.
	// All routes except those of the first round wake a llama-server that sleeps.
	embeddings: ({ server, identity }) =>
		getJsonObject(identity.props).is_sleeping === false
			? { url: `${server.getApiUrl()}/embeddings`, json: {} }
			: undefined,
	routedProps: ({ server: { url }, query }) =>
		query === '' ? undefined : { url: `${url.root}/props${query}` },
	health: ({ server: { url }, serverType }) =>
		serverType.isGateway === true ? undefined : { url: `${url.root}/health` },
} satisfies Record<
	string,
	(identified: IdentifiedServer) => { url: string; json?: JsonRecord } | undefined
>;

/** All responses of a check. */
export interface ServerSnapshot extends IdentifiedServer {
	details: Partial<Record<keyof typeof DETAIL_PROBES, ProbeResult>>;
	/** What a server without a model list is for. */
	tasks: string[];
	/** Properties of the process that runs the checked model; empty if not known. */
	props: JsonRecord;
}

/**
 * Probes a model server, without generating, loading or waking anything.
 *
 * @throws {ServerError} only of type `aborted`
 */
export async function probeServer(
	server: ModelServer,
	options: CheckOptions,
): Promise<ServerSnapshot> {
	const identified = await identifyServer(server, options);
	const { serverType, identity, models, checkedModel } = identified;
	if (identity.models.status === 0) return { ...identified, details: {}, tasks: [], props: {} };
	const [details, tasks, enriched] = await Promise.all([
		runDetailProbes(identified),
		isListMissing(identity.models) ? probeTasks(server, options) : [],
		models && serverType.enrichModels?.(server, models, options.signal),
	]);
	const allModels = enriched ?? models;
	if (!identified.isRouter)
		return {
			...identified,
			models: allModels,
			details,
			tasks,
			props: getJsonObject(identity.props),
		};
	const props = getJsonObject(details.routedProps);
	const withProps = allModels?.map((model) =>
		model.id === checkedModel?.id ? { ...model, ...parseProps(props) } : model,
	);
	return { ...identified, models: withProps, details, tasks, props };
}

async function identifyServer(
	server: ModelServer,
	options: CheckOptions,
): Promise<IdentifiedServer> {
	const probe = async (url: string) => await runProbe(server, url, options);
	const probes = Object.entries(IDENTITY_PROBES).map(
		async ([name, getUrl]) => [name, await probe(getUrl(server))] as const,
	);
	const identity = Object.fromEntries(await Promise.all(probes)) as IdentifiedServer['identity'];
	const profile = getProfile(server);
	identity.models = await profile.findApiRoot(identity.models, probe);
	const responses = { models: identity.models, version: identity.apiVersion };
	const models = parseListedModels(identity.models);
	if (models !== undefined) profile.learnType(identity.models);
	const serverType = SERVER_TYPES[server.configuredType ?? identifyServerType(responses)];
	const checkedModel = selectCheckedModel(models ?? [], serverType, options);
	const identified = { server, options, identity, serverType, models, checkedModel };
	if (!isRouter(responses) || checkedModel?.state !== 'loaded')
		return { ...identified, isRouter: isRouter(responses), query: '' };
	const query = `?model=${encodeURIComponent(checkedModel.id.toWellFormed())}&autoload=false`;
	return { ...identified, isRouter: true, query };
}

async function runDetailProbes(identified: IdentifiedServer): Promise<ServerSnapshot['details']> {
	const { server, options } = identified;
	const probes = Object.entries(DETAIL_PROBES).map(async ([name, getRequest]) => {
		const request = getRequest(identified);
		if (request === undefined) return [];
		return [[name, await runProbe(server, request.url, { ...options, ...request })] as const];
	});
	return Object.fromEntries((await Promise.all(probes)).flat());
}

/** Gateways list thousands of models. */
const MAX_MODELS = 5_000;

function parseListedModels({ error, json }: ProbeResult): ServerModel[] | undefined {
	if (error !== undefined) return undefined;
	const isLong = isRecord(json) && asArray(json.data).length > MAX_MODELS;
	return parseModels(isLong ? { data: asArray(json.data).slice(0, MAX_MODELS) } : json);
}

function selectCheckedModel(
	models: ServerModel[],
	{ isSameModel }: ServerType,
	{ expectations = {} }: CheckOptions,
): ServerModel | undefined {
	const { model: name } = expectations;
	if (name !== undefined) return models.find((model) => matchesModel(model, name, isSameModel));
	const candidates = preferLoadedModels(filterChatModels(models));
	return candidates.length === 1 ? candidates[0] : undefined;
}

/** The models that may generate text; all models if none is known to. */
export function filterChatModels<M extends { embeddings?: boolean | null }>(
	models: readonly M[],
): M[] {
	const chatModels = models.filter(({ embeddings }) => embeddings !== true);
	return chatModels.length > 0 ? chatModels : [...models];
}
