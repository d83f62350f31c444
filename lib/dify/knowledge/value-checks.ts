import { invalidParam, localError } from '../errors/failure';
import { BUILT_IN_FIELDS } from './filters';

const MAX_TAG_NAME = 50;

/** @throws {ServerError} where the name of a tag is empty or too long */
export function checkTagName(name = ''): void {
	if (name.trim() === '') throw invalidParam('The name of the tag is empty', 'Give a name.');
	if ([...name].length > MAX_TAG_NAME)
		throw invalidParam(
			`The name of the tag has more than ${MAX_TAG_NAME} characters`,
			'Shorten it.',
		);
}

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
	checkContent('chunk', content);
}

/** Dify accepts an empty child chunk. @throws {ServerError} */
export function checkChildContent(content: string): void {
	checkContent('child chunk', content);
}

function checkContent(what: string, content: string): void {
	if (content.trim() === '')
		throw invalidParam(`The ${what} has no content`, `Give the text of the ${what}.`);
}
