import { toUploadFileName, type FileSource } from '../../http/multipart';
import { asNonEmptyString, asRecord, type JsonRecord } from '../../values';
import type { DifyAccess } from '../access';
import { createLocalError } from '../errors';
import { apiPath } from '../ids';
import {
	findDocumentByName,
	getDocumentId,
	ensureDocumentAvailable,
	WRITE_TIMEOUT_MS,
	type IndexingTechnique,
} from './documents';
import { toEmbeddingModelFields, type ModelRef } from './models';

/** Content of a document. */
export type DocumentContent = { text: string; name: string } | { file: FileSource };

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

interface UpsertResult {
	action: 'created' | 'updated' | 'skipped';
	documentId: string;
	/** To poll the progress. */
	batch?: string;
	document: JsonRecord;
}

/**
 * Creates a document, or replaces the one with the same name: Dify does so itself and keeps the ID, unless that one is
 * disabled (docs/protocols/dify.md 2.13). Not resent if the response is lost.
 *
 * @throws {ServerError}
 */
export async function upsertDocument(
	{ client, getCached }: DifyAccess,
	datasetId: string,
	content: DocumentContent,
	options: CreateOptions = {},
): Promise<UpsertResult> {
	const dataset = await getCached(apiPath`/datasets/${datasetId}`);
	const name = 'file' in content ? toUploadFileName(content.file.name) : content.name;
	const existing = await findDocumentByName(client, datasetId, name);
	if (existing !== undefined && options.ifExists === 'skip')
		return { action: 'skipped', documentId: getDocumentId(existing), document: existing };
	if (existing !== undefined && options.ifExists === 'fail')
		throw createLocalError(
			'nameTaken',
			`The knowledge base already has a document "${name}"`,
			'Choose another name, or set "If It Exists" to Update.',
		);
	if (existing !== undefined) await ensureDocumentAvailable(client, datasetId, existing);
	const body = buildDocumentBody(dataset, options, 'file' in content);
	const response =
		'file' in content
			? await client.upload(apiPath`/datasets/${datasetId}/document/create-by-file`, content.file, {
					fields: { data: JSON.stringify(body) },
				})
			: await client.sendJson(
					'POST',
					apiPath`/datasets/${datasetId}/document/create-by-text`,
					{ ...content, ...body },
					{ timeoutMs: WRITE_TIMEOUT_MS },
				);
	const document = asRecord(response.document);
	const documentId = getDocumentId(document);
	const action = existing?.id === documentId ? 'updated' : 'created';
	return {
		action,
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
function buildDocumentBody(
	dataset: JsonRecord,
	options: CreateOptions,
	isFile: boolean,
): JsonRecord {
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
function toProcessRule(
	form: string,
	processRule: JsonRecord | undefined,
	isNeeded: boolean,
): JsonRecord | undefined {
	const rule = processRule ?? (isNeeded ? { mode: 'automatic' } : undefined);
	if (form !== PARENT_CHILD || rule === undefined || rule.mode === 'hierarchical') return rule;
	return { mode: 'hierarchical', rules: { ...PARENT_CHILD_RULES, ...asRecord(rule.rules) } };
}
