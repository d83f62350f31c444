/** What a run that Dify refused to start is about, by what was sent with it. */
import type { DifyErrorType, ErrorType } from '../../errors/error-types';
import { isOneOf } from '../../errors/error-types';
import type { ServerError } from '../../errors/server-error';
import type { JsonRecord } from '../../values/records';
import { getPartialResult, hasRunStarted } from '../partial-result';

/** Dify refused a value. */
export const isRefusedValue: (type: ErrorType) => boolean = isOneOf('invalidParam', 'runFailed');

/** Dify refused the URL of a file, or failed on it. */
const mayBeAboutFile = isOneOf('invalidParam', 'runFailed', 'serverError');

/**
 * Names what a refused run is about: the version or the conversation that Dify has not found, or the file whose URL it
 * quotes.
 *
 * @param sent - The body of the request.
 * @returns other errors unchanged
 */
export function explainRejectedRun(error: ServerError, sent: JsonRecord): ServerError {
	const type = hasRunStarted(getPartialResult(error)) ? undefined : findType(error, sent);
	return type === undefined ? error : error.asType(type);
}

function findType(
	{ type, serverText = '' }: ServerError,
	sent: JsonRecord,
): DifyErrorType | undefined {
	if (type === 'notFound') return findMissing(sent);
	const isFile = mayBeAboutFile(type) && findFileUrls(sent).some((url) => serverText.includes(url));
	return isFile ? 'fileUnreachable' : undefined;
}

/** What was sent that may not exist. */
function findMissing({
	workflow_id: version,
	conversation_id: conversation,
}: JsonRecord): DifyErrorType | undefined {
	// Only a chatflow has versions, and it starts a new conversation itself if it does not find the sent one.
	if (version !== undefined) return 'workflowVersionNotFound';
	return conversation === undefined ? undefined : 'conversationNotFound';
}

/** Files of a request stand in lists and in the inputs of a form. */
const MAX_DEPTH = 4;

/** The URLs of files that Dify downloads itself. */
function findFileUrls(value: unknown, depth = 0): string[] {
	if (typeof value !== 'object' || value === null || depth > MAX_DEPTH) return [];
	const { transfer_method: method, url } = value as JsonRecord;
	if (method === 'remote_url' && typeof url === 'string' && url !== '') return [url];
	return Object.values(value).flatMap((inner) => findFileUrls(inner, depth + 1));
}
