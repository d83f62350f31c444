/** The table of servers, which one a server is, and what it told about itself. */
import { asFailed } from '../../errors/server-error';
import { raceAgainstAbort } from '../../http/sleep';
import { fetchOnce, LruCache } from '../../lru-cache';
import { look } from '../probe';
import { readModels, type ServerModel } from '../models';
import { optional } from '../../values';
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
import { identify } from './identify';
import { vllm } from './vllm';

export const KINDS = {
	gpustack,
	litellm,
	llamaServer,
	ollama,
	vllm,
	lmStudio,
	other,
} satisfies Record<ServerTypeName, ServerType>;

const KNOWN_MS = 10 * 60_000;
/** After a failed identification, which may succeed soon. */
const FAILED_MS = 5_000;
const ASK_LIMIT_MS = 5_000;
/** Models of a server whose properties are kept. */
const MAX_MODELS = 50;

interface CachedServerType {
	kind: ServerTypeName;
	/** By `performance.now()`. */
	until: number;
	/** The only model of a server that answers with it, whatever name is sent. */
	only?: ServerModel;
}

/** By credential. Kept longer than `until`: if the next identification fails, the server counts as what it was last. */
const kinds = new LruCache<CachedServerType>(Infinity);
/** By credential, and by model. */
const props = new LruCache<Map<string, ServerProps>>();
const underWay = new Map<string, Promise<ServerTypeName>>();

/** Whether a row is that of a server that is known. */
export function isKnownKind(kind: ServerType): boolean {
	return kind !== KINDS.other;
}

function knownOf({ id }: ModelServer): CachedServerType | undefined {
	const known = kinds.get(id);
	return known !== undefined && known.until > performance.now() ? known : undefined;
}

/** Which row a server is, without a request; undefined if it is not known. */
export function knownKind(server: ModelServer): ServerTypeName | undefined {
	return server.kindSet ?? knownOf(server)?.kind;
}

/**
 * Its row in the table. The server is asked once in ten minutes for all that ask at the same time, so the request does
 * not end with the signal of one of them.
 */
export async function kindOf(server: ModelServer, signal?: AbortSignal): Promise<ServerType> {
	const known = knownKind(server);
	if (known !== undefined) return KINDS[known];
	const asked = fetchOnce(underWay, server.id, async () => {
		return await ask(server).finally(() => underWay.delete(server.id));
	});
	if (signal === undefined) return KINDS[await asked];
	const found = await raceAgainstAbort(signal, async () => await asked).catch((error: unknown) => {
		if (signal.aborted) return lastKind(server);
		throw error;
	});
	return KINDS[found];
}

async function ask(server: ModelServer): Promise<ServerTypeName> {
	const options = { limitMs: ASK_LIMIT_MS };
	const models = await look(server, `${server.url.api}/models`, options).catch(asFailed);
	if ('failed' in models) return keepLastKind(server);
	const first = identify({ models });
	if (first !== 'other') return remember(server, first, models);
	if (REJECTS_KEY.has(models.status) || isPassing(models)) return keepLastKind(server);
	const version = await look(server, '/api/version', options).catch(asFailed);
	if ('failed' in version || isPassing(version)) return keepLastKind(server);
	return remember(server, identify({ models, version }));
}

const REJECTS_KEY: ReadonlySet<number> = new Set([401, 403, 407]);

/** Whether a response tells of the moment, not of the server. */
function isPassing({ status }: ProbeResponse): boolean {
	return status === 408 || status === 429 || status >= 500;
}

function lastKind({ id }: ModelServer): ServerTypeName {
	return kinds.get(id)?.kind ?? 'other';
}

function keepLastKind(server: ModelServer): ServerTypeName {
	const kind = lastKind(server);
	kinds.set(server.id, { ...kinds.get(server.id), kind, until: performance.now() + FAILED_MS });
	return kind;
}

function remember(
	server: ModelServer,
	kind: ServerTypeName,
	models?: ProbeResponse,
): ServerTypeName {
	const [only, ...others] = readModels(models?.json) ?? [];
	const ignoresName = (KINDS[kind] as ServerType).ignoresName === true && others.length === 0;
	const until = performance.now() + KNOWN_MS;
	kinds.set(server.id, { kind, until, ...optional({ only: ignoresName ? only : undefined }) });
	return kind;
}

/** The only model of a server that answers with it, whatever name is sent; undefined if that is not known. */
export function onlyModelOf(server: ModelServer): ServerModel | undefined {
	return knownOf(server)?.only;
}

/** Tokens of context that a model was made for; Infinity where nothing tells it. */
export async function trainedContext(
	server: ModelServer,
	model: string,
	signal?: AbortSignal,
): Promise<number> {
	const { tellsOf } = await kindOf(server, signal);
	const told = onlyModelOf(server) ?? (await tellsOf?.(server, model, signal));
	return told?.trainedContext ?? Infinity;
}

/** Which row a server is, where something told it. */
export function identifiedKind(server: ModelServer): ServerTypeName | undefined {
	const kind = knownKind(server);
	return kind === undefined || KINDS[kind] === other ? undefined : kind;
}

/** Learns from a list of models that was asked for anyway. */
export function learnKind(server: ModelServer, models: ProbeResponse): ServerType {
	const kind = identify({ models });
	if (kind !== 'other') remember(server, kind, models);
	return KINDS[knownKind(server) ?? kind];
}

/** An answer contradicts what is known: the next request asks again. */
export function forgetKind(server: ModelServer): void {
	const known = kinds.get(server.id);
	if (known !== undefined) known.until = 0;
	props.delete(server.id);
}

/** What a server tells about itself; asked once in ten minutes. */
export async function propsOf(
	server: ModelServer,
	model = '',
	signal?: AbortSignal,
): Promise<ServerProps | undefined> {
	const known = props.get(server.id)?.get(model);
	if (known !== undefined) return known;
	const told = await (await kindOf(server, signal)).props?.(server, model, signal);
	if (told === undefined) return undefined;
	const ofServer = props.get(server.id) ?? new Map<string, ServerProps>();
	// All of it ends ten minutes after the first answer: another model must not keep an old one.
	if (ofServer.size === 0) props.set(server.id, ofServer);
	ofServer.set(model, told);
	if (ofServer.size > MAX_MODELS) ofServer.delete(ofServer.keys().next().value!);
	return told;
}

/** How many generations a server handles at once with a model, where it told so. */
export function knownSlots(server: ModelServer, model = ''): number | undefined {
	return props.get(server.id)?.get(model)?.slots;
}
