/** What requests that change a knowledge base have in common. */
import { ServerError } from '../../errors/server-error';
import type { DifyClient } from '../client';

/** Dify locks a knowledge base while documents are added, so a write may wait for others. */
export const WRITE_TIMEOUT_MS = 120_000;

/**
 * Deletes the object at this path.
 *
 * @returns false if it did not exist
 */
export async function deletePath(client: DifyClient, route: string): Promise<boolean> {
	try {
		await client.requestJson('DELETE', route, { timeoutMs: WRITE_TIMEOUT_MS });
		return true;
	} catch (error) {
		// A 404 page without a code is a missing route.
		const isMissing =
			error instanceof ServerError && error.status === 404 && error.code !== undefined;
		if (isMissing) return false;
		throw error as Error;
	}
}
