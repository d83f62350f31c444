/**
 * Finds what looks like a call of an offered tool, but is none that a reader reads. It only leads to a hint. Three rules, of which
 * none knows a model: arguments directly behind the name of a tool; a name behind a tag or brackets, with the syntax of a
 * call; a name in or near a mark that speaks of tools.
 */
import { normalizeLetters } from '../../values/text';
import { blankOutCode } from '../code-blocks';
import {
	CALL_MARK,
	ELEMENT_END,
	getClosingMark,
	isBareToken,
	isOtherMark,
	TAG_OF_TOOLS,
} from './call-marks';
import { findBeginnings, readTextCalls } from './read-text-calls';
import type { RawToolCall } from './types';

/** Characters compared on either side of a name. */
const MAX_BEFORE = 100;
const MAX_AFTER = 60;
/** Occurrences of names that are compared. */
const MAX_OCCURRENCES = 2_000;

/** OpenAI's name space of tools, before a name. */
const NAMESPACE = /functions\.$/;
/** The beginning of a schema in place of values, which defines a tool. */
const SCHEMA = String.raw`["'](?:type|properties|\$schema)["']`;
/** A key of arguments. */
const KEY = String.raw`(?:\w{1,12}[_ ])?(?:arg|param|input)\w{0,10}`;

/** Rule 1: arguments that can belong to nothing but the name before them. */
const ARGUMENTS_OF_NAME = new RegExp(
	[
		// N(a="b"), N({"a":…
		String.raw`^\((?:[A-Za-z_]\w{0,60} ?= ?["'\d[{TFN]|\{ ?["'])`,
		// N{"a":…, functions.N:0{"a":…, N[ARGS]
		String.raw`^(?:(?::\d{1,3})?\{ ?["']|\[(?:ARGS|CALL_ID)\])`,
		// "N", "arguments": …, of any value that defines nothing
		String.raw`^["'] ?, ?\n?["']${KEY}["'] ?: ?\n?(?!\[ ?[\]{]|\{ ?\n?${SCHEMA})`,
		// N" arguments: {…, also in the next line, and with other signs or one too few
		String.raw`^["']?[^\w{}[\]()<>]{0,9}${KEY}[^\w{}[\]()<]{0,9}\{ ?\n?(?:\}|(?!${SCHEMA})["'])`,
		// ReAct, in LangChain's prompt and Qwen's
		String.raw`^\n ?Action Input ?:`,
	].join('|'),
	'i',
);

/** The same where the name is all that a line says before them, but perhaps one word. */
const LINE_BEFORE = /(?:^|[\n>])(?!- )[^\w\n*•]{0,6}(?:\w{1,20}[^\w\n]{1,3})?$/;
const LINE_AFTER = /^(?:\][ \n]?|\n)\{ ?["'}]/;

/** The same where the response begins with the name: `N()`, `[N]`, `[{"N": {"a":…`. */
const START_BEFORE = /^[[{"' \n]*$/;
const START_AFTER = /^(?:\(\)(?: ?<|$)| ?\]$|["'] ?: ?\{ ?\n?["'])/;

/** Rule 2: the name follows a tag, with at most brackets and a key between them, or is in one. */
const AFTER_TAG =
	/(?:<[|｜/\w][^<>]{0,60}>|\[[A-Z][A-Z_]+\]) ?([{[(]* ?(?:["']?\w{1,30}["']? ?[:=]>? ?)?["']?)$/;
/** Words may follow the tokens of a chat template. */
const AFTER_TOKEN = /<[|｜][^<>]{1,60}>[^<>\n]{0,40}$/;
/** Also in the attribute of an element between tokens (Kimi K3: sgl-project/sglang, `kimik3_format.py`). */
const IN_TAG = /<(?:[|｜]?\w|[|｜]\w{1,20}[|｜]>\w)[^<>]{0,40}[=:] ?["']?$|\bto=$/;
const IN_BRACKETS = /[[{(] ?(?:["']?\w{1,30}["']? ?[:=] ?)?["']?$/;
/** Arguments after a name that a tag, a token or brackets precede. */
const ARGUMENTS =
	/^["']?(?:\(| ?\{| ?\n ?[{<]|(?::\d{1,3})? ?<(?:arg|param|[|｜]|\/(?:tool|func|name|call))|\[(?:ARGS|CALL_ID)\])/;

/** Rule 3: the words of a mark, where a server removed its signs; the name of a format may follow the name of the tool. */
const AFTER_WORD = /\b(?:to=functions\.|call:)$/;
const FORMAT_AND_ARGUMENTS = /^[a-z]{0,12} ?\n?\{ ?\n?["'}\w]/;

const BLANKS = /[^\S\n]+/g;
/** After blanks were folded. */
const LINE_BREAKS = / ?\n[ \n]*/g;

/**
 * Gemma 3 puts its calls into such a block (ai.google.dev/gemma/docs/capabilities/function-calling), Command R after `Action:`
 * (its chat template), as LangChain's structured chat agent does.
 */
const CODE_OF_TOOLS = /```tool_code(?=\s)|(?<=^ {0,3}Action:\s{0,9})```(?:json)?(?=\s)/gm;
/** Models emphasize words, and write typographic quotation marks. */
const EMPHASIS = /\*\*|__(?=\W|$)/g;
const QUOTES = /\\"|[“”„]/g;

/** The name of the first offered tool that a text seems to call outside of code; undefined if there is none. */
export function findUnreadCall(source: string, tools: readonly string[]): string | undefined {
	if (!/[<[{(:]/.test(source)) return undefined;
	const text = source
		.replaceAll(EMPHASIS, '')
		.replaceAll(CODE_OF_TOOLS, '<tool_code>')
		.replaceAll(QUOTES, '"');
	const named = tools.filter((name) => text.includes(name));
	if (named.length === 0) return undefined;
	return (
		findCalledName(text, named) ?? findNameInMarks(text, named) ?? findNameNearMark(text, named)
	);
}

/** The name of the first tool around which there is the syntax of a call. */
function findCalledName(text: string, tools: readonly string[]): string | undefined {
	const prose = blankOutCode(text).replace(BLANKS, ' ').replace(LINE_BREAKS, '\n');
	let occurrences = 0;
	for (const name of tools) {
		for (let at = prose.indexOf(name); at >= 0; at = prose.indexOf(name, at + name.length)) {
			occurrences += 1;
			if (occurrences > MAX_OCCURRENCES) return undefined;
			if (isCalledAt(prose, { at, length: name.length })) return name;
		}
	}
	return undefined;
}

function isCalledAt(text: string, { at, length }: { at: number; length: number }): boolean {
	// Blanks and line breaks were folded: a line break counts as a blank where the syntax allows either.
	const allBefore = text.slice(Math.max(0, at - MAX_BEFORE), at);
	const after = text.slice(at + length, at + length + MAX_AFTER);
	if (AFTER_WORD.test(allBefore) && FORMAT_AND_ARGUMENTS.test(after)) return true;
	if (/[\w-]$/.test(allBefore) || /^[\w-]/.test(after)) return false;
	const before = allBefore.replace(NAMESPACE, '');
	const name = text.slice(at, at + length);
	return (
		hasArguments({ before, after }) ||
		(isElement({ before, after }) && NO_TAG_OF_HTML.test(name)) ||
		IN_TAG.test(before.replaceAll('\n', ' ')) ||
		hasCallSyntax({ before: before.replaceAll('\n', ' '), after })
	);
}

/** The text around a name. */
interface NameContext {
	before: string;
	after: string;
}

function hasArguments({ before, after }: NameContext): boolean {
	return (
		ARGUMENTS_OF_NAME.test(after) ||
		(LINE_BEFORE.test(before) && LINE_AFTER.test(after)) ||
		(START_BEFORE.test(before) && START_AFTER.test(after))
	);
}

/** HTML's own tags are words. */
const NO_TAG_OF_HTML = /[_.-]/;

/** Whether an element has the name of the tool: `<N/>`, or `<N>` with elements or nothing in it. */
function isElement({ before, after }: NameContext): boolean {
	return before.endsWith('<') && /^ ?(?:\/>|>\s?<)/.test(after);
}

/** Whether a tag, a token or brackets before a name, and what follows it, make a call. */
function hasCallSyntax({ before, after }: NameContext): boolean {
	const opened = AFTER_TAG.exec(before)?.[1] ?? '';
	if (/[{[(:=]/.test(opened)) return true;
	if (ARGUMENTS.test(after))
		return [AFTER_TAG, AFTER_TOKEN, IN_BRACKETS].some((pattern) => pattern.test(before));
	return AFTER_TOKEN.test(before) && /^\s*```/.test(after);
}

/** Longer content of a mark is not looked at, nor that of all marks together. */
const MAX_CONTENT = 10_000;
const MAX_CONTENTS = 100_000;
/** The content of a mark that only calls have, or JSON or nothing but a name after any other one. */
const STRUCTURE = /^\s*[[{]/;
const BEFORE_NAME = /^["'`([{\s]*$/;
const AFTER_NAME = /^["'`]?\s*(?:$|[<([{,;|=\])}\n])/;

/** The name of a tool in the content of a mark that no reader reads. */
function findNameInMarks(text: string, tools: readonly string[]): string | undefined {
	let marks = 0;
	let read = 0;
	for (const { index } of findBeginnings(text)) {
		JSON_MARK.lastIndex = index;
		const mark = JSON_MARK.exec(text)?.[0].trim();
		if (mark === undefined || isOtherMark(mark)) continue;
		marks += 1;
		if (marks > MAX_MARKS || read > MAX_CONTENTS) return undefined;
		const start = index + mark.length;
		const content = getContent({ mark, text: text.slice(start, start + MAX_CONTENT) });
		read += content.length;
		const name = tools.find((tool) => isNamedIn(content, { tool, isInCallMark: isCallMark(mark) }));
		if (name !== undefined) return name;
	}
	return undefined;
}

/** The text between a mark and its end; the complete text after it if it has none, and is no prose. */
function getContent({ mark, text }: { mark: string; text: string }): string {
	const end = text.indexOf(getClosingMark(mark));
	if (getClosingMark(mark) !== mark && end >= 0) return text.slice(0, end);
	if (isBareToken(mark)) return text;
	return STRUCTURE.test(text) || !/\s\S/.test(text.trim()) ? text : '';
}

function isCallMark(mark: string): boolean {
	return mark.startsWith('[') || CALL_MARK.test(mark);
}

function isNamedIn(
	content: string,
	{ tool, isInCallMark }: { tool: string; isInCallMark: boolean },
): boolean {
	const at = content.indexOf(tool);
	const before = content.slice(0, at);
	const after = content.slice(at + tool.length);
	if (at < 0 || /[\w-]$/.test(before) || /^[\w-]/.test(after)) return false;
	return (
		isInCallMark || STRUCTURE.test(content) || (BEFORE_NAME.test(before) && AFTER_NAME.test(after))
	);
}

/** A mark of a call, in a text that is searched for all of them. */
const ANY_CALL_MARK = new RegExp(`${CALL_MARK.source}|${ELEMENT_END.source}`, 'gi');
/** What is around a mark, on either side of it. */
const MAX_AROUND = 300;
/** What follows the name of a call, whatever its syntax is; the mark of an argument may follow the name directly. */
const AFTER_CALLED_NAME =
	/^["']?(?:\s{0,9}(?:[^\p{L}\p{N}\s.,;:!?)'"…-]|,\s{0,9}["'](?:arg|param|input))|\s{0,9}\n\s{0,9}```|ARGS\])/u;

/**
 * The name of a tool near a mark that only calls have, with its arguments or the end of its element: what is left of a call
 * with a sign too few or too many.
 */
function findNameNearMark(text: string, tools: readonly string[]): string | undefined {
	let marks = 0;
	for (const { 0: mark, index } of blankOutCode(text).matchAll(ANY_CALL_MARK)) {
		marks += 1;
		if (marks > MAX_MARKS) return undefined;
		const around = text.slice(Math.max(0, index - MAX_AROUND), index + mark.length + MAX_AROUND);
		const name = tools.find((tool) => isCalledIn(around, tool));
		if (name !== undefined) return name;
	}
	return undefined;
}

function isCalledIn(text: string, tool: string): boolean {
	for (let at = text.indexOf(tool); at >= 0; at = text.indexOf(tool, at + tool.length))
		if (AFTER_CALLED_NAME.test(text.slice(at + tool.length, at + tool.length + MAX_AFTER)))
			return true;
	return false;
}

/** A mark before JSON. */
const JSON_MARK = new RegExp(
	`(?:${TAG_OF_TOOLS.source}|\\[TOOL_(?:CALLS|REQUEST)\\]|functools)\\s*`,
	'iy',
);
/** The name in JSON of a call, which may be cut off at any place after its first letter. */
const JSON_NAME = /\[?\s*\{[^]{0,2000}?["']name["']\s*:\s*["']([\w.-]{1,128})/y;
/** A text with more marks is about them. */
const MAX_MARKS = 100;

/**
 * The name in the JSON of a call that begins after a mark and has no end, whether such a tool is offered or not; undefined
 * if there is none.
 */
export function findUnfinishedCall(text: string): string | undefined {
	let marks = 0;
	for (const { index } of findBeginnings(text)) {
		JSON_MARK.lastIndex = index;
		const mark = JSON_MARK.exec(text)?.[0];
		if (mark === undefined || isOtherMark(mark)) continue;
		marks += 1;
		if (marks > MAX_MARKS) return undefined;
		JSON_NAME.lastIndex = index + mark.length;
		const name = JSON_NAME.exec(text)?.[1];
		if (name !== undefined) return name;
	}
	return undefined;
}

/** Whether a text has a mark of a call outside of code, or the end of an element of one. */
export function hasCallMark(text: string): boolean {
	const visible = blankOutCode(text);
	return CALL_MARK.test(visible) || ELEMENT_END.test(visible);
}

/**
 * The tool of markup next to the calls that the server parsed, unless it repeats one of them.
 *
 * @param parsedCalls calls that the server parsed
 */
export function findIgnoredCall(
	text: string,
	tools: readonly string[],
	parsedCalls: readonly RawToolCall[],
): string | undefined {
	const letters = normalizeLetters(text);
	const complete = readTextCalls(text).candidates.filter(({ problems }) => problems.length === 0);
	const isRepeated = (tool: string) =>
		complete.some((call) => call.name === tool && isSameAsOne(tool, call.arguments ?? '')) ||
		parsedCalls.some(({ name, arguments: args }) => {
			const argumentLetters = normalizeLetters(args);
			return name === tool && argumentLetters !== '' && letters.includes(argumentLetters);
		});
	const isSameAsOne = (tool: string, args: string) =>
		parsedCalls.some(
			(call) => call.name === tool && normalizeLetters(call.arguments) === normalizeLetters(args),
		);
	const unread = findUnreadCall(
		text,
		tools.filter((tool) => !isRepeated(tool)),
	);
	if (unread !== undefined) return unread;
	const unfinished = findUnfinishedCall(text);
	return unfinished === undefined || isRepeated(unfinished) ? undefined : unfinished;
}
