/** The table of servers, which one a server is, and what it told about itself. */
import { captureError } from '../../errors/server-error';
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
const FAILED_MS = 5_000;
const ASK_LIMIT_MS = 5_000;
/** Models of a server whose properties are kept. */
const MAX_MODELS = 50;

interface CachedServerType {
	typeName: ServerTypeName;
	/** By `performance.now()`. */
	expiresAt: number;
	/** The only model of a server that answers with it, whatever name is sent. */
	onlyModel?: ServerModel;
}

/** By credential. Kept longer than `until`: if the next identification fails, the server counts as what it was last. */
const serverTypeCache = new LruCache<CachedServerType>(Infinity);
/** By credential, and by model. */
const props = new LruCache<Map<string, ServerProps>>();
const pendingDetections = new Map<string, Promise<ServerTypeName>>();

/** Whether a row is that of a server that is known. */
export function isRecognizedType(kind: ServerType): boolean {
	return kind !== SERVER_TYPES.other;
}

function knownOf({ id }: ModelServer): CachedServerType | undefined {
	const known = serverTypeCache.get(id);
	return known !== undefined && known.expiresAt > performance.now() ? known : undefined;
}

/** Which row a server is, without a request; undefined if it is not known. */
export function getCachedTypeName(server: ModelServer): ServerTypeName | undefined {
	return server.configuredType ?? knownOf(server)?.typeName;
}

/**
 * Its row in the table. The server is asked once in ten minutes for all that ask at the same time, so the request does
 * not end with the signal of one of them.
 */
export async function getServerType(
	server: ModelServer,
	signal?: AbortSignal,
): Promise<ServerType> {
	const known = getCachedTypeName(server);
	if (known !== undefined) return SERVER_TYPES[known];
	const asked = fetchOnce(pendingDetections, server.id, async () => {
		return await detectTypeName(server).finally(() => pendingDetections.delete(server.id));
	});
	if (signal === undefined) return SERVER_TYPES[await asked];
	const found = await rejectOnAbort(signal, async () => await asked).catch((error: unknown) => {
		if (signal.aborted) return lastKind(server);
		throw error;
	});
	return SERVER_TYPES[found];
}

async function detectTypeName(server: ModelServer): Promise<ServerTypeName> {
	const options = { limitMs: ASK_LIMIT_MS };
	const models = await probe(server, `${server.url.api}/models`, options).catch(captureError);
	if ('failed' in models) return keepLastKind(server);
	const first = identifyServerType({ models });
	if (first !== 'other') return storeServerType(server, first, models);
	if (REJECTS_KEY.has(models.status) || isPassing(models)) return keepLastKind(server);
	const version = await probe(server, '/api/version', options).catch(captureError);
	if ('failed' in version || isPassing(version)) return keepLastKind(server);
	return storeServerType(server, identifyServerType({ models, version }));
}

const REJECTS_KEY: ReadonlySet<number> = new Set([401, 403, 407]);

/** Whether a response tells of the moment, not of the server. */
function isPassing({ status }: ProbeResponse): boolean {
	return status === 408 || status === 429 || status >= 500;
}

function lastKind({ id }: ModelServer): ServerTypeName {
	return serverTypeCache.get(id)?.typeName ?? 'other';
}

function keepLastKind(server: ModelServer): ServerTypeName {
	const typeName = lastKind(server);
	serverTypeCache.set(server.id, {
		...serverTypeCache.get(server.id),
		typeName,
		expiresAt: performance.now() + FAILED_MS,
	});
	return typeName;
}

function storeServerType(
	server: ModelServer,
	typeName: ServerTypeName,
	models?: ProbeResponse,
): ServerTypeName {
	const [only, ...others] = parseModels(models?.json) ?? [];
	const ignoresName =
		(SERVER_TYPES[typeName] as ServerType).ignoresModelName === true && others.length === 0;
	const expiresAt = performance.now() + RECOGNIZED_TTL_MS;
	serverTypeCache.set(server.id, {
		typeName,
		expiresAt,
		...omitUndefined({ onlyModel: ignoresName ? only : undefined }),
	});
	return typeName;
}

/** The only model of a server that answers with it, whatever name is sent; undefined if that is not known. */
export function getCachedOnlyModel(server: ModelServer): ServerModel | undefined {
	return knownOf(server)?.onlyModel;
}

/** Tokens of context that a model was made for; Infinity where nothing tells it. */
export async function fetchTrainedContext(
	server: ModelServer,
	model: string,
	signal?: AbortSignal,
): Promise<number> {
	const { fetchModel } = await getServerType(server, signal);
	const told = getCachedOnlyModel(server) ?? (await fetchModel?.(server, model, signal));
	return told?.trainedContext ?? Infinity;
}

/** Which row a server is, where something told it. */
export function getRecognizedTypeName(server: ModelServer): ServerTypeName | undefined {
	const kind = getCachedTypeName(server);
	return kind === undefined || SERVER_TYPES[kind] === other ? undefined : kind;
}

/** Learns from a list of models that was asked for anyway. */
export function cacheServerType(server: ModelServer, models: ProbeResponse): ServerType {
	const kind = identifyServerType({ models });
	if (kind !== 'other') storeServerType(server, kind, models);
	return SERVER_TYPES[getCachedTypeName(server) ?? kind];
}

/** An answer contradicts what is known: the next request asks again. */
export function forgetServerType(server: ModelServer): void {
	const known = serverTypeCache.get(server.id);
	if (known !== undefined) known.expiresAt = 0;
	props.delete(server.id);
}

/** What a server tells about itself; asked once in ten minutes. */
export async function getServerProps(
	server: ModelServer,
	model = '',
	signal?: AbortSignal,
): Promise<ServerProps | undefined> {
	const known = props.get(server.id)?.get(model);
	if (known !== undefined) return known;
	const told = await (await getServerType(server, signal)).fetchProps?.(server, model, signal);
	if (told === undefined) return undefined;
	const ofServer = props.get(server.id) ?? new Map<string, ServerProps>();
	// All of it ends ten minutes after the first answer: another model must not keep an old one.
	if (ofServer.size === 0) props.set(server.id, ofServer);
	ofServer.set(model, told);
	if (ofServer.size > MAX_MODELS) ofServer.delete(ofServer.keys().next().value!);
	return told;
}

/** How many generations a server handles at once with a model, where it told so. */
export function getCachedSlots(server: ModelServer, model = ''): number | undefined {
	return props.get(server.id)?.get(model)?.slots;
}
