import { toUploadFileName, type FileSource } from '../../http/multipart';
import { asNonEmptyString, omitUndefined, asRecord, type JsonRecord } from '../../values';
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
	/** For the first document of a base; it cannot be changed later. Default: `high_quality`, as in Dify itself. */
	technique?: IndexingTechnique;
	/** For the first document. */
	embeddingModel?: ModelRef;
	/** Form of the chunks, for the first document. */
	form?: string;
	language?: string;
	/** How the text is split. Default: the rule of the base, for the first document Dify's automatic one. */
	processRule?: JsonRecord;
	/** What to do where there is a document of that name. Default: `update`, as Dify does. */
	ifExists?: 'update' | 'fail' | 'skip';
}

interface UpsertResult {
	action: 'created' | 'updated' | 'skipped';
	documentId: string;
	/** For polling the progress. */
	batch?: string;
	document: JsonRecord;
}

/**
 * Creates a document, or replaces the one of the same name: Dify does so itself, in place, unless that is disabled
 * (docs/protocols/dify.md 2.13). Not sent again where the answer is lost.
 *
 * @throws {ServerError}
 */
export async function upsertDocument(
	{ client, getCached }: DifyAccess,
	datasetId: string,
	content: DocumentContent,
	options: CreateOptions = {},
): Promise<UpsertResult> {
	const base = await getCached(apiPath`/datasets/${datasetId}`);
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
	const body = bodyOf(base, options, 'file' in content);
	const answer =
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
	const document = asRecord(answer.document);
	const documentId = getDocumentId(document);
	const action = existing?.id === documentId ? 'updated' : 'created';
	return {
		action,
		documentId,
		document,
		...omitUndefined({ batch: asNonEmptyString(answer.batch) }),
	};
}

const PARENT_CHILD = 'hierarchical_model';

/** How Dify's own pages split into parents and children where nothing is chosen. */
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
 * Dify wants the technique with every text and the rule with the first file, and assumes the form of plain text where
 * none is sent, whatever the base has (docs/protocols/dify.md 2.13).
 */
function bodyOf(base: JsonRecord, options: CreateOptions, isFile: boolean): JsonRecord {
	const technique = asNonEmptyString(base.indexing_technique);
	const ownForm = asNonEmptyString(base.doc_form) ?? asNonEmptyString(base.chunk_structure);
	const isFirst = technique === undefined || ownForm === undefined;
	const form = ownForm ?? options.form ?? 'text_model';
	const needsRule = isFirst && (isFile || form === PARENT_CHILD);
	return {
		indexing_technique: technique ?? options.technique ?? 'high_quality',
		doc_form: form,
		...omitUndefined({
			doc_language: options.language,
			process_rule: ruleFor(form, options.processRule, needsRule),
		}),
		...(isFirst && toEmbeddingModelFields(options.embeddingModel)),
	};
}

/** The rule in the mode of the form: with any other, Dify makes no chunks of a parent-child document, and says nothing. */
function ruleFor(
	form: string,
	chosen: JsonRecord | undefined,
	isNeeded: boolean,
): JsonRecord | undefined {
	const rule = chosen ?? (isNeeded ? { mode: 'automatic' } : undefined);
	if (form !== PARENT_CHILD || rule === undefined || rule.mode === 'hierarchical') return rule;
	return { mode: 'hierarchical', rules: { ...PARENT_CHILD_RULES, ...asRecord(rule.rules) } };
}
