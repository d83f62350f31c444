/** Keeps a knowledge base in sync with a list of sources. Hash and source of a document are in its metadata. */
import { createHash } from 'node:crypto';
import { ServerError } from '../../errors/server-error';
import { toUploadFileName } from '../../http/multipart';
import type { JsonRecord } from '../../values/records';
import { asNonEmptyString } from '../../values/records';
import { findDuplicate } from '../../values/lists';
import { asFiniteNumber } from '../../values/numbers';
import type { DifyClient } from '../client';
import { createParamError, createLocalError } from '../create-error';
import type { CreateOptions, DocumentContent } from './write-document';
import {
	deleteDocument,
	getDocumentId,
	isAvailable,
	isEnabled,
	ensureDocumentAvailable,
	setDocumentStatus,
} from './documents';
import { parseMetadata } from './document-metadata';
import { writeDocument } from './write-document';
import { waitForIndexing } from './indexing';
import { setMetadata } from './metadata';

const SOURCE_FIELD = 'n8n_source';
const HASH_FIELD = 'n8n_hash';

/** A file or text that the knowledge base should contain. */
export interface SyncSource {
	/** Stable ID: a path, or the ID in the source system. */
	source: string;
	/** Changes with the content. */
	hash: string;
	/** Name for a new document. */
	name: string;
	/** The content, under the document name. */
	content(name: string): Promise<DocumentContent>;
}

export interface SyncOptions {
	onMissingSource: 'disable' | 'delete' | 'keep';
	/** Max share of documents to remove, in percent; more is an error. */
	maxRemovedPercent: number;
	/** Whether the list of sources is complete. If not, no document is removed. */
	isComplete: boolean;
}

/** Step for one source, or for a document whose source is missing. */
export interface SyncStep {
	action: 'created' | 'updated' | 'enabled' | 'unchanged' | 'disabled' | 'deleted';
	source: string;
	/** The content to write. */
	content?: SyncSource;
	document?: JsonRecord;
}

/**
 * Plans the steps that sync a knowledge base with its sources. They change only documents that a sync created, or with
 * the name of a source.
 *
 * @param documents all documents of the knowledge base
 * @throws {ServerError} if too many documents would be removed, or two sources are the same
 */
export function planSync(
	sources: readonly SyncSource[],
	documents: readonly JsonRecord[],
	options: SyncOptions,
): SyncStep[] {
	const duplicate = findDuplicate(sources.map(({ source }) => source));
	if (duplicate !== undefined) {
		throw createParamError({
			title: `Two items have the same source "${duplicate.slice(0, 100)}"`,
			suggestion: 'Give each item a unique source, such as the path or ID of its file.',
		});
	}
	const managedBySource = new Map<string, JsonRecord>();
	const sourceByName = new Map<string, string | undefined>();
	const unmanagedByName = new Map<string, JsonRecord>();
	for (const document of documents) {
		const source = asNonEmptyString(parseMetadata(document.doc_metadata)[SOURCE_FIELD]);
		const name = String(document.name);
		if (source === undefined) unmanagedByName.set(name, document);
		else if (!isAvailable(managedBySource.get(source) ?? {})) managedBySource.set(source, document);
		if (source !== undefined) sourceByName.set(name, source);
	}
	const steps = sources.map((source): SyncStep => {
		const document = managedBySource.get(source.source);
		if (document !== undefined) return planStep(source, document);
		const uploadName = toUploadFileName(source.name);
		const isFree = !sourceByName.has(uploadName) || sourceByName.get(uploadName) === source.source;
		// Dify would replace a document with the same name.
		const name = isFree ? uploadName : toUploadFileName(makeUniqueName(source));
		sourceByName.set(name, source.source);
		const content = { ...source, name };
		const unmanaged = unmanagedByName.get(name);
		if (unmanaged === undefined) return { action: 'created', source: source.source, content };
		return { action: 'updated', source: source.source, content, document: unmanaged };
	});
	return [...steps, ...planRemovals(sources, managedBySource, options)];
}

/** A unique name with the file extension. */
function makeUniqueName({ source, name }: SyncSource) {
	return source.endsWith(name) ? source : `${source}_${name}`;
}

function planStep(content: SyncSource, document: JsonRecord): SyncStep {
	const { source } = content;
	const isSame = parseMetadata(document.doc_metadata)[HASH_FIELD] === content.hash;
	if (isSame && isAvailable(document)) return { action: 'unchanged', source, document };
	const isIndexed = document.indexing_status === 'completed';
	if (isSame && isIndexed) return { action: 'enabled', source, document };
	// Dify cannot rename documents, so an existing one keeps its name.
	return {
		action: 'updated',
		source,
		content: { ...content, name: asNonEmptyString(document.name) ?? content.name },
		document,
	};
}

function planRemovals(
	sources: readonly SyncSource[],
	managedBySource: ReadonlyMap<string, JsonRecord>,
	{ onMissingSource, maxRemovedPercent, isComplete }: SyncOptions,
): SyncStep[] {
	if (onMissingSource === 'keep' || !isComplete || sources.length === 0) return [];
	const present = new Set(sources.map(({ source }) => source));
	const isDone = (document: JsonRecord) => onMissingSource === 'disable' && !isEnabled(document);
	const activeDocuments = [...managedBySource].filter(([, document]) => !isDone(document));
	const missing = activeDocuments.filter(([source]) => !present.has(source));
	if (missing.length > (activeDocuments.length * maxRemovedPercent) / 100) {
		throw createLocalError('datasetRejected', {
			title: `The source of ${missing.length} of ${activeDocuments.length} documents is missing, which is more than ${maxRemovedPercent} %`,
			suggestion: `Nothing was changed. If the list of sources is complete, raise "Max Removals (%)" in the options. Missing, for example: ${missing
				.slice(0, 5)
				.map(([source]) => source)
				.join(', ')}.`,
		});
	}
	const action = onMissingSource === 'delete' ? 'deleted' : 'disabled';
	return missing.map(([source, document]) => ({ action, source, document }));
}

/** SHA-256 of a stream, in hex. */
export async function computeSha256(
	content: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): Promise<string> {
	const hash = createHash('sha256');
	for await (const chunk of content) hash.update(chunk);
	return hash.digest('hex');
}

export interface SyncRun {
	datasetId: string;
	/** Settings for new documents. */
	create: CreateOptions;
	/** Milliseconds to wait for the indexing of each document. */
	waitMs: number;
}

/** The output item of a step. */
export interface SyncResult {
	action: SyncStep['action'];
	source: string;
	/** Name of the document. */
	name: string | undefined;
	documentId: string | undefined;
	/** Only of a document that was written: to poll the progress. */
	batch?: string;
	/** Dify's status. */
	indexingStatus: string | undefined;
	wordCount: number | undefined;
	tokens: number | undefined;
}

/**
 * The output item of a step.
 *
 * @param overrides what is known after the step
 */
export function toSyncResult(
	{ action, source, document, content }: SyncStep,
	overrides: Partial<SyncResult> = {},
): SyncResult {
	return {
		action,
		source,
		documentId: asNonEmptyString(document?.id),
		name: content?.name ?? asNonEmptyString(document?.name),
		indexingStatus: asNonEmptyString(document?.indexing_status),
		wordCount: asFiniteNumber(document?.word_count),
		tokens: asFiniteNumber(document?.tokens),
		...overrides,
	};
}

/**
 * Runs one step. The hash is written last, after indexing: if a step fails, the next sync repeats it.
 *
 * @returns the output item
 * @throws {ServerError}
 */
export async function applySyncStep(
	client: DifyClient,
	step: SyncStep,
	run: SyncRun,
): Promise<SyncResult> {
	const { action, document = {}, content } = step;
	const { datasetId } = run;
	if (content !== undefined) return await syncDocument(client, { ...step, content }, run);
	if (action === 'enabled') await ensureDocumentAvailable(client, datasetId, document);
	if (action === 'disabled') {
		await setDocumentStatus(client, {
			datasetId,
			ids: [getDocumentId(document)],
			action: 'disable',
		});
	}
	if (action === 'deleted') {
		const deleting = deleteDocument(client, { datasetId, documentId: getDocumentId(document) });
		await deleting.catch(ignoreMissingDocument);
	}
	return toSyncResult(step);
}

/** The document was in the list: another run has deleted it since. */
function ignoreMissingDocument(error: unknown) {
	const isDeleted = error instanceof ServerError && error.known.missingObject?.kind === 'document';
	if (!isDeleted) throw error;
}

/** A step that writes a document. */
interface WriteStep extends SyncStep {
	content: SyncSource;
}

async function syncDocument(
	client: DifyClient,
	step: WriteStep,
	{ datasetId, create, waitMs }: SyncRun,
): Promise<SyncResult> {
	const { content, source, document } = step;
	// Read before any change: if the file is unreadable, its document stays unchanged.
	const documentContent = await content.content(content.name);
	const result = await writeDocument(client, {
		datasetId,
		content: documentContent,
		existing: document,
		options: create,
	});
	const { documentId, batch } = result;
	const { status } = await waitForIndexing(client, { datasetId, documentId, batch }, waitMs);
	await setMetadata(client, {
		datasetId,
		documentId,
		values: {
			[SOURCE_FIELD]: { value: source, type: 'string' },
			[HASH_FIELD]: { value: content.hash, type: 'string' },
		},
		createFields: true,
	});
	return toSyncResult(
		{ ...step, document: result.document },
		{ documentId, batch, indexingStatus: status },
	);
}
