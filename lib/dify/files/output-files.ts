/** Output files of a run. URLs are signed, so no key is sent; a model may also generate a URL. */
import { ServerError } from '../../errors/server-error';
import { parseMimeType, sanitizeFileName } from '../../file-name';
import type { HttpResponse, RequestOptions } from '../../http/types';
import { readBuffer, BodyTooLargeError } from '../../http/response-body';
import { isRecord, getErrorMessage, asNonEmptyString } from '../../values';
import type { DifyClient } from '../client';
import { createLocalError } from '../errors';
import type { DifyFile } from '../types';

/** Dify marks file objects with this value. */
const FILE_MARK = '__dify__file__';
/** Max depth of files in the outputs. */
const MAX_DEPTH = 20;

/** The files in the outputs of a run, at any depth, then those of `files`; each file once. */
export function collectOutputFiles(outputs: unknown, files: readonly DifyFile[] = []): DifyFile[] {
	const visited = new Set<unknown>();
	return [...findFileObjects(outputs), ...files].filter(({ id, related_id: related, url }) => {
		const address = asNonEmptyString(url)?.replace(/\?.*$/s, '');
		const names = [id, related, address].filter((name) => asNonEmptyString(name) !== undefined);
		const isNew = names.length === 0 || !names.some((name) => visited.has(name));
		for (const name of names) visited.add(name);
		return isNew;
	});
}

function findFileObjects(value: unknown, depth = 0): DifyFile[] {
	if (depth > MAX_DEPTH) return [];
	if (isRecord(value) && value.dify_model_identity === FILE_MARK) return [value as DifyFile];
	if (typeof value !== 'object' || value === null) return [];
	return Object.values(value).flatMap((entry) => findFileObjects(entry, depth + 1));
}

/** A file with an absolute URL: relative ones are on the Dify server (docs/protocols/dify.md 2.9). */
export function withAbsoluteUrl<T extends DifyFile>({ endpoint }: DifyClient, file: T): T {
	const { url } = file;
	if (asNonEmptyString(url) === undefined || !URL.canParse(url!, endpoint.url.api)) return file;
	return { ...file, url: new URL(url!, endpoint.url.api).href };
}

/** Max files fetched per run. */
export const MAX_FILES = 100;

/** Max bytes of all files of a run, since they are kept in memory. */
export const MAX_FILES_BYTES = 200 * 1024 * 1024;

export const FILE_TIMEOUTS = { firstTokenMs: 60_000, idleMs: 60_000, totalMs: 0 };

/**
 * Opens a file by its signed URL.
 *
 * @param client without the key
 * @param origins allowed in addition to that of the credential
 * @throws {ServerError} also for other origins
 */
export async function openSignedFile<T>(
	client: DifyClient,
	address: string,
	origins: readonly string[],
	read: (response: HttpResponse) => Promise<T>,
): Promise<T> {
	const { api, origin } = client.endpoint.url;
	if (!URL.canParse(address, api))
		throw createLocalError('fileRejected', `"${address}" is not a URL`);
	const { href } = new URL(address, api);
	const rejectRedirect = (url: string) => getOriginError(url, [origin, ...origins]);
	const originError = rejectRedirect(href);
	if (originError !== undefined) throw originError;
	const requestOptions: RequestOptions = { url: href, timeouts: FILE_TIMEOUTS, rejectRedirect };
	return await client.open(requestOptions, read);
}

/** The error for a URL that is neither on the Dify server nor at an allowed origin. */
function getOriginError(url: string, allowed: readonly string[]): ServerError | undefined {
	const { origin, protocol } = new URL(url);
	if (!/^https?:$/.test(protocol))
		return createLocalError(
			'fileRejected',
			`its URL uses ${protocol}, and only http and https are supported`,
		);
	if (allowed.includes(origin)) return undefined;
	return createLocalError(
		'fileRejected',
		`it is stored at ${origin}, not on the Dify server of the credential. If this Dify stores its files there (FILES_URL, S3), add ${origin} to the option "Fetch Files From"`,
	);
}

interface DownloadedFile {
	content: Buffer;
	name: string;
	mimeType?: string;
}

/** Downloads a file of a run. @throws {ServerError} also for other origins */
export async function downloadFile(
	client: DifyClient,
	file: DifyFile,
	origins: readonly string[],
	maxBytes: number,
): Promise<DownloadedFile> {
	return await openSignedFile(client, String(file.url), origins, async (response) => {
		const content = await readBuffer(response.bytes(), maxBytes).catch((error: unknown) => {
			throw error instanceof BodyTooLargeError ? createTooLargeError() : error;
		});
		const type =
			parseMimeType(asNonEmptyString(file.mime_type)) || response.headers['content-type'];
		const name = sanitizeFileName(asNonEmptyString(file.filename) ?? '', 'file');
		return { content, name, mimeType: parseMimeType(type) || undefined };
	});
}

function createTooLargeError(): ServerError {
	const megabytes = MAX_FILES_BYTES / 1024 / 1024;
	return createLocalError(
		'requestTooLarge',
		`it exceeds the total of ${megabytes} MB for the files of a run. Download it with an HTTP Request node`,
	);
}

/** Reason for a failed download, as text. */
export function describeDownloadError(error: unknown): string {
	if (!(error instanceof ServerError)) return getErrorMessage(error);
	return error.status === 403 || error.status === 404
		? 'its link has expired. Dify links are valid for 300 seconds unless FILES_ACCESS_TIMEOUT is set'
		: error.detail;
}

/** Origins in the text of a field, separated by commas or spaces. @throws {ServerError} for invalid URLs */
export function parseOrigins(text: string): string[] {
	const addresses = text.split(/[\s,]+/).filter((entry) => entry !== '');
	return addresses.map((entry) => {
		if (/^https?:/i.test(entry) && URL.canParse(entry)) return new URL(entry).origin;
		const suggestion = 'Enter URLs such as https://files.example.com, separated by commas.';
		throw createLocalError(
			'invalidInputs',
			`"${entry}" in Fetch Files From is not a URL`,
			suggestion,
		);
	});
}
