import { asFailed, type ServerError } from '../errors/server-error';
import { MAX_PICTURES_BYTES } from '../http/answer';
import type { Connection } from '../http/connection';
import { DEFAULT_LIMITS } from '../http/limits';
import type { FileSource } from '../http/multipart';
import { pathSegment } from '../http/path-segment';
import { readWhole } from '../http/too-long';
import type { CallAnswer } from '../http/types';
import { pauseFor } from '../http/waiting';
import {
	filled,
	finiteNumber,
	isRecord,
	type JsonRecord,
	nonEmptyText,
	optional,
	recordOf,
	smallestOf,
	text,
} from '../values';
import { imageFacts } from './image-data';
import type { ImageAttempt, ImageRequest } from './types';
import { sendOptions } from './task';

/** How a job went, for the item. */
export interface JobFacts {
	id: string;
	queuedSeconds?: number;
	generatingSeconds?: number;
}

/** The first waits are shorter: a small picture takes less than a second. */
const FIRST_POLL_MS = 200;
const POLL_MS = 1000;
const POLL_LIMIT_MS = 30_000;
const CANCEL_LIMIT_MS = 5000;
/** A server that draws on all cores may not answer for a while. */
const MAX_FAILED_POLLS = 10;

/** Whether the server has no route for jobs: older versions of sd-server. */
export function isJobRouteMissing({ status, url = '' }: ServerError): boolean {
	return (status === 404 || status === 405) && url.endsWith('/sdcpp/v1/img_gen');
}

/**
 * Makes pictures in a job of sd-server (examples/server/api.md): polls it every second, and cancels it on an error or
 * abort. sd-server 97d2990 cancels only what is still queued; a picture that was begun is finished.
 *
 * @throws {ServerError}
 */
export async function runImageJob(
	connection: Connection,
	request: ImageRequest,
	options: ImageAttempt,
) {
	const { root } = connection.url;
	const { limits, signal } = options;
	const startedAt = performance.now();
	const json = await jobBody(request);
	const submitted = await connection.answer(`${root}/sdcpp/v1/img_gen`, {
		...sendOptions(request.model, options),
		json,
	});
	const id = isRecord(submitted.json) ? nonEmptyText(submitted.json.id) : undefined;
	if (id === undefined) throw connection.refusal(submitted);
	const url = `${root}/sdcpp/v1/jobs/${pathSegment(id)}`;
	const { firstTokenMs = DEFAULT_LIMITS.firstTokenMs, totalMs = 0 } = limits;
	const setLimits = [firstTokenMs, totalMs].filter((ms) => ms > 0);
	const deadline = startedAt + smallestOf(setLimits, Infinity);
	const outcome = await pollUntilDone(connection, { url, id, startedAt, deadline }, options)
		.then((answer) => ({ answer }))
		.catch((error: unknown) => ({ error }));
	if ('answer' in outcome) {
		const job = recordOf(outcome.answer.json);
		return { json: job, answer: outcome.answer, job: factsOf(id, job) };
	}
	// Without the signal, which has aborted.
	await connection
		.call(`${url}/cancel`, { method: 'POST', timeoutMs: CANCEL_LIMIT_MS })
		.catch(() => {});
	throw signal?.aborted === true ? connection.failure('aborted', { url }) : outcome.error;
}

interface Job {
	url: string;
	id: string;
	startedAt: number;
	/** In the time of `performance.now()`. */
	deadline: number;
}

async function pollUntilDone(
	connection: Connection,
	{ url, startedAt, deadline }: Job,
	{ signal, limits, onProgress }: ImageAttempt,
): Promise<CallAnswer> {
	const options = { timeoutMs: POLL_LIMIT_MS, signal, maxBytes: MAX_PICTURES_BYTES };
	let failures: ServerError[] = [];
	let last: JobState = { status: 'queued', queuePosition: 0 };
	for (let wait = FIRST_POLL_MS; ; wait = Math.min(POLL_MS, wait * 2)) {
		await pauseFor(wait, signal);
		const outcome = await connection.call(url, options).catch(asFailed);
		if ('failed' in outcome) {
			failures.push(outcome.failed);
			if (signal?.aborted === true || failures.length >= MAX_FAILED_POLLS) throw outcome.failed;
		} else {
			failures = [];
			last = stateOf(connection, outcome);
			if (last.status === 'completed') return outcome;
			onProgress?.({ ...last, seconds: (performance.now() - startedAt) / 1000 });
		}
		// If the last poll failed, its error is the reason.
		if (performance.now() >= deadline)
			throw failures.at(-1) ?? tooLong(connection, url, last, limits);
	}
}

interface JobState {
	status: string;
	queuePosition: number;
}

/** @throws {ServerError} for a job that the server has lost, or that failed */
function stateOf(connection: Connection, answer: CallAnswer): JobState {
	const job = recordOf(answer.json);
	const status = text(job.status);
	if (answer.status >= 400 || status === undefined) throw lost(connection, answer);
	if (status === 'failed' || status === 'cancelled') throw ended(connection, answer, status);
	return { status, queuePosition: finiteNumber(job.queue_position) ?? 0 };
}

function lost(connection: Connection, answer: CallAnswer): ServerError {
	if (answer.status !== 404 && answer.status !== 410) return connection.refusal(answer);
	return connection.failure('serverError', {
		url: answer.url,
		status: answer.status,
		serverText: answer.text,
		message: 'The server has forgotten the job',
		remedy: 'It was restarted, most likely because it failed over this picture: look at its log.',
	});
}

function ended(
	connection: Connection,
	{ url, status, json }: CallAnswer,
	how: string,
): ServerError {
	const { code, message } = recordOf(recordOf(json).error);
	return connection.failure('serverError', {
		url,
		status,
		code: text(code),
		serverText: text(message),
		message:
			how === 'cancelled'
				? 'Somebody cancelled the job on the server'
				: 'The server could not make the picture',
		remedy:
			'Look at its log. A card that has too little memory for the size is a common cause: try a smaller one.',
	});
}

function tooLong(
	connection: Connection,
	url: string,
	{ status, queuePosition }: { status: string; queuePosition: number },
	{ firstTokenMs = DEFAULT_LIMITS.firstTokenMs, totalMs = 0 }: ImageAttempt['limits'],
): ServerError {
	const isTotal = totalMs > 0 && totalMs <= (firstTokenMs > 0 ? firstTokenMs : Infinity);
	const where =
		status === 'queued'
			? `it waited in the server's queue, at place ${queuePosition}`
			: 'it was being made';
	return connection.failure(isTotal ? 'totalLimit' : 'firstTokenLimit', {
		url,
		message: 'The picture took longer than the limit',
		meaning: `The picture took longer than the limit: ${where}`,
		remedy: 'Raise First Token Limit (0 = no limit), or ask for fewer steps or a smaller picture.',
		facts: { jobStatus: status, queuePosition },
	});
}

function factsOf(id: string, job: JsonRecord): JobFacts {
	const [created, started, completed] = [job.created, job.started, job.completed].map(finiteNumber);
	return {
		id,
		...optional({
			queuedSeconds: between(created, started),
			generatingSeconds: between(started, completed),
		}),
	};
}

function between(from: number | undefined, to: number | undefined): number | undefined {
	return from === undefined || to === undefined ? undefined : to - from;
}

/** Body in sd-server's own fields; edits as its OpenAI route maps them (routes_openai.cpp). */
async function jobBody(request: ImageRequest): Promise<JsonRecord> {
	const {
		prompt,
		count,
		size,
		format,
		negativePrompt,
		steps,
		guidance,
		seed,
		extra,
		images,
		mask,
	} = request;
	const contents: Buffer[] = [];
	for (const image of images) contents.push(await readWhole(image.open()));
	const first = contents[0] === undefined ? undefined : imageFacts(contents[0]);
	const [width = first?.width, height = first?.height] =
		size === '' ? [] : size.split('x').map(Number);
	const { sample_params: moreParameters, ...more } = extra;
	const parameters = {
		...filled({
			sample_steps: steps,
			guidance: guidance === undefined ? undefined : { txt_cfg: guidance },
		}),
		...recordOf(moreParameters),
	};
	const encoded = contents.map((content) => content.toString('base64'));
	return {
		prompt,
		batch_count: count,
		...filled({ width, height, output_format: format, negative_prompt: negativePrompt, seed }),
		...filled({ sample_params: parameters, init_image: encoded[0], ref_images: encoded }),
		...filled({ mask_image: await base64Of(mask) }),
		...more,
	};
}

/** Base64 of a file; empty where there is none. */
export async function base64Of(file: FileSource | undefined): Promise<string> {
	return file === undefined ? '' : (await readWhole(file.open())).toString('base64');
}
