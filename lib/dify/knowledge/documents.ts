/** Documents of a knowledge base: lists, status, creation, indexing. */
import { ServerError } from '../../errors/server-error';
import type { JsonRecord } from '../../values/records';
import { isRecord, asNonEmptyString, asRecords, asRecord } from '../../values/records';
import { asFiniteNumber } from '../../values/numbers';
import type { DifyClient } from '../client';
import type { ListEndpoint } from '../pages';
import { apiPath, PathSegment } from '../api-path';
import { fetchAllPages, parseRecords } from '../pages';
import { createDifyError, createLocalError } from '../create-error';
import { toErrorType } from '../error-types';
import type { FileSource } from '../../http/multipart';
import { toUploadFileName } from '../../http/multipart';
import { getPollInterval } from '../run/run-record';
import type { ModelRef } from './models';
import { toEmbeddingModelFields } from './models';

type IndexingTechnique = 'high_quality' | 'economy';
export type StatusAction = 'enable' | 'disable' | 'archive' | 'un_archive';

/** Dify locks a knowledge base while documents are added, so a write may wait for others. */
export const WRITE_TIMEOUT_MS = 120_000;

/** All knowledge bases of the workspace: without `include_all`, those of other members are missing. */
export function buildDatasetList(keyword = ''): ListEndpoint {
	return { path: '/datasets', query: { keyword, include_all: 'true' } };
}

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

/** A document with this name, enabled if possible: Dify replaces it, but would duplicate a disabled one. */
async function findDocumentByName(
	client: DifyClient,
	{ datasetId, name }: { datasetId: string; name: string },
) {
	// `%`, `_` and backslashes have special meanings in a keyword.
	const documents = await fetchAllPages(
		client,
		buildDocumentList(datasetId, { keyword: name.split('\\', 1)[0] }),
	);
	const matches = documents.filter((document) => document.name === name);
	return matches.find(isEnabled) ?? matches[0];
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

/**
 * Deletes a document. Archived ones are unarchived first, as Dify requires.
 *
 * @returns false if it did not exist
 */
export async function deleteDocument(
	client: DifyClient,
	{ datasetId, documentId }: DocumentRef,
): Promise<boolean> {
	const route = apiPath`/datasets/${datasetId}/documents/${documentId}`;
	return await deletePath(client, route).catch(async (error: unknown) => {
		if (!(error instanceof ServerError) || error.type !== 'documentArchived') throw error;
		await setDocumentStatus(client, { datasetId, ids: [documentId], action: 'un_archive' });
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

/** Content of a document. */
export type DocumentContent =
	| { type: 'text'; text: string; name: string }
	| { type: 'file'; file: FileSource };

export interface CreateOptions {
	/** For the first document; cannot be changed later. Default: `high_quality`, as in Dify. */
	technique?: IndexingTechnique;
	/** For the first document. */
	embeddingModel?: ModelRef;
	/** Chunk form, for the first document. */
	form?: string;
	language?: string;
	/** How to split the text. Default: the rule of the knowledge base, or Dify's automatic rule for the first document. */
	processRule?: JsonRecord;
	/** What to do if a document with this name exists. Default: `update`, as in Dify. */
	ifExists?: 'update' | 'fail' | 'skip';
}

export interface UpsertRequest {
	datasetId: string;
	content: DocumentContent;
	options: CreateOptions;
}

export interface WriteRequest extends UpsertRequest {
	/** The document with the name of the content, if there is one. */
	existing: JsonRecord | undefined;
}

export interface WrittenDocument {
	action: 'created' | 'updated' | 'skipped';
	documentId: string;
	/** As Dify sent it. */
	document: JsonRecord;
	/** To poll the progress; undefined if nothing was written. */
	batch: string | undefined;
}

/**
 * Creates a document, or updates the one with the same name.
 *
 * @throws {ServerError} of type `nameTaken` if it exists and must not be updated
 */
export async function upsertDocument(
	client: DifyClient,
	request: UpsertRequest,
): Promise<WrittenDocument> {
	const { datasetId, content, options } = request;
	const name = content.type === 'file' ? toUploadFileName(content.file.name) : content.name;
	const existing = await findDocumentByName(client, { datasetId, name });
	if (existing !== undefined && options.ifExists === 'skip') {
		return {
			action: 'skipped',
			documentId: getDocumentId(existing),
			document: existing,
			batch: undefined,
		};
	}
	if (existing !== undefined && options.ifExists === 'fail') {
		throw createLocalError('nameTaken', {
			title: `The knowledge base already has a document "${name}"`,
			suggestion: 'Choose another name, or set "If It Exists" to Update.',
		});
	}
	return await writeDocument(client, { ...request, existing });
}

/**
 * Creates a document, or replaces the existing one with its name: Dify does so itself and keeps the ID, unless that one
 * is disabled (docs/protocols/dify.md 2.13). Not resent if the response is lost.
 *
 * @throws {ServerError}
 */
export async function writeDocument(
	client: DifyClient,
	{ datasetId, content, existing, options }: WriteRequest,
): Promise<WrittenDocument> {
	const dataset = await client.getCached(apiPath`/datasets/${datasetId}`);
	if (existing !== undefined) await ensureDocumentAvailable(client, datasetId, existing);
	const body = buildDocumentBody(dataset, options, content.type === 'file');
	const response =
		content.type === 'file'
			? await client.upload(apiPath`/datasets/${datasetId}/document/create-by-file`, content.file, {
					fields: { data: JSON.stringify(body) },
				})
			: await client.sendJson('POST', apiPath`/datasets/${datasetId}/document/create-by-text`, {
					json: { text: content.text, name: content.name, ...body },
					timeoutMs: WRITE_TIMEOUT_MS,
				});
	const document = asRecord(response.document);
	const documentId = getDocumentId(document);
	return {
		action: existing?.id === documentId ? 'updated' : 'created',
		documentId,
		document,
		batch: asNonEmptyString(response.batch),
	};
}

const PARENT_CHILD = 'hierarchical_model';

/** Default rules for parents and children in Dify's own pages. */
const PARENT_CHILD_RULES: JsonRecord = {
	pre_processing_rules: [
		{ id: 'remove_extra_spaces', enabled: true },
		{ id: 'remove_urls_emails', enabled: false },
	],
	segmentation: { separator: '\n\n', max_tokens: 500, chunk_overlap: 0 },
	parent_mode: 'paragraph',
	subchunk_segmentation: { separator: '\n', max_tokens: 200, chunk_overlap: 0 },
};

/**
 * Dify requires the technique with every text and the rule with the first file. Without a form, it assumes plain text,
 * even if the knowledge base has another form (docs/protocols/dify.md 2.13).
 */
function buildDocumentBody(dataset: JsonRecord, options: CreateOptions, isFile: boolean) {
	const technique = asNonEmptyString(dataset.indexing_technique);
	const datasetForm =
		asNonEmptyString(dataset.doc_form) ?? asNonEmptyString(dataset.chunk_structure);
	const isFirst = technique === undefined || datasetForm === undefined;
	const form = datasetForm ?? options.form ?? 'text_model';
	const needsRule = isFirst && (isFile || form === PARENT_CHILD);
	return {
		indexing_technique: technique ?? options.technique ?? 'high_quality',
		doc_form: form,
		doc_language: options.language,
		process_rule: toProcessRule(form, options.processRule, needsRule),
		...(isFirst && toEmbeddingModelFields(options.embeddingModel)),
	};
}

/** The rule with the mode of the form: otherwise Dify silently creates no chunks of a parent-child document. */
function toProcessRule(form: string, processRule: JsonRecord | undefined, isNeeded: boolean) {
	const rule = processRule ?? (isNeeded ? { mode: 'automatic' } : undefined);
	if (form !== PARENT_CHILD || rule === undefined || rule.mode === 'hierarchical') return rule;
	return { mode: 'hierarchical', rules: { ...PARENT_CHILD_RULES, ...asRecord(rule.rules) } };
}

const MAX_POLL_INTERVAL_MS = 5_000;

/** If a document is queued longer, Dify's worker is down or overloaded. */
const STUCK_AFTER_MS = 120_000;

/** A document that Dify indexes. */
interface IndexingJob extends DocumentRef {
	/** Batch of its last creation. If missing, the document itself is read. */
	batch?: string;
}

export interface IndexingProgress {
	/** Dify's: `waiting`, `parsing`, `cleaning`, `splitting`, `indexing`, `completed`, `error`, `paused`. */
	status: string;
	/** Indexed document chunks; 0 before the text is split. */
	done: number;
	/** All document chunks; 0 before the text is split. */
	total: number;
	error: string | undefined;
	/** Dify's code. Only some errors have one. */
	code: string | undefined;
}

/** Reads the progress once. If the document was recreated, its batch changed, and the document itself is read. */
async function getIndexingProgress(
	client: DifyClient,
	{ datasetId, documentId, batch }: IndexingJob,
): Promise<IndexingProgress> {
	const batchRecords = batch === undefined ? [] : await fetchBatch(client, { datasetId, batch });
	const record =
		batchRecords.find(({ id }) => id === documentId) ??
		(await client.get(apiPath`/datasets/${datasetId}/documents/${documentId}`));
	const status = String(record.indexing_status);
	const total = asFiniteNumber(record.total_segments ?? record.segment_count) ?? 0;
	const done = asFiniteNumber(record.completed_segments) ?? (status === 'completed' ? total : 0);
	const error = asNonEmptyString(record.error);
	const code = asNonEmptyString(record.error_code);
	return { status, done, total, error, code };
}

async function fetchBatch(
	client: DifyClient,
	{ datasetId, batch }: { datasetId: string; batch: string },
) {
	const route = apiPath`/datasets/${datasetId}/documents/${new PathSegment(batch)}/indexing-status`;
	const response = await client.get(route).catch((error: unknown) => {
		if (error instanceof ServerError && error.type === 'notFound') return { data: [] };
		throw error;
	});
	return parseRecords(response.data);
}

/**
 * Waits until a document is indexed.
 *
 * @param timeoutMs 0: polls once
 * @returns the last progress
 * @throws {ServerError} of type `indexingFailed`, `indexingStuck` or `runTimeout`; the document is kept
 */
export async function waitForIndexing(
	client: DifyClient,
	indexing: IndexingJob,
	timeoutMs: number,
): Promise<IndexingProgress> {
	const startedAt = performance.now();
	let waitingSince = Infinity;
	for (let polls = 0; ; polls++) {
		const progress = await getIndexingProgress(client, indexing);
		const { status } = progress;
		if (status === 'completed' || (timeoutMs === 0 && status !== 'error')) return progress;
		const now = performance.now();
		waitingSince = status === 'waiting' ? Math.min(waitingSince, now) : Infinity;
		const isStuck = now - waitingSince >= STUCK_AFTER_MS;
		if (isStuck || now - startedAt >= timeoutMs || status === 'error' || status === 'paused') {
			throw createUnfinishedError(indexing, progress, { isStuck, timeoutMs });
		}
		await client.sleep(Math.min(getPollInterval(polls), MAX_POLL_INTERVAL_MS, timeoutMs));
	}
}

/** How long a document was waited for. */
interface IndexingWait {
	/** Dify's worker did not start. */
	isStuck: boolean;
	timeoutMs: number;
}

function createUnfinishedError(
	{ documentId, batch }: IndexingJob,
	{ status, done, total, error, code }: IndexingProgress,
	{ isStuck, timeoutMs }: IndexingWait,
): ServerError {
	const facts = {
		documentId,
		batch,
		indexingStatus: status,
		completedSegments: done,
		totalSegments: total,
	};
	if (status === 'error') {
		const isLimit = toErrorType({ code }) === 'planLimitReached';
		return createDifyError(isLimit ? 'planLimitReached' : 'indexingFailed', {
			facts,
			code,
			title: error,
			serverText: error,
		});
	}
	if (status === 'paused') {
		return createDifyError('datasetRejected', {
			facts,
			title: 'Indexing of the document is paused in Dify',
			suggestion: 'Resume it in Dify, in the document list of the knowledge base.',
		});
	}
	if (isStuck) return createDifyError('indexingStuck', { facts });
	const seconds = Math.round(timeoutMs / 1000);
	return createDifyError('runTimeout', {
		facts,
		title: `The document was not indexed within ${seconds} s`,
		detail: `Document ${documentId} is still "${status}" after ${seconds} s (${done} of ${total} chunks)`,
		suggestion:
			'Dify continues indexing: use Get Status to wait for it later, or raise "Wait for Indexing (Seconds)". If it makes no progress, its embedding model may be slow or down.',
	});
}
