/** What a check asks a model server (docs/protocols/llama-server.md 8.1, 9.3): two rounds, each at once. */
import { CHAT_ROUTE, findApiRoot } from '../servers/base-url';
import { matchesModel, preferLoadedModels } from '../servers/model-names';
import { parseModels, parseProps, type ServerModel } from '../servers/models';
import { SERVER_TYPES, cacheServerType } from '../servers/types';
import { identifyServerType } from '../servers/types/identify';
import type { ServerTypeName, ModelServer, ServerType } from '../servers/types/server-type';
import { isRouter } from '../servers/types/llama-server';
import { asArray, isRecord, type JsonRecord } from '../values';
import { runProbe, getJsonObject, type CheckOptions, type ProbeResult } from './probe';

/** The first round, which tells the server. Any other server has no such route. */
const IDENTITY_PROBES = {
	models: ({ url }: ModelServer) => `${url.api}/models`,
	props: ({ url }: ModelServer) => `${url.root}/props`,
	apiVersion: ({ url }: ModelServer) => `${url.root}/api/version`,
	version: ({ url }: ModelServer) => `${url.root}/version`,
};

/** What the first round told. */
interface IdentifiedServer {
	server: ModelServer;
	options: CheckOptions;
	identity: Record<keyof typeof IDENTITY_PROBES, ProbeResult>;
	typeName: ServerTypeName;
	serverType: ServerType;
	/** Undefined: there is no list. */
	models?: ServerModel[];
	/** The model that the check is about: the expected one, or the only one that is loaded. */
	checkedModel?: ServerModel;
	/** A router has a process for each model. */
	isRouter: boolean;
	/** Names the loaded model of a router, so that the question is about it, and loads nothing. */
	query: string;
}

interface ProbeRequest {
	url: string;
	/** Sent with POST. */
	json?: JsonRecord;
}

/** The second round: what only some servers can tell. */
const DETAIL_PROBES = {
	metrics: ({ server: { url }, query }) => ({ url: `${url.root}/metrics${query}` }),
	// Refused before they become a task: with 501 where the function is off, with 400 where it is on. Any route but those
	// of the first round wakes a llama-server that sleeps.
	embeddings: ({ server: { url }, identity }) =>
		getJsonObject(identity.props).is_sleeping === false
			? { url: `${url.api}/embeddings`, json: {} }
			: undefined,
	routedProps: ({ server: { url }, query }) =>
		query === '' ? undefined : { url: `${url.root}/props${query}` },
	chat: ({ server: { url }, identity }) =>
		identity.models.status === 404 ? { url: url.api + CHAT_ROUTE } : undefined,
} satisfies Record<string, (known: IdentifiedServer) => ProbeRequest | undefined>;

/** All answers of a check. */
export interface ServerSnapshot extends IdentifiedServer {
	details: Partial<Record<keyof typeof DETAIL_PROBES, ProbeResult>>;
	/** The process that runs the subject; empty where it is not known. */
	props: JsonRecord;
}

/**
 * Asks a model server. Nothing is generated, loaded or woken.
 *
 * @throws {ServerError} only of kind `aborted`
 */
export async function probeServer(
	server: ModelServer,
	options: CheckOptions,
): Promise<ServerSnapshot> {
	const known = await identifyServer(server, options);
	const { serverType, identity, models, checkedModel } = known;
	if (identity.models.status === 0) return { ...known, details: {}, props: {} };
	const [details, detailed] = await Promise.all([
		runDetailProbes(known),
		models && serverType.enrichModels?.(server, models, options.signal),
	]);
	const all = detailed ?? models;
	if (!known.isRouter)
		return { ...known, models: all, details, props: getJsonObject(identity.props) };
	const props = getJsonObject(details.routedProps);
	const described = all?.map((model) =>
		model.id === checkedModel?.id ? { ...model, ...parseProps(props) } : model,
	);
	return { ...known, models: described, details, props };
}

async function identifyServer(
	server: ModelServer,
	options: CheckOptions,
): Promise<IdentifiedServer> {
	const look = async (url: string) => await runProbe(server, url, options);
	const asked = Object.entries(IDENTITY_PROBES).map(
		async ([name, urlOf]) => [name, await look(urlOf(server))] as const,
	);
	const identity = Object.fromEntries(await Promise.all(asked)) as IdentifiedServer['identity'];
	identity.models = await findApiRoot(server, identity.models, look);
	const answers = { models: identity.models, version: identity.apiVersion };
	const models = parseListedModels(identity.models);
	if (models !== undefined) cacheServerType(server, identity.models);
	const typeName = server.configuredType ?? identifyServerType(answers);
	const serverType: ServerType = SERVER_TYPES[typeName];
	const checkedModel = selectCheckedModel(models ?? [], serverType, options);
	const known = { server, options, identity, typeName, serverType, models, checkedModel };
	if (!isRouter(answers) || checkedModel?.state !== 'loaded')
		return { ...known, isRouter: isRouter(answers), query: '' };
	const query = `?model=${encodeURIComponent(checkedModel.id.toWellFormed())}&autoload=false`;
	return { ...known, isRouter: true, query };
}

async function runDetailProbes(known: IdentifiedServer): Promise<ServerSnapshot['details']> {
	const { server, options } = known;
	const asked = Object.entries(DETAIL_PROBES).map(async ([name, questionOf]) => {
		const question = questionOf(known);
		if (question === undefined) return [];
		return [[name, await runProbe(server, question.url, { ...options, ...question })] as const];
	});
	return Object.fromEntries((await Promise.all(asked)).flat());
}

/** Gateways list thousands. */
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

/** The models that may write text; all where none is known to. */
export function filterChatModels<M extends { embeddings?: boolean | null }>(
	models: readonly M[],
): M[] {
	const writing = models.filter(({ embeddings }) => embeddings !== true);
	return writing.length > 0 ? writing : [...models];
}
