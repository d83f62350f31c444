/** Uploads a file for a run. */
import type { FileSource } from '../http/multipart';
import type { JsonRecord } from '../values/records';
import { asNonEmptyString } from '../values/records';
import type { DifyClient } from './client';
import { createDifyError } from './create-error';

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
	return readFileId(await client.upload('/files/upload', source, { fields: { user } }));
}

/**
 * The ID of an uploaded file.
 *
 * @throws {ServerError} if the response has none
 */
export function readFileId({ id }: JsonRecord): string {
	const fileId = asNonEmptyString(id);
	if (fileId === undefined)
		throw createDifyError('emptyResponse', { about: { difyIssue: { kind: 'noFileId' } } });
	return fileId;
}
