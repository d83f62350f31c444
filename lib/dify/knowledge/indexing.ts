import { ServerError } from '../../errors/server-error';
import { asFiniteNumber, asNonEmptyString, type JsonRecord } from '../../values';
import type { DifyClient } from '../client';
import { createDifyError, toErrorType } from '../errors';
import { apiPath, PathSegment } from '../ids';
import { parseRecords } from '../pagination';

const POLL_INTERVALS_MS = [1_000, 2_000, 3_000, 5_000];
/** If a document is queued longer, Dify's worker is down or overloaded. */
const STUCK_AFTER_MS = 120_000;

/** A document that Dify indexes. */
export interface IndexingJob {
	datasetId: string;
	documentId: string;
	/** Batch of its last creation. If missing, the document itself is read. */
	batch?: string;
}

export interface IndexingProgress {
	/** Dify's status: `waiting`, `parsing`, `cleaning`, `splitting`, `indexing`, `completed`, `error`, `paused`. */
	status: string;
	/** Indexed chunks, and all chunks. Both 0 before the text is split. */
	done: number;
	total: number;
	error?: string;
	/** Only some errors have one. */
	code?: string;
}

/** Reads the progress once. If the document was recreated, its batch changed, and the document itself is read. */
async function getIndexingProgress(
	client: DifyClient,
	{ datasetId, documentId, batch }: IndexingJob,
): Promise<IndexingProgress> {
	const batchRecords = batch === undefined ? [] : await fetchBatch(client, datasetId, batch);
	const record =
		batchRecords.find(({ id }) => id === documentId) ??
		(await client.get(apiPath`/datasets/${datasetId}/documents/${documentId}`));
	const status = String(record.indexing_status);
	const total = asFiniteNumber(record.total_segments ?? record.segment_count) ?? 0;
	const done = asFiniteNumber(record.completed_segments) ?? (status === 'completed' ? total : 0);
	const [error, code] = [record.error, record.error_code].map(asNonEmptyString);
	return { status, done, total, error, code };
}

async function fetchBatch(
	client: DifyClient,
	datasetId: string,
	batch: string,
): Promise<JsonRecord[]> {
	const route = apiPath`/datasets/${datasetId}/documents/${new PathSegment(batch)}/indexing-status`;
	const response = await client.get(route).catch((error: unknown) => {
		if (error instanceof ServerError && error.type === 'notFound') return { data: [] };
		throw error;
	});
	return parseRecords(response.data);
}

/**
 * Waits until a document is indexed.
 *
 * @param timeoutMs 0: polls once
 * @returns the last progress
 * @throws {ServerError} of type `indexingFailed`, `indexingStuck` or `runTimeout`; the document is kept
 */
export async function waitForIndexing(
	client: DifyClient,
	indexing: IndexingJob,
	timeoutMs: number,
): Promise<IndexingProgress> {
	const startedAt = performance.now();
	let waitingSince = Infinity;
	for (let polls = 0; ; polls++) {
		const progress = await getIndexingProgress(client, indexing);
		const { status } = progress;
		if (status === 'completed' || (timeoutMs === 0 && status !== 'error')) return progress;
		const now = performance.now();
		waitingSince = status === 'waiting' ? Math.min(waitingSince, now) : Infinity;
		const isStuck = now - waitingSince >= STUCK_AFTER_MS;
		const isLate = now - startedAt >= timeoutMs;
		if (isStuck || isLate || status === 'error' || status === 'paused')
			throw createUnfinishedError(indexing, progress, { isStuck, timeoutMs });
		await client.sleep(
			Math.min(POLL_INTERVALS_MS[Math.min(polls, POLL_INTERVALS_MS.length - 1)]!, timeoutMs),
		);
	}
}

function createUnfinishedError(
	{ documentId, batch }: IndexingJob,
	{ status, done, total, error, code }: IndexingProgress,
	{ isStuck, timeoutMs }: { isStuck: boolean; timeoutMs: number },
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
				code,
				title: error,
				serverText: error,
			},
		);
	if (status === 'paused')
		return createDifyError('datasetRejected', {
			facts,
			title: 'Indexing of the document is paused in Dify',
			suggestion: 'Resume it in Dify, in the document list of the knowledge base.',
		});
	if (isStuck) return createDifyError('indexingStuck', { facts });
	const seconds = Math.round(timeoutMs / 1000);
	return createDifyError('runTimeout', {
		facts,
		title: `The document was not indexed within ${seconds} s`,
		detail: `Document ${documentId} is still "${status}" after ${seconds} s (${done} of ${total} chunks)`,
		suggestion:
			'Dify continues indexing: use Get Status to wait for it later, or raise "Wait for Indexing (Seconds)". If it makes no progress, its embedding model may be slow or down.',
	});
}
