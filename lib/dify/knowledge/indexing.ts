import type { ServerError } from '../../errors/server-error';
import { finiteNumber, type JsonRecord, nonEmptyText, optional } from '../../values';
import { difyFailure } from '../errors/failure';
import { pollPause, type KnowledgeApi, type Pauses, undefinedIfMissing } from './api';
import { requestOf } from '../routes';
import { getDocument } from './documents';
import { idOf } from './records';
import { documentRoutes } from './routes';

const PROGRESS_MS: Pauses = [1_000, 2_000, 3_000, 5_000];

/** A document that waits longer in the queue needs a worker that is down or overloaded. */
const STUCK_MS = 120_000;

/** Stands for a missing status. */
const UNKNOWN = 'unknown';

/** A document that Dify indexes. */
interface Indexing {
	documentId: string;
	/** Batch of its last creation. If undefined, the document itself is read. */
	batch?: string;
}

interface Progress {
	/** Dify's own status: `waiting`, `parsing`, `cleaning`, `splitting`, `indexing`, `completed`, `error`, `paused`. */
	status: string;
	/** Indexed chunks, and all chunks. Both 0 before the text is split. */
	done: number;
	total: number;
	error?: string;
}

interface WaitOptions {
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
	const progress = byBatch ?? documentProgress(await getDocument(api, baseId, documentId));
	if (progress.status !== UNKNOWN) return progress;
	// Every version of Dify sends one. Without this error, another server would be polled until the limit.
	throw difyFailure('emptyAnswer', {
		url: urlOf(api, baseId, documentId),
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
	const reading = api.call(documentRoutes.progress, { dataset_id: baseId, batch });
	const records = (await undefinedIfMissing(reading)) ?? [];
	const record = records.find((each) => idOf(each) === documentId);
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
function documentProgress(document: JsonRecord): Progress {
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
	const url = urlOf(api, baseId, indexing.documentId);
	const startedAt = performance.now();
	let lastState = '';
	let lastChangeAt = startedAt;
	for (let looks = 0; ; looks++) {
		const progress = await progressOf(api, baseId, indexing);
		if (progress.status === 'completed') return progress;
		const context = { url, facts: factsOf(indexing, progress) };
		throwIfEnded(context, progress);
		const now = performance.now();
		const state = JSON.stringify(progress);
		if (state !== lastState) lastChangeAt = now;
		lastState = state;
		if (limitMs === 0) return progress;
		const waitingMs = now - lastChangeAt;
		if (progress.status === 'waiting' && waitingMs >= stuckMs) throw stuck(context, waitingMs);
		if (now - startedAt >= limitMs) throw tooSlow(context, progress, limitMs);
		const pause = pollPause(api.times.progress ?? PROGRESS_MS, looks);
		await api.client.pause(Math.min(pause, limitMs), url);
	}
}

/** Where a failure happened. */
interface ErrorContext {
	url: string;
	facts: ReturnType<typeof factsOf>;
}

function throwIfEnded(context: ErrorContext, { status, error }: Progress): void {
	if (status === 'paused')
		throw difyFailure('dataset', {
			...context,
			message: 'The indexing of the document is paused in Dify',
			remedy: 'Resume it in Dify, in the list of documents of the knowledge base.',
		});
	if (status === 'error')
		throw difyFailure('indexingFailed', {
			...context,
			meaning: `Dify could not index document ${context.facts.documentId}`,
			...optional({ serverText: error }),
		});
}

function stuck(context: ErrorContext, waitingMs: number): ServerError {
	return difyFailure('indexingStuck', {
		...context,
		meaning: `Document ${context.facts.documentId} has waited for ${Math.round(waitingMs / 1000)} s in the queue of Dify, and no worker takes it up`,
	});
}

function tooSlow(
	context: ErrorContext,
	{ status, done, total }: Progress,
	limitMs: number,
): ServerError {
	const seconds = Math.round(limitMs / 1000);
	const chunks = total === 0 ? '' : ` (${done} of ${total} chunks)`;
	return difyFailure('timeout', {
		...context,
		message: `The document is not indexed after ${seconds} s`,
		meaning: `Document ${context.facts.documentId} is still "${status}" after ${seconds} s${chunks}`,
		remedy:
			'Dify goes on with it: Get Status can wait for it later. Or raise the wait in the options. If it never gets further, its embedding model may be slow or down. Up to Dify 1.12, a document that was updated in the API itself hangs for ever: delete it and create it again.',
	});
}

function factsOf({ documentId, batch }: Indexing, { status, done, total }: Progress) {
	return {
		documentId,
		batch,
		indexingStatus: status,
		completedSegments: done,
		totalSegments: total,
	};
}

function urlOf(api: KnowledgeApi, baseId: string, documentId: string): string {
	const ids = { dataset_id: baseId, document_id: documentId, metadata: 'all' } as const;
	return api.client.url(requestOf(documentRoutes.get, ids).path);
}
