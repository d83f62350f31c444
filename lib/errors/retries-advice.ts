/** Advice to raise the option Retries, which only some operations have. */
import type { ServerError } from './server-error';

/** @param retries - The option; 0 also for operations without it. */
export function withRetriesAdvice(error: ServerError, retries: number): ServerError {
	return retries > 0 && error.type === 'busy'
		? error.withSuggestion(`${error.suggestion} Or raise Retries.`)
		: error;
}
