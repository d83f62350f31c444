/** Uploads a file for a run. */
import type { FileSource } from '../http/multipart';
import type { DifyClient } from './client';

/**
 * Uploads a file for a run of the same user.
 *
 * @returns its ID in Dify
 * @throws {ServerError}
 */
export async function uploadFile(
	client: DifyClient,
	source: FileSource,
	user: string,
): Promise<string> {
	const { id } = await client.upload('/files/upload', source, { fields: { user } });
	return String(id);
}
