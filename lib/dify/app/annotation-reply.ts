import { ServerError } from '../../errors/server-error';
import { pathSegment } from '../../http/path-segment';
import { finiteNumber, type JsonRecord, nonEmptyText, optional, recordOf } from '../../values';
import type { DifyClient } from '../client';
import { difyFailure } from '../errors/failure';

export type ReplyAction = 'enable' | 'disable';

interface ReplySettings {
	/** 0 to 1: how similar a question must be to an annotated one. */
	scoreThreshold?: number;
	embeddingProvider?: string;
	embeddingModel?: string;
}

/**
 * A job in Dify's worker. `waiting`: Dify 1.12 and 1.14 report this until the job ends. `gone`: Dify forgets a job ten
 * minutes after its end.
 */
interface ReplyJob {
	jobId: string;
	status: 'waiting' | 'processing' | 'completed' | 'error' | 'gone';
	/** Why it failed. */
	error?: string;
}

interface WaitForJob {
	/** Milliseconds; 0: do not wait. */
	limitMs: number;
	/** Milliseconds between two polls. */
	pauseMs?: number;
}

const PAUSE_MS = 2_000;
const DEFAULT_SCORE = 0.9;

/**
 * Switches the annotation reply of an app on or off, and waits for the job: switching on embeds all annotations. Dify
 * wants all three fields, also to switch off (docs/protocols/dify.md 2.12).
 *
 * @throws {ServerError} where the job failed, or did not end in time
 */
export async function setAnnotationReply(
	client: DifyClient,
	action: ReplyAction,
	settings: ReplySettings,
	wait: WaitForJob,
): Promise<ReplyJob & { enabled: boolean }> {
	const path = `/apps/annotation-reply/${action}`;
	const { job_id: id } = await client.send('POST', path, await bodyOf(client, settings));
	const jobId = nonEmptyText(id);
	if (jobId === undefined)
		throw difyFailure('emptyAnswer', {
			url: client.url(path),
			message: 'Dify started no job for the annotations',
		});
	const job = await jobAfter(client, action, jobId, wait);
	if (job.status === 'error') throw failed(client, path, job);
	if (job.status !== 'gone') return { ...job, enabled: action === 'enable' };
	// A job that is gone has ended. Whether it succeeded, the app tells.
	const enabled = await isEnabled(client);
	if (enabled !== (action === 'enable'))
		throw failed(client, path, { ...job, error: 'The job is gone, and nothing has changed' });
	return { ...job, enabled };
}

/** All three fields: where no setting says otherwise, with what the app has now. */
async function bodyOf(client: DifyClient, settings: ReplySettings): Promise<JsonRecord> {
	const parameters = await client.get('/parameters');
	const current = recordOf(parameters.annotation_reply);
	const model = recordOf(current.embedding_model);
	const { scoreThreshold, embeddingProvider, embeddingModel } = settings;
	return {
		score_threshold: scoreThreshold ?? finiteNumber(current.score_threshold) ?? DEFAULT_SCORE,
		embedding_provider_name: embeddingProvider ?? nonEmptyText(model.embedding_provider_name) ?? '',
		embedding_model_name: embeddingModel ?? nonEmptyText(model.embedding_model_name) ?? '',
	};
}

/** The job when it has ended; where there is no wait, as it was started. */
async function jobAfter(
	client: DifyClient,
	action: ReplyAction,
	jobId: string,
	{ limitMs, pauseMs = PAUSE_MS }: WaitForJob,
): Promise<ReplyJob> {
	const path = `/apps/annotation-reply/${action}`;
	const startedAt = performance.now();
	let job: ReplyJob = { jobId, status: 'waiting' };
	while (limitMs > 0 && ['waiting', 'processing'].includes(job.status)) {
		if (performance.now() - startedAt > limitMs) throw notYet(client, path, job, limitMs);
		await client.pause(pauseMs, client.url(path));
		job = await annotationReplyJob(client, action, jobId);
	}
	return job;
}

/** Status of a job. `gone` where Dify does not know it: it ended long ago, or is of the other action. */
export async function annotationReplyJob(
	client: DifyClient,
	action: ReplyAction,
	jobId: string,
): Promise<ReplyJob> {
	const path = `/apps/annotation-reply/${action}/status/${pathSegment(jobId)}`;
	const job = await client.get(path).catch((error: unknown) => {
		const isGone =
			error instanceof ServerError &&
			error.status === 400 &&
			/does not exist/.test(error.serverText ?? '');
		return isGone ? undefined : Promise.reject(error as Error);
	});
	const status = nonEmptyText(job?.job_status) as ReplyJob['status'] | undefined;
	const error = nonEmptyText(job?.error_msg);
	return { jobId, status: status ?? 'gone', ...optional({ error }) };
}

async function isEnabled(client: DifyClient): Promise<boolean> {
	const parameters = await client.get('/parameters');
	return recordOf(parameters.annotation_reply).enabled === true;
}

function failed(client: DifyClient, path: string, { jobId, error }: ReplyJob): ServerError {
	return difyFailure('runFailed', {
		url: client.url(path),
		message: 'Dify could not change the annotation reply',
		serverText: error,
		remedy:
			'Name an embedding model that is set up in Dify (Settings, Model Provider), with its provider as Dify writes it: langgenius/ollama/ollama. Check that the worker of Dify runs.',
		facts: { jobId },
	});
}

function notYet(
	client: DifyClient,
	path: string,
	{ jobId, status }: ReplyJob,
	limitMs: number,
): ServerError {
	return difyFailure('timeout', {
		url: client.url(path),
		message: `The job of Dify was still ${status} after ${Math.round(limitMs / 1000)} s`,
		remedy:
			'Ask for it later with Get Status: Dify says "waiting" also while it works on the annotations. Raise Wait Limit for many of them. Where it waits for ever, the worker of Dify does not run.',
		facts: { jobId },
	});
}
