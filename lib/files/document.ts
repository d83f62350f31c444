/** Files that become documents of a knowledge base. */
import { createInputError } from '../errors/create-error';
import { isBinaryEnding } from './file-types';
import { DOWNLOAD_ERROR_HINT } from './recording';

/** A file as it is sent. */
interface SentFile {
	/** With an ending. */
	name: string;
	/** The name in n8n, if it is another one. */
	declaredName?: string;
	/** The bytes are markup or JSON, whatever the name says. */
	isMarkup?: boolean;
}

/** Programs export tables and texts for these as HTML. */
const EXPORTED_AS_HTML: ReadonlySet<string> = new Set(['xls', 'xlt', 'doc', 'dot']);

/**
 * Rejects the error of a download under the name of a PDF, a picture or another format: it would replace the content of
 * the document.
 *
 * @throws {ServerError} of type `invalidInput`
 */
export function assertDocument({ name, declaredName = name, isMarkup = false }: SentFile): void {
	const ending = name.split('.').at(-1)!.toLowerCase();
	if (!isMarkup || !isBinaryEnding(ending) || EXPORTED_AS_HTML.has(ending)) return;
	throw createInputError(
		`"${declaredName}" is a text by its content (markup or JSON)`,
		`${DOWNLOAD_ERROR_HINT} Enter the field that contains the document.`,
	);
}
