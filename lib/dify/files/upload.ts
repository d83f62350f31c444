import type { FileSource } from '../../http/multipart';
import { nonEmptyText } from '../../values';
import type { DifyClient } from '../client';
import { difyFailure } from '../errors';

/** Uploads a file for a run of the same user. @returns its ID in Dify @throws {ServerError} */
export async function uploadFile(
	client: DifyClient,
	source: FileSource,
	user: string,
): Promise<string> {
	const { id } = await client.upload('/files/upload', source, { fields: { user } });
	return fileIdIn(id);
}

/** @throws {ServerError} where the answer to an upload names no file */
export function fileIdIn(id: unknown): string {
	const known = nonEmptyText(id);
	if (known !== undefined) return known;
	throw difyFailure('emptyAnswer', {
		message: 'Dify took the file, but gave no ID for it',
		remedy: 'Check the proxies in front of Dify.',
	});
}
