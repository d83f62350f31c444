/** References of files for a run, and their uploads. */
import type { DifyCall } from './dify-operation';
import type { FileCandidate } from '../../../lib/dify/allowed-files';
import type { JsonRecord } from '../../../lib/values/records';
import { asNonEmptyString } from '../../../lib/values/records';
import type { DifyFileType } from '../../../lib/dify/file-types';
import { toDifyFileType } from '../../../lib/dify/file-types';
import { uploadFile } from '../../../lib/dify/upload-file';
import { getFileNameFromUrl } from '../../../lib/dify/file-references';
import { createFileSource } from '../../../lib/n8n/binary';

/** A file that is sent with a run. */
export interface FileRequest {
	/** The binary field with the file; undefined for others. */
	binaryField?: string;
	/** What is known of it before it is sent. */
	candidate: FileCandidate;
	/**
	 * Creates its reference, and uploads a binary file before.
	 *
	 * @param allowedTypes of the app or field. Default: any
	 */
	send(user: string, allowedTypes?: readonly unknown[]): Promise<object>;
}

/** A file object of Dify, which is sent unchanged. */
export function toDifyRequest(file: JsonRecord): FileRequest {
	const name = asNonEmptyString(file.url) ?? asNonEmptyString(file.upload_file_id) ?? '';
	return { candidate: { name, origin: 'dify' }, send: async () => await Promise.resolve(file) };
}

/** What is known of the files before they are sent. */
export function getCandidates(requests: readonly FileRequest[]): FileCandidate[] {
	return requests.map(({ candidate }) => candidate);
}

/** The binary fields that the files are in. */
export function getBinaryFields(requests: readonly FileRequest[]): string[] {
	return requests.flatMap(({ binaryField }) => binaryField ?? []);
}

/** A file that Dify downloads. */
export function toUrlRequest(url: string, type?: DifyFileType): FileRequest {
	return {
		candidate: { name: getFileNameFromUrl(url), type, origin: 'url' },
		send: async (_user, allowedTypes) => ({
			type: type ?? toDifyFileType({ name: getFileNameFromUrl(url) }, allowedTypes),
			// Dify silently drops an entry without it (docs/protocols/dify.md 2.1.3).
			transfer_method: 'remote_url',
			url,
		}),
	};
}

/** A binary file of the item. It is read now, and uploaded with the request. */
export async function toUploadRequest(
	{ client, context, itemIndex, hint }: DifyCall,
	binaryField: string,
	type?: DifyFileType,
): Promise<FileRequest> {
	const source = await createFileSource(context, itemIndex, binaryField);
	source.warnings?.forEach(hint);
	return {
		binaryField,
		candidate: { ...source, type, origin: 'upload' },
		send: async (user, allowedTypes) => ({
			type: type ?? toDifyFileType(source, allowedTypes),
			transfer_method: 'local_file',
			upload_file_id: await uploadFile(client, source, user),
		}),
	};
}

/** Uploads the files one after another. @returns their references, in the same order */
export async function sendFiles(
	requests: readonly FileRequest[],
	user: string,
	allowedTypes?: readonly unknown[],
): Promise<object[]> {
	const references: object[] = [];
	for (const request of requests) references.push(await request.send(user, allowedTypes));
	return references;
}
