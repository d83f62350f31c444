import { type JsonRecord, nonEmptyText, optional, recordOf, recordsIn, text } from '../../values';
import { invalidParam, localError } from '../errors/failure';
import type { Limit } from '../paging';
import type { KnowledgeApi } from './api';
import { getDocument } from './documents';
import { idOf, listOf } from './pages';

/** IDs of a document. */
export interface DocumentPlace {
	baseId: string;
	documentId: string;
}

/** IDs of a chunk. */
export interface ChunkPlace extends DocumentPlace {
	chunkId: string;
}

/** Values of a chunk. Missing ones stay as they are. */
export interface ChunkValues {
	content?: string;
	/** Of a Q&A base only. */
	answer?: string;
	keywords?: string[];
	enabled?: boolean;
}

function chunksPath({ baseId, documentId }: DocumentPlace): string {
	return `/datasets/${baseId}/documents/${documentId}/segments`;
}

function chunkPath(place: ChunkPlace): string {
	return `${chunksPath(place)}/${place.chunkId}`;
}

export async function listChunks(
	api: KnowledgeApi,
	place: DocumentPlace,
	most: Limit,
	keyword?: string,
): Promise<JsonRecord[]> {
	return await listOf(api, most, chunksPath(place), { keyword });
}

export async function getChunk(api: KnowledgeApi, place: ChunkPlace): Promise<JsonRecord> {
	return recordOf((await api.get(chunkPath(place))).data);
}

/**
 * Adds a chunk to a document. Never retried: it could be added twice.
 *
 * @returns the chunk, and warnings where Dify could not index it
 * @throws {ServerError}
 */
export async function createChunk(
	api: KnowledgeApi,
	place: DocumentPlace,
	{ content = '', answer, keywords }: ChunkValues,
): Promise<{ chunks: JsonRecord[]; remarks: string[] }> {
	needsContent('chunk', content);
	const document = await getDocument(api, place.baseId, place.documentId, 'without');
	if (document.doc_form === 'qa_model' && (answer ?? '').trim() === '')
		throw invalidParam(
			'A chunk of a Q&A knowledge base needs an answer',
			'Give the question as content, and the answer.',
		);
	const segments = [{ content, ...optional({ answer, keywords }) }];
	const { data } = await api.write(place.baseId, 'POST', chunksPath(place), { segments });
	const chunks = recordsIn(data);
	const failed = chunks.filter(({ status }) => status === 'error');
	const remarks = failed.map(
		(chunk) =>
			`Dify could not index chunk ${idOf(chunk) ?? ''}, so it is not found: ${text(chunk.error) ?? 'no reason given'}`,
	);
	return { chunks, remarks };
}

/**
 * Changes a chunk. Dify clears an answer that is not sent, ignores other changes together with "disabled", and refuses
 * to change a disabled chunk.
 */
export async function updateChunk(
	api: KnowledgeApi,
	place: ChunkPlace,
	values: ChunkValues,
): Promise<JsonRecord> {
	const { enabled, ...rest } = values;
	const changes = Object.fromEntries(
		Object.entries(rest).filter(([, value]) => value !== undefined),
	);
	if (Object.keys(changes).length === 0 && enabled === undefined)
		throw invalidParam('Nothing is to be changed', 'Add at least one field to change.');
	const now = await getChunk(api, place);
	const changesText = Object.keys(changes).length > 0;
	if (changesText && now.enabled === false && enabled !== true)
		throw localError(
			'dataset',
			'The chunk is disabled, so Dify does not change it',
			'Enable it in the same step: add the field Enabled and turn it on.',
		);
	if (enabled !== false) return await write(api, place, { ...whole(now, changes), enabled: true });
	if (changesText) await write(api, place, whole(now, changes));
	return await write(api, place, { enabled: false });
}

function whole(now: JsonRecord, changes: JsonRecord): JsonRecord {
	const answer = nonEmptyText(now.answer);
	return { content: now.content, ...optional({ answer }), ...changes };
}

async function write(
	api: KnowledgeApi,
	place: ChunkPlace,
	segment: JsonRecord,
): Promise<JsonRecord> {
	return recordOf((await api.write(place.baseId, 'POST', chunkPath(place), { segment })).data);
}

/** @returns false where there was none */
export async function deleteChunk(api: KnowledgeApi, place: ChunkPlace): Promise<boolean> {
	return await api.deleteIfPresent(place.baseId, chunkPath(place));
}

function childPath(place: ChunkPlace, childId?: string): string {
	return `${chunkPath(place)}/child_chunks${childId === undefined ? '' : `/${childId}`}`;
}

export async function listChildChunks(
	api: KnowledgeApi,
	place: ChunkPlace,
	most: Limit,
	keyword?: string,
): Promise<JsonRecord[]> {
	return await listOf(api, most, childPath(place), { keyword });
}

/** One child chunk. Dify has no route for it, so it is looked up in the list. */
export async function getChildChunk(
	api: KnowledgeApi,
	place: ChunkPlace,
	childId: string,
): Promise<JsonRecord> {
	const found = (await listChildChunks(api, place, 'all')).find((child) => idOf(child) === childId);
	if (found !== undefined) return found;
	throw localError('notFound', `The chunk has no child chunk ${childId}`);
}

/**
 * Adds a child chunk. Dify accepts one for any document, but searches only those of parent-child documents.
 *
 * @throws {ServerError}
 */
export async function createChildChunk(
	api: KnowledgeApi,
	place: ChunkPlace,
	content: string,
): Promise<JsonRecord> {
	needsContent('child chunk', content);
	const document = await getDocument(api, place.baseId, place.documentId, 'without');
	if (document.doc_form !== 'hierarchical_model')
		throw localError(
			'dataset',
			'The document has no child chunks: it is not of the form Parent-Child',
			'Dify would keep the child chunk and never find it. Create a chunk, or use a document of the form Parent-Child.',
		);
	return recordOf((await api.write(place.baseId, 'POST', childPath(place), { content })).data);
}

export async function updateChildChunk(
	api: KnowledgeApi,
	place: ChunkPlace,
	childId: string,
	content: string,
): Promise<JsonRecord> {
	needsContent('child chunk', content);
	return recordOf(
		(await api.write(place.baseId, 'PATCH', childPath(place, childId), { content })).data,
	);
}

/** @returns false where there was none */
export async function deleteChildChunk(
	api: KnowledgeApi,
	place: ChunkPlace,
	childId: string,
): Promise<boolean> {
	return await api.deleteIfPresent(place.baseId, childPath(place, childId));
}

/** Dify accepts an empty child chunk. */
function needsContent(what: string, content: string): void {
	if (content.trim() === '')
		throw invalidParam(`The ${what} has no content`, `Give the text of the ${what}.`);
}
