import type { DIFY_ERROR_TEXTS } from './texts/dify';
import type { MODEL_ERROR_TEXTS } from './texts/model';
import type { NETWORK_ERROR_TEXTS } from './texts/network';

/**
 * Error types: one list for all servers, used by error items, Server Health and the code. Each type is a row of the
 * tables in `texts/`, which have its title, detail and suggestion.
 */

/** Errors of Dify. A type that other servers have as well means the same, with a title and suggestion for Dify. */
export type DifyErrorType = keyof typeof DIFY_ERROR_TEXTS;

export type ErrorType =
	| keyof typeof NETWORK_ERROR_TEXTS
	| keyof typeof MODEL_ERROR_TEXTS
	| DifyErrorType;

/** A test for some error types. */
export function isOneOf(...types: readonly ErrorType[]) {
	return (type: ErrorType) => types.includes(type);
}

/** Whether no connection was made, so that another request would fail in the same way. */
export const isConnectionError = isOneOf(
	'dnsLookupFailed',
	'connectionRefused',
	'connectTimeout',
	'hostUnreachable',
	'tlsMismatch',
	'tlsUntrusted',
	'blockedByPolicy',
	'proxyError',
);

/** Errors in the request, such as a value, an ID or a file, which the caller can correct. */
export const isRequestError = isOneOf(
	'invalidInput',
	'badRequest',
	'promptTooLong',
	'kvCacheFull',
	'modalityUnsupported',
	'fileUnreadable',
	'modelNotFound',
	'tooManyFiles',
	'requestTooLarge',
	'emptyQuery',
	'invalidInputs',
	'invalidId',
	'invalidParam',
	'missingUser',
	'notFound',
	'conversationNotFound',
	'conversationEnded',
	'messageNotFound',
	'nothingToRevoke',
	'runNotFound',
	'fileNotFound',
	'fileTypeNotAllowed',
	'fileRejected',
	'formClosed',
	'formNotFound',
	'formRejected',
	'datasetRejected',
	'datasetNotFound',
	'documentNotIndexed',
	'documentArchived',
	'documentBusy',
	'nameTaken',
);

/** Errors of a server that nothing explains but its own message. */
export const isUnknownError = isOneOf('badRequest', 'serverError', 'streamError');

/** Errors after which the same request may be sent again: the server did not start it. */
export const isRetryable = isOneOf('connectionRefused', 'modelLoading', 'modelUnreachable', 'busy');
