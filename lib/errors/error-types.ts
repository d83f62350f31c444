import type { DIFY_ERROR_TEXTS } from './texts/dify';
import type { MODEL_ERROR_TEXTS } from './texts/model';
import type { NETWORK_ERROR_TEXTS } from './texts/network';

/**
 * Kinds of failures: one list for all servers, used by error items, Server Health and the code. Each kind is a row of
 * the tables in `remedies/`, which say what it means and what to do about it.
 */

/** Address, network, time limits, and other programs that answer in place of the server. */
type NetworkErrorType = keyof typeof NETWORK_ERROR_TEXTS;

/** What model servers refuse, and answers that cannot be used. */
type ModelErrorType = keyof typeof MODEL_ERROR_TEXTS;

/**
 * What Dify refuses or fails in. A kind that is in the lists above too means the same, with Dify's own title and
 * remedy.
 */
export type DifyErrorType = keyof typeof DIFY_ERROR_TEXTS;

export type ErrorType = NetworkErrorType | ModelErrorType | DifyErrorType;

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
export function isConnectionError(kind: ErrorType): boolean {
	return CONNECTION_ERRORS.has(kind);
}

/** Failures of what was asked for, such as a value, an ID or a file. Whoever asks can mend them. */
const REQUEST_ERRORS: ReadonlySet<ErrorType> = new Set([
	'invalidInput',
	'badRequest',
	'promptTooLong',
	'kvCacheFull',
	'modalityUnsupported',
	'fileUnreadable',
	'modelNotFound',
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

export function isRequestError(kind: ErrorType): boolean {
	return REQUEST_ERRORS.has(kind);
}

/** Failures after which the same request may be sent again: the server did not start on it. */
const RETRYABLE_ERRORS: ReadonlySet<ErrorType> = new Set([
	'connectionRefused',
	'modelLoading',
	'busy',
]);

export function isRetryable(kind: ErrorType): boolean {
	return RETRYABLE_ERRORS.has(kind);
}
