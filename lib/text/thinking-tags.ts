/**
 * Tags around thinking, where a server leaves them in a response. By rule: the word `think` in a tag, a token or brackets,
 * perhaps with a prefix; the tag at the end is the same one with a slash, or with `end` in place of `begin` or `start`. A tag
 * that an author may have asked for (`<thinking>`, `<thought>`) is text: the next node may read it.
 */
import { getClosingMark } from './calls/call-marks';
import type { PartialMarkFinder } from './partial-marks';

/** `think`, `seed:think`, `longcat_think`, in any case. */
const NAME = String.raw`(?:\w{1,20}[:_])?[Tt][Hh][Ii][Nn][Kk]`;

/** A token with the word `think` and another one in its name: `<|START_THINKING|>`, `<|think:end|>`. */
function toTokens(words: string): string {
	return String.raw`<\|(?=[\w:]{0,30}(?:think|THINK))(?=[\w:]{0,30}(?:${words}))[\w:]{1,40}\|>`;
}

/** Tags that begin thinking: elements, Magistral's brackets, Kimi-VL's triangles, tokens. */
export const OPENING_TAG = `(?:<${NAME}>|\\[THINK\\]|◁think▷|<\\|think\\|>|${toTokens('begin|BEGIN|start|START')})`;
/** Tags that end it. */
export const CLOSING_TAG = `(?:</${NAME}>|\\[/THINK\\]|◁/think▷|<\\|/think\\|>|${toTokens('end|END')})`;

/** The token that begins the response after thinking in tokens: `<|START_RESPONSE|>` (vllm-project/vllm, test_cohere_command_reasoning_parser.py). */
export const RESPONSE_TOKEN = String.raw`<\|(?=[\w:]{0,30}(?:begin|BEGIN|start|START))(?=[\w:]{0,30}(?:response|RESPONSE))[\w:]{1,40}\|>`;

/** A text that may be the beginning of such a tag. */
export const PARTIAL_OPENING_TAG = /^(?:<[\w:]{0,26}|<\|[\w:]{0,40}\|?|\[T?H?I?N?K?|◁\w{0,5})$/;
export const PARTIAL_CLOSING_TAG =
	/(?:<(?:\/[\w:]{0,26}|\|\/?[\w:]{0,40}\|?)?|\[(?:\/[A-Z]{0,5})?|◁(?:\/\w{0,5})?)$/;
/** Longest tag. */
const MAX_LENGTH = 50;

/** Characters at the end of a text that may be the beginning of a tag that ends thinking. */
export const getPartialClosingTagLength: PartialMarkFinder = (text) =>
	PARTIAL_CLOSING_TAG.exec(text.slice(-MAX_LENGTH))?.[0].length ?? 0;

/** The tag that ends the thinking that another one begins. */
export function toEndTag(tag: string): string {
	const end = getClosingMark(tag);
	return end === tag ? `${tag[0]}/${tag.slice(1)}` : end;
}
