/** An error in a stream without a request, as nodes get it. */
import { classifyErrorResponse, toStreamError } from '../../../lib/errors/classify-error';
import type { ErrorContext } from '../../../lib/errors/create-error';
import type { ServerError } from '../../../lib/errors/server-error';

/**
 * @param body - What the server reported.
 * @param context - Default: none.
 */
export function errorInStream(body: string, context: Partial<ErrorContext> = {}): ServerError {
	return toStreamError(classifyErrorResponse({ status: 200, body }, context), context);
}
