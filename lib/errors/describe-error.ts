import { ServerError } from './server-error';
import { getErrorMessage, toPlainText } from '../values';

/** Characters of the server's own text: more would hide what to do. */
const MAX_SHOWN = 500;

/**
 * The whole text of a failure: what happened and where, what to do, what the server said. n8n's chat shows the
 * description of a failed node and nothing else, so one text has to hold all of it.
 *
 * @param where how the address is shown; default: the URL without user, password and query. Empty: not shown
 */
export function describeError(
	{ detail, suggestion, serverText = '', url }: ServerError,
	where: string = url === undefined ? '' : displayUrl(url),
): string {
	const place = where === '' ? '' : ` (${where})`;
	const known = `${detail} ${suggestion}`;
	const parts = [withFullStop(detail.replace(/\.$/, '') + place), suggestion];
	if (!known.includes(serverText))
		parts.push(`Server message: "${serverText.slice(0, MAX_SHOWN)}"`);
	return toPlainText(parts.filter((part) => part !== '').join(' '));
}

/** A failure as shown to the visitor of a chat, who must not see the server's address. */
export function toChatMessage(error: unknown): string {
	if (error instanceof ServerError) return describeError(error, '');
	return getErrorMessage(error);
}

function withFullStop(sentence: string): string {
	return /[.!?…:]["')”]?$/.test(sentence) ? sentence : `${sentence}.`;
}

/** A URL as it can be shown: without user, password and query. */
function displayUrl(url: string): string {
	return url.replace(/[?#].*$/s, '').replace(/^([a-z][a-z0-9+.-]*:\/\/)[^/]*@/i, '$1');
}
