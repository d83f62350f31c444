/** The error of a completion that cannot be used. */
import { toStreamError } from '../../errors/classify-error';
import type { ServerError } from '../../errors/server-error';
import type { ErrorContext, ErrorOverrides } from '../../errors/create-error';
import { createServerError } from '../../errors/create-error';
import type { CompletionFailure } from '../completion';

/** Where a completion comes from. */
export interface CompletionSource {
	errorContext: ErrorContext;
	/** The error that a body means which the server reported in its response. */
	toError(body: string, isAfterOutput?: boolean): ServerError;
}

/** The error of a completion that cannot be used. */
export function createCompletionError(
	failure: CompletionFailure,
	{ errorContext, toError }: CompletionSource,
	overrides: ErrorOverrides = {},
): ServerError {
	if (failure.errorEvent !== undefined)
		return toStreamError(toError(failure.errorEvent, failure.isAfterOutput), errorContext);
	const { errorType, about, serverText, facts } = failure;
	// An event that begins like JSON, or a document.
	const isBrokenJson = errorType === 'invalidResponse' || undefined;
	const details = { about, serverText, facts, isBrokenJson };
	return createServerError(errorType, errorContext, { ...details, ...overrides });
}
