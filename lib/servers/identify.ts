import { learnRoot } from './connect';
import { asFailed } from '../errors/server-error';
import type { Connection } from '../http/connection';
import { raceAgainstAbort } from '../http/waiting';
import { KINDS, type ServerKind } from './kinds';
import type { ServerAnswer, ServerAnswers } from './kinds/kind';
import { LruCache } from '../lru-cache';

/** Which server gave these answers. Pure; more answers make it surer. */
export function identify(answers: ServerAnswers): ServerKind {
	const kinds = Object.keys(KINDS) as ServerKind[];
	return kinds.find((kind) => KINDS[kind].isIt(answers)) ?? 'other';
}

const KNOWN_MS = 10 * 60_000;
/**
 * A server that told nothing, or did not answer, is asked again after this; twice as late each time that it does so.
 */
const UNKNOWN_MS = 30_000;
const ASK_LIMIT_MS = 5_000;

interface Memory {
	kind: ServerKind;
	until: number;
	/** How often in a row it did not answer in time. */
	failures: number;
}

const learned = LruCache.shared<Memory>();
/**
 * Servers that named themselves in the headers of an answer, by model: a gateway hands on the headers of the server
 * behind each.
 */
const named = LruCache.shared<ServerKind>({ ttlMs: KNOWN_MS });
const underWay = new Map<string, Promise<void>>();

/** What is known, without asking, of the server that answers for a model. */
export function knownServerKind({ url }: Connection, model = ''): ServerKind | undefined {
	const entry = learned.get(url.api);
	// A server that was told apart once stays what it is until it is asked again.
	if (entry !== undefined && entry.kind !== 'other') return entry.kind;
	return named.get(`${url.api} ${model}`) ?? fresh(entry)?.kind;
}

function fresh(memory: Memory | undefined): Memory | undefined {
	return memory !== undefined && memory.until > Date.now() ? memory : undefined;
}

/** Whether the server did not answer when it was asked last. */
export function wasSilent({ url }: Connection): boolean {
	return (fresh(learned.get(url.api))?.failures ?? 0) > 0;
}

/**
 * Notes what the headers of an answer tell. llama-server names itself in every one
 * (docs/protocols/llama-server.md 8.1).
 */
export function learnFromHeaders({ url }: Connection, headers: Record<string, string>, model = ''): void {
	const kind = identify({ health: { status: 200, headers, text: '', json: undefined } });
	if (kind !== 'other') named.set(`${url.api} ${model}`, kind);
}

export interface AskOptions {
	signal?: AbortSignal;
	/** Milliseconds for all questions together, default 5 s. */
	limitMs?: number;
}

/**
 * Asks the server who it is, once in ten minutes: `/v1/models`, and where that does not tell, `/api/version`. Never
 * fails; unknown servers are `other`. Several that ask at once share one question, and a server that hangs is not
 * waited for again and again.
 */
export async function askServerKind(
	connection: Connection,
	model = '',
	{ signal, limitMs = ASK_LIMIT_MS }: AskOptions = {},
): Promise<ServerKind> {
	const { api } = connection.url;
	const known = fresh(learned.get(api))?.kind ?? named.get(`${api} ${model}`);
	if (known !== undefined) return knownServerKind(connection, model) ?? known;
	// Who holds a place in the queue must not wait for a question that waits for it.
	const key = `${connection.maxConcurrentRequests} ${api}`;
	let asking = underWay.get(key);
	if (asking === undefined) {
		asking = askInPlace(connection, limitMs).finally(() => underWay.delete(key));
		underWay.set(key, asking);
	}
	await askedUntil(signal, asking);
	return knownServerKind(connection, model) ?? 'other';
}

/** The same, asked now, whatever is remembered. */
export async function askServerKindAgain(
	connection: Connection,
	{ signal, limitMs = ASK_LIMIT_MS }: AskOptions = {},
): Promise<ServerKind> {
	await askedUntil(signal, askInPlace(connection, limitMs));
	return knownServerKind(connection) ?? 'other';
}

/** Nothing is learned where no place became free. */
async function askInPlace(connection: Connection, limitMs: number): Promise<void> {
	await connection.inPlace({}, async (direct) => await askOnce(direct, limitMs)).catch(asFailed);
}

async function askOnce(connection: Connection, limitMs: number): Promise<void> {
	const key = connection.url.api;
	const before = learned.get(key);
	const until = performance.now() + limitMs;
	const answers: ServerAnswers = {};
	let kind: ServerKind = 'other';
	for (const [route, url] of [
		['models', `${key}/models`],
		['apiVersion', `${connection.url.root}/api/version`],
	] as const) {
		const answer = await answerOf(connection, url, Math.ceil(until - performance.now()));
		if (answer === undefined) break;
		const look = async (other: string) => await answerOf(connection, other, limitMs);
		answers[route] = route === 'models' ? await learnRoot(connection, answer, look) : answer;
		kind = identify(answers);
		if (kind !== 'other') break;
	}
	if (kind !== 'other') {
		learned.set(connection.url.api, { kind, until: Date.now() + KNOWN_MS, failures: 0 });
		return;
	}
	const { models, apiVersion } = answers;
	const isSilent = models === undefined || apiVersion === undefined;
	const failures = isSilent ? (before?.failures ?? 0) + 1 : 0;
	// It answered plainly, so it is one that nobody knows. A refused key says nothing: another credential may do better.
	const hasTold = !isSilent && models.status < 300;
	const pauseMs = hasTold ? KNOWN_MS : Math.min(KNOWN_MS, UNKNOWN_MS * 2 ** Math.max(0, failures - 1));
	// A server that was told apart before and is now merely silent has not changed.
	if (before !== undefined && !hasTold) kind = before.kind;
	learned.set(key, { kind, until: Date.now() + pauseMs, failures });
}

async function answerOf(connection: Connection, url: string, timeoutMs: number): Promise<ServerAnswer | undefined> {
	if (timeoutMs <= 0) return undefined;
	try {
		return await connection.call(url, { timeoutMs });
	} catch {
		// The generation that follows meets the same trouble and reports it properly.
		return undefined;
	}
}

/** Who asks waits no longer than for Stop; the answer is learned all the same. */
async function askedUntil(signal: AbortSignal | undefined, asking: Promise<void>): Promise<void> {
	if (signal === undefined) await asking;
	else await raceAgainstAbort(signal, async () => await asking).catch(() => {});
}
