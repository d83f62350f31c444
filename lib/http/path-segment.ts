import { createInputError } from '../errors/create-error';

/**
 * Encodes an untrusted value as one path segment. Dots alone would lead to another route, since URLs resolve them, also
 * as `%2e` (WHATWG URL, "double-dot URL path segment").
 *
 * @throws {ServerError} of type `invalidInput` for `.` and `..`
 */
export function encodePathSegment(value: string): string {
	if (/^\.{1,2}$/.test(value))
		throw createInputError(
			`"${value}" is not a valid ID or name`,
			'Check the expression or the value in the field.',
		);
	return encodeURIComponent(value.toWellFormed());
}
