/** The warning about what a server sent after the end of a complete response. */
import { parseErrorBody } from '../../errors/error-body';
import { toPlainText } from '../../values/safe-text';
import { truncate } from '../../values/text';
import type { IgnoredEnd } from '../completion';

/** Characters of the server message in the warning. */
const MAX_MESSAGE_LENGTH = 200;

/** The warning; undefined if nothing was ignored. */
export function describeIgnoredEnd(ignored: IgnoredEnd | undefined): string | undefined {
	if (ignored === undefined) return undefined;
	if (ignored.event === undefined)
		return 'The server sent data after the complete response that could not be read. The data was ignored.';
	const { message } = parseErrorBody(ignored.event);
	const text = truncate(toPlainText(message).replace(/\s+/g, ' ').trim(), MAX_MESSAGE_LENGTH);
	return `The server reported an error after the complete response, which was ignored: "${text}"`;
}
