/** Errors from the messages of Dify. */
import type { ErrorContext, ErrorOverrides } from '../errors/create-error';
import type { DifyErrorType } from '../errors/error-types';
import { createServerError } from '../errors/create-error';
import type { ServerError } from '../errors/server-error';
import { toTitle } from '../errors/message-title';
import { isStatusPhrase } from '../errors/status-phrase';
import { findSuggestion } from './error-texts';
import type { DifyErrorBody } from './error-types';
import { toReadableText } from './readable-text';

/** What a message of Dify says, and where it comes from. */
interface MessageErrorOptions {
	type: DifyErrorType;
	/** The message with its code. */
	body: DifyErrorBody;
	context: Partial<ErrorContext>;
	/** Type of the node that failed, if it is known. */
	nodeType?: string;
	/** What else is known. The `detail` takes the place of the message. */
	overrides: ErrorOverrides;
}

/** An error whose title is Dify's message; without one, that of its type. */
export function createMessageError({
	type,
	body: { code, message = '' },
	context,
	nodeType,
	overrides: { about, ...overrides },
}: MessageErrorOptions): ServerError {
	const serverText = toReadableText(message, context.secrets);
	const title = toTitle(serverText);
	const isEmpty = title === '';
	const hasWords = !isStatusPhrase(serverText);
	const suggestion = findSuggestion({ code, nodeType });
	return createServerError(type, context, {
		...overrides,
		about: { ...about, isEmpty },
		code,
		serverText: hasWords ? serverText : undefined,
		...(!isEmpty && { title, isServerText: true, detail: serverText }),
		...(suggestion !== undefined && { suggestion }),
		...(overrides.detail !== undefined && { detail: overrides.detail }),
	});
}
