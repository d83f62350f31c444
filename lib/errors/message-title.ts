/** A title that is made of a server message. */
import { toPlainText } from '../values/safe-text';
import { truncate, withoutEnds } from '../values/text';

/** Longest title, in characters. */
const MAX_TITLE_LENGTH = 120;

/** What gateways and clients put before the upstream server's message: LiteLLM, OpenAI's client, gRPC. */
const WRAPPERS =
	/^(?:(?:[a-z]\w*\.)*\w+(?:Error|Exception)(?::| -) *|Error code: \d{3} - *|rpc error: code = \w+ desc = *|\[json\.exception\.[\w.]+\] *|(?:Internal |Value )?error: *)+/i;

/** The value that pydantic and LiteLLM repeat from the request. */
const REPEATED_INPUT =
	/\[type=.*$|(?:\binput_value=|["'`]input["'`]: |\breceived: |\bfor more information\b).*$/is;

/** The first issue of pydantic in Python's notation, which vLLM sends as a text: its place, and what it says. */
const PYTHON_ISSUE =
	/^\[?\{['"](?:type|loc)['"]: .{0,200}?(?:['"]loc['"]: ?)?[([]([^()[\]]{1,200})[)\]], ?['"]msg['"]: ?(?:'([^'\n]{1,300})'|"([^"\n]{1,300})").*$/s;

const MARKUP = /<[^<>]{0,200}>/g;

const ADDRESS =
	/\b[a-z][a-z0-9+.-]{0,20}:\/\/[^\s"'<>)]{1,2000}|\b(?:\d{1,3}\.){3}\d{1,3}(?::\d{1,5})?\b|\b(?:localhost|[a-z0-9-]{1,63}\.[a-z0-9.-]{1,200}):\d{2,5}\b|(?<![\w./])\/(?:[\w.-]{1,100}\/){1,20}[\w.-]{0,100}/gi;

/** Not inside `llama3.2` or `10.0.0.5`. */
export const END_OF_SENTENCE = /[.!?](?=\s+\p{Lu})/u;

/**
 * The first sentence of a server message, without wrappers, repeated input, addresses, paths and markup; empty if
 * nothing is left.
 */
export function toTitle(serverText: string): string {
	const text = findParagraph(toPlainText(serverText.slice(0, 4_000)))
		.replace(/\s+/g, ' ')
		.trim()
		.replace(WRAPPERS, '')
		.replace(PYTHON_ISSUE, describePythonIssue)
		.replace(REPEATED_INPUT, '')
		.replace(MARKUP, ' ')
		.replace(ADDRESS, '…');
	const end = END_OF_SENTENCE.exec(text)?.index ?? text.length;
	const sentence = withoutEnds(text.slice(0, end).replace(/\s+/g, ' '), /[\s,]/, /[.:,;\s]/);
	return truncate(sentence, MAX_TITLE_LENGTH);
}

/** @param match - The text, its place, and the message in either kind of quotation marks. */
function describePythonIssue(...match: readonly (string | undefined)[]): string {
	const [, place = '', single, double] = match;
	const names = Array.from(place.matchAll(/[\w.-]+/g), ([name]) => name).filter(
		(name) => name !== 'body',
	);
	return [names.join('.'), single ?? double ?? ''].filter((part) => part !== '').join(': ');
}

/** The first paragraph with a word: gateways add others about themselves. */
function findParagraph(text: string) {
	return text.split(/\n\s*\n/).find((paragraph) => /[\p{L}\p{N}]/u.test(paragraph)) ?? '';
}
