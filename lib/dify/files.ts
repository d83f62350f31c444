/**
 * Files of a run: references and uploads of its input, and its output. URLs of output files are signed, so no key is
 * sent; a model may also generate a URL.
 */
import type { JsonRecord } from '../values/records';
import { asArray, asNonEmptyString, asRecord, asString, isRecord } from '../values/records';
import { getErrorMessage } from '../values/text';
import { createLocalError } from './create-error';
import type { FileSource } from '../http/multipart';
import type { DifyClient } from './client';
import { ServerError } from '../errors/server-error';
import { parseMimeType, sanitizeFileName } from '../file-name';
import type { HttpResponse } from '../http/types';
import { readBuffer } from '../http/response-body';
import { BodyTooLargeError } from '../http/body-limits';

const MEDIA_TYPES = ['image', 'video', 'audio'] as const;
type MediaType = (typeof MEDIA_TYPES)[number];

export type DifyFileType = MediaType | 'document' | 'custom';

/** File types by extension, as in Dify, which also sets size limits by them (docs/protocols/dify.md 2.9). */
const EXTENSIONS_BY_TYPE: Record<MediaType, readonly string[]> = {
	image: ['jpg', 'jpeg', 'png', 'webp', 'gif', 'svg'],
	video: ['mp4', 'mov', 'mpeg', 'webm'],
	audio: ['mp3', 'm4a', 'wav', 'amr', 'mpga'],
};

/** The types that the settings of an app or of a form field allow; undefined: any. */
export function getAllowedFileTypes(settings: JsonRecord): readonly unknown[] | undefined {
	const types = asArray(settings.allowed_file_types);
	return types.length === 0 ? undefined : types;
}

/**
 * File types that an app accepts.
 *
 * @throws {ServerError} if it accepts none: Dify would silently drop the files
 */
export function getAppFileTypes(parameters: JsonRecord): readonly unknown[] | undefined {
	const upload = asRecord(parameters.file_upload);
	if (upload.enabled === true) return getAllowedFileTypes(upload);
	throw createLocalError('appFeatureDisabled', {
		title: 'File upload is disabled in the app, so Dify would ignore the files',
		suggestion:
			'Enable file upload in the app in Dify and publish it, or remove the files in the node.',
	});
}

const FILE_TYPES: readonly DifyFileType[] = [...MEDIA_TYPES, 'document', 'custom'];

/** Extensions of pages, which return files of any type. */
const PAGE_EXTENSIONS = new Set(['php', 'asp', 'aspx', 'jsp', 'cgi', 'do', 'ashx']);

/** Whether the end of a name says what the file is. Versions and hosts end in a dot and other characters too. */
function isFileExtension(extension: string) {
	return /^(?=.*[a-z])[a-z\d]{1,8}$/.test(extension) && !PAGE_EXTENSIONS.has(extension);
}

interface FileDescription {
	name: string;
	/** Default: not known. */
	mimeType?: string;
}

/**
 * Dify's type of a file.
 *
 * @param allowedTypes of an app or field. Default: any
 * @returns the only allowed type if neither name nor MIME type shows one; `custom` if that is allowed and the detected
 *   type is not
 */
export function toDifyFileType(
	{ name, mimeType = '' }: FileDescription,
	allowedTypes: readonly unknown[] = FILE_TYPES,
): DifyFileType {
	const extension = getExtension(name);
	const mediaType = detectMediaType(extension, mimeType);
	const isUnknown = mediaType === undefined && mimeType === '' && !isFileExtension(extension);
	const [onlyType, ...otherTypes] = allowedTypes;
	const knownType = FILE_TYPES.find((type) => type === onlyType);
	if (isUnknown && knownType !== undefined && otherTypes.length === 0) return knownType;
	const type = mediaType ?? 'document';
	return allowedTypes.includes('custom') && !allowedTypes.includes(type) ? 'custom' : type;
}

/** The extension of a name, in lower case and without its dot; empty if it has none. */
export function getExtension(name: string): string {
	return /\.([^./\\]+)$/.exec(name)?.[1]?.toLowerCase() ?? '';
}

/** The media type of a file by its extension, otherwise by its MIME type. */
export function detectMediaType(extension: string, mimeType: string): MediaType | undefined {
	const byExtension = MEDIA_TYPES.find((media) => EXTENSIONS_BY_TYPE[media].includes(extension));
	return byExtension ?? MEDIA_TYPES.find((media) => media === mimeType.split('/')[0]);
}

/**
 * Splits the text of a field into names and URLs, separated by commas. A comma inside a URL belongs to it (Cloudinary:
 * `/w_300,h_200/cat.png`), unless whitespace or another URL follows.
 */
export function splitFileNames(text: string): string[] {
	const names = text.match(/https?:\/\/(?:[^\s,]|,(?!\s|https?:\/\/|$))+|[^\s,][^,]*/gi) ?? [];
	return names.map((name) => name.trim());
}

/** The file name in a URL, for its type. */
export function getFileNameFromUrl(url: string): string {
	const path = url.replace(/[?#].*/s, '').replace(/\/{1,99}$/, '');
	return path.slice(path.lastIndexOf('/') + 1) || url;
}

/**
 * The trimmed URL.
 *
 * @throws {ServerError} for a URL that Dify could not fetch
 */
export function parseFileUrl(url: string): string {
	const trimmed = url.trim();
	if (/^https?:\/\//i.test(trimmed) && URL.canParse(trimmed)) return trimmed;
	throw createLocalError('fileRejected', {
		title: `The file URL is not valid: "${trimmed.slice(0, 200)}"`,
		suggestion: 'Enter a full URL that starts with http:// or https:// and that Dify can reach.',
	});
}

/**
 * A file object of the inputs, with the transfer method that its other fields imply.
 *
 * @throws {ServerError}
 */
export function withTransferMethod(file: JsonRecord): JsonRecord {
	if (asNonEmptyString(file.transfer_method) !== undefined) return file;
	if (asNonEmptyString(file.upload_file_id) !== undefined) {
		return { ...file, transfer_method: 'local_file' };
	}
	if (asNonEmptyString(file.url) !== undefined) return { ...file, transfer_method: 'remote_url' };
	throw createLocalError('invalidInputs', {
		title: 'A file in the inputs has neither url nor upload_file_id',
		suggestion: FILE_SUGGESTION,
	});
}

export const FILE_SUGGESTION =
	'Enter the name of a binary field, a URL, or an object with type, transfer_method and url or upload_file_id.';

/**
 * Uploads a file for a run of the same user.
 *
 * @returns its ID in Dify
 * @throws {ServerError}
 */
export async function uploadFile(
	client: DifyClient,
	source: FileSource,
	user: string,
): Promise<string> {
	const { id } = await client.upload('/files/upload', source, { fields: { user } });
	return String(id);
}

/** Dify marks file objects with this value. */
const FILE_MARK = '__dify__file__';

/** Max depth of files in the outputs. */
const MAX_DEPTH = 20;

/** Signature in a file URL: it changes with every event. */
const SIGNATURE = /([?&])(?:timestamp|nonce|sign)=[^&]*/g;

/** What identifies a file: its IDs, and its URL. */
export function getFileKeys({ id, related_id: related, url }: JsonRecord): string[] {
	return [id, related, asString(url)?.replace(SIGNATURE, '$1')]
		.map(asNonEmptyString)
		.filter((key) => key !== undefined);
}

/** The files in the outputs of a run, at any depth, then those of `files`; each file once. */
export function collectOutputFiles(
	outputs: unknown,
	files: readonly JsonRecord[] = [],
): JsonRecord[] {
	const visited = new Set<unknown>();
	return [...findFileObjects(outputs), ...files].filter((file) => {
		const names = getFileKeys(file);
		const isNew = names.length === 0 || !names.some((name) => visited.has(name));
		for (const name of names) visited.add(name);
		return isNew;
	});
}

function findFileObjects(value: unknown, depth = 0): JsonRecord[] {
	if (depth > MAX_DEPTH) return [];
	if (isRecord(value) && value.dify_model_identity === FILE_MARK) return [value];
	if (typeof value !== 'object' || value === null) return [];
	return Object.values(value).flatMap((entry) => findFileObjects(entry, depth + 1));
}

/** A file with an absolute URL: relative ones are on the Dify server (docs/protocols/dify.md 2.9). */
export function withAbsoluteUrl({ endpoint }: DifyClient, file: JsonRecord): JsonRecord {
	const url = asNonEmptyString(file.url);
	if (url === undefined || !URL.canParse(url, endpoint.url.api)) return file;
	return { ...file, url: new URL(url, endpoint.url.api).href };
}

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
		throw createLocalError('fileRejected', { title: `"${signedUrl}" is not a URL` });
	}
	const { href } = new URL(signedUrl, api);
	const rejectRedirect = (url: string) => getOriginError(url, [origin, ...origins]);
	const originError = rejectRedirect(href);
	if (originError !== undefined) throw originError;
	return await client.open({ url: href, timeouts: FILE_TIMEOUTS, rejectRedirect }, read);
}

/** The error for a URL that is neither on the Dify server nor at an allowed origin. */
function getOriginError(url: string, allowed: readonly string[]) {
	const { origin, protocol } = new URL(url);
	if (!/^https?:$/.test(protocol)) {
		return createLocalError('fileRejected', {
			title: `its URL uses ${protocol}, and only http and https are supported`,
		});
	}
	if (allowed.includes(origin)) return undefined;
	return createLocalError('fileRejected', {
		title: `it is stored at ${origin}, not on the Dify server of the credential. If this Dify stores its files there (FILES_URL, S3), add ${origin} to the option "Fetch Files From"`,
	});
}

interface DownloadLimits extends Pick<SignedFile, 'origins'> {
	/** A larger file is an error. */
	maxBytes: number;
}

export interface DownloadedFile {
	content: Buffer;
	/** Safe as a file name. */
	name: string;
	/** Undefined if neither Dify nor the response names one. */
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
				title: `it exceeds the total of ${MAX_FILES_BYTES / 1024 / 1024} MB for the files of a run. Download it with an HTTP Request node`,
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
				suggestion: 'Enter URLs such as https://files.example.com, separated by commas.',
			});
		});
}
