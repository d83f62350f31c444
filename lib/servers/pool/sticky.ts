/** Which server a conversation belongs to: its prompt is in the cache of the one that answered before. Pure. */
import { createHash } from 'node:crypto';

/**
 * Servers in the order in which a conversation prefers them (rendezvous hashing). Every process that knows the same
 * servers comes to the same order, so the workers of n8n's queue mode agree without sharing anything; and where a
 * server is missing, only its conversations move.
 *
 * @param key what stays the same in every round of the conversation
 * @param nameOf what tells a server from the others, the same in every process
 */
export function byPreference<S>(key: string, servers: readonly S[], nameOf: (server: S) => string): S[] {
	const weighed = servers.map((server) => ({ server, weight: weightOf(key, nameOf(server)) }));
	return weighed.sort((a, b) => (a.weight < b.weight ? 1 : a.weight > b.weight ? -1 : 0)).map(({ server }) => server);
}

function weightOf(key: string, name: string): string {
	return createHash('sha256').update(`${name}\n${key}`).digest('hex');
}
