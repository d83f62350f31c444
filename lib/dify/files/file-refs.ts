import { asArray, asNonEmptyString, asRecord, type JsonRecord } from '../../values';
import { createLocalError } from '../errors';

const MEDIA_TYPES = ['image', 'video', 'audio'] as const;
type MediaType = (typeof MEDIA_TYPES)[number];

export type DifyFileType = MediaType | 'document' | 'custom';

/** A file in a run. Dify silently drops an entry without a transfer method (docs/protocols/dify.md 2.1.3). */
export type DifyFileRef =
	| { type: DifyFileType; transfer_method: 'remote_url'; url: string }
	| { type: DifyFileType; transfer_method: 'local_file'; upload_file_id: string };

/** File types by extension, as in Dify, which also sets size limits by them (docs/protocols/dify.md 2.9). */
const EXTENSIONS_BY_TYPE: Readonly<Record<MediaType, readonly string[]>> = {
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
	throw createLocalError(
		'appFeatureDisabled',
		'File upload is disabled in the app, so Dify would ignore the files',
		'Enable file upload in the app in Dify and publish it, or remove the files in the node.',
	);
}

function getExtension(name: string): string {
	return /\.([^./\\]+)$/.exec(name)?.[1]?.toLowerCase() ?? '';
}

/** Dify's type of a file; `custom` if that is allowed and the detected type is not. */
export function toDifyFileType(
	name: string,
	mimeType = '',
	allowedTypes?: readonly unknown[],
): DifyFileType {
	const extension = getExtension(name);
	const family = mimeType.split('/')[0];
	const type =
		MEDIA_TYPES.find((media) => EXTENSIONS_BY_TYPE[media].includes(extension)) ??
		MEDIA_TYPES.find((media) => media === family) ??
		'document';
	return allowedTypes?.includes(type) === false && allowedTypes.includes('custom')
		? 'custom'
		: type;
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
	const path = url.replace(/[?#].*$/s, '').replace(/\/{1,99}$/, '');
	return path.slice(path.lastIndexOf('/') + 1) || url;
}

/** The trimmed URL. @throws {ServerError} for a URL that Dify could not fetch */
export function parseFileUrl(url: string): string {
	const trimmed = url.trim();
	if (/^https?:\/\//i.test(trimmed) && URL.canParse(trimmed)) return trimmed;
	throw createLocalError(
		'fileRejected',
		`The file URL is not valid: "${trimmed.slice(0, 200)}"`,
		'Enter a full URL that starts with http:// or https:// and that Dify can reach.',
	);
}

/** A file object of the inputs, with the transfer method that its other fields imply. @throws {ServerError} */
export function withTransferMethod(file: JsonRecord): JsonRecord {
	if (asNonEmptyString(file.transfer_method) !== undefined) return file;
	if (asNonEmptyString(file.upload_file_id) !== undefined)
		return { ...file, transfer_method: 'local_file' };
	if (asNonEmptyString(file.url) !== undefined) return { ...file, transfer_method: 'remote_url' };
	throw createLocalError(
		'invalidInputs',
		'A file in the inputs has neither url nor upload_file_id',
		FILE_SUGGESTION,
	);
}

export const FILE_SUGGESTION =
	'Enter the name of a binary field, a URL, or an object with type, transfer_method and url or upload_file_id.';
