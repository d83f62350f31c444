/** A title that is made of a server message: its first sentence. */
import { toPlainText } from '../values/safe-text';
import { truncate, withoutEnds } from '../values/text';
import { isStatusPhrase, withoutStatusPhrase } from './status-phrase';

/** Longest sentence in a title, in characters: with the label of an option, a title stays below 200. */
const MAX_TITLE_LENGTH = 160;

/** Characters of a message that are searched. */
const MAX_SEARCHED_TEXT = 4_000;

/**
 * What programs put before a message, by their form: the name of an exception with a colon or a dash, the code of a client,
 * gRPC's and Echo's fields, the type of an exception in brackets, and a program in brackets with its kind of error.
 */
const WRAPPERS =
	/^(?:(?:[a-z]\w*\.)*\w*(?:Error|Exception)(?:\(\w{1,40}\))?(?::| -) *|\w{0,40}(?: \w{1,40}){0,2} code: \d{3}(?: -|,|:) *|(?:rpc error: )?code ?= ?\w+,? (?:desc|message) ?= ?|\[[a-z]\w*(?:\.\w+)+\] *|\[[\w.-]{1,40}\] (?:\w{1,40} ){0,4}error(?:[:,] *|$)|(?:\w{1,20} )?(?:error|exception): *)+/i;

/** The class of an exception with its module, before the name of another one: `litellm.Timeout: APITimeoutError - `. */
const QUALIFIED_CLASS =
	/^(?:[a-z_]\w{0,60}\.){1,5}[A-Z]\w{0,60}: *(?=\w{0,60}(?:Error|Exception)\b)/;

/** A last line of nothing but settings, which a gateway adds about itself: `model=a. fallbacks=None.` */
const SETTINGS_LINE = /\n\s{0,20}\w{1,60}=\S{1,200}(?:\s{1,3}\w{1,60}=\S{1,200}){0,20}$/;

/** A path or an address before the sentence. */
const LEADING_PLACE = /^…: */;

/** The value that pydantic and LiteLLM repeat from the request. */
const REPEATED_INPUT =
	/\[(?:type=|\w{1,60}=\w{1,60}, input_value=).*$|(?:\binput_value=|["'`]input["'`]: |\breceived: |\bfor more information\b).*$/is;

/** A text in Python's quotation marks. */
const QUOTED = String.raw`(?:'((?:[^'\\\n]|\\.){1,2000})'|"((?:[^"\\\n]|\\.){1,2000})")`;

/** The first issue of pydantic in Python's notation, which vLLM sends as a text: its place, and what it says. */
const PYTHON_ISSUE = new RegExp(
	String.raw`^\[?\{['"](?:type|loc)['"]: .{0,200}?(?:['"]loc['"]: ?)?[([]([^()[\]]{1,200})[)\]], ?['"]msg['"]: ?${QUOTED}.*$`,
	's',
);

/** An error object in Python's notation, as clients print the body of a response. */
const PYTHON_ERROR = new RegExp(String.raw`\{['"](?:error|message|object|detail)['"]: ?`);

const PYTHON_MESSAGE = new RegExp(String.raw`['"](?:message|msg|detail)['"]: ?${QUOTED}`);

/** pydantic's own text: a heading, then a line for the field and an indented one for what is wrong with it. */
const VALIDATION_TEXT = /^\d[^\n]{1,200}\n(\S{1,200})\n {1,8}(\S[^\n]{0,500})/;

/** The last line of a traceback, or of the trace of a template: the exception that ended it. */
const LAST_EXCEPTION = /\n\s{0,20}(?:[a-z]\w*\.)*\w{0,60}(?:Error|Exception): (?=\S)/gi;

/** A tag of markup, or what looks like one: `<nil>`. */
const TAG = /<[^<>]{0,200}>/g;

/** An end tag, and its name. */
const END_TAG = /<\/([a-z][\w:-]{0,40})\s{0,5}>/gi;

/** A start tag, and its name. */
const START_TAG = /<([a-z][\w:-]{0,40})(?=[\s/>])/gi;

/** Where a page begins, which may be cut off before the first end tag. */
const BEGINNING_OF_PAGE = /^\s{0,100}<(?:!doctype|html)\b/i;

const ADDRESS =
	/\b[a-z][a-z0-9+.-]{0,20}:\/\/[^\s"'<>)]{1,2000}(?<![.,])|\b(?:\d{1,3}\.){3}\d{1,3}(?::\d{1,5})?\b|\b(?:localhost|[a-z0-9-]{1,63}\.[a-z0-9.-]{1,200}):\d{2,5}\b|(?<![\w./])\/(?:[\w.-]{1,100}\/){1,20}[\w.-]{0,100}(?<!\.)/gi;

/** Not inside `llama3.2` or `10.0.0.5`. Some scripts have no capitals, some have signs of their own. */
export const END_OF_SENTENCE = /[.!?](?=\s+[\p{Lu}\p{Lo}])|(?![.!?])\p{Sentence_Terminal}/u;

/** A sign at the end of a sentence that a title does not have: also a bracket that opens before what was removed. */
const END_SIGN = /[:,;\s\p{Ps}]|(?![!?])\p{Sentence_Terminal}/u;

/** A kind of error that has a name. */
const NAMED_KIND = /^\w{1,20} (?:error|exception):$/i;

/** Wrappers inside of wrappers. */
const MAX_LAYERS = 5;

/**
 * The first sentence of a server message, without wrappers, repeated input, addresses, paths and markup; empty if
 * nothing is left, or only the phrase of a status.
 */
export function toTitle(serverText: string): string {
	const text = unwrap(serverText.slice(0, MAX_SEARCHED_TEXT)).replace(REPEATED_INPUT, '');
	const readable = withoutAddresses(withoutMarkup(text));
	const title = findSentence(toPlainText(readable).replace(LEADING_PLACE, ''));
	return isStatusPhrase(title) || isNameAlone(title) ? '' : truncate(title, MAX_TITLE_LENGTH);
}

/** A path behind a method of HTTP is a route, which tells what the server lacks. */
const METHOD = /\b(?:GET|POST|PUT|PATCH|DELETE) $/;

/** Characters of the longest method, and the space. */
const METHOD_LENGTH = 7;

function withoutAddresses(text: string): string {
	return text.replace(ADDRESS, (address: string, index: number) =>
		METHOD.test(text.slice(Math.max(0, index - METHOD_LENGTH), index)) && address.startsWith('/')
			? address
			: '…',
	);
}

/** Before a message, it says nothing. */
const MERE_ERROR = /^error: */i;

/** Whether a title is all that a server wrote. */
export function isWholeMessage(title: string, serverText: string): boolean {
	if (serverText.length > MAX_SEARCHED_TEXT) return false;
	return toSentence(toPlainText(withoutElements(serverText)).replace(MERE_ERROR, '')) === title;
}

/** A text with elements or a page in it, without the tags. Others have names in angle brackets. */
function withoutMarkup(text: string): string {
	const ended = new Set(Array.from(text.matchAll(END_TAG), ([, name]) => name!.toLowerCase()));
	const isMarkup =
		BEGINNING_OF_PAGE.test(text) ||
		(ended.size > 0 &&
			[...text.matchAll(START_TAG)].some(([, name]) => ended.has(name!.toLowerCase())));
	return isMarkup ? text.replace(TAG, ' ') : text;
}

/** A text without the tags of its elements. Names in angle brackets stay. */
export function withoutElements(text: string): string {
	const ended = new Set(Array.from(text.matchAll(END_TAG), ([, name]) => name!.toLowerCase()));
	const isOfElement = (name: string) => ended.has(name.toLowerCase());
	return text
		.replace(TAG, (tag) =>
			isOfElement(/^<\/?([a-z][\w:-]{0,40})/i.exec(tag)?.[1] ?? '') ? ' ' : tag,
		)
		.replace(/ {2,}/g, ' ');
}

/** Whether a text is nothing but names in angle brackets: `<nil>`. */
function isNameAlone(text: string): boolean {
	return !/[\p{L}\p{N}]/u.test(text.replace(TAG, ' '));
}

/** The innermost message, on one line. */
function unwrap(text: string, layer = 1): string {
	const trimmed = text.trim();
	const lines = getLastException(trimmed).replace(VALIDATION_TEXT, '$1: $2');
	// A trace whose end is missing says nothing.
	if (lines.startsWith('Traceback (')) return '';
	const line = withoutStatusPhrase(toLine(findParagraph(lines).replace(SETTINGS_LINE, '')));
	const bare = withoutStatusPhrase(line.replace(QUALIFIED_CLASS, '').replace(WRAPPERS, ''));
	// A kind of error, and no message behind it: "sampling error: "
	if (bare === '' && NAMED_KIND.test(line)) return line;
	const issue = bare.replace(PYTHON_ISSUE, describePythonIssue);
	if (issue !== bare) return issue;
	const inner = layer < MAX_LAYERS ? findPythonMessage(bare) : undefined;
	return inner === undefined ? bare : unwrap(inner, layer + 1);
}

/** The message of an error object that a client printed into its own message. */
function findPythonMessage(text: string): string | undefined {
	const start = PYTHON_ERROR.exec(text)?.index;
	if (start === undefined) return undefined;
	const [, single, double] = PYTHON_MESSAGE.exec(text.slice(start)) ?? [];
	const message = (single ?? double)?.replace(/\\n/g, '\n').replace(/\\(["'\\])/g, '$1');
	return message?.trim() === '' ? undefined : message;
}

/** What the last exception of a trace says; a text without one is returned unchanged. */
function getLastException(text: string): string {
	const last = [...text.matchAll(LAST_EXCEPTION)].at(-1);
	return last === undefined ? text : text.slice(last.index + last[0].length);
}

/** The first sentence that says something, behind the phrases of a status that precede it. */
function findSentence(text: string): string {
	let end = 0;
	for (let sentences = 0; sentences < MAX_LAYERS && end < text.length; sentences++) {
		const start = end;
		const rest = text.slice(start);
		const { 0: sign, index } = END_OF_SENTENCE.exec(rest) ?? { 0: '', index: rest.length };
		end = start + index;
		if (!isStatusPhrase(toSentence(text.slice(start, end)))) break;
		end += Math.max(1, sign.length);
	}
	return toSentence(text.slice(0, end));
}

function toSentence(text: string): string {
	return withoutEnds(toLine(text), /[\s,.]/, END_SIGN);
}

function toLine(text: string) {
	return text.replace(/\s+/g, ' ').trim();
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
