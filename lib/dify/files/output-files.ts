/** Files that a run put out. Their addresses are signed, so no key is sent, and a model can write one, too. */
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
/** Files are not searched for deeper in the outputs. */
const MAX_DEPTH = 20;

/** The files in the outputs of a run, at any depth, then those of `files`; each file once. */
export function collectOutputFiles(outputs: unknown, files: readonly DifyFile[] = []): DifyFile[] {
	const known = new Set<unknown>();
	return [...filesIn(outputs), ...files].filter(({ id, related_id: related, url }) => {
		const address = asNonEmptyString(url)?.replace(/\?.*$/s, '');
		const names = [id, related, address].filter((name) => asNonEmptyString(name) !== undefined);
		const isNew = names.length === 0 || !names.some((name) => known.has(name));
		for (const name of names) known.add(name);
		return isNew;
	});
}

function filesIn(value: unknown, depth = 0): DifyFile[] {
	if (depth > MAX_DEPTH) return [];
	if (isRecord(value) && value.dify_model_identity === FILE_MARK) return [value as DifyFile];
	if (typeof value !== 'object' || value === null) return [];
	return Object.values(value).flatMap((each) => filesIn(each, depth + 1));
}

/** A file with its whole address: one without a host lies at Dify (docs/protocols/dify.md 2.9). */
export function withAbsoluteUrl<T extends DifyFile>({ endpoint }: DifyClient, file: T): T {
	const { url } = file;
	if (asNonEmptyString(url) === undefined || !URL.canParse(url!, endpoint.url.api)) return file;
	return { ...file, url: new URL(url!, endpoint.url.api).href };
}

/** Files of a run that are fetched. */
export const MAX_FILES = 100;

/** Bytes of all files of a run: they stand in n8n's memory. */
export const MAX_FILES_BYTES = 200 * 1024 * 1024;

/** For fetching a file from Dify. */
export const FILE_TIMEOUTS = { firstTokenMs: 60_000, idleMs: 60_000, totalMs: 0 };

/**
 * Opens a file by the address that Dify gives.
 *
 * @param client without the key
 * @param origins besides that of the credential
 * @throws {ServerError} also for another origin
 */
export async function openSignedFile<T>(
	client: DifyClient,
	address: string,
	origins: readonly string[],
	read: (answer: HttpResponse) => Promise<T>,
): Promise<T> {
	const { api, origin } = client.endpoint.url;
	if (!URL.canParse(address, api))
		throw createLocalError('fileRejected', `"${address}" is not a URL`);
	const { href } = new URL(address, api);
	const rejectRedirect = (url: string) => originFailure(url, [origin, ...origins]);
	const refused = rejectRedirect(href);
	if (refused !== undefined) throw refused;
	const asked: RequestOptions = { url: href, timeouts: FILE_TIMEOUTS, rejectRedirect };
	return await client.open(asked, read);
}

/** The error for a URL that leads neither to Dify nor to a place that the node names. */
function originFailure(url: string, allowed: readonly string[]): ServerError | undefined {
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

/** Downloads a file of a run. @param maxBytes of it @throws {ServerError} also for another origin */
export async function downloadFile(
	client: DifyClient,
	file: DifyFile,
	origins: readonly string[],
	maxBytes: number,
): Promise<DownloadedFile> {
	return await openSignedFile(client, String(file.url), origins, async (answer) => {
		const content = await readBuffer(answer.bytes(), maxBytes).catch((error: unknown) => {
			throw error instanceof BodyTooLargeError ? tooLarge() : error;
		});
		const type = parseMimeType(asNonEmptyString(file.mime_type)) || answer.headers['content-type'];
		const name = sanitizeFileName(asNonEmptyString(file.filename) ?? '', 'file');
		return { content, name, mimeType: parseMimeType(type) || undefined };
	});
}

function tooLarge(): ServerError {
	const megabytes = MAX_FILES_BYTES / 1024 / 1024;
	return createLocalError(
		'requestTooLarge',
		`it exceeds the total of ${megabytes} MB for the files of a run. Download it with an HTTP Request node`,
	);
}

/** Why a file could not be downloaded, in words. */
export function describeDownloadError(error: unknown): string {
	if (!(error instanceof ServerError)) return getErrorMessage(error);
	return error.status === 403 || error.status === 404
		? 'its link has expired. Dify links are valid for 300 seconds unless FILES_ACCESS_TIMEOUT is set'
		: error.detail;
}

/** Origins in the text of a field, separated by commas or blanks. @throws {ServerError} for what is no address */
export function parseOrigins(typed: string): string[] {
	const addresses = typed.split(/[\s,]+/).filter((each) => each !== '');
	return addresses.map((each) => {
		if (/^https?:/i.test(each) && URL.canParse(each)) return new URL(each).origin;
		const remedy = 'Enter URLs such as https://files.example.com, separated by commas.';
		throw createLocalError('invalidInputs', `"${each}" in Fetch Files From is not a URL`, remedy);
	});
}
