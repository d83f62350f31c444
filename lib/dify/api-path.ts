/** Paths of Dify's API, from values that an agent may supply. */
import { createInputError } from '../errors/create-error';
import { truncate } from '../values/text';
import { parseUuid } from './ids';

/** A path segment that is not a UUID: a batch, a token, a model type. */
export class PathSegment {
	constructor(readonly value: string) {}
}

/**
 * Builds a path from UUIDs and encoded `PathSegment`s. An agent may supply them, and dots would lead to another route:
 * with `..` as a document ID, Dify deleted the knowledge base.
 *
 * @throws {ServerError} of type `invalidId` or `invalidInput`
 */
export function apiPath(
	parts: TemplateStringsArray,
	...values: ReadonlyArray<string | PathSegment>
): string {
	const encoded = values.map((value) =>
		value instanceof PathSegment
			? encodePathSegment(value.value)
			: parseUuid(value, 'ID in the path'),
	);
	return String.raw({ raw: parts }, ...encoded);
}

/** Characters: far more than any ID or name of Dify has, and a URL with more is a 414 or 431 without a reason. */
const MAX_SEGMENT_LENGTH = 1_000;

/** Characters of a value in an error. */
const MAX_QUOTED_LENGTH = 100;

/**
 * Encodes an untrusted value as one path segment. Dots alone would lead to another route, since URLs resolve them, also
 * as `%2e` (WHATWG URL, "double-dot URL path segment").
 *
 * @throws {ServerError} of type `invalidInput` for `.` and `..`, and for a text that is no ID or name
 */
export function encodePathSegment(value: string): string {
	if (/^\.{1,2}$/.test(value) || value.length > MAX_SEGMENT_LENGTH) {
		throw createInputError(
			`"${truncate(value, MAX_QUOTED_LENGTH)}" is not a valid ID or name`,
			'Check the expression or the value in the field.',
		);
	}
	return encodeURIComponent(value.toWellFormed());
}
