/** Sends a conversation to the same server each time, which has its prompt in the cache. */
import { createHash } from 'node:crypto';

/**
 * Sorts servers by a conversation's preference (rendezvous hashing). Every process gets the same order, so the workers
 * of n8n's queue mode agree without shared state; when a server is missing, only its conversations move.
 *
 * @param key key of the conversation, the same in every turn
 * @param nameOf a server's unique name, the same in every process
 */
export function byPreference<S>(
	key: string,
	servers: readonly S[],
	nameOf: (server: S) => string,
): S[] {
	const weighed = servers.map((server) => ({ server, weight: weightOf(key, nameOf(server)) }));
	return weighed
		.sort((one, other) => Buffer.compare(other.weight, one.weight))
		.map(({ server }) => server);
}

function weightOf(key: string, name: string): Buffer {
	return createHash('sha256').update(`${name}\n${key}`).digest();
}
