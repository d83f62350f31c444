import type { ServerError } from '../../errors/server-error';
import { finiteNumber, type JsonRecord, nonEmptyText, optional, recordsIn } from '../../values';
import { difyFailure } from '../errors/failure';
import { pollPause, type KnowledgeApi, type Pauses, undefinedIfMissing } from './api';
import { idOf } from './pages';

const PROGRESS_MS: Pauses = [1_000, 2_000, 3_000, 5_000];

/** A document that waits longer in the queue needs a worker that is down or overloaded. */
const STUCK_MS = 120_000;

/** Stands for a missing status. */
const UNKNOWN = 'unknown';

/** A document that Dify indexes. */
export interface Indexing {
	documentId: string;
	/** Batch of its last creation. If undefined, the document itself is read. */
	batch?: string;
}

export interface Progress {
	/** Dify's own status: `waiting`, `parsing`, `cleaning`, `splitting`, `indexing`, `completed`, `error`, `paused`. */
	status: string;
	/** Indexed chunks, and all chunks. Both 0 before the text is split. */
	done: number;
	total: number;
	error?: string;
}

export interface WaitOptions {
	/** Milliseconds in total; 0: check once. */
	limitMs: number;
	/** Milliseconds that a document may wait in the queue without progress. Default 120 s. */
	stuckMs?: number;
}

/**
 * Reads the progress once. A batch is replaced when its document is created again: then the document itself is read.
 *
 * @throws {ServerError} of kind `emptyAnswer` for a document without a status
 */
export async function progressOf(
	api: KnowledgeApi,
	baseId: string,
	{ documentId, batch }: Indexing,
): Promise<Progress> {
	const byBatch =
		batch === undefined ? undefined : await batchProgress(api, baseId, documentId, batch);
	const path = `/datasets/${baseId}/documents/${documentId}`;
	const progress = byBatch ?? documentProgress(await api.get(path));
	if (progress.status !== UNKNOWN) return progress;
	// Every version of Dify sends one. Without this error, another server would be polled until the limit.
	throw difyFailure('emptyAnswer', {
		url: api.client.url(path),
		message: 'Dify answered without the status of the document',
		facts: { documentId, batch },
	});
}

async function batchProgress(
	api: KnowledgeApi,
	baseId: string,
	documentId: string,
	batch: string,
): Promise<Progress | undefined> {
	const path = `/datasets/${baseId}/documents/${encodeURIComponent(batch)}/indexing-status`;
	const answer = await undefinedIfMissing(api.get(path));
	const record = recordsIn(answer?.data).find((each) => idOf(each) === documentId);
	return record === undefined ? undefined : readProgress(record);
}

function readProgress(record: JsonRecord): Progress {
	const error = nonEmptyText(record.error);
	return {
		status: nonEmptyText(record.indexing_status) ?? UNKNOWN,
		done: finiteNumber(record.completed_segments) ?? 0,
		total: finiteNumber(record.total_segments) ?? 0,
		...optional({ error }),
	};
}

/** Progress of a document from its own record. */
export function documentProgress(document: JsonRecord): Progress {
	const total = finiteNumber(document.segment_count) ?? 0;
	const progress = readProgress(document);
	return { ...progress, total, done: progress.status === 'completed' ? total : 0 };
}

/**
 * Waits until a document is indexed.
 *
 * @returns the last progress; with a limit of 0, the current one
 * @throws {ServerError} of kind `indexingFailed`, `indexingStuck` or `timeout`; the document is kept
 */
export async function waitForIndexing(
	api: KnowledgeApi,
	baseId: string,
	indexing: Indexing,
	{ limitMs, stuckMs = STUCK_MS }: WaitOptions,
): Promise<Progress> {
	const startedAt = performance.now();
	let seen = '';
	let seenAt = startedAt;
	for (let looks = 0; ; looks++) {
		const progress = await progressOf(api, baseId, indexing);
		if (progress.status === 'completed') return progress;
		if (progress.status === 'error' || progress.status === 'paused')
			throw failed(api, baseId, indexing, progress);
		const now = performance.now();
		const state = JSON.stringify(progress);
		if (state !== seen) [seen, seenAt] = [state, now];
		if (limitMs === 0) return progress;
		if (progress.status === 'waiting' && now - seenAt >= stuckMs)
			throw difyFailure('indexingStuck', {
				...about(api, baseId, indexing, progress),
				meaning: `Document ${indexing.documentId} has waited for ${Math.round((now - seenAt) / 1000)} s in the queue of Dify, and no worker takes it up`,
			});
		if (now - startedAt >= limitMs) throw tooSlow(api, baseId, indexing, progress, limitMs);
		const pause = pollPause(api.times.progress ?? PROGRESS_MS, looks);
		await api.client.pause(Math.min(pause, limitMs), pathOf(api, baseId, indexing));
	}
}

function failed(
	api: KnowledgeApi,
	baseId: string,
	indexing: Indexing,
	progress: Progress,
): ServerError {
	const details = about(api, baseId, indexing, progress);
	if (progress.status === 'paused')
		return difyFailure('dataset', {
			...details,
			message: 'The indexing of the document is paused in Dify',
			remedy: 'Resume it in Dify, in the list of documents of the knowledge base.',
		});
	return difyFailure('indexingFailed', {
		...details,
		meaning: `Dify could not index document ${indexing.documentId}`,
		...optional({ serverText: progress.error }),
	});
}

function tooSlow(
	api: KnowledgeApi,
	baseId: string,
	indexing: Indexing,
	progress: Progress,
	limitMs: number,
): ServerError {
	const of = progress.total === 0 ? '' : ` (${progress.done} of ${progress.total} chunks)`;
	return difyFailure('timeout', {
		...about(api, baseId, indexing, progress),
		message: `The document is not indexed after ${Math.round(limitMs / 1000)} s`,
		meaning: `Document ${indexing.documentId} is still "${progress.status}" after ${Math.round(limitMs / 1000)} s${of}`,
		remedy:
			'Dify goes on with it: Get Status can wait for it later. Or raise the wait in the options. If it never gets further, its embedding model may be slow or down. Up to Dify 1.12, a document that was updated in the API itself hangs for ever: delete it and create it again.',
	});
}

function about(
	api: KnowledgeApi,
	baseId: string,
	indexing: Indexing,
	{ status, done, total }: Progress,
) {
	const { documentId, batch } = indexing;
	return {
		url: pathOf(api, baseId, indexing),
		facts: {
			documentId,
			batch,
			indexingStatus: status,
			completedSegments: done,
			totalSegments: total,
		},
	};
}

function pathOf(api: KnowledgeApi, baseId: string, { documentId }: Indexing): string {
	return api.client.url(`/datasets/${baseId}/documents/${documentId}`);
}
