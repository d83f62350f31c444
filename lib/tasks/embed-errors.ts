/** Errors of embeddings, with the text or the option that caused them. */
import type { ErrorContext } from '../errors/create-error';
import { createInputError, createServerError } from '../errors/create-error';
import type { ServerError } from '../errors/server-error';
import { toErrorContext } from '../http/request-errors';
import { getProfile } from '../servers/profile';
import { other } from '../servers/types/other';
import type { ModelServer } from '../servers/types/server-type';
import { explainLongTexts, explainUnsupportedTask, isRouteMissing } from './task-errors';
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
		{
			detail: `Text ${index + 1} ${issue}, so there is nothing to embed`,
			facts: { index },
		},
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

/** Explains an error that is about no single text. */
export async function explainEmbedError(
	error: ServerError,
	server: ModelServer,
	settings: NamedSettings,
): Promise<ServerError> {
	const { model } = settings;
	// The server type may still be unknown, and Stop must not wait for it.
	if (error.type === 'aborted' || error.field !== undefined) return error;
	const serverType = await getProfile(server).fetchType();
	const { routes, hasEveryRoute, texts } = serverType;
	if (/pooling type 'none'/i.test(error.serverText ?? ''))
		return error.copyWith({
			type: 'featureDisabled',
			title: 'The server returns token vectors instead of one vector per text',
			suggestion:
				'Choose an embedding model. If it is one, start the server with --pooling mean, cls or last, as the model requires.',
		});
	// Servers with native routes start each model for its task, so the model is the wrong one.
	const isWrongModel = routes !== undefined && error.type === 'featureDisabled';
	if (isWrongModel || error.type === 'wrongModelType')
		return error.copyWith({
			type: 'wrongModelType',
			title: `The model "${model}" is not an embedding model`,
			suggestion: `Choose an embedding model. ${texts.tasks.embeddings.suggestion}`,
		});
	if (isRouteMissing(error) && (hasEveryRoute || serverType === other)) return error;
	const longError = await explainLongTexts(error, server, 'Text');
	return await explainUnsupportedTask(longError, { server, task: 'embeddings', model });
}
