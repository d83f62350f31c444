/** The table of servers, which one a server is, and what it told about itself. */
import { asFailed } from '../../errors/server-error';
import { fetchOnce, LruCache } from '../../lru-cache';
import { look } from '../look';
import { readModels, type ServerModel } from '../models';
import { optional } from '../../values';
import { gpustack } from './gpustack';
import type { KindName, Props, Reply, Server, ServerKind } from './kind';
import { litellm } from './litellm';
import { llamaServer } from './llama-server';
import { lmStudio } from './lm-studio';
import { ollama } from './ollama';
import { other } from './other';
import { identify } from './recognize';
import { vllm } from './vllm';

export const KINDS = {
	gpustack,
	litellm,
	llamaServer,
	ollama,
	vllm,
	lmStudio,
	other,
} satisfies Record<KindName, ServerKind>;

const KNOWN_MS = 10 * 60_000;
/** A server that did not answer, or may be another one by then. */
const UNKNOWN_MS = 30_000;
const ASK_LIMIT_MS = 5_000;

interface Known {
	kind: KindName;
	/** By `performance.now()`. */
	until: number;
	/** The only model of a server that answers with it, whatever name is sent. */
	only?: ServerModel;
}

const kinds = new LruCache<Known>();
/** By the API of a server, and by model. */
const props = new LruCache<Map<string, Props>>();
const underWay = new Map<string, Promise<KindName>>();

/** Whether a row is that of a server that is known. */
export function isKnownKind(kind: ServerKind): boolean {
	return kind !== KINDS.other;
}

/** Which row a server is, without a request; undefined if it is not known. */
export function knownKind(server: Server): KindName | undefined {
	if (server.kindSet !== undefined) return server.kindSet;
	const known = kinds.get(server.url.api);
	return known !== undefined && known.until > performance.now() ? known.kind : undefined;
}

/** Its row in the table. The server is asked once in ten minutes, by all that ask at the same time. */
export async function kindOf(server: Server, signal?: AbortSignal): Promise<ServerKind> {
	const known = knownKind(server);
	if (known !== undefined) return KINDS[known];
	const asked = fetchOnce(underWay, server.url.api, async () => await ask(server, signal));
	return KINDS[await asked.finally(() => underWay.delete(server.url.api))];
}

async function ask(server: Server, signal: AbortSignal | undefined): Promise<KindName> {
	const options = { limitMs: ASK_LIMIT_MS, signal };
	const models = await look(server, `${server.url.api}/models`, options).catch(asFailed);
	if ('failed' in models) return remember(server, 'other', UNKNOWN_MS);
	const first = identify({ models });
	if (first !== 'other') return remember(server, first, KNOWN_MS, models);
	const version = await look(server, '/api/version', options).catch(() => undefined);
	return remember(server, identify({ models, version }), KNOWN_MS);
}

function remember(server: Server, kind: KindName, forMs: number, models?: Reply): KindName {
	const [only, ...others] = readModels(models?.json) ?? [];
	const ignoresName = (KINDS[kind] as ServerKind).ignoresName === true && others.length === 0;
	const until = performance.now() + forMs;
	kinds.set(server.url.api, { kind, until, ...optional({ only: ignoresName ? only : undefined }) });
	return kind;
}

/** The only model of a server that answers with it, whatever name is sent; undefined if that is not known. */
export function onlyModelOf(server: Server): ServerModel | undefined {
	return kinds.get(server.url.api)?.only;
}

/** Tokens of context that a model was made for; Infinity where nothing tells it. */
export async function trainedContext(
	server: Server,
	model: string,
	signal?: AbortSignal,
): Promise<number> {
	const { tellsOf } = await kindOf(server, signal);
	const told = onlyModelOf(server) ?? (await tellsOf?.(server, model, signal));
	return told?.trainedContext ?? Infinity;
}

/** Which row a server is, where something told it. */
export function identifiedKind(server: Server): KindName | undefined {
	const kind = knownKind(server);
	return kind === undefined || KINDS[kind] === other ? undefined : kind;
}

/** Learns from a list of models that was asked for anyway. */
export function learnKind(server: Server, models: Reply): ServerKind {
	const kind = identify({ models });
	if (kind !== 'other') remember(server, kind, KNOWN_MS, models);
	return KINDS[knownKind(server) ?? kind];
}

/** An answer contradicts what is known: the next request asks again. */
export function forgetKind(server: Server): void {
	kinds.delete(server.url.api);
	props.delete(server.url.api);
}

/** What a server tells about itself; asked once in ten minutes. */
export async function propsOf(
	server: Server,
	model = '',
	signal?: AbortSignal,
): Promise<Props | undefined> {
	const known = props.get(server.url.api)?.get(model);
	if (known !== undefined) return known;
	const told = await (await kindOf(server, signal)).props?.(server, model, signal);
	if (told === undefined) return undefined;
	const ofServer = props.get(server.url.api) ?? new Map<string, Props>();
	// All of it ends ten minutes after the first answer: another model must not keep an old one.
	if (ofServer.size === 0) props.set(server.url.api, ofServer);
	ofServer.set(model, told);
	return told;
}

/** How many generations a server handles at once with a model, where it told so. */
export function knownSlots(server: Server, model = ''): number | undefined {
	return props.get(server.url.api)?.get(model)?.slots;
}
