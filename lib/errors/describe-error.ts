import { ServerError } from './server-error';
import { getErrorMessage, toPlainText } from '../values';

/** Characters of the server message: more would hide the suggestion. */
const MAX_QUOTED_TEXT = 500;

/**
 * The full text of an error: what happened and where, the suggestion, the server message. n8n's chat shows only the
 * description of a failed node, so one text has to contain all of it.
 *
 * @param displayedUrl how the address is shown; default: the URL without user, password and query. Empty: not shown
 */
export function describeError(
	{ detail, suggestion, serverText = '', url }: ServerError,
	displayedUrl: string = url === undefined ? '' : toDisplayUrl(url),
): string {
	const location = displayedUrl === '' ? '' : ` (${displayedUrl})`;
	const text = `${detail} ${suggestion}`;
	const parts = [withPeriod(detail.replace(/\.$/, '') + location), suggestion];
	if (!text.includes(serverText))
		parts.push(`Server message: "${serverText.slice(0, MAX_QUOTED_TEXT)}"`);
	return toPlainText(parts.filter((part) => part !== '').join(' '));
}

/** An error as shown to the visitor of a chat, who must not see the server's address. */
export function toChatMessage(error: unknown): string {
	if (error instanceof ServerError) return describeError(error, '');
	return getErrorMessage(error);
}

function withPeriod(sentence: string): string {
	return /[.!?…:]["')”]?$/.test(sentence) ? sentence : `${sentence}.`;
}

/** A URL as it can be shown: without user, password and query. */
function toDisplayUrl(url: string): string {
	return url.replace(/[?#].*/s, '').replace(/^([a-z][a-z0-9+.-]*:\/\/)[^/]*@/i, '$1');
}
