/** Dify's types of files, by their extension or MIME type. */
const MEDIA_TYPES = ['image', 'video', 'audio'] as const;

type MediaType = (typeof MEDIA_TYPES)[number];

export type DifyFileType = MediaType | 'document' | 'custom';

/** File types by extension, as in Dify, which also sets size limits by them (docs/protocols/dify.md 2.9). */
const EXTENSIONS_BY_TYPE: Record<MediaType, readonly string[]> = {
	image: ['jpg', 'jpeg', 'png', 'webp', 'gif', 'svg'],
	video: ['mp4', 'mov', 'mpeg', 'webm'],
	audio: ['mp3', 'm4a', 'wav', 'amr', 'mpga'],
};

/** All of Dify's types. */
export const FILE_TYPES: readonly DifyFileType[] = [...MEDIA_TYPES, 'document', 'custom'];

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
	const mediaType = detectMediaType({ extension, mimeType });
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

/** What shows the type of a file. */
interface TypeSigns {
	/** In lower case, without its dot; may be empty. */
	extension: string;
	/** May be empty. */
	mimeType: string;
}

/** The media type of a file by its extension, otherwise by its MIME type. */
export function detectMediaType({ extension, mimeType }: TypeSigns): MediaType | undefined {
	const byExtension = MEDIA_TYPES.find((media) => EXTENSIONS_BY_TYPE[media].includes(extension));
	return byExtension ?? MEDIA_TYPES.find((media) => media === mimeType.split('/')[0]);
}
