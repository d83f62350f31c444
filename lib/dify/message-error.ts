/** Errors from the messages of Dify. */
import type { ErrorContext, ErrorOverrides } from '../errors/create-error';
import type { DifyErrorType } from '../errors/error-types';
import { createServerError } from '../errors/create-error';
import type { ServerError } from '../errors/server-error';
import { isOneOf } from '../errors/error-types';
import { truncate } from '../values/text';
import { explainMessage, isPythonTrace } from './error-texts';
import type { DifyErrorBody } from './error-types';
import { toReadableText } from './readable-text';

/** Types whose message from Dify explains less than the title of the type; it is quoted after the suggestion. */
const hasBetterTitle = isOneOf(
	'unauthorized',
	'appUnavailable',
	'notPublished',
	'conversationNotFound',
	'messageNotFound',
	'runNotFound',
	'datasetNotFound',
	'pipelineNotFound',
	'formClosed',
	'formNotFound',
	'nameTaken',
	'nothingToRevoke',
	'providerUnreachable',
	'pluginDaemonError',
	'agentBackendUnreachable',
);

const MAX_TITLE_LENGTH = 160;

/** What a message of Dify says, and where it comes from. */
interface MessageErrorOptions {
	type: DifyErrorType;
	/** The message with its code. */
	body: DifyErrorBody;
	context: Partial<ErrorContext>;
	/** Type of the node that failed, if it is known. */
	nodeType?: string;
	/** What else is known. The `detail` takes the place of the message. */
	overrides: ErrorOverrides;
}

/** An error whose title is Dify's message, or the title of its type if that explains more. */
export function createMessageError({
	type,
	body: { code, message = '' },
	context,
	nodeType,
	overrides: { about, ...overrides },
}: MessageErrorOptions): ServerError {
	const serverText = toReadableText(message, context.secrets);
	const title = shortenToTitle(serverText);
	const isEmpty = title === '';
	// The last line of a trace of a code node explains its run; that of a plugin explains nothing.
	const isTrace = type.startsWith('provider') && isPythonTrace(title);
	const hasOwnTitle = isEmpty || isTrace || hasBetterTitle(type);
	const explanation = explainMessage({ type, code, text: serverText, nodeType });
	return createServerError(type, context, {
		...overrides,
		about: { ...about, isEmpty },
		code,
		serverText: isEmpty ? undefined : serverText,
		title: hasOwnTitle ? undefined : title,
		...explanation,
		detail:
			overrides.detail ?? explanation.detail ?? (hasOwnTitle && !isTrace ? undefined : serverText),
	});
}

/** The beginning of a message, as the title of an error. */
export function shortenToTitle(text: string): string {
	return truncate(text.replace(/\s+/g, ' ').replace(/\.$/, ''), MAX_TITLE_LENGTH);
}
