import { extensionOf, inMegabytes } from '../files/files';
import { localError } from '../errors/failure';
import { uploadName } from '../../http/multipart';

/** Dify cuts longer names, those of files at the first dot (docs/protocols/dify.md 2.13). */
const MAX_NAME = 200;

/**
 * File types that Dify can read as documents: its own list, and what it reads with Unstructured. Others are refused
 * with an empty text.
 */
const DOCUMENT_TYPES = [
	...[
		'txt',
		'markdown',
		'md',
		'mdx',
		'pdf',
		'html',
		'htm',
		'xlsx',
		'xls',
		'docx',
		'csv',
		'vtt',
		'properties',
	],
	...['doc', 'eml', 'msg', 'ppt', 'pptx', 'xml', 'epub'],
];

/** Dify's default of UPLOAD_FILE_SIZE_LIMIT, in megabytes. */
export const DEFAULT_MEGABYTES = 15;

/** The name under which Dify stores a file: only characters that it accepts, and not too long; the extension stays. */
export function fileDocumentName(name: string): string {
	return cutName(uploadName(name));
}

/** A name of at most 200 characters; a short extension stays. */
export function cutName(name: string, ending = ''): string {
	const extension = /\.[^.\s]{1,15}$/.exec(name)?.[0] ?? '';
	const stem = [...name.slice(0, name.length - extension.length)];
	const room = MAX_NAME - [...extension].length - [...ending].length;
	return `${stem.slice(0, room).join('')}${ending}${extension}`;
}

/**
 * Checks a file before it is sent: Dify refuses unknown types and large files without a text, and accepts empty files.
 *
 * @throws {ServerError}
 */
export function checkDocumentFile(
	name: string,
	size: number,
	mostMegabytes = DEFAULT_MEGABYTES,
): void {
	const extension = extensionOf(name);
	if (!DOCUMENT_TYPES.includes(extension))
		throw localError(
			'fileType',
			extension === ''
				? `"${name}" has no extension, so Dify cannot tell what it is`
				: `Dify cannot read ".${extension}" files as documents ("${name}")`,
			`Give the file a name that ends in one of: ${DOCUMENT_TYPES.join(', ')}. Or send its text with Create or Update from Text.`,
		);
	if (size === 0)
		throw localError(
			'fileRejected',
			`"${name}" is empty`,
			'Dify would keep it as a document without content. Check the node that made the file.',
		);
	if (size > mostMegabytes * 1024 * 1024)
		throw localError(
			'fileTooLarge',
			`"${name}" has ${inMegabytes(size)} MB, but the limit is ${mostMegabytes} MB`,
			'Send a smaller file. If your Dify takes larger ones (UPLOAD_FILE_SIZE_LIMIT), raise "Largest File (MB)" in the options.',
		);
}
