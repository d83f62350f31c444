import type { ServerError } from '../../lib/errors/server-error';

/** The error of a promise that has to fail. */
export async function getError<E extends Error = ServerError>(
	promise: Promise<unknown>,
): Promise<E> {
	const outcome = await promise.then(
		(value) => ({ value }),
		(error: E) => ({ error }),
	);
	if ('error' in outcome) return outcome.error;
	throw new Error(`Did not fail, but gave ${JSON.stringify(outcome.value)}`);
}
