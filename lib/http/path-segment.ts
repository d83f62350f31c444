import { createInputError } from '../errors/create-error';

/**
 * A value from outside as one segment of a path. One of dots would lead to another route, since URLs resolve it, also as
 * `%2e` (WHATWG URL, "double-dot URL path segment").
 *
 * @throws {ServerError} of kind `invalidInput` for `.` and `..`
 */
export function encodePathSegment(value: string): string {
	if (/^\.{1,2}$/.test(value))
		throw createInputError(
			`"${value}" is not a valid ID or name`,
			'Check the expression or the value in the field.',
		);
	return encodeURIComponent(value.toWellFormed());
}
