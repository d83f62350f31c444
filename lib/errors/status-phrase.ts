/** Texts that only name a status: a server that sends one of them has written nothing about the error. */
import { withoutEnds } from '../values/text';

/** RFC 9110, and those of proxies. In lower case. */
const PHRASES: ReadonlySet<string> = new Set([
	'',
	'error',
	'unknown error',
	'bad request',
	'unauthorized',
	'payment required',
	'forbidden',
	'not found',
	'method not allowed',
	'not acceptable',
	'request timeout',
	'conflict',
	'gone',
	'length required',
	'payload too large',
	'content too large',
	'request entity too large',
	'unsupported media type',
	'unprocessable entity',
	'unprocessable content',
	'failed dependency',
	'too many requests',
	'internal server error',
	'internal error',
	'server error',
	'not implemented',
	'bad gateway',
	'service unavailable',
	'service temporarily unavailable',
	'gateway timeout',
	'gateway time-out',
	'null',
]);

/** What names a status with its number, or what was not found: "404 page not found", "HTTP/1.1 502", "File Not Found". */
const SURROUNDINGS =
	/^(?:http(?:\/\d(?:\.\d)?)?\s)?(?:error\s)?(?:(?:status|code)[ :]{1,2}){0,2}[1-5]?\d{0,2}[\s:,-]{0,4}(?:(?:the )?(?:requested )?(?:file|page|path|route|endpoint|resource|url)\s(?=not found))?/i;

/** Where nothing was found: "File Not Found (/v1/models)". */
const PLACE = / \((?:\/\S*|…)\)$/;

/**
 * Whether a text is nothing but the phrase of a status, with or without its number.
 *
 * @param text - Of any length.
 */
export function isStatusPhrase(text: string): boolean {
	const trimmed = text.slice(0, MAX_PHRASE_LENGTH + 1).trim();
	if (trimmed.length > MAX_PHRASE_LENGTH) return false;
	const phrase = withoutEnds(
		trimmed.replace(SURROUNDINGS, '').replace(PLACE, ''),
		/[[({"']/,
		/[\s.!()[\]{}"']/,
	);
	return PHRASES.has(phrase.toLowerCase());
}

/** Characters. */
const MAX_PHRASE_LENGTH = 60;

const LEADING_PHRASE = new RegExp(
	`^(?:\\d{3}[ :-]{1,3}(?:${joinPhrases()})[\\s:.,-]+|(?:${joinPhrases()}): *)(?=\\S)`,
	'i',
);

function joinPhrases() {
	return [...PHRASES].filter((phrase) => phrase.includes(' ')).join('|');
}

/** A text without the phrase of a status in front of what it says: "500 Internal Server Error the disk is full". */
export function withoutStatusPhrase(text: string): string {
	return text.replace(LEADING_PHRASE, '');
}
