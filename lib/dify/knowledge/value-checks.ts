import { invalidParam, localError } from '../errors/failure';
import { BUILT_IN_FIELDS } from './filters';

/** Dify accepts an empty name of a metadata field. @throws {ServerError} */
export function checkFieldName(name = ''): void {
	if (name.trim() === '')
		throw invalidParam('The name of the metadata field is empty', 'Give a name.');
	if (Object.hasOwn(BUILT_IN_FIELDS, name))
		throw localError(
			'nameTaken',
			`"${name}" is a built-in metadata field of Dify`,
			`Choose another name than ${Object.keys(BUILT_IN_FIELDS).join(', ')}.`,
		);
}

/** @throws {ServerError} where the text of a chunk is empty */
export function checkChunkContent(content: string): void {
	if (content.trim() === '')
		throw invalidParam('The chunk has no content', 'Give the text of the chunk.');
}
