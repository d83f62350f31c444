/** Errors from Dify's error responses. */
import { parseRetryAfter } from '../errors/retry-after';
import type { ErrorContext } from '../errors/create-error';
import type { ServerError } from '../errors/server-error';
import { createServerError } from '../errors/create-error';
import type { ErrorResponse } from '../http/types';
import { isRecord, asNonEmptyString, asString, omitUndefined } from '../values/records';
import { parseJson } from '../values/json';
import { asFiniteNumber } from '../values/numbers';
import type { DifyErrorBody } from './error-types';
import { toErrorType } from './error-types';
import { createMessageError } from './message-error';

/** The error body; undefined if it is not one. */
export function parseErrorBody(json: unknown): DifyErrorBody | undefined {
	if (!isRecord(json)) return undefined;
	const code = asString(json.code);
	const message = asString(json.message);
	if (code === undefined || message === undefined) return undefined;
	const param = asNonEmptyString(json.params) ?? findOnlyPlace(message);
	return omitUndefined({ code, message, status: asFiniteNumber(json.status), param });
}

/** A line of nothing but a place, before the indented line that says what is wrong with it (docs/protocols/dify.md 6.2). */
const PLACE_OF_ISSUE = /\n([\w.]{1,200})\n {2}(?=\S)/g;

/** What the only issue in a text of pydantic is about. */
function findOnlyPlace(message: string): string | undefined {
	const [first, ...others] = Array.from(message.matchAll(PLACE_OF_ISSUE), ([, place]) => place);
	return others.length === 0 ? first : undefined;
}

const STARTS_RUN = /\/(?:chat-messages|completion-messages|workflows\/(?:[^/]+\/)?run)$/;

/** The error of an error response, even with status 200; undefined if the body is not Dify's. */
export function toDifyResponseError(
	{ status, url, headers, text: body }: ErrorResponse,
	context: ErrorContext,
): ServerError | undefined {
	const errorBody = parseErrorBody(parseJson(body));
	// Dify's web server returns a page if the API crashed.
	if (errorBody === undefined && status === 500) {
		return createServerError('serverError', context, { status });
	}
	if (errorBody === undefined) return undefined;
	const errorStatus = status >= 400 ? status : (errorBody.status ?? status);
	return createMessageError({
		type: toErrorType(errorBody, { status: errorStatus, url }),
		body: errorBody,
		context,
		overrides: {
			status: errorStatus,
			facts: {
				difyVersion: headers['x-version'],
				param: errorBody.param,
				retryAfterMs: parseRetryAfter(headers['retry-after']),
			},
			about: {
				status: errorStatus,
				isRunStart: STARTS_RUN.test(new URL(url).pathname),
				isChatMessage: url.endsWith('/chat-messages'),
				isKnowledge: /\/datasets\//.test(new URL(url).pathname),
			},
		},
	});
}
