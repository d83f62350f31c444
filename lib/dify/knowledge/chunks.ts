import { type JsonRecord, nonEmptyText, optional, text } from '../../values';
import { invalidParam, localError } from '../errors/failure';
import type { ValuesOf } from '../routes';
import type { KnowledgeApi } from './api';
import { idOf } from './records';
import { chunkRoutes, documentRoutes } from './routes';
import { checkChunkContent } from './value-checks';

/** IDs of a document. */
export type DocumentIds = Pick<ChunkIds, 'dataset_id' | 'document_id'>;

/** IDs of a chunk. */
export type ChunkIds = ValuesOf<typeof chunkRoutes.get>;

/** Values of a chunk. Missing ones stay as they are. */
export interface ChunkValues {
	content?: string;
	/** Of a Q&A base only. */
	answer?: string;
	keywords?: string[];
	enabled?: boolean;
}

/**
 * Adds a chunk to a document. Never retried: it could be added twice.
 *
 * @returns the chunk, and warnings where Dify could not index it
 * @throws {ServerError}
 */
export async function createChunk(
	api: KnowledgeApi,
	ids: DocumentIds,
	{ content = '', answer, keywords }: ChunkValues,
): Promise<{ chunks: JsonRecord[]; remarks: string[] }> {
	checkChunkContent(content);
	const form = await formOfDocument(api, ids);
	if (form === 'qa_model' && (answer ?? '').trim() === '')
		throw invalidParam(
			'A chunk of a Q&A knowledge base needs an answer',
			'Give the question as content, and the answer.',
		);
	const segments = [{ content, ...optional({ answer, keywords }) }];
	const chunks = await api.call(chunkRoutes.create, { ...ids, segments });
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
	ids: ChunkIds,
	values: ChunkValues,
): Promise<JsonRecord> {
	const { enabled, ...rest } = values;
	const changes = optional(rest);
	const hasChanges = Object.keys(changes).length > 0;
	if (!hasChanges && enabled === undefined)
		throw invalidParam('Nothing is to be changed', 'Add at least one field to change.');
	const chunk = await api.call(chunkRoutes.get, ids);
	if (hasChanges && chunk.enabled === false && enabled !== true)
		throw localError(
			'dataset',
			'The chunk is disabled, so Dify does not change it',
			'Enable it in the same step: add the field Enabled and turn it on.',
		);
	const whole = {
		content: chunk.content,
		...optional({ answer: nonEmptyText(chunk.answer) }),
		...changes,
	};
	const write = async (segment: JsonRecord) =>
		await api.call(chunkRoutes.update, { ...ids, segment });
	if (enabled !== false) return await write({ ...whole, enabled: true });
	if (hasChanges) await write(whole);
	return await write({ enabled: false });
}

async function formOfDocument(api: KnowledgeApi, ids: DocumentIds): Promise<unknown> {
	const document = await api.call(documentRoutes.get, { ...ids, metadata: 'without' });
	return document.doc_form;
}
