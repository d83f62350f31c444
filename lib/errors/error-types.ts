/** Types of errors, what they have in common, and their texts. */
import { DIFY_ERRORS, DIFY_VARIANTS } from './rows/dify';
import type { KnownFacts } from './facts';
import type { DifyVariant, ErrorCause, ErrorHealth, ErrorRow, ErrorText } from './rows/error-row';
import { toErrorText } from './rows/error-row';
import { GATEWAY_ERRORS } from './rows/gateway';
import { MODEL_ERRORS } from './rows/model';
import { NETWORK_ERRORS } from './rows/network';

/** Errors of Dify. A type that other servers have as well means the same, with a title and suggestion for Dify. */
export type DifyErrorType = keyof typeof DIFY_ERRORS | keyof typeof DIFY_VARIANTS;

/**
 * Error types: one list for all servers, used by error items, Server Health and the code. Each type is a row of the
 * tables in `rows/`, which have its texts and what it means.
 */
export type ErrorType =
	| keyof typeof NETWORK_ERRORS
	| keyof typeof GATEWAY_ERRORS
	| keyof typeof MODEL_ERRORS
	| keyof typeof DIFY_ERRORS;

const ROWS: Readonly<Record<ErrorType, ErrorRow>> = {
	...NETWORK_ERRORS,
	...GATEWAY_ERRORS,
	...MODEL_ERRORS,
	...DIFY_ERRORS,
};

const VARIANTS: Readonly<Partial<Record<ErrorType, DifyVariant>>> = DIFY_VARIANTS;

/** All error types. */
export const ERROR_TYPES: readonly ErrorType[] = Object.keys(ROWS) as ErrorType[];

/** A test for some error types. */
export function isOneOf(...types: readonly ErrorType[]): (type: ErrorType) => boolean {
	return (type) => types.includes(type);
}

function hasCause(...causes: readonly ErrorCause[]) {
	return (type: ErrorType) => causes.includes(ROWS[type].cause);
}

/** Whether no connection was made, so that another request would fail in the same way. */
export const isConnectionError: (type: ErrorType) => boolean = hasCause('connection');

/** Whether a connection ended before the response was complete. */
export const isClosedConnection: (type: ErrorType) => boolean = isOneOf(
	'closedBeforeResponse',
	'connectionLost',
	'streamEndedEarly',
);

/** Errors in the request, such as a value, an ID or a file, which the caller can correct. */
export const isRequestError: (type: ErrorType) => boolean = hasCause('request', 'unknownRequest');

/** Errors of a server that nothing explains but its own message. */
export const isUnknownError: (type: ErrorType) => boolean = hasCause('unknown', 'unknownRequest');

/** Errors after which the same request may be sent again: the server did not start it. */
export const isRetryable: (type: ErrorType) => boolean = isOneOf(
	'busy',
	'connectionRefused',
	'modelLoading',
);

/**
 * The status of a server after this error.
 *
 * @param service - `dify`: as the rows for Dify say.
 */
export function getHealthStatus(type: ErrorType, service?: 'dify'): ErrorHealth {
	return getRow(type, service).health;
}

/**
 * Title, detail and suggestion of an error type. The nodes' errors, Server Health and the credential tests use the same
 * rows.
 */
export function getErrorText(type: ErrorType, facts: KnownFacts = {}): ErrorText {
	const row = getRow(type, facts.service);
	const suggestion = isDifyCloud(facts) ? (row.onCloud ?? row.suggestion) : row.suggestion;
	return toErrorText({ ...row, suggestion }, facts);
}

/** Whether an error is that of Dify Cloud, whose containers, logs and settings users cannot reach. */
export function isDifyCloud({ service, host = '' }: KnownFacts): boolean {
	return service === 'dify' && /(?:^|\.)dify\.ai$/i.test(host);
}

function getRow(type: ErrorType, service: 'dify' | undefined): ErrorRow {
	return service === 'dify' ? { ...ROWS[type], ...VARIANTS[type] } : ROWS[type];
}
