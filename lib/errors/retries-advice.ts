/** Advice to raise the option Retries, which only some operations have. */
import type { ErrorType } from './error-types';
import { isOneOf } from './error-types';
import type { ServerError } from './server-error';

const mayEndSoon: (type: ErrorType) => boolean = isOneOf('busy', 'modelUnreachable');

/** @param retries - The option; 0 also for operations without it. */
export function withRetriesAdvice(error: ServerError, retries: number): ServerError {
	return retries > 0 && mayEndSoon(error.type)
		? error.withSuggestion(`${error.suggestion} Or raise Retries.`)
		: error;
}
