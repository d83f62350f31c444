/** Errors of embeddings, with the text or the option that caused them. */
import type { ErrorContext } from '../errors/create-error';
import { createInputError, createServerError } from '../errors/create-error';
import type { ServerError } from '../errors/server-error';
import { toErrorContext } from '../http/request-errors';
import type { ModelServer } from '../servers/types/server-type';
import type { IndexedText } from './texts';
import { excerpt } from './texts';
import type { VectorIssue } from './vectors';

/** The settings that an error may be about. */
interface NamedSettings {
	model: string;
	dimensions?: number;
	expectedDimensions?: number;
}

/**
 * Error for a text that is not sent.
 *
 * @param issue - Continues the sentence "Text 3 …".
 */
export function createTextError(index: number, issue: string): ServerError {
	return createInputError(
		`Text ${index + 1} ${issue}`,
		'Filter out such items before they are embedded, or set the option Blank Texts to "Embed as a Space" for empty texts.',
		{ facts: { index } },
	);
}

/** What is wrong with the vectors of a response. */
interface UnusableVectors {
	issue: VectorIssue;
	/** The text with the vector, if the issue is about one. */
	text?: IndexedText;
}

export function createUnusableError(
	server: ModelServer,
	settings: NamedSettings,
	{ issue: { message, suggestion }, text }: UnusableVectors,
): ServerError {
	const quotedText = text ? ` (text ${text.index + 1}: "${excerpt(text.text)}")` : '';
	const title = `The server returned unusable embeddings: ${message}`;
	return createServerError('invalidResponse', toContext(server, settings), {
		title,
		detail: `${title}${quotedText}. No vectors were returned`,
		suggestion:
			suggestion ??
			'Check that the Base URL points to a server for embeddings, and that the model is an embedding model.',
	});
}

/** Error of vectors with other dimensions than the option that asks for them. */
export function createDimensionsError(
	server: ModelServer,
	settings: NamedSettings,
	received: number,
): ServerError {
	const { model, dimensions, expectedDimensions } = settings;
	const expected = expectedDimensions ?? dimensions;
	const option = expectedDimensions === undefined ? 'Dimensions' : 'Expected Dimensions';
	const title = `The model "${model}" returns vectors with ${received} dimensions instead of ${expected}`;
	return createServerError('invalidResponse', toContext(server, settings), {
		title,
		detail: `${title} as set in ${option}. No vectors were returned`,
		suggestion: 'Choose the model that created the stored vectors, or correct the option.',
		facts: { dimensions: received },
	});
}

function toContext(server: ModelServer, { model }: NamedSettings): ErrorContext {
	return toErrorContext(server, { url: `${server.getApiUrl()}/embeddings`, model });
}
