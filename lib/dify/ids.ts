/** IDs and users, checked before Dify gets them. */
import { getErrorText } from '../errors/error-types';
import { isUnset } from '../values/records';
import { toText, truncate } from '../values/text';
import { createLocalError, createParamError } from './create-error';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** Dify's database column is 255 characters wide; a longer value would be a 500 (docs/protocols/dify.md 1.4). */
const MAX_USER_LENGTH = 255;

/** Characters of a value in an error. */
const MAX_QUOTED_LENGTH = 100;

interface UuidOptions {
	/** What to do if there is none. */
	emptySuggestion?: string;
}

/**
 * Parses an ID for a path. Dify returns an HTML page for invalid IDs (docs/protocols/dify.md 6.3), so it is checked
 * here.
 *
 * @param label name of the ID in errors, for example "message ID"
 * @throws {ServerError} of type `invalidId`
 */
export function parseUuid(
	value: unknown,
	label: string,
	{ emptySuggestion }: UuidOptions = {},
): string {
	const id = typeof value === 'string' ? value.trim() : '';
	if (UUID.test(id)) return id.toLowerCase();
	if (isBlank(value))
		throw createLocalError('invalidId', {
			title: `The ${label} is empty`,
			suggestion: emptySuggestion,
			field: label,
			inputProblem: 'empty',
		});
	throw createLocalError('invalidId', {
		title: `The ${label} is not valid: ${truncate(JSON.stringify(value), MAX_QUOTED_LENGTH)}`,
		suggestion: getErrorText('invalidId').suggestion,
		field: label,
		inputProblem: 'wrong',
	});
}

/** Like `parseUuid`, but undefined if blank: Dify then starts a new conversation (docs/protocols/dify.md 2.1). */
export function parseOptionalUuid(value: unknown, label: string): string | undefined {
	return isBlank(value) ? undefined : parseUuid(value, label);
}

function isBlank(value: unknown) {
	return isUnset(typeof value === 'string' ? value.trim() : value);
}

/**
 * The user that conversations, messages and files belong to. Upload, run, stop and feedback must use the same value, so
 * it is never modified.
 *
 * @throws {ServerError} of type `missingUser`
 */
export function parseUser(value: unknown): string {
	const user = typeof value === 'number' && Number.isFinite(value) ? String(value) : value;
	if (isBlank(user))
		throw createLocalError('missingUser', {
			title: 'The user is empty',
			field: 'user',
			inputProblem: 'empty',
		});
	if (typeof user !== 'string') {
		throw createLocalError('missingUser', {
			title: `The user must be a string or a number, but is ${toText(user).slice(0, 100)}`,
			field: 'user',
			inputProblem: 'wrong',
		});
	}
	const isTooLong = user.length > 2 * MAX_USER_LENGTH || [...user].length > MAX_USER_LENGTH;
	if (isTooLong) {
		throw createParamError({
			title: `The user is longer than ${MAX_USER_LENGTH} characters`,
			suggestion: 'Use a shorter value, such as an ID.',
			field: 'user',
			inputProblem: 'wrong',
		});
	}
	return user;
}

/**
 * Checks a trace ID: Dify silently ignores an invalid one (docs/protocols/dify.md 1.1).
 *
 * @returns undefined if there is none
 * @throws {ServerError} of type `invalidParam`
 */
export function parseTraceId(value: unknown): string | undefined {
	if (isUnset(value)) return undefined;
	const id = String(value).trim();
	if (/^[\w-]{1,128}$/.test(id)) return id;
	throw createParamError({
		title: 'The trace ID is not valid',
		field: 'trace ID',
		inputProblem: 'wrong',
		suggestion: 'A trace ID consists of 1 to 128 letters, digits, hyphens and underscores.',
	});
}
