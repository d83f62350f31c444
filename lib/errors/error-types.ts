/** Types of errors, what they have in common, and their texts. */
import { DIFY_ERROR_TEXTS } from './texts/dify';
import { MODEL_ERROR_TEXTS } from './texts/model';
import { NETWORK_ERROR_TEXTS } from './texts/network';
import type { ErrorText, ErrorTextParams, ErrorTextSource } from './texts/error-text';
import { toErrorText } from './texts/error-text';

/** Errors of Dify. A type that other servers have as well means the same, with a title and suggestion for Dify. */
export type DifyErrorType = keyof typeof DIFY_ERROR_TEXTS;

/**
 * Error types: one list for all servers, used by error items, Server Health and the code. Each type is a row of the
 * tables in `texts/`, which have its title, detail and suggestion.
 */
export type ErrorType =
	| keyof typeof NETWORK_ERROR_TEXTS
	| keyof typeof MODEL_ERROR_TEXTS
	| DifyErrorType;

/** A test for some error types. */
export function isOneOf(...types: readonly ErrorType[]) {
	return (type: ErrorType): boolean => types.includes(type);
}

/** Whether no connection was made, so that another request would fail in the same way. */
export const isConnectionError: (type: ErrorType) => boolean = isOneOf(
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
export const isRequestError: (type: ErrorType) => boolean = isOneOf(
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
export const isUnknownError: (type: ErrorType) => boolean = isOneOf(
	'badRequest',
	'serverError',
	'streamError',
);

/** Errors after which the same request may be sent again: the server did not start it. */
export const isRetryable: (type: ErrorType) => boolean = isOneOf(
	'connectionRefused',
	'modelLoading',
	'modelUnreachable',
	'busy',
);

const TEXTS: Readonly<Record<ErrorType, ErrorTextSource>> = {
	...DIFY_ERROR_TEXTS,
	...MODEL_ERROR_TEXTS,
	...NETWORK_ERROR_TEXTS,
};

const TEXTS_FOR_DIFY = { ...TEXTS, ...DIFY_ERROR_TEXTS };

/**
 * Title, detail and suggestion of an error type. The nodes' errors, Server Health and the credential tests use the same
 * rows.
 */
export function getErrorText(type: ErrorType, facts: ErrorTextParams = {}): ErrorText {
	const texts = facts.service === 'dify' ? TEXTS_FOR_DIFY : TEXTS;
	return toErrorText(texts[type], facts);
}
