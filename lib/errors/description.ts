import { ServerError } from './server-error';
import { messageOf, plainText } from '../values';

/** Characters of the server's own text: more would hide what to do. */
const MAX_SHOWN = 500;

/**
 * The whole text of a failure: what happened and where, what to do, what the server said. n8n's chat shows the
 * description of a failed node and nothing else, so one text has to hold all of it.
 *
 * @param where how the address is shown; default: the URL without user, password and query. Empty: not shown
 */
export function describe(
	{ meaning, remedy, serverText, url }: ServerError,
	where: string = url === undefined ? '' : displayUrl(url),
): string {
	const place = where === '' ? '' : ` (${where})`;
	const known = `${meaning} ${remedy}`;
	const parts = [withFullStop(meaning.replace(/\.$/, '') + place), remedy];
	const text = readableText(serverText ?? '');
	if (!known.includes(text)) parts.push(`The server says: "${text.slice(0, MAX_SHOWN)}"`);
	return plainText(parts.filter((part) => part !== '').join(' '));
}

/** A failure as shown to the visitor of a chat, who must not see the server's address. */
export function chatText(error: unknown): string {
	if (error instanceof ServerError) return describe(error, '');
	return messageOf(error);
}

function withFullStop(sentence: string): string {
	return /[.!?…:]["')”]?$/.test(sentence) ? sentence : `${sentence}.`;
}

/** A URL as it can be shown: without user, password and query. */
function displayUrl(url: string): string {
	return url.replace(/[?#].*$/s, '').replace(/^([a-z][a-z0-9+.-]*:\/\/)[^/]*@/i, '$1');
}

/** Share of such characters from which on a text counts as binary data. */
const MAX_NOISE = 0.05;
/** Nobody reads more, and patterns on a megabyte would block n8n. */
const MAX_READ = 4_000;
/** A server's text as it can be shown: nothing of binary data. Of a page, `classify` keeps the text only. */
function readableText(serverText: string): string {
	const start = serverText.slice(0, MAX_READ);
	const odd = start.match(/[^\P{Cc}\t\n\v\f\r]|\ufffd/gu)?.length ?? 0;
	return odd > start.length * MAX_NOISE ? '' : serverText;
}
