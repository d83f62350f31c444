/** How busy servers are: the running requests of this process, and the number of slots. */
import { clock } from '../clock';
import type { Connection } from '../http/connection';
import { askServerKind, knownServerKind } from './identify';
import { isIdentified, type KindName, kindOf } from './kinds';
import { LruCache } from '../lru-cache';

const ASK_LIMIT_MS = 2_000;
const KNOWN_MS = 10 * 60_000;
const UNKNOWN_MS = 60_000;

const running = new Map<string, number>();
const slots = LruCache.shared<{ count: number | undefined; until: number }>();
/** API URLs with answers like those of a server that tells the number of its slots. */
const likely = LruCache.shared<true>({ ttlMs: KNOWN_MS });
const underWay = new Map<string, Promise<void>>();

/** Running requests of this process at a server, over all credentials. */
export function runningAt({ url }: Connection): number {
	return running.get(url.api) ?? 0;
}

/**
 * Counts a request as running.
 *
 * @returns a function to call at its end; calling it twice is harmless
 */
export function occupy({ url }: Connection): () => void {
	running.set(url.api, (running.get(url.api) ?? 0) + 1);
	let isOver = false;
	return () => {
		if (isOver) return;
		isOver = true;
		const left = (running.get(url.api) ?? 1) - 1;
		if (left > 0) running.set(url.api, left);
		else running.delete(url.api);
	};
}

/** Requests that the server handles at once; undefined if unknown. */
export function knownSlots({ url }: Pick<Connection, 'url'>): number | undefined {
	return slots.get(url.api)?.count;
}

/** Whether the number of slots was not asked recently. */
export function areSlotsUnknown({ url }: Connection): boolean {
	return (slots.get(url.api)?.until ?? 0) <= clock.now();
}

/**
 * Asks servers that tell the number of their slots for it, once in ten minutes. Never fails.
 */
export async function learnSlots(connection: Connection, model: string): Promise<void> {
	const { api } = connection.url;
	if (!areSlotsUnknown(connection)) return;
	let asking = underWay.get(api);
	if (asking === undefined) {
		asking = ask(connection, model).finally(() => underWay.delete(api));
		underWay.set(api, asking);
	}
	await asking;
}

/**
 * Remembers that an answer looks like one of a server that tells the number of its slots. A gateway may have passed it
 * on, so this only makes it worth asking what the server is.
 */
export function expectSlots({ url }: Connection): void {
	likely.set(url.api, true);
}

/**
 * Learns the number of slots while several requests run at a server that probably tells it: a single request needs no
 * limit. Never fails.
 *
 * @param chosen the kind that the user chose for the server
 */
export async function learnSlotsIfShared(
	connection: Connection,
	model: string,
	chosen?: KindName,
): Promise<void> {
	if (runningAt(connection) < 2 || connection.maxConcurrentRequests > 0) return;
	if (mayTellSlots(connection, model, chosen)) await learnSlots(connection, model);
}

function mayTellSlots(connection: Connection, model: string, chosen?: KindName): boolean {
	const kind = knownServerKind(connection, model) ?? chosen;
	if (kind === undefined) return likely.get(connection.url.api) === true;
	return kindOf(kind).slots?.count !== undefined;
}

async function ask(connection: Connection, model: string): Promise<void> {
	const kind = await askServerKind(connection, model, { limitMs: ASK_LIMIT_MS });
	const { slots: abilities } = kindOf(kind);
	const count = await abilities?.count?.(connection, ASK_LIMIT_MS);
	const tellsNone = isIdentified(kind) && abilities?.count === undefined;
	const isSure = count !== undefined || tellsNone;
	slots.set(connection.url.api, { count, until: clock.now() + (isSure ? KNOWN_MS : UNKNOWN_MS) });
}
