import { readable } from './exchange';
import { ServerError } from './server-error';
import { messageOf } from '../values';

/** Enough for what a server says about an error; more hides what to do. */
const MAX_SAID = 500;

/**
 * The whole text of a failure: what happened and where, what to do, what the server said. n8n's chat shows the
 * description of a failed node and nothing else, so all of it has to stand in one text.
 *
 * @param where how the address is named; default: the URL without user, password and query. Empty: not at all
 */
export function describe(
	{ meaning, remedy, serverText, url }: ServerError,
	where: string = url === undefined ? '' : plainUrl(url),
): string {
	const place = where === '' ? '' : ` (${where})`;
	const known = `${meaning} ${remedy}`;
	const text = readable(serverText ?? '');
	const said = text !== '' && !known.includes(text) ? `The server says: "${text.slice(0, MAX_SAID)}"` : '';
	return [ended(`${meaning.replace(/\.$/, '')}${place}`), remedy, said].filter((part) => part !== '').join(' ');
}

/** A failure as the visitor of a chat reads it: the server's address is no business of visitors. */
export function chatText(error: unknown): string {
	if (error instanceof ServerError) return describe(error, '');
	return messageOf(error);
}

/** A sentence with its full stop. */
function ended(sentence: string): string {
	return /[.!?…:]["')”]?$/.test(sentence) ? sentence : `${sentence}.`;
}

/** A URL without what does not belong on a screen: user, password, query. */
export function plainUrl(url: string): string {
	return url.replace(/[?#].*$/s, '').replace(/^([a-z][a-z0-9+.-]*:\/\/)[^/]*@/i, '$1');
}
