import { ServerError } from '../../errors/server-error';
import { isRecord, asNonEmptyString, asRecords, type JsonRecord } from '../../values';
import type { DifyClient } from '../client';
import { createDifyError } from '../errors';
import { apiPath, PathSegment } from '../ids';
import { fetchAllPages, type ListEndpoint } from '../pagination';

export type IndexingTechnique = 'high_quality' | 'economy';
export type StatusAction = 'enable' | 'disable' | 'archive' | 'un_archive';

/** Dify locks a knowledge base while documents are added, so a write may wait for others. */
export const WRITE_TIMEOUT_MS = 120_000;

/** All knowledge bases of the workspace: without `include_all`, those of other members are missing. */
export function buildDatasetList(keyword = ''): ListEndpoint {
	return { path: '/datasets', query: { keyword, include_all: 'true' } };
}

/** Documents, newest first. The keyword is a part of the name, case-sensitive. */
export function buildDocumentList(datasetId: string, keyword = '', status?: string): ListEndpoint {
	return { path: apiPath`/datasets/${datasetId}/documents`, query: { keyword, status } };
}

/** A document with this name, enabled if possible: Dify replaces it, but would duplicate a disabled one. */
export async function findDocumentByName(
	client: DifyClient,
	datasetId: string,
	name: string,
): Promise<JsonRecord | undefined> {
	// `%`, `_` and backslashes have special meanings in a keyword.
	const documents = await fetchAllPages(
		client,
		buildDocumentList(datasetId, name.split('\\', 1)[0]),
	);
	const matches = documents.filter((document) => document.name === name);
	return matches.find(isEnabled) ?? matches[0];
}

/** Changes the status of all documents or none. @throws {ServerError} of type `documentBusy` */
export async function setDocumentStatus(
	client: DifyClient,
	datasetId: string,
	ids: readonly string[],
	action: StatusAction,
): Promise<void> {
	const route = apiPath`/datasets/${datasetId}/documents/status/${new PathSegment(action)}`;
	await client.requestJson('PATCH', route, {
		json: { document_ids: ids },
		timeoutMs: WRITE_TIMEOUT_MS,
	});
}

/** Deletes the object at this path. @returns false if it did not exist */
export async function deletePath(client: DifyClient, route: string): Promise<boolean> {
	const deleting = client.requestJson('DELETE', route, { timeoutMs: WRITE_TIMEOUT_MS });
	return await deleting.then(
		() => true,
		(error: unknown) => {
			// A 404 page without a code is a missing route.
			const isMissing =
				error instanceof ServerError && error.status === 404 && error.code !== undefined;
			if (isMissing) return false;
			throw error;
		},
	);
}

/** Deletes a document. Archived ones are unarchived first, as Dify requires. @returns false if it did not exist */
export async function deleteDocument(
	client: DifyClient,
	datasetId: string,
	documentId: string,
): Promise<boolean> {
	const route = apiPath`/datasets/${datasetId}/documents/${documentId}`;
	return await deletePath(client, route).catch(async (error: unknown) => {
		if (!(error instanceof ServerError) || error.type !== 'documentArchived') throw error;
		await setDocumentStatus(client, datasetId, [documentId], 'un_archive');
		return await deletePath(client, route);
	});
}

/** Unarchives and enables a document: otherwise searches miss it, and Dify would create a duplicate. */
export async function ensureDocumentAvailable(
	client: DifyClient,
	datasetId: string,
	document: JsonRecord,
): Promise<void> {
	const ids = [getDocumentId(document)];
	if (document.archived === true) await setDocumentStatus(client, datasetId, ids, 'un_archive');
	if (!isEnabled(document)) await setDocumentStatus(client, datasetId, ids, 'enable');
}

/** The ID of a document. @throws {ServerError} if the response has none */
export function getDocumentId(document: JsonRecord): string {
	const id = asNonEmptyString(document.id);
	if (id !== undefined) return id;
	throw createDifyError('emptyResponse', { title: 'Dify returned no document ID' });
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

/** Metadata by name, from the object of a hit or the field list of a document. */
export function parseMetadata(value: unknown): JsonRecord {
	if (isRecord(value)) return value;
	const fields = asRecords(value).filter(({ name }) => typeof name === 'string');
	return Object.fromEntries(fields.map(({ name, value }) => [String(name), value]));
}
