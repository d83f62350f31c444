/** Errors of embeddings, with the text or the option that caused them. */
import type { ErrorContext } from '../errors/create-error';
import { createInputError, createServerError } from '../errors/create-error';
import type { KnownFacts } from '../errors/facts';
import type { ServerError } from '../errors/server-error';
import { toErrorContext } from '../http/request-errors';
import type { ModelServer } from '../servers/types/server-type';

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

/** What is known of unusable vectors. */
type UnusableFacts = Pick<KnownFacts, 'vectorIssue' | 'textOfVector' | 'hasUsableVectors'>;

export function createUnusableError(
	server: ModelServer,
	settings: NamedSettings,
	about: UnusableFacts,
): ServerError {
	return createServerError('invalidResponse', toContext(server, settings), { about });
}

/** Error of vectors with other dimensions than the option that asks for them. */
export function createDimensionsError(
	server: ModelServer,
	settings: NamedSettings,
	received: number,
): ServerError {
	const { dimensions = 0, expectedDimensions } = settings;
	const expected = expectedDimensions ?? dimensions;
	const option = expectedDimensions === undefined ? 'Dimensions' : 'Expected Dimensions';
	return createServerError('invalidResponse', toContext(server, settings), {
		about: { otherDimensions: { received, expected, option } },
		facts: { dimensions: received },
	});
}

function toContext(server: ModelServer, { model }: NamedSettings): ErrorContext {
	return toErrorContext(server, { url: `${server.getApiUrl()}/embeddings`, model });
}
