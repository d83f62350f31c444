/** Waits until Dify has indexed a document. */
import { investigate } from '../../errors/investigate';
import type { DifyModel } from '../../errors/issues';
import { toTitle } from '../../errors/message-title';
import { ServerError } from '../../errors/server-error';
import { asNonEmptyString } from '../../values/records';
import { asFiniteNumber } from '../../values/numbers';
import type { DifyClient } from '../client';
import { apiPath, PathSegment } from '../api-path';
import { parseRecords } from '../pages';
import { createDifyError } from '../create-error';
import { toErrorType } from '../error-types';
import { toReadableText } from '../readable-text';
import { getPollInterval } from '../run/run-record';
import type { DocumentRef } from './documents';

const MAX_POLL_INTERVAL_MS = 5_000;

/** If a document is queued longer, Dify's worker is down or overloaded. */
const STUCK_AFTER_MS = 120_000;

/** A document that Dify indexes. */
interface IndexingJob extends DocumentRef {
	/** Batch of its last creation. If missing, the document itself is read. */
	batch?: string;
}

export interface IndexingProgress {
	/** Dify's: `waiting`, `parsing`, `cleaning`, `splitting`, `indexing`, `completed`, `error`, `paused`. */
	status: string;
	/** Indexed document chunks; 0 before the text is split. */
	done: number;
	/** All document chunks; 0 before the text is split. Undefined: Dify does not say it. */
	total: number | undefined;
	/** Readable, without keys. */
	error: string | undefined;
	/** Dify's code. Only some errors have one. */
	code: string | undefined;
}

/** Reads the progress once. If the document was recreated, its batch changed, and the document itself is read. */
async function getIndexingProgress(
	client: DifyClient,
	{ datasetId, documentId, batch }: IndexingJob,
): Promise<IndexingProgress> {
	const batchRecords = batch === undefined ? [] : await fetchBatch(client, { datasetId, batch });
	const record =
		batchRecords.find(({ id }) => id === documentId) ??
		(await client.get(apiPath`/datasets/${datasetId}/documents/${documentId}`));
	const status = String(record.indexing_status);
	const total = asFiniteNumber(record.total_segments ?? record.segment_count);
	const done =
		asFiniteNumber(record.completed_segments) ?? (status === 'completed' ? (total ?? 0) : 0);
	const message = asNonEmptyString(record.error);
	const error = message && toReadableText(message, client.endpoint.secrets);
	const code = asNonEmptyString(record.error_code);
	return { status, done, total, error, code };
}

async function fetchBatch(
	client: DifyClient,
	{ datasetId, batch }: { datasetId: string; batch: string },
) {
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
		if (isStuck || now - startedAt >= timeoutMs || status === 'error' || status === 'paused') {
			const error = createUnfinishedError(indexing, progress, { isStuck, timeoutMs });
			throw await investigate(error, {
				embeddingModel: async () => await fetchEmbeddingModel(client, indexing, progress),
			});
		}
		await client.sleep(Math.min(getPollInterval(polls), MAX_POLL_INTERVAL_MS, timeoutMs));
	}
}

/** The model that failed, if the document was split before; undefined: not known, or something else failed. */
async function fetchEmbeddingModel(
	client: DifyClient,
	{ datasetId }: IndexingJob,
	{ status, total = 0 }: IndexingProgress,
): Promise<DifyModel | undefined> {
	if (status !== 'error' || total === 0) return undefined;
	const base = await client.get(apiPath`/datasets/${datasetId}`).catch(() => undefined);
	const name = asNonEmptyString(base?.embedding_model);
	const provider = asNonEmptyString(base?.embedding_model_provider);
	return name === undefined || provider === undefined ? undefined : { name, provider };
}

/** How long a document was waited for. */
interface IndexingWait {
	/** Dify's worker did not start. */
	isStuck: boolean;
	timeoutMs: number;
}

function createUnfinishedError(
	{ documentId, batch }: IndexingJob,
	{ status, done, total, error, code }: IndexingProgress,
	{ isStuck, timeoutMs }: IndexingWait,
): ServerError {
	const facts = {
		documentId,
		batch,
		indexingStatus: status,
		completedSegments: done,
		totalSegments: total,
	};
	if (status === 'error') {
		const isLimit = toErrorType({ code }) === 'planLimitReached';
		const title = toTitle(error ?? '');
		return createDifyError(isLimit ? 'planLimitReached' : 'indexingFailed', {
			facts,
			code,
			sentence: title || undefined,
			serverText: error,
		});
	}
	if (status === 'paused') {
		return createDifyError('datasetRejected', {
			facts,
			about: { difyIssue: { kind: 'indexingPaused' } },
		});
	}
	if (isStuck) return createDifyError('indexingStuck', { facts });
	return createDifyError('runTimeout', {
		facts,
		about: {
			slowIndexing: { documentId, status, afterMs: timeoutMs, done, total: total ?? 0 },
		},
	});
}
