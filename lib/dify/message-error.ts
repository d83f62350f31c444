/** Errors from the messages of Dify. */
import type { ErrorContext, ErrorOverrides } from '../errors/create-error';
import type { DifyErrorType } from '../errors/error-types';
import { createServerError } from '../errors/create-error';
import type { ServerError } from '../errors/server-error';
import { toTitle } from '../errors/message-title';
import { isStatusPhrase } from '../errors/status-phrase';
import type { DifyErrorBody } from './error-types';
import { toReadableText } from './readable-text';

/** What a message of Dify says, and where it comes from. */
interface MessageErrorOptions {
	type: DifyErrorType;
	/** The message with its code. */
	body: DifyErrorBody;
	context: Partial<ErrorContext>;
	/** What else is known. */
	overrides: ErrorOverrides;
}

/** An error whose title is Dify's message; without one, that of its type. */
export function createMessageError({
	type,
	body: { code, message = '' },
	context,
	overrides: { about, ...overrides },
}: MessageErrorOptions): ServerError {
	const serverText = toReadableText(message, context.secrets);
	const title = toTitle(serverText);
	const isEmpty = title === '';
	const hasWords = !isStatusPhrase(serverText);
	return createServerError(type, context, {
		...overrides,
		about: { ...about, isEmpty, difyCode: code },
		code,
		serverText: hasWords ? serverText : undefined,
		sentence: title || undefined,
	});
}
