/** The table of server types, with detection and cached properties of servers. */
import { captureError, ServerError } from '../../errors/server-error';
import { rejectOnAbort } from '../../http/sleep';
import { fetchOnce, LruCache } from '../../lru-cache';
import { probe } from '../probe';
import { parseModels, type ServerModel } from '../models';
import { omitUndefined } from '../../values';
import { gpustack } from './gpustack';
import type {
	ServerTypeName,
	ServerProps,
	ProbeResponse,
	ModelServer,
	ServerType,
} from './server-type';
import { litellm } from './litellm';
import { llamaServer } from './llama-server';
import { lmStudio } from './lm-studio';
import { ollama } from './ollama';
import { other } from './other';
import { identifyServerType } from './identify';
import { vllm } from './vllm';

export const SERVER_TYPES = {
	gpustack,
	litellm,
	llamaServer,
	ollama,
	vllm,
	lmStudio,
	other,
} satisfies Record<ServerTypeName, ServerType>;

const RECOGNIZED_TTL_MS = 10 * 60_000;
/** After a failed identification, which may succeed soon. */
const FAILED_TTL_MS = 5_000;
const DETECTION_TIMEOUT_MS = 5_000;
/** Models per server whose properties are cached. */
const MAX_CACHED_MODELS = 50;

interface CachedServerType {
	typeName: ServerTypeName;
	/** By `performance.now()`. */
	expiresAt: number;
	/** The only model of a server that ignores model names. */
	onlyModel?: ServerModel;
}

/** By credential. Kept longer than `expiresAt`: if the next detection fails, the last type is used. */
const serverTypeCache = new LruCache<CachedServerType>(Infinity);
/** By credential, and by model. */
const propsCache = new LruCache<Map<string, ServerProps>>();
const pendingDetections = new Map<string, Promise<ServerTypeName>>();

/** Whether the type is that of a known server. */
export function isRecognizedType(serverType: ServerType): boolean {
	return serverType !== SERVER_TYPES.other;
}

function getCachedType({ id }: ModelServer): CachedServerType | undefined {
	const cached = serverTypeCache.get(id);
	return cached !== undefined && cached.expiresAt > performance.now() ? cached : undefined;
}

/** The server type, without a request; undefined if unknown. */
export function getCachedTypeName(server: ModelServer): ServerTypeName | undefined {
	return server.configuredType ?? getCachedType(server)?.typeName;
}

/**
 * The server type, detected once in ten minutes. Concurrent callers share the request, so it does not end with the
 * signal of one of them.
 */
export async function getServerType(
	server: ModelServer,
	signal?: AbortSignal,
): Promise<ServerType> {
	const cached = getCachedTypeName(server);
	if (cached !== undefined) return SERVER_TYPES[cached];
	const detection = fetchOnce(pendingDetections, server.id, async () => {
		return await detectTypeName(server).finally(() => pendingDetections.delete(server.id));
	});
	if (signal === undefined) return SERVER_TYPES[await detection];
	const typeName = await rejectOnAbort(signal, async () => await detection).catch(
		(error: unknown) => {
			if (signal.aborted) return getLastTypeName(server);
			throw error;
		},
	);
	return SERVER_TYPES[typeName];
}

async function detectTypeName(server: ModelServer): Promise<ServerTypeName> {
	const options = { timeoutMs: DETECTION_TIMEOUT_MS };
	const models = await probe(server, `${server.url.api}/models`, options).catch(captureError);
	if (models instanceof ServerError) return keepLastType(server);
	const first = identifyServerType({ models });
	if (first !== 'other') return storeServerType(server, first, models);
	if (KEY_REJECTED_STATUSES.has(models.status) || isTransientResponse(models))
		return keepLastType(server);
	const version = await probe(server, '/api/version', options).catch(captureError);
	if (version instanceof ServerError || isTransientResponse(version)) return keepLastType(server);
	return storeServerType(server, identifyServerType({ models, version }));
}

const KEY_REJECTED_STATUSES: ReadonlySet<number> = new Set([401, 403, 407]);

/** Whether a response reflects a temporary state. */
function isTransientResponse({ status }: ProbeResponse): boolean {
	return status === 408 || status === 429 || status >= 500;
}

function getLastTypeName({ id }: ModelServer): ServerTypeName {
	return serverTypeCache.get(id)?.typeName ?? 'other';
}

function keepLastType(server: ModelServer): ServerTypeName {
	const typeName = getLastTypeName(server);
	serverTypeCache.set(server.id, {
		...serverTypeCache.get(server.id),
		typeName,
		expiresAt: performance.now() + FAILED_TTL_MS,
	});
	return typeName;
}

function storeServerType(
	server: ModelServer,
	typeName: ServerTypeName,
	models?: ProbeResponse,
): ServerTypeName {
	const [onlyModel, ...otherModels] = parseModels(models?.json) ?? [];
	const hasOnlyModel =
		(SERVER_TYPES[typeName] as ServerType).ignoresModelName === true && otherModels.length === 0;
	const expiresAt = performance.now() + RECOGNIZED_TTL_MS;
	serverTypeCache.set(server.id, {
		typeName,
		expiresAt,
		...omitUndefined({ onlyModel: hasOnlyModel ? onlyModel : undefined }),
	});
	return typeName;
}

/** The only model of a server that ignores model names; undefined if unknown. */
export function getCachedOnlyModel(server: ModelServer): ServerModel | undefined {
	return getCachedType(server)?.onlyModel;
}

/** Tokens of context that a model was trained for; Infinity if unknown. */
export async function fetchTrainedContext(
	server: ModelServer,
	model: string,
	signal?: AbortSignal,
): Promise<number> {
	const { fetchModel } = await getServerType(server, signal);
	const serverProps = getCachedOnlyModel(server) ?? (await fetchModel?.(server, model, signal));
	return serverProps?.trainedContext ?? Infinity;
}

/** The server type, if it was recognized. */
export function getRecognizedTypeName(server: ModelServer): ServerTypeName | undefined {
	const serverTypeName = getCachedTypeName(server);
	return serverTypeName === undefined || SERVER_TYPES[serverTypeName] === other
		? undefined
		: serverTypeName;
}

/** Detects the type from a model list that was fetched anyway. */
export function cacheServerType(server: ModelServer, models: ProbeResponse): ServerType {
	const serverTypeName = identifyServerType({ models });
	if (serverTypeName !== 'other') storeServerType(server, serverTypeName, models);
	return SERVER_TYPES[getCachedTypeName(server) ?? serverTypeName];
}

/** After a response that contradicts the cached type: the next request detects it again. */
export function forgetServerType(server: ModelServer): void {
	const cached = serverTypeCache.get(server.id);
	if (cached !== undefined) cached.expiresAt = 0;
	propsCache.delete(server.id);
}

/** The properties that a server reports; fetched once in ten minutes. */
export async function getServerProps(
	server: ModelServer,
	model = '',
	signal?: AbortSignal,
): Promise<ServerProps | undefined> {
	const cached = propsCache.get(server.id)?.get(model);
	if (cached !== undefined) return cached;
	const serverProps = await (
		await getServerType(server, signal)
	).fetchProps?.(server, model, signal);
	if (serverProps === undefined) return undefined;
	const propsByModel = propsCache.get(server.id) ?? new Map<string, ServerProps>();
	// All entries expire ten minutes after the first: another model must not keep an old one.
	if (propsByModel.size === 0) propsCache.set(server.id, propsByModel);
	propsByModel.set(model, serverProps);
	if (propsByModel.size > MAX_CACHED_MODELS) propsByModel.delete(propsByModel.keys().next().value!);
	return serverProps;
}

/** Concurrent generations that a server supports with a model, if it reported that. */
export function getCachedSlots(server: ModelServer, model = ''): number | undefined {
	return propsCache.get(server.id)?.get(model)?.slots;
}
