import { finiteNumber, type JsonRecord, nonEmptyText, optional } from '../../values';
import type { KnowledgeApi } from './api';
import { deleteDocument, documentIdIn, getDocument, setStatus } from './documents';
import { waitForIndexing } from './indexing';
import { setMetadata } from './metadata';
import { isArchived, isEnabled } from './records';
import { HASH_FIELD, SOURCE_FIELD, type SyncStep } from './sync';
import { upsertDocument, type CreateOptions, type DocumentContent } from './upsert';

/** Result of a sync for one source. */
export interface SyncOutcome {
	/** `refused`: Dify has locked the document; the next sync repeats the step. */
	action: 'created' | 'updated' | 'enabled' | 'unchanged' | 'disabled' | 'deleted' | 'refused';
	source: string;
	documentId?: string;
	name?: string;
	batch?: string;
	indexingStatus?: string;
	wordCount?: number;
	tokens?: number;
	remarks: string[];
}

export interface SyncRun {
	/** The content of a source, under the name of its document. */
	content(source: string, name: string): Promise<DocumentContent>;
	/** How documents are created. */
	create: CreateOptions;
	/** Milliseconds to wait for the indexing of each document. */
	waitMs: number;
}

/** What a step would do. */
export function plannedOutcome(step: SyncStep): SyncOutcome {
	const done = {
		create: 'created',
		update: 'updated',
		enable: 'enabled',
		disable: 'disabled',
		delete: 'deleted',
		unchanged: 'unchanged',
	} as const;
	const document = 'document' in step ? step.document : undefined;
	const name = 'name' in step ? step.name : nonEmptyText(document?.name);
	return {
		action: done[step.action],
		source: step.source,
		...optional({ documentId: nonEmptyText(document?.id) }),
		...optional({ name }),
		...facts(document),
		remarks: [],
	};
}

/**
 * Runs one step. The hash is written last, after indexing: if anything fails before, the next sync repeats the step.
 *
 * @throws {ServerError}
 */
export async function runStep(
	api: KnowledgeApi,
	baseId: string,
	step: SyncStep,
	run: SyncRun,
): Promise<SyncOutcome> {
	if (step.action === 'unchanged') return plannedOutcome(step);
	if (step.action === 'create' || step.action === 'update')
		return await writeContent(api, baseId, step, run);
	const id = documentIdIn(api, baseId, step.document);
	if (step.action === 'enable') await makeAvailable(api, baseId, step.document);
	if (step.action === 'disable') await setStatus(api, baseId, [id], 'disable');
	if (step.action === 'delete') await deleteDocument(api, baseId, id, true);
	return plannedOutcome(step);
}

async function writeContent(
	api: KnowledgeApi,
	baseId: string,
	step: Extract<SyncStep, { action: 'create' | 'update' }>,
	{ content, create, waitMs }: SyncRun,
): Promise<SyncOutcome> {
	// Read before anything is changed: a file that cannot be read leaves its document as it is.
	const material = await content(step.source, step.name);
	if (step.action === 'update') await makeAvailable(api, baseId, step.document);
	const options: CreateOptions = { ...create, ifExists: 'update', ifDisabled: 'enable' };
	const { documentId, batch, document, remarks } = await upsertDocument(
		api,
		baseId,
		material,
		options,
	);
	const progress = await waitForIndexing(api, baseId, { documentId, batch }, { limitMs: waitMs });
	const marks = { [SOURCE_FIELD]: step.source, [HASH_FIELD]: step.hash };
	await setMetadata(api, baseId, documentId, marks, { createFields: true });
	const indexed = await getDocument(api, baseId, documentId, 'without');
	return {
		action: step.action === 'create' ? 'created' : 'updated',
		source: step.source,
		documentId,
		name: nonEmptyText(document.name) ?? step.name,
		...optional({ batch }),
		...facts({ ...document, ...indexed }),
		indexingStatus: progress.status,
		remarks,
	};
}

/** Unarchives and enables a document: otherwise Dify would create a second one of the name, or not find this one. */
async function makeAvailable(
	api: KnowledgeApi,
	baseId: string,
	document: JsonRecord,
): Promise<void> {
	const id = documentIdIn(api, baseId, document);
	if (isArchived(document)) await setStatus(api, baseId, [id], 'un_archive');
	if (!isEnabled(document)) await setStatus(api, baseId, [id], 'enable');
}

function facts(
	document: JsonRecord | undefined,
): Pick<SyncOutcome, 'indexingStatus' | 'wordCount' | 'tokens'> {
	const status = nonEmptyText(document?.indexing_status);
	const words = finiteNumber(document?.word_count);
	const tokens = finiteNumber(document?.tokens);
	return { ...optional({ indexingStatus: status, wordCount: words, tokens }) };
}
