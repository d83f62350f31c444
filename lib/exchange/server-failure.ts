/** What users learn about a server that failed, and got the same request once more. */
import type { ServerError } from '../errors/server-error';
import { mayBeRetriedOnce } from '../errors/error-types';
import { toPlainText } from '../values/safe-text';
import { truncate } from '../values/text';

/** Characters of the server message in a warning. */
const MAX_QUOTED_TEXT = 200;

/**
 * The warning about a response that arrived only at the second try.
 *
 * @param failure - The error of the first try.
 */
export function describeOvercomeFailure({ status = 200, serverText = '' }: ServerError): string {
	const withStatus = status < 400 ? '' : ` with status ${status}`;
	const text = truncate(toPlainText(serverText).replace(/\s+/g, ' ').trim(), MAX_QUOTED_TEXT);
	const quotation = text === '' ? '.' : `: "${text}".`;
	return `The server failed once${withStatus} and responded at the second try${quotation}`;
}

/** The error of a second try that failed as well. Another error than one of a failing server is returned unchanged. */
export function withBothTries(error: ServerError): ServerError {
	if (!mayBeRetriedOnce(error.type)) return error;
	return error.withSuggestion(`${error.suggestion} A second try failed as well.`);
}
