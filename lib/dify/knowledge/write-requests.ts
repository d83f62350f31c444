/** What requests that change a knowledge base have in common. */
import type { DifyClient } from '../client';

/** Dify locks a knowledge base while documents are added, so a write may wait for others. */
export const WRITE_TIMEOUT_MS = 120_000;

/**
 * Deletes the object at this path.
 *
 * @throws {ServerError} with the fact `missingObject` if it, or what it is in, does not exist
 */
export async function deletePath(client: DifyClient, route: string): Promise<void> {
	await client.requestJson('DELETE', route, { timeoutMs: WRITE_TIMEOUT_MS });
}
