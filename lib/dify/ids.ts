import { toText } from '../values';
import { createParamError, createLocalError } from './errors';
import { createInputError } from '../errors/server-error';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** Dify's database column is 255 characters wide; a longer value would be a 500 (docs/protocols/dify.md 1.4). */
const MAX_USER_LENGTH = 255;

/**
 * Parses an ID for a path. Dify returns an HTML page for invalid IDs (docs/protocols/dify.md 6.3), so it is checked here.
 *
 * @param label name of the ID in errors, for example "message ID"
 * @throws {ServerError} of type `invalidId`
 */
export function parseUuid(value: unknown, label: string): string {
	const id = typeof value === 'string' ? value.trim() : '';
	if (UUID.test(id)) return id.toLowerCase();
	if (id === '') throw createLocalError('invalidId', `The ${label} is empty`);
	throw createLocalError(
		'invalidId',
		`The ${label} is not valid: ${JSON.stringify(value).slice(0, 100)}`,
	);
}

/** Like `parseUuid`, but undefined if blank: Dify then starts a new conversation (docs/protocols/dify.md 2.1). */
export function parseOptionalUuid(value: unknown, label: string): string | undefined {
	return isBlank(value) ? undefined : parseUuid(value, label);
}

function isBlank(value: unknown) {
	if (value === undefined || value === null) return true;
	return typeof value === 'string' && value.trim() === '';
}

/**
 * The user that conversations, messages and files belong to. Upload, run, stop and feedback must use the same value, so
 * it is never modified.
 *
 * @throws {ServerError} of type `missingUser`
 */
export function parseUser(value: unknown): string {
	const user = typeof value === 'number' && Number.isFinite(value) ? String(value) : value;
	if (isBlank(user)) throw createLocalError('missingUser', 'The user is empty');
	if (typeof user !== 'string')
		throw createLocalError(
			'missingUser',
			`The user must be a string or a number, but is ${toText(user).slice(0, 100)}`,
		);
	const isTooLong = user.length > 2 * MAX_USER_LENGTH || [...user].length > MAX_USER_LENGTH;
	if (isTooLong)
		throw createParamError(
			`The user is longer than ${MAX_USER_LENGTH} characters`,
			'Use a shorter value, such as an ID.',
		);
	return user;
}

/**
 * Checks a trace ID: Dify silently ignores an invalid one (docs/protocols/dify.md 1.1).
 *
 * @throws {ServerError} of type `invalidParam`
 */
export function parseTraceId(value: unknown): string | undefined {
	if (value === undefined || value === null || value === '') return undefined;
	const id = String(value).trim();
	if (/^[\w-]{1,128}$/.test(id)) return id;
	throw createParamError(
		'The trace ID is not valid',
		'A trace ID consists of 1 to 128 letters, digits, hyphens and underscores.',
	);
}

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
