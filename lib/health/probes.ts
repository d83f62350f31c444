/** Probes of a model server (docs/protocols/llama-server.md 8.1, 9.3): two rounds, each concurrent. */
import { getProfile, CHAT_ROUTE } from '../servers/profile';
import type { ServerModel } from '../servers/models';
import { parseModels, parseProps, matchesModel, preferLoadedModels } from '../servers/models';
import { SERVER_TYPES, identifyServerType, isRouter } from '../servers/types';
import type { ModelServer, ServerType, ProbeResponse } from '../servers/types/server-type';
import type { JsonRecord } from '../values/records';
import { asArray, asRecord, isRecord } from '../values/records';
import { minOf, round } from '../values/numbers';
import { truncate } from '../values/text';
import { randomUUID } from 'node:crypto';
import type { UploadBody, Endpoint, RequestOptions } from '../http/types';
import { isErrorResponse } from '../errors/error-body';
import { asServerErrorOrThrow, ServerError } from '../errors/server-error';
import { isListMissing, probe, toListUrl, toProbeError, toUrl } from '../servers/probe';
import type { Expectations } from './check-result';

export const DEFAULT_TIMEOUT_MS = 2_500;

export interface CheckOptions {
	expectations?: Expectations;
	/** Timeout of each probe, default 2.5 s. */
	timeoutMs?: number;
	signal?: AbortSignal;
}

/** A probe with a body is a POST, any other a GET. */
export interface ProbeOptions
	extends Pick<CheckOptions, 'timeoutMs' | 'signal'>, Pick<RequestOptions, 'json' | 'upload'> {}

/** A probe with its response. */
export interface ProbeResult extends ProbeResponse {
	method: 'GET' | 'POST';
	url: string;
	/** From sending to the last byte, or to the timeout. */
	durationMs: number;
	/** 0: no response. */
	status: number;
	/** Set if the response is an error or not JSON. */
	error?: ServerError;
}

/** Probes of the first round. */
interface IdentityProbes {
	/** The model list. */
	models: ProbeResult;
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
	/** A router has a process for each model. */
	isRouter: boolean;
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
 * Sends one request of a check, outside of the queue and without retries.
 *
 * @param path - Below the root of the server, or a URL
 * @returns the response; without one, status 0 and the error
 * @throws a `ServerError` only of type `aborted`
 */
export async function runProbe(
	server: Endpoint,
	path: string,
	{ timeoutMs = DEFAULT_TIMEOUT_MS, signal, json, upload }: ProbeOptions = {},
): Promise<ProbeResult> {
	const startedAt = performance.now();
	const url = toUrl(server, path);
	// An open connection occupies one of llama-server's few HTTP threads until it closes: with a dozen of them idle, the
	// next request waited for two seconds in a test. A check must not cause that.
	const options = { timeoutMs, signal, json, upload, isIdempotent: false };
	const outcome = await probe(server, url, options).catch(asServerErrorOrThrow);
	const method = json === undefined && upload === undefined ? 'GET' : 'POST';
	const durationMs = round(performance.now() - startedAt);
	const details = { method, url, durationMs } as const;
	if (outcome instanceof ServerError) {
		if (outcome.type === 'aborted') throw outcome;
		return { ...NO_RESPONSE, ...details, finalUrl: url, error: outcome };
	}
	const isUsable = outcome.json !== undefined && !isErrorResponse(outcome);
	return {
		...details,
		...outcome,
		error: isUsable ? undefined : toProbeError(server, url, outcome),
	};
}

const NO_RESPONSE = { status: 0, headers: {}, text: '', json: undefined };

/** The JSON object of a successful response, otherwise an empty one. */
export function getJsonObject(probe: ProbeResult | undefined): JsonRecord {
	return probe?.error === undefined && isRecord(probe?.json) ? probe.json : {};
}

/** Whether a response is HTML: it is not from an API. */
export function isPage({ headers, text }: ProbeResult): boolean {
	return /^\s*</.test(text) || /\bhtml\b/i.test(headers['content-type'] ?? '');
}

/** Milliseconds of the fastest response: almost only network time. */
export function getLatency(probes: ReadonlyArray<ProbeResult | undefined>): number | undefined {
	const times = probes.flatMap((probe) => (probe && probe.status > 0 ? [probe.durationMs] : []));
	return times.length === 0 ? undefined : Math.round(minOf(times));
}

/** One line with the request and its response. */
export function describeProbe({
	method,
	url,
	finalUrl,
	status,
	durationMs,
	error,
}: ProbeResult): string {
	const requestLine = `${method} ${url}`;
	if (status === 0) {
		return `${requestLine}: ${describeFailure(error!)} after ${Math.round(durationMs)} ms`;
	}
	const message = error?.serverText?.replace(/\s+/g, ' ').trim() ?? '';
	const quotation = message === '' ? '' : `, "${truncate(message, 120)}"`;
	const code = error?.code === undefined ? '' : ` ${error.code}`;
	const origin = finalUrl === url ? '' : ` from ${finalUrl}`;
	return `${requestLine}: HTTP ${status}${code}${origin}${quotation}`;
}

function describeFailure({ type, code, detail }: ServerError) {
	if (type === 'totalTimeout') return 'no response';
	return code !== undefined && /^[A-Z_0-9]+$/.test(code) ? code : detail;
}

/** By task, as in sentences. */
const ENDPOINTS = {
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
	const endpoints = Object.entries(ENDPOINTS).map(([task, path]) => ({ task, url: api + path }));
	// Text Embeddings Inference
	endpoints.push({ task: 'reranking', url: ENDPOINTS.reranking });
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
	const task = TASKS_BY_MODEL_TYPE[modelType];
	const tasks = Object.keys(ENDPOINTS).filter((name) => found.has(name));
	return task !== undefined && found.has(task) ? [task] : tasks;
}

function isRejection(probe: ProbeResult) {
	return [400, 405, 422].includes(probe.status) && !isPage(probe) && probe.finalUrl === probe.url;
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
	const identified = await identifyServer(server, options);
	const { serverType, identity, models, checkedModel, isRouter } = identified;
	const isReachable = identity.models.status > 0;
	const [details, tasks, enriched] = await Promise.all([
		isReachable ? probeDetails(identified) : undefined,
		isListMissing(identity.models) ? probeTasks(identified.server, options) : [],
		models && serverType.enrichModels?.(identified.server, models, options.signal),
	]);
	const props = getJsonObject(isRouter ? details?.routedProps : identity.props);
	return {
		...identified,
		models: (enriched ?? models)?.map((model) =>
			isRouter && model.id === checkedModel?.id ? { ...model, ...parseProps(props) } : model,
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
	const [models, props, apiVersion, version] = await Promise.all([
		probeUrl(toListUrl(server)),
		probeUrl('/props'),
		probeUrl('/api/version'),
		probeUrl('/version'),
	]);
	const profile = getProfile(server);
	const { list: modelsProbe, apiUrl } = await profile.findApiRoot(models, probeUrl);
	const responses = { models: modelsProbe, version: apiVersion };
	const listedModels = parseListedModels(modelsProbe);
	if (listedModels !== undefined) profile.learnType(modelsProbe);
	const serverType = SERVER_TYPES[server.configuredType ?? identifyServerType(responses)];
	return {
		server: { ...server, getApiUrl: () => apiUrl },
		options,
		identity: { models: modelsProbe, props, apiVersion, version },
		serverType,
		models: listedModels,
		checkedModel: selectCheckedModel(listedModels ?? [], serverType, options),
		isRouter: isRouter(responses),
	};
}

/** The second round: details that only some servers report. */
async function probeDetails({
	server,
	options,
	identity,
	serverType,
	checkedModel,
	isRouter: hasModelProcesses,
}: IdentifiedServer): Promise<DetailProbes> {
	// Selects the loaded model of a router, so that a probe goes to it and loads nothing.
	const query =
		hasModelProcesses && checkedModel?.state === 'loaded'
			? `?model=${encodeURIComponent(checkedModel.id.toWellFormed())}&autoload=false`
			: '';
	const probeIf = async (isUseful: boolean, path: string, json?: JsonRecord) =>
		isUseful ? await runProbe(server, path, { ...options, json }) : undefined;
	// `/props` of a llama-server shows that by itself.
	const { models: list, ...otherProbes } = identity;
	const areRejected =
		list.error === undefined &&
		serverType.fetchProps === undefined &&
		Object.values(otherProbes).every(({ status }) => status === 401);
	const isAwake = getJsonObject(identity.props).is_sleeping === false;
	const [metrics, embeddings, routedProps, health, chats] = await Promise.all([
		probeIf(true, `/metrics${query}`),
		// llama-server rejects an empty body before it queues a task: with 501 if the feature is off, with 400 if it is on.
		// All routes except those of the first round wake a llama-server that sleeps.
		probeIf(isAwake, `${server.getApiUrl()}/embeddings`, {}),
		probeIf(query !== '', `/props${query}`),
		probeIf(serverType.isGateway !== true, '/health'),
		probeIf(areRejected, server.getApiUrl() + CHAT_ROUTE),
	]);
	return { metrics, embeddings, routedProps, health, chats };
}

/** Gateways list thousands of models. */
const MAX_MODELS = 5_000;

function parseListedModels({ error, json }: ProbeResult) {
	if (error !== undefined) return undefined;
	const isLong = isRecord(json) && asArray(json.data).length > MAX_MODELS;
	return parseModels(isLong ? { data: asArray(json.data).slice(0, MAX_MODELS) } : json);
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

/** The models that may generate text; all models if none is known to. */
export function filterChatModels<M extends { embeddings?: boolean | null }>(
	models: readonly M[],
): M[] {
	const chatModels = models.filter(({ embeddings }) => embeddings !== true);
	return chatModels.length > 0 ? chatModels : [...models];
}
