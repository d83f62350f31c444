import { asFailed, type ServerError } from '../../errors/server-error';
import { nonEmptyText, type JsonRecord } from '../../values';
import { difyFailure, invalidParam } from '../errors/failure';
import { requestOf } from '../routes';
import { pollPause, type KnowledgeApi, type Pauses } from './api';
import { idOf } from './records';
import { documentRoutes } from './routes';

export type StatusAction = 'enable' | 'disable' | 'archive' | 'un_archive';

/** Status filters of the list of documents; Dify ignores any other (docs/protocols/dify.md 2.13). */
export type DocumentStatus =
	| 'queuing'
	| 'indexing'
	| 'paused'
	| 'error'
	| 'available'
	| 'disabled'
	| 'archived';

/**
 * Dify locks a document while the job of a status change runs: for about two seconds. It starts the job before it sets
 * the lock, so a quick job leaves the lock standing: then it lasts ten minutes (docs/protocols/dify.md 12.3).
 */
const LOCK_PAUSES_MS: Pauses = [1_000, 2_000, 3_000];

/** Long enough for a job. */
const LOCK_LIMIT_MS = 9_000;

/**
 * Documents whose stored name is exactly this. The keyword of Dify's list is a part of a name where `%` and `_` are
 * wildcards, and a backslash escapes.
 */
export async function documentsNamed(
	api: KnowledgeApi,
	baseId: string,
	name: string,
): Promise<JsonRecord[]> {
	const keyword = name.split('\\', 1)[0];
	const documents = await api.list(documentRoutes.list, { dataset_id: baseId, keyword }, 'all');
	return documents.filter((document) => document.name === name);
}

/** One document. @param metadata what to read: all of it, its metadata only, or all but that */
export async function getDocument(
	api: KnowledgeApi,
	baseId: string,
	documentId: string,
	metadata: 'all' | 'only' | 'without' = 'all',
): Promise<JsonRecord> {
	const values = { dataset_id: baseId, document_id: documentId, metadata };
	return await api.call(documentRoutes.get, values);
}

/**
 * Deletes a document. Its chunks may still be found for some seconds.
 *
 * @param unarchive unarchives the document first; Dify refuses to delete an archived one
 * @returns false where there was none
 */
export async function deleteDocument(
	api: KnowledgeApi,
	baseId: string,
	documentId: string,
	unarchive: boolean,
): Promise<boolean> {
	const ids = { dataset_id: baseId, document_id: documentId };
	const remove = async () => await api.call(documentRoutes.delete, ids);
	return await remove().catch(async (error: unknown) => {
		const { failed } = asFailed(error);
		if (failed.code !== 'archived_document_immutable') throw failed;
		if (!unarchive)
			throw failed.reworded({
				message: 'The document is archived, so Dify does not delete it',
				remedy:
					'Turn on "Unarchive First" in the options, or take it out of the archive with Set Status.',
			});
		await setStatus(api, baseId, [documentId], 'un_archive');
		return await remove();
	});
}

/**
 * Enables, disables, archives or unarchives documents. Dify changes all of them or none. Waits while one is locked by an
 * earlier change.
 *
 * @throws {ServerError} of kind `documentBusy` where one of them is not indexed, or still locked
 */
export async function setStatus(
	api: KnowledgeApi,
	baseId: string,
	documentIds: readonly string[],
	action: StatusAction,
): Promise<void> {
	if (documentIds.length === 0)
		throw invalidParam('There is no document to change', 'Give the ID of at least one document.');
	const values = { dataset_id: baseId, action, document_ids: documentIds };
	const { path } = requestOf(documentRoutes.setStatus, values);
	let waitedMs = 0;
	for (let looks = 0; ; looks++) {
		try {
			await api.call(documentRoutes.setStatus, values);
			return;
		} catch (error) {
			const { failed } = asFailed(error);
			const pause = pollPause(api.times.busy ?? LOCK_PAUSES_MS, looks);
			if (!isBusy(failed) || waitedMs + pause > LOCK_LIMIT_MS)
				throw explained(failed, documentIds.length, waitedMs);
			await api.client.pause(pause, api.client.url(path));
			waitedMs += pause;
		}
	}
}

/** Whether the job of the last change still runs. A document that is not indexed has another text. */
function isBusy(error: ServerError): boolean {
	return /being indexed, please try again/.test(error.serverText ?? '');
}

function explained(error: ServerError, count: number, waitedMs: number): ServerError {
	if (error.kind !== 'documentBusy') return error;
	const meaning =
		count === 1
			? 'The document is still being worked on in Dify, so it was not changed'
			: `One of the ${count} documents is still being worked on in Dify, so none of them was changed`;
	if (!isBusy(error)) return error.reworded({ meaning });
	const remedy = `The node waited ${Math.round(waitedMs / 1000)} s for it. Dify locks a document while a change of its status is carried out. A quick worker leaves the lock standing, and then it lasts ten minutes, although nothing runs any more. Try again then.`;
	return error.reworded({ message: 'Dify has locked the document', meaning, remedy });
}

/** The address that Dify gives for a document's file, valid for some minutes. */
export async function fileAddress(
	api: KnowledgeApi,
	baseId: string,
	documentId: string,
): Promise<string> {
	const ids = { dataset_id: baseId, document_id: documentId };
	const answer = await api.call(documentRoutes.download, ids);
	const url = nonEmptyText(answer.url);
	if (url !== undefined) return url;
	throw difyFailure('fileNotFound', {
		url: api.client.url(requestOf(documentRoutes.download, ids).path),
		message: 'Dify gives no address for the file of the document',
	});
}

/** @throws {ServerError} where Dify's answer names no document */
export function documentIdIn(
	api: KnowledgeApi,
	baseId: string,
	document: JsonRecord,
	route = 'documents',
): string {
	const id = idOf(document);
	if (id !== undefined) return id;
	throw difyFailure('emptyAnswer', {
		url: api.client.url(`/datasets/${baseId}/${route}`),
		message: 'Dify answered without the ID of the document',
	});
}
