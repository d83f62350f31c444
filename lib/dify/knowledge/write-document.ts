/** Creates a document, or replaces the one with its name. */
import type { JsonRecord } from '../../values/records';
import { asNonEmptyString, asRecord } from '../../values/records';
import type { DifyClient } from '../client';
import { apiPath } from '../api-path';
import { fetchAllPages } from '../pages';
import { createLocalError } from '../create-error';
import type { FileSource } from '../../http/multipart';
import { toUploadFileName } from '../../http/multipart';
import type { ModelRef } from './models';
import { toEmbeddingModelFields } from './models';
import { WRITE_TIMEOUT_MS } from './write-requests';
import { buildDocumentList, ensureDocumentAvailable, getDocumentId, isEnabled } from './documents';

type IndexingTechnique = 'high_quality' | 'economy';

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
