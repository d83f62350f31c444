import { ServerError } from '../../../lib/errors/server-error';

/** The error of a promise that has to fail with one of this class. */
export async function getError<E extends Error = ServerError>(
	promise: Promise<unknown>,
	ErrorClass: abstract new (...args: never[]) => Error = ServerError,
): Promise<E> {
	const value = await promise.catch((error: unknown) => {
		if (error instanceof ErrorClass) return error;
		throw error;
	});
	if (value instanceof ErrorClass) return value as E;
	throw new Error(`Did not fail, but gave ${JSON.stringify(value)}`);
}
