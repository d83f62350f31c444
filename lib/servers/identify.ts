import { clock } from '../clock';
import { findApiRoot } from './api-root';
import type { Connection } from '../http/connection';
import { raceAgainstAbort } from '../http/waiting';
import { isIdentified, KINDS, type KindName, kindOf, UNIDENTIFIED } from './kinds';
import type { ServerAnswer, ServerAnswers } from './kinds/answers';
import { modelKey } from './model-key';
import { LruCache } from '../lru-cache';

/** The kind of server that gave these answers. More answers make the result more certain. */
export function identify(answers: ServerAnswers): KindName {
	const kinds = Object.keys(KINDS) as KindName[];
	return kinds.find((kind) => KINDS[kind].recognizes(answers)) ?? UNIDENTIFIED;
}

const KNOWN_MS = 10 * 60_000;
/**
 * After this, an unidentified or silent server is asked again; the pause doubles with each time in a row without an
 * answer.
 */
const UNKNOWN_MS = 30_000;
const ASK_LIMIT_MS = 5_000;

interface Memory {
	kind: KindName;
	until: number;
	/** How often in a row it did not answer in time. */
	failures: number;
}

const learned = LruCache.shared<Memory>();
/**
 * Kinds told by the headers of an answer, by API URL and model: a gateway passes on the headers of the server behind
 * it.
 */
const named = LruCache.shared<KindName>({ ttlMs: KNOWN_MS });
const underWay = new Map<string, Promise<void>>();

/** The kind of the server that answers for a model, if known without a request. */
export function knownServerKind(
	connection: Pick<Connection, 'url'> & Partial<Pick<Connection, 'chosenKind'>>,
	model = '',
): KindName | undefined {
	if (connection.chosenKind !== undefined) return connection.chosenKind as KindName;
	const entry = learned.get(connection.url.api);
	// An identified kind stays valid until the server is asked again.
	if (entry !== undefined && isIdentified(entry.kind)) return entry.kind;
	return named.get(modelKey({ connection, model })) ?? fresh(entry)?.kind;
}

function fresh(memory: Memory | undefined): Memory | undefined {
	return memory !== undefined && memory.until > clock.now() ? memory : undefined;
}

/**
 * Learns the kind from the headers of an answer. llama-server names itself in every one (docs/protocols/llama-server.md
 * 8.1).
 */
export function learnFromHeaders(
	connection: Connection,
	headers: Record<string, string>,
	model = '',
): void {
	const kind = identify({ health: { status: 200, headers, text: '', json: undefined } });
	if (!isIdentified(kind)) return;
	forgetIfContradicted(connection, kind, model);
	named.set(modelKey({ connection, model }), kind);
}

/** Learns the kind from a list of models: nginx replaces the header that names llama-server. */
export function learnFromList(connection: Connection, models: ServerAnswer): KindName {
	const kind = identify({ models });
	if (isIdentified(kind)) remember(connection, kind);
	return kind;
}

function remember({ url }: Connection, kind: KindName): void {
	learned.set(url.api, { kind, until: clock.now() + KNOWN_MS, failures: 0 });
}

/** Forgets what is remembered of a server if an answer shows another kind: that one may run there now. */
export function forgetIfContradicted(connection: Connection, shown: KindName, model = ''): void {
	const { api } = connection.url;
	const key = modelKey({ connection, model });
	const { kind = UNIDENTIFIED } = learned.get(api) ?? {};
	const remembered = isIdentified(kind) ? kind : named.get(key);
	if (remembered === undefined || !isContradiction(remembered, shown)) return;
	learned.delete(api);
	named.delete(key);
}

/** Gateways pass on what identifies the servers behind them, which contradicts nothing. */
function isContradiction(remembered: KindName, shown: KindName): boolean {
	if (!isIdentified(remembered) || remembered === shown) return false;
	return kindOf(remembered).signs?.passesOnOthers !== true;
}

interface AskOptions {
	signal?: AbortSignal;
	/** Limit in milliseconds for all requests together, default 5 s. */
	limitMs?: number;
}

/**
 * Identifies the server by `/v1/models` and, if that is not enough, `/api/version`. The result is cached for ten
 * minutes. Never fails; unknown servers are `other`. Concurrent callers share one request, and a server that hangs is
 * not waited for each time.
 */
export async function askServerKind(
	connection: Connection,
	model = '',
	{ signal, limitMs = ASK_LIMIT_MS }: AskOptions = {},
): Promise<KindName> {
	if (connection.chosenKind !== undefined) return connection.chosenKind as KindName;
	const { api } = connection.url;
	// A kind that headers named may be that of a server behind a gateway: it does not settle the question.
	const known = fresh(learned.get(api))?.kind;
	if (known !== undefined) return knownServerKind(connection, model) ?? known;
	let asking = underWay.get(api);
	if (asking === undefined) {
		asking = askOnce(connection, limitMs).finally(() => underWay.delete(api));
		underWay.set(api, asking);
	}
	await askedUntil(signal, asking);
	return knownServerKind(connection, model) ?? UNIDENTIFIED;
}

/** The same, without the cache. */
export async function askServerKindAgain(
	connection: Connection,
	{ signal, limitMs = ASK_LIMIT_MS }: AskOptions = {},
): Promise<KindName> {
	await askedUntil(signal, askOnce(connection, limitMs));
	return knownServerKind(connection) ?? UNIDENTIFIED;
}

async function askOnce(connection: Connection, limitMs: number): Promise<void> {
	const before = learned.get(connection.url.api);
	const { answers, kind } = await askedAnswers(connection, limitMs);
	// The API's URL may have been found to be another one meanwhile.
	if (isIdentified(kind)) {
		remember(connection, kind);
		return;
	}
	learned.set(connection.url.api, unidentified(answers, before));
}

/** Asks route after route until the answers identify the server, or it is silent. */
async function askedAnswers(
	connection: Connection,
	limitMs: number,
): Promise<{ answers: ServerAnswers; kind: KindName }> {
	const { api, root } = connection.url;
	const until = clock.now() + limitMs;
	const answers: ServerAnswers = {};
	const look = async (url: string) => await answerOf(connection, url, limitMs);
	const models = await answerOf(connection, `${api}/models`, limitMs);
	if (models === undefined) return { answers, kind: UNIDENTIFIED };
	answers.models = await findApiRoot(connection, models, look);
	const kind = identify(answers);
	if (isIdentified(kind)) return { answers, kind };
	const leftMs = () => Math.ceil(until - clock.now());
	answers.apiVersion = await answerOf(connection, `${root}/api/version`, leftMs());
	return { answers, kind: answers.apiVersion === undefined ? kind : identify(answers) };
}

/** What is remembered of a server that its answers do not identify. */
function unidentified({ models, apiVersion }: ServerAnswers, before: Memory | undefined): Memory {
	const isSilent = models === undefined || apiVersion === undefined;
	const failures = isSilent ? (before?.failures ?? 0) + 1 : 0;
	// It answered, so its kind is really unknown. A refused key proves nothing: another credential may work.
	const isUnknown = !isSilent && models.status < 300;
	if (isUnknown) return { kind: UNIDENTIFIED, until: clock.now() + KNOWN_MS, failures };
	const pauseMs = Math.min(KNOWN_MS, UNKNOWN_MS * 2 ** Math.max(0, failures - 1));
	// A server that was identified before and is now only silent keeps its kind.
	return { kind: before?.kind ?? UNIDENTIFIED, until: clock.now() + pauseMs, failures };
}

async function answerOf(
	connection: Connection,
	url: string,
	timeoutMs: number,
): Promise<ServerAnswer | undefined> {
	if (timeoutMs <= 0) return undefined;
	try {
		return await connection.call(url, { timeoutMs });
	} catch {
		// The request that follows will fail in the same way, and report it.
		return undefined;
	}
}

/** Stops waiting when the caller is cancelled; the answer is still learned. */
async function askedUntil(signal: AbortSignal | undefined, asking: Promise<void>): Promise<void> {
	if (signal === undefined) await asking;
	else await raceAgainstAbort(signal, async () => await asking).catch(() => {});
}
