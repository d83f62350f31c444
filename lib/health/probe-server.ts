/** Probes of a model server (docs/protocols/llama-server.md 8.1, 9.3): two rounds, each concurrent. */
import { getProfile } from '../servers/profile';
import { CHAT_ROUTE, toListUrl } from '../servers/server-urls';
import type { ServerModel } from '../servers/server-model';
import { preferLoadedModels, filterChatModels } from '../servers/model-selection';
import { matchesModel } from '../servers/model-names';
import { parseModels, parseProps } from '../servers/parse-models';
import { SERVER_TYPES, identifyServerType, isRouter } from '../servers/types';
import type { ModelServer, ServerType } from '../servers/types/server-type';
import { TASK_LIMITS } from '../task-limits';
import type { JsonRecord } from '../values/records';
import { asArray, isRecord, asRecord } from '../values/records';
import { isListMissing } from '../servers/probe';
import { DEFAULT_TIMEOUT_MS } from './check-options';
import type { CheckOptions } from './check-options';
import type { ProbeResult } from './run-probe';
import { runProbe, getJsonObject, isPage } from './run-probe';
import { randomUUID } from 'node:crypto';
import type { UploadBody } from '../http/types';
import { getOwn } from '../values/own-properties';

/** Probes of the first round. */
interface IdentityProbes {
	/** The model list. */
	modelList: ProbeResult;
	/** `/props` of llama-server. */
	props: ProbeResult;
	/** `/api/version` of Ollama. */
	apiVersion: ProbeResult;
	/** `/version` of other servers. */
	version: ProbeResult;
}

/** Probes of the second round. One is undefined if it does not apply to the server. */
interface DetailProbes {
	/** `/metrics`, of a router those of the loaded model. */
	metrics: ProbeResult | undefined;
	/** Rejection of an empty embedding request, which shows whether the feature is on. */
	embeddings: ProbeResult | undefined;
	/** `/props` of the loaded model of a router. */
	routedProps: ProbeResult | undefined;
	/** `/health`, unless the server is a gateway. */
	health: ProbeResult | undefined;
	/** A GET of the chat route, which generates nothing, if all routes but the list reject the key. */
	chats: ProbeResult | undefined;
}

/** Result of the first round. */
interface IdentifiedServer {
	/** The checked server, with the API where it may be now. */
	server: ModelServer;
	options: CheckOptions;
	identity: IdentityProbes;
	serverType: ServerType;
	/** Undefined if the server has no model list. */
	models: ServerModel[] | undefined;
	/** The model that the check is about: the expected one, or the only one that is loaded. */
	checkedModel: ServerModel | undefined;
	/** Whether it has a process for each model, as a router does. */
	hasModelProcesses: boolean;
}

/** All responses of a check. */
export interface ServerSnapshot extends IdentifiedServer {
	/** Undefined if the server did not respond to the first round. */
	details: DetailProbes | undefined;
	/** The tasks that a server without a model list has endpoints for; otherwise empty. */
	tasks: string[];
	/** Properties of the process that runs the checked model; empty if not known. */
	props: JsonRecord;
}

/**
 * Probes a model server, without generating, loading or waking anything.
 *
 * @throws a `ServerError` only of type `aborted`
 */
export async function probeServer(
	server: ModelServer,
	options: CheckOptions,
): Promise<ServerSnapshot> {
	const { signal, timeoutMs = DEFAULT_TIMEOUT_MS } = options;
	const identified = await identifyServer(server, options);
	const { serverType, identity, models, checkedModel, hasModelProcesses } = identified;
	const isReachable = identity.modelList.status > 0;
	const [details, tasks, enriched] = await Promise.all([
		isReachable ? probeDetails(identified) : undefined,
		isListMissing(identity.modelList) ? probeTasks(identified.server, options) : [],
		models && serverType.enrichModels?.(identified.server, models, { signal, timeoutMs }),
	]);
	const props = getJsonObject(hasModelProcesses ? details?.routedProps : identity.props);
	return {
		...identified,
		models: (enriched ?? models)?.map((model) =>
			hasModelProcesses && model.id === checkedModel?.id
				? { ...model, ...parseProps(props) }
				: model,
		),
		details,
		tasks,
		props,
	};
}

/** The first round, which identifies the server. Each of these routes exists on few server types. */
async function identifyServer(
	server: ModelServer,
	options: CheckOptions,
): Promise<IdentifiedServer> {
	const probeUrl = (url: string) => runProbe(server, url, options);
	const [list, props, apiVersion, version] = await Promise.all([
		probeUrl(toListUrl(server)),
		probeUrl('/props'),
		probeUrl('/api/version'),
		probeUrl('/version'),
	]);
	const profile = getProfile(server);
	const { list: modelList, apiUrl } = await profile.probeApiRoot(list, probeUrl);
	const responses = { models: modelList, apiVersion };
	const listedModels = parseListedModels(modelList);
	if (listedModels !== undefined) profile.learnType(modelList);
	const serverType = SERVER_TYPES[server.configuredType ?? identifyServerType(responses)];
	return {
		server: { ...server, getApiUrl: () => apiUrl },
		options,
		identity: { modelList, props, apiVersion, version },
		serverType,
		models: listedModels,
		checkedModel: selectCheckedModel(listedModels ?? [], serverType, options),
		hasModelProcesses: isRouter(responses),
	};
}

/** The second round: details that only some servers report. */
async function probeDetails({
	server,
	options,
	identity,
	serverType,
	checkedModel,
	hasModelProcesses,
}: IdentifiedServer): Promise<DetailProbes> {
	// Selects the loaded model of a router, so that a probe goes to it and loads nothing.
	const query =
		hasModelProcesses && checkedModel?.state === 'loaded'
			? `?model=${encodeURIComponent(checkedModel.id.toWellFormed())}&autoload=false`
			: '';
	const probeIf = async (isUseful: boolean, path: string, json?: JsonRecord) =>
		isUseful ? await runProbe(server, path, { ...options, json }) : undefined;
	// `/props` of a llama-server shows that by itself.
	const { modelList, ...otherProbes } = identity;
	const areRejected =
		modelList.error === undefined &&
		serverType.fetchProps === undefined &&
		Object.values(otherProbes).every(({ status }) => status === 401);
	const isAwake = getJsonObject(identity.props).is_sleeping === false;
	const [metrics, embeddings, routedProps, health, chats] = await Promise.all([
		probeIf(true, `/metrics${query}`),
		// llama-server rejects an empty body before it queues a task: with 501 if the feature is off, with 400 if it is on.
		// Like most routes, this one wakes a llama-server that sleeps: only the model list, `/props`, `/metrics` and `/health`
		// do not (docs/protocols/llama-server.md 2.11).
		probeIf(isAwake, `${server.getApiUrl()}/embeddings`, {}),
		probeIf(query !== '', `/props${query}`),
		probeIf(serverType.isGateway !== true, '/health'),
		probeIf(areRejected, server.getApiUrl() + CHAT_ROUTE),
	]);
	return { metrics, embeddings, routedProps, health, chats };
}

function parseListedModels({ error, json }: ProbeResult) {
	if (error !== undefined) return undefined;
	const { entries: maxModels } = TASK_LIMITS.probe;
	const isLong = isRecord(json) && asArray(json.data).length > maxModels;
	return parseModels(isLong ? { data: asArray(json.data).slice(0, maxModels) } : json);
}

function selectCheckedModel(
	models: ServerModel[],
	{ isSameModel }: ServerType,
	{ expectations = {} }: CheckOptions,
) {
	const { model: name } = expectations;
	if (name !== undefined) return models.find((model) => matchesModel(model, name, isSameModel));
	const candidates = preferLoadedModels(filterChatModels(models));
	return candidates.length === 1 ? candidates[0] : undefined;
}

/** By task, as in sentences. */
const PATH_BY_TASK = {
	chats: CHAT_ROUTE,
	completions: '/completions',
	embeddings: '/embeddings',
	reranking: '/rerank',
	transcription: '/audio/transcriptions',
	speech: '/audio/speech',
	images: '/images/generations',
};

/** `/info` may name the type of the only model: the other endpoints reject every request. */
const TASKS_BY_MODEL_TYPE: Readonly<Record<string, string>> = {
	embedding: 'embeddings',
	reranker: 'reranking',
};

/** The beginning of a JSON object: every parser rejects it. */
const BROKEN_BODY: UploadBody = {
	content: [Buffer.from('{')],
	contentType: 'application/json',
	length: 1,
};

/**
 * The tasks whose endpoints reject a GET, or a POST with a broken body, while a random path is not found.
 *
 * @throws a `ServerError` only of type `aborted`
 */
async function probeTasks(server: ModelServer, options: CheckOptions): Promise<string[]> {
	const api = server.getApiUrl();
	const endpoints = Object.entries(PATH_BY_TASK).map(([task, path]) => ({ task, url: api + path }));
	// Text Embeddings Inference
	endpoints.push({ task: 'reranking', url: PATH_BY_TASK.reranking });
	const infoProbe = runProbe(server, '/info', options);
	const found = new Set<string>();
	for (const upload of [undefined, BROKEN_BODY]) {
		const pending = endpoints.filter(({ task }) => !found.has(task));
		const randomProbe = runProbe(server, `${api}/${randomUUID()}`, { ...options, upload });
		const probes = pending.map(async ({ task, url }) => {
			const isEndpoint = isRejection(await runProbe(server, url, { ...options, upload }));
			return isEndpoint ? [task] : [];
		});
		const tasks = (await Promise.all(probes)).flat();
		if ((await randomProbe).status !== 404) break;
		for (const task of tasks) found.add(task);
	}
	const [modelType = ''] = Object.keys(asRecord(getJsonObject(await infoProbe).model_type));
	const task = getOwn(TASKS_BY_MODEL_TYPE, modelType);
	const tasks = Object.keys(PATH_BY_TASK).filter((name) => found.has(name));
	return task !== undefined && found.has(task) ? [task] : tasks;
}

function isRejection(probe: ProbeResult) {
	return [400, 405, 422].includes(probe.status) && !isPage(probe) && probe.finalUrl === probe.url;
}
