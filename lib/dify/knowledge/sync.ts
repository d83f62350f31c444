/** Keeps a knowledge base in sync with a list of sources. Hash and source of a document are in its metadata. */
import { createHash } from 'node:crypto';

import { toUploadFileName } from '../../http/multipart';
import {
	asFiniteNumber,
	findDuplicate,
	asNonEmptyString,
	omitUndefined,
	type JsonRecord,
} from '../../values';
import type { DifyAccess } from '../access';
import { createParamError, createLocalError } from '../errors';
import {
	deleteDocument,
	getDocumentId,
	isAvailable,
	isEnabled,
	ensureDocumentAvailable,
	parseMetadata,
	setDocumentStatus,
} from './documents';
import { waitForIndexing } from './indexing';
import { setMetadata } from './metadata';
import { upsertDocument, type CreateOptions, type DocumentContent } from './upsert';

const SOURCE_FIELD = 'n8n_source';
const HASH_FIELD = 'n8n_hash';

/** One file or text that the base should hold. */
export interface SyncSource {
	/** Stable ID: a path, or the ID in its store. */
	source: string;
	/** Changes when the content does. */
	hash: string;
	/** Name of a new document for it. */
	name: string;
	/** Under the name of its document. */
	content(name: string): Promise<DocumentContent>;
}

export interface SyncOptions {
	onMissingSource: 'disable' | 'delete' | 'keep';
	/** More gone documents than this, in percent of the known ones, is an error. */
	maxRemovedPercent: number;
	/** The list of sources is complete. Otherwise nothing counts as gone. */
	isComplete: boolean;
}

/** Step for one source, or for a document whose source is gone. */
export interface SyncStep {
	action: 'created' | 'updated' | 'enabled' | 'unchanged' | 'disabled' | 'deleted';
	source: string;
	/** What is written. */
	content?: SyncSource & { name: string };
	document?: JsonRecord;
}

/**
 * The steps that sync a base with its sources. They touch only documents that a sync made, or with the name of a
 * source.
 *
 * @param documents all documents of the base
 * @throws {ServerError} where more is gone than the rules allow, or two sources are the same
 */
export function planSync(
	sources: readonly SyncSource[],
	documents: readonly JsonRecord[],
	rules: SyncOptions,
): SyncStep[] {
	const twice = findDuplicate(sources.map(({ source }) => source));
	if (twice !== undefined)
		throw createParamError(
			`Two items have the same source "${twice.slice(0, 100)}"`,
			'Give each item a unique source, such as the path or ID of its file.',
		);
	const managed = new Map<string, JsonRecord>();
	const owners = new Map<string, string | undefined>();
	const foreign = new Map<string, JsonRecord>();
	for (const document of documents) {
		const source = sourceOf(document);
		const name = String(document.name);
		if (source === undefined) foreign.set(name, document);
		else if (!isAvailable(managed.get(source) ?? {})) managed.set(source, document);
		if (source !== undefined) owners.set(name, source);
	}
	const steps = sources.map((source): SyncStep => {
		const document = managed.get(source.source);
		if (document !== undefined) return planStep(source, document);
		const named = toUploadFileName(source.name);
		const isFree = !owners.has(named) || owners.get(named) === source.source;
		// A document of the same name would be replaced.
		const name = isFree ? named : toUploadFileName(makeUniqueName(source));
		owners.set(name, source.source);
		const content = { ...source, name };
		const unmanaged = foreign.get(name);
		if (unmanaged === undefined) return { action: 'created', source: source.source, content };
		return { action: 'updated', source: source.source, content, document: unmanaged };
	});
	return [...steps, ...planRemovals(sources, managed, rules)];
}

/** A name that no other source has, with the extension of the file. */
function makeUniqueName({ source, name }: SyncSource): string {
	return source.endsWith(name) ? source : `${source}_${name}`;
}

function sourceOf({ doc_metadata: metadata }: JsonRecord): string | undefined {
	return asNonEmptyString(parseMetadata(metadata)[SOURCE_FIELD]);
}

function planStep(content: SyncSource, document: JsonRecord): SyncStep {
	const { source } = content;
	const isSame = parseMetadata(document.doc_metadata)[HASH_FIELD] === content.hash;
	if (isSame && isAvailable(document)) return { action: 'unchanged', source, document };
	const isIndexed = document.indexing_status === 'completed';
	if (isSame && isIndexed) return { action: 'enabled', source, document };
	// Dify cannot rename documents, so a known one keeps its name.
	const name = asNonEmptyString(document.name) ?? content.name;
	return { action: 'updated', source, content: { ...content, name }, document };
}

function planRemovals(
	sources: readonly SyncSource[],
	managed: ReadonlyMap<string, JsonRecord>,
	{ onMissingSource, maxRemovedPercent, isComplete }: SyncOptions,
): SyncStep[] {
	if (onMissingSource === 'keep' || !isComplete || sources.length === 0) return [];
	const present = new Set(sources.map(({ source }) => source));
	const isDone = (document: JsonRecord) => onMissingSource === 'disable' && !isEnabled(document);
	const standing = [...managed].filter(([, document]) => !isDone(document));
	const gone = standing.filter(([source]) => !present.has(source));
	if (gone.length > (standing.length * maxRemovedPercent) / 100)
		throw createLocalError(
			'datasetRejected',
			`The source of ${gone.length} of ${standing.length} documents is missing, which is more than ${maxRemovedPercent} %`,
			`Nothing was changed. If the list of sources is complete, raise "Max Removals (%)" in the options. Missing, for example: ${gone
				.slice(0, 5)
				.map(([source]) => source)
				.join(', ')}.`,
		);
	const action = onMissingSource === 'delete' ? 'deleted' : 'disabled';
	return gone.map(([source, document]) => ({ action, source, document }));
}

/** SHA-256 of a stream, in hex. */
export async function computeSha256(
	content: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): Promise<string> {
	const hash = createHash('sha256');
	for await (const piece of content) hash.update(piece);
	return hash.digest('hex');
}

export interface SyncRun {
	/** How documents are created. */
	create: CreateOptions;
	/** Milliseconds to wait for the indexing of each document. */
	waitMs: number;
}

/** What a step does, as an item. */
export function toSyncResult(
	{ action, source, document, content }: SyncStep,
	more: object = {},
): object {
	return {
		action,
		source,
		...omitUndefined({
			documentId: asNonEmptyString(document?.id),
			name: content?.name ?? asNonEmptyString(document?.name),
			indexingStatus: asNonEmptyString(document?.indexing_status),
			wordCount: asFiniteNumber(document?.word_count),
			tokens: asFiniteNumber(document?.tokens),
		}),
		...more,
	};
}

/**
 * Runs one step. The hash is written last, after indexing: if anything fails before, the next sync repeats the step.
 *
 * @returns its item
 * @throws {ServerError}
 */
export async function applySyncStep(
	access: DifyAccess,
	datasetId: string,
	step: SyncStep,
	run: SyncRun,
): Promise<object> {
	const { client } = access;
	const { action, document, content } = step;
	if (content !== undefined)
		return await writeDocument(access, datasetId, { ...step, content }, run);
	const known = document ?? {};
	if (action === 'enabled') await ensureDocumentAvailable(client, datasetId, known);
	if (action === 'disabled')
		await setDocumentStatus(client, datasetId, [getDocumentId(known)], 'disable');
	if (action === 'deleted') await deleteDocument(client, datasetId, getDocumentId(known));
	return toSyncResult(step);
}

async function writeDocument(
	access: DifyAccess,
	datasetId: string,
	step: SyncStep & { content: SyncSource },
	{ create, waitMs }: SyncRun,
): Promise<object> {
	const { client } = access;
	const { content, source, document } = step;
	// Read before anything is changed: a file that cannot be read leaves its document as it is.
	const material = await content.content(content.name);
	if (document !== undefined) await ensureDocumentAvailable(client, datasetId, document);
	const made = await upsertDocument(access, datasetId, material, { ...create, ifExists: 'update' });
	const { documentId, batch } = made;
	const { status } = await waitForIndexing(client, { datasetId, documentId, batch }, waitMs);
	const marks = { [SOURCE_FIELD]: source, [HASH_FIELD]: content.hash };
	await setMetadata(client, datasetId, documentId, marks, true);
	const more = { documentId, ...omitUndefined({ batch }), indexingStatus: status };
	return toSyncResult({ ...step, document: made.document }, more);
}
