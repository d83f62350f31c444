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

const CONNECTION_ERRORS: ReadonlySet<ErrorType> = new Set([
	'dnsLookupFailed',
	'connectionRefused',
	'connectTimeout',
	'hostUnreachable',
	'tlsMismatch',
	'tlsUntrusted',
	'blockedByPolicy',
	'proxyError',
]);

/** Whether no connection was made, so that another request would fail in the same way. */
export function isConnectionError(type: ErrorType): boolean {
	return CONNECTION_ERRORS.has(type);
}

/** Errors in the request, such as a value, an ID or a file, which the caller can correct. */
const REQUEST_ERRORS: ReadonlySet<ErrorType> = new Set([
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
]);

export function isRequestError(type: ErrorType): boolean {
	return REQUEST_ERRORS.has(type);
}

/** Errors of a server that nothing explains but its own message. */
const UNKNOWN_ERRORS: ReadonlySet<ErrorType> = new Set([
	'badRequest',
	'serverError',
	'streamError',
]);

export function isUnknownError(type: ErrorType): boolean {
	return UNKNOWN_ERRORS.has(type);
}

/** Errors after which the same request may be sent again: the server did not start it. */
const RETRYABLE_ERRORS: ReadonlySet<ErrorType> = new Set([
	'connectionRefused',
	'modelLoading',
	'modelUnreachable',
	'busy',
]);

export function isRetryable(type: ErrorType): boolean {
	return RETRYABLE_ERRORS.has(type);
}
