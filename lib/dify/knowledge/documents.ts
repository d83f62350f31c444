/** Documents of a knowledge base: their list, status and deletion. */
import { ServerError } from '../../errors/server-error';
import type { JsonRecord } from '../../values/records';
import { asNonEmptyString } from '../../values/records';
import type { DifyClient } from '../client';
import type { ListEndpoint } from '../pages';
import { apiPath, PathSegment } from '../api-path';
import { createDifyError } from '../create-error';
import { WRITE_TIMEOUT_MS, deletePath } from './write-requests';

export type StatusAction = 'enable' | 'disable' | 'archive' | 'un_archive';

export interface DocumentRef {
	datasetId: string;
	documentId: string;
}

interface DocumentQuery {
	/** A part of the name, case-sensitive. */
	keyword?: string;
	/** Dify's status of a document in its list. */
	status?: string;
}

/** Documents, newest first. */
export function buildDocumentList(
	datasetId: string,
	{ keyword = '', status }: DocumentQuery = {},
): ListEndpoint {
	return { path: apiPath`/datasets/${datasetId}/documents`, query: { keyword, status } };
}

interface StatusChange {
	datasetId: string;
	/** IDs of the documents. */
	ids: readonly string[];
	action: StatusAction;
}

/**
 * Changes the status of all documents or none.
 *
 * @throws {ServerError} of type `documentBusy` while one is indexed
 */
export async function setDocumentStatus(
	client: DifyClient,
	{ datasetId, ids, action }: StatusChange,
): Promise<void> {
	const route = apiPath`/datasets/${datasetId}/documents/status/${new PathSegment(action)}`;
	await client.requestJson('PATCH', route, {
		json: { document_ids: ids },
		timeoutMs: WRITE_TIMEOUT_MS,
	});
}

/**
 * Deletes a document. Archived ones are unarchived first, as Dify requires.
 *
 * @throws {ServerError} with the fact `missingObject` if it does not exist
 */
export async function deleteDocument(
	client: DifyClient,
	{ datasetId, documentId }: DocumentRef,
): Promise<void> {
	const route = apiPath`/datasets/${datasetId}/documents/${documentId}`;
	await deletePath(client, route).catch(async (error: unknown) => {
		if (!(error instanceof ServerError) || error.type !== 'documentArchived') throw error;
		await setDocumentStatus(client, { datasetId, ids: [documentId], action: 'un_archive' });
		await deletePath(client, route);
	});
}

/**
 * Checks that all documents exist: Dify ignores others when it changes their status (docs/protocols/dify.md 2.13).
 *
 * @throws {ServerError} with the fact `missingObject` for the first one that does not
 */
export async function assertDocumentsExist(
	client: DifyClient,
	{ datasetId, ids }: Pick<StatusChange, 'datasetId' | 'ids'>,
): Promise<void> {
	for (const id of ids)
		await client.get(apiPath`/datasets/${datasetId}/documents/${id}`, { metadata: 'without' });
}

/** Unarchives and enables a document: otherwise searches miss it, and Dify would create a duplicate. */
export async function ensureDocumentAvailable(
	client: DifyClient,
	datasetId: string,
	document: JsonRecord,
): Promise<void> {
	const ids = [getDocumentId(document)];
	if (document.archived === true) {
		await setDocumentStatus(client, { datasetId, ids, action: 'un_archive' });
	}
	if (!isEnabled(document)) await setDocumentStatus(client, { datasetId, ids, action: 'enable' });
}

/**
 * The ID of a document.
 *
 * @throws {ServerError} if the response has none
 */
export function getDocumentId(document: JsonRecord): string {
	const id = asNonEmptyString(document.id);
	if (id !== undefined) return id;
	throw createDifyError('emptyResponse', { about: { difyIssue: { kind: 'noDocumentId' } } });
}

/** Whether searches include a document, once it is indexed. */
export function isEnabled(document: JsonRecord): boolean {
	return document.enabled !== false;
}

/** Indexed, enabled and not archived. */
export function isAvailable(document: JsonRecord): boolean {
	if (typeof document.display_status === 'string') return document.display_status === 'available';
	const isIndexed = document.indexing_status === 'completed';
	return isIndexed && isEnabled(document) && document.archived !== true;
}
