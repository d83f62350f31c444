/** The number of slots of servers that tell it. */
import { clock } from '../clock';
import type { Connection } from '../http/connection';
import { LruCache } from '../lru-cache';
import { knownServerKind } from './identify';
import { kindOf } from './kinds';

const ASK_LIMIT_MS = 2_000;
const KNOWN_MS = 10 * 60_000;
const UNKNOWN_MS = 60_000;

const slots = LruCache.shared<{ count: number | undefined; until: number }>();

/** Requests that the server handles at once; undefined if unknown. */
export function knownSlots({ url }: Pick<Connection, 'url'>): number | undefined {
	return slots.get(url.api)?.count;
}

/** Asks a server of a known kind for the number of its slots, once in ten minutes. Never fails. */
export async function learnSlots(connection: Connection, model?: string): Promise<void> {
	const { api } = connection.url;
	if ((slots.get(api)?.until ?? 0) > clock.now()) return;
	const kind = knownServerKind(connection, model);
	const ask = kind === undefined ? undefined : kindOf(kind).slots?.count;
	if (ask === undefined) return;
	// Others that come in the meantime do not ask again.
	slots.set(api, { count: knownSlots(connection), until: clock.now() + UNKNOWN_MS });
	const count = await ask(connection.withoutQueue(), ASK_LIMIT_MS);
	const keptMs = count === undefined ? UNKNOWN_MS : KNOWN_MS;
	slots.set(api, { count, until: clock.now() + keptMs });
}
