import { ServerError } from '../../errors/server-error';
import { asFiniteNumber, asNonEmptyString, omitUndefined, type JsonRecord } from '../../values';
import type { DifyClient } from '../client';
import { createDifyError, toErrorType } from '../errors';
import { apiPath, PathSegment } from '../ids';
import { parseRecords } from '../pagination';

const PAUSES_MS = [1_000, 2_000, 3_000, 5_000];
/** A document that waits longer in the queue needs a worker that is down or overloaded. */
const STUCK_MS = 120_000;

/** A document that Dify indexes. */
export interface IndexingJob {
	datasetId: string;
	documentId: string;
	/** Of its last creation. Without it, the document itself is read. */
	batch?: string;
}

export interface IndexingProgress {
	/** Dify's own: `waiting`, `parsing`, `cleaning`, `splitting`, `indexing`, `completed`, `error`, `paused`. */
	status: string;
	/** Indexed chunks, and all chunks. Both 0 before the text is split. */
	done: number;
	total: number;
	error?: string;
	/** Only some errors have one. */
	code?: string;
}

/** Reads the progress once. A batch is replaced when its document is created again: then the document itself is read. */
async function getIndexingProgress(
	client: DifyClient,
	{ datasetId, documentId, batch }: IndexingJob,
): Promise<IndexingProgress> {
	const ofBatch = batch === undefined ? [] : await batchOf(client, datasetId, batch);
	const record =
		ofBatch.find(({ id }) => id === documentId) ??
		(await client.get(apiPath`/datasets/${datasetId}/documents/${documentId}`));
	const status = String(record.indexing_status);
	const total = asFiniteNumber(record.total_segments ?? record.segment_count) ?? 0;
	const done = asFiniteNumber(record.completed_segments) ?? (status === 'completed' ? total : 0);
	const [error, code] = [record.error, record.error_code].map(asNonEmptyString);
	return { status, done, total, ...omitUndefined({ error, code }) };
}

async function batchOf(
	client: DifyClient,
	datasetId: string,
	batch: string,
): Promise<JsonRecord[]> {
	const route = apiPath`/datasets/${datasetId}/documents/${new PathSegment(batch)}/indexing-status`;
	const answer = await client.get(route).catch((error: unknown) => {
		if (error instanceof ServerError && error.type === 'notFound') return { data: [] };
		throw error;
	});
	return parseRecords(answer.data);
}

/**
 * Waits until a document is indexed.
 *
 * @param limitMs milliseconds; 0: looks once
 * @returns the last progress
 * @throws {ServerError} of kind `indexingFailed`, `indexingStuck` or `timeout`; the document is kept
 */
export async function waitForIndexing(
	client: DifyClient,
	indexing: IndexingJob,
	limitMs: number,
): Promise<IndexingProgress> {
	const startedAt = performance.now();
	let waitingSince = Infinity;
	for (let looks = 0; ; looks++) {
		const progress = await getIndexingProgress(client, indexing);
		const { status } = progress;
		if (status === 'completed' || (limitMs === 0 && status !== 'error')) return progress;
		const now = performance.now();
		waitingSince = status === 'waiting' ? Math.min(waitingSince, now) : Infinity;
		const isStuck = now - waitingSince >= STUCK_MS;
		const isLate = now - startedAt >= limitMs;
		if (isStuck || isLate || status === 'error' || status === 'paused')
			throw createUnfinishedError(indexing, progress, { isStuck, limitMs });
		await client.sleep(Math.min(PAUSES_MS[Math.min(looks, PAUSES_MS.length - 1)]!, limitMs));
	}
}

function createUnfinishedError(
	{ documentId, batch }: IndexingJob,
	{ status, done, total, error, code }: IndexingProgress,
	{ isStuck, limitMs }: { isStuck: boolean; limitMs: number },
): ServerError {
	const facts = {
		documentId,
		batch,
		indexingStatus: status,
		completedSegments: done,
		totalSegments: total,
	};
	if (status === 'error')
		return createDifyError(
			toErrorType({ code }) === 'planLimitReached' ? 'planLimitReached' : 'indexingFailed',
			{
				facts,
				...omitUndefined({ code, message: error, serverText: error }),
			},
		);
	if (status === 'paused')
		return createDifyError('datasetRejected', {
			facts,
			message: 'Indexing of the document is paused in Dify',
			suggestion: 'Resume it in Dify, in the document list of the knowledge base.',
		});
	if (isStuck) return createDifyError('indexingStuck', { facts });
	const seconds = Math.round(limitMs / 1000);
	return createDifyError('runTimeout', {
		facts,
		message: `The document was not indexed within ${seconds} s`,
		detail: `Document ${documentId} is still "${status}" after ${seconds} s (${done} of ${total} chunks)`,
		suggestion:
			'Dify continues indexing: use Get Status to wait for it later, or raise the wait time in the options. If it makes no progress, its embedding model may be slow or down.',
	});
}
