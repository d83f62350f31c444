/**
 * Downloads files of a run. Their URLs are signed, so no key is sent; a model may also generate a URL, so only the Dify
 * server and the origins of *Fetch Files From* are allowed.
 */
import { TASK_LIMITS } from '../task-limits';
import type { JsonRecord } from '../values/records';
import { asNonEmptyString } from '../values/records';
import { getErrorMessage } from '../values/text';
import { createLocalError } from './create-error';
import type { DifyClient } from './client';
import type { SignedFileObstacle } from '../errors/facts';
import { ServerError } from '../errors/server-error';
import { parseMimeType, sanitizeFileName } from '../file-name';
import type { HttpResponse } from '../http/types';
import { readBuffer } from '../http/response-body';
import { BodyTooLargeError } from '../http/body-limits';

/** Max files fetched per run. */
export const MAX_FILES = 100;

/** Max bytes of all files of a run, since they are kept in memory. */
export const MAX_FILES_BYTES = 200 * 1024 * 1024;

export const FILE_TIMEOUTS = { firstTokenMs: 60_000, idleMs: 60_000 };

export interface SignedFile {
	/** Relative, or absolute. */
	url: string;
	/** Allowed in addition to that of the credential. */
	origins: readonly string[];
}

/**
 * Opens a file by its signed URL.
 *
 * @param client without the key
 * @throws {ServerError} also for other origins
 */
export async function openSignedFile<T>(
	client: DifyClient,
	{ url: signedUrl, origins }: SignedFile,
	read: (response: HttpResponse) => Promise<T>,
): Promise<T> {
	const { api, origin } = client.endpoint.url;
	if (!URL.canParse(signedUrl, api)) {
		throw createObstacleError({ kind: 'noUrl', text: signedUrl });
	}
	const { href } = new URL(signedUrl, api);
	const rejectRedirect = (url: string) => getOriginError(url, [origin, ...origins]);
	const originError = rejectRedirect(href);
	if (originError !== undefined) throw originError;
	const limits = TASK_LIMITS.difyFile.received;
	return await client.sendAndRead(
		{ url: href, limits, timeouts: FILE_TIMEOUTS, rejectRedirect },
		read,
	);
}

/** The error for a URL that is neither on the Dify server nor at an allowed origin. */
function getOriginError(url: string, allowed: readonly string[]) {
	const { origin, protocol } = new URL(url);
	if (!/^https?:$/.test(protocol)) {
		return createObstacleError({ kind: 'otherProtocol', protocol });
	}
	return allowed.includes(origin)
		? undefined
		: createObstacleError({ kind: 'otherOrigin', origin });
}

function createObstacleError(signedFileObstacle: SignedFileObstacle): ServerError {
	return createLocalError('fileRejected', { about: { signedFileObstacle } });
}

interface DownloadLimits extends Pick<SignedFile, 'origins'> {
	/** A larger file is an error. */
	maxBytes: number;
}

export interface DownloadedFile {
	content: Buffer;
	/** Safe as a file name. */
	name: string;
	/** As declared. Undefined if neither Dify nor the response names one. */
	mimeType: string | undefined;
}

/**
 * Downloads a file of a run into memory.
 *
 * @param client without the key
 * @throws {ServerError} also for other origins
 */
export async function downloadFile(
	client: DifyClient,
	file: JsonRecord,
	{ origins, maxBytes }: DownloadLimits,
): Promise<DownloadedFile> {
	return await openSignedFile(client, { url: String(file.url), origins }, async (response) => {
		const content = await readBuffer(response.bytes(), maxBytes).catch((error: unknown) => {
			if (!(error instanceof BodyTooLargeError)) throw error;
			throw createLocalError('requestTooLarge', {
				about: { difyIssue: { kind: 'largeFiles', maxBytes: MAX_FILES_BYTES } },
			});
		});
		const type =
			parseMimeType(asNonEmptyString(file.mime_type)) || response.headers['content-type'];
		return {
			content,
			name: sanitizeFileName(asNonEmptyString(file.filename) ?? '', 'file'),
			mimeType: parseMimeType(type) || undefined,
		};
	});
}

/** Reason for a failed download, as text. */
export function describeDownloadError(error: unknown): string {
	if (!(error instanceof ServerError)) return getErrorMessage(error);
	return error.status === 403 || error.status === 404
		? 'its link has expired. Dify links are valid for 300 seconds unless FILES_ACCESS_TIMEOUT is set'
		: error.detail;
}

/**
 * Origins in the text of a field, separated by commas or spaces.
 *
 * @throws {ServerError} for invalid URLs
 */
export function parseOrigins(text: string): string[] {
	return text
		.split(/[\s,]+/)
		.filter((entry) => entry !== '')
		.map((entry) => {
			if (/^https?:/i.test(entry) && URL.canParse(entry)) return new URL(entry).origin;
			throw createLocalError('invalidInputs', {
				title: `"${entry}" in Fetch Files From is not a URL`,
				field: 'Fetch Files From',
				inputProblem: 'wrong',
				suggestion: 'Enter URLs such as https://files.example.com, separated by commas.',
			});
		});
}
