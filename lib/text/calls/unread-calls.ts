/**
 * Finds what looks like a call of an offered tool, but is none that a reader reads. It only leads to a hint. One rule, which knows no
 * model: the name of the tool as a whole word outside of code with the syntax of a call around it, or with a mark of tools near it.
 */
import { normalizeLetters } from '../../values/text';
import { blankOutCode } from '../code-blocks';
import {
	CALL_MARK,
	ELEMENT_END,
	getClosingMark,
	isBareToken,
	isOtherMark,
	MARK_OF_TOOLS,
} from './call-marks';
import { readTextCalls } from './read-text-calls';
import type { RawToolCall, TextRange } from './types';

/** Characters compared on either side of a name. */
const MAX_AROUND = 100;
/** A mark is near a name within so many characters. */
const MAX_DISTANCE = 300;
/** Longer contents of marks are not looked at. */
const MAX_CONTENT = 10_000;
/** Occurrences of names, and marks, that are compared. A text with more is about them. */
const MAX_OCCURRENCES = 2_000;
const MAX_MARKS = 100;

/** The beginning of a schema in place of values, which defines a tool. */
const SCHEMA = String.raw`["'](?:type|properties|\$schema)["']`;
/** The beginning of an object of arguments. */
const OBJECT = String.raw`\{\s*(?:\}|(?!${SCHEMA})["'])`;
/** A key of arguments. */
const KEY = String.raw`(?:\w{1,12}[_ ])?(?:arg|param|input)\w{0,10}`;

/** What follows a name in a call. */
const ARGUMENTS = new RegExp(
	`^(?![\\w-])(?:${[
		// N(a="b"), N({"a":…
		String.raw`\((?:[A-Za-z_]\w{0,60} ?= ?["'\d[{TFN]|\{\s*["'])`,
		// N{"a":…, [N] {"a":…, <N>{"a":…, functions.N:0{"a":…, and in the next line
		String.raw`(?::\d{1,3})?["']?[\])>]{0,3}\s*${OBJECT}`,
		// N[ARGS], N<arg_key>
		String.raw`(?:\[(?:ARGS|CALL_ID)\]|\s?<(?:arg|param))`,
		// "N", "arguments": …, of any value that defines nothing
		String.raw`["']\s?,\s*["']${KEY}["']\s?:\s*(?!\[\s*[\]{]|\{\s*${SCHEMA})`,
		// N" arguments: {…, also in the next line, and with other signs or one too few
		String.raw`["']?[^\w{}[\]()<>]{0,9}${KEY}[^\w{}[\]()<]{0,9}${OBJECT}`,
		// ReAct, in LangChain's prompt and Qwen's
		String.raw`\s*\n\s?Action Input ?:`,
	].join('|')})`,
	'i',
);

/** The syntax of a call around a name. */
interface Syntax {
	before: RegExp;
	after: RegExp;
	/** Only for names with a sign: HTML's own tags are words. */
	needsSign?: true;
}

const SYNTAX: readonly Syntax[] = [
	{ before: /$/, after: ARGUMENTS },
	// At the beginning of the response: N(), [N], [{"N": {"a":…
	{ before: /^[[{"'\s]*$/, after: /^(?:\(\)\s*(?:<|$)|\s*\]\s*$|["']\s?:\s*\{\s*["'])/ },
	// [N(…, <x>N(…
	{ before: /(?:[[{]|<[|｜/\w][^<>]{0,60}>)\s?$/, after: /^\(/ },
	// An element with such a name, which HTML has not: <a_b/>, <a_b><c>
	{ before: /<$/, after: /^\s?(?:\/>|>\s*<)/, needsSign: true },
	// <tools>N</tools>, <|x|>N<|y|>
	{ before: />\s*$/, after: /^\s*<\/(?:tool|func|call)/ },
	{ before: /<[|｜][^<>]{1,60}>[^<>]{0,40}$/, after: /^\s?<[|｜]/ },
	// An attribute of a tag (Kimi K3: sgl-project/sglang, `kimik3_format.py`)
	{ before: /<(?:[|｜]?\w|[|｜]\w{1,20}[|｜]>\w)[^<>]{0,40}[=:]\s?["']?$/, after: /^(?![\w-])/ },
	// Harmony's and Gemma's words where a server removed their signs
	{ before: /\bto=(?:functions\.)?$/, after: /^/ },
	{ before: /\bcall:$/, after: /^\s?\{\s*["'}\w]/ },
];

const ANY_CALL_MARK = new RegExp(`${CALL_MARK.source}|${ELEMENT_END.source}`, 'gi');
/** JSON, or nothing but a word. */
const STRUCTURE = /^\s*(?:[[{]|\S+\s*$)/;

/** What follows a name near a mark, whatever the syntax is: a sign that is none of prose, the next member of JSON, or nothing. */
const SIGN =
	/^["']?(?:\s{0,9}(?:[^\p{L}\p{N}\s.,;:!?)'"…-]|:(?:\d|$)|,\s{0,9}["']?\w{1,30}["']?\s?[:=]|["']\w{1,30}["']\s?:)|\s{0,9}\n\s{0,9}```|ARGS\]|\s*$)/u;

/**
 * Gemma 3 puts its calls into such a block (ai.google.dev/gemma/docs/capabilities/function-calling), Command R after `Action:`
 * (its chat template), as LangChain's structured chat agent does.
 */
const CODE_OF_TOOLS = /```tool_code(?=\s)|(?<=^ {0,3}Action:\s{0,9})```(?:json)?(?=\s)/gm;
/** Models emphasize words, and write typographic quotation marks. */
const EMPHASIS = /\*\*|__(?=\W|$)/g;
const QUOTES = /\\"|[“”„]/g;

/** The name of an offered tool that a text seems to call; undefined if there is none. */
export function findUnreadCall(source: string, tools: readonly string[]): string | undefined {
	if (!/[<[{(:]/.test(source)) return undefined;
	const text = source
		.replaceAll(EMPHASIS, '')
		.replaceAll(CODE_OF_TOOLS, '<tool_code>')
		.replaceAll(QUOTES, '"');
	const named = tools.filter((name) => text.includes(name));
	if (named.length === 0) return undefined;
	const visible = blankOutCode(text);
	const contents = findContents(visible);
	const marks = findCallMarks(visible);
	// A mark may lack the sign before the name.
	const isNearMark = (call: TextRange) =>
		marks.some((mark) => Math.abs(mark - call.from) < MAX_DISTANCE) && isFollowedBySign(text, call);
	const isCall = (call: TextRange) =>
		contents.some((content) => isInMark(text, call, content)) ||
		isNearMark(call) ||
		hasCallSyntax(visible, call);
	const occurrences = findOccurrences(text, named);
	// In the JSON of a call, a short name is also a part of other words.
	const words = occurrences.filter((range) => isWord(text, range));
	const call = words.find(isCall) ?? occurrences.find(isCall);
	return call && text.slice(call.from, call.to);
}

function isWord(text: string, { from, to }: TextRange): boolean {
	return !/\w/.test(text.charAt(from - 1)) && !/\w/.test(text.charAt(to));
}

/** In the order of the text, the longest name first where one is in another one. */
function findOccurrences(text: string, names: readonly string[]): TextRange[] {
	const ranges: TextRange[] = [];
	for (const name of names)
		for (let from = text.indexOf(name); from >= 0; from = text.indexOf(name, from + name.length)) {
			if (ranges.length >= MAX_OCCURRENCES) break;
			ranges.push({ from, to: from + name.length });
		}
	return ranges.sort((one, other) => one.from - other.from || other.to - one.to);
}

/** What is between a mark and its end. */
interface MarkContent extends TextRange {
	/** Whether it is JSON, or only calls have the mark: then any name in it counts. */
	isOfCalls: boolean;
}

function findContents(text: string): MarkContent[] {
	const contents: MarkContent[] = [];
	for (const { 0: mark, index } of text.matchAll(MARK_OF_TOOLS)) {
		if (isOtherMark(mark)) continue;
		if (contents.length >= MAX_MARKS) break;
		const from = index + mark.length;
		const isJson = STRUCTURE.test(text.slice(from, from + MAX_AROUND));
		const end = isBareToken(mark) ? -1 : text.indexOf(getClosingMark(mark), from);
		if (end < 0 && !isJson && !isBareToken(mark)) continue;
		const to = Math.min(end < 0 ? text.length : end, from + MAX_CONTENT);
		contents.push({ from, to, isOfCalls: isJson || mark.startsWith('[') || CALL_MARK.test(mark) });
	}
	return contents;
}

function isInMark(text: string, call: TextRange, { from, to, isOfCalls }: MarkContent): boolean {
	if (call.from < from || call.to > to) return false;
	return isOfCalls || (/^\W*$/.test(text.slice(from, call.from)) && isFollowedBySign(text, call));
}

/** Places of marks that only calls have. */
function findCallMarks(text: string): number[] {
	const marks: number[] = [];
	for (const { index } of text.matchAll(ANY_CALL_MARK)) {
		if (marks.length >= MAX_MARKS) break;
		marks.push(index);
	}
	return marks;
}

function isFollowedBySign(text: string, { to }: TextRange): boolean {
	return SIGN.test(text.slice(to, to + MAX_AROUND));
}

function hasCallSyntax(text: string, { from, to }: TextRange): boolean {
	const before = text.slice(Math.max(0, from - MAX_AROUND), from);
	if (/[\w-]$/.test(before)) return false;
	const name = text.slice(from, to);
	const after = text.slice(to, to + MAX_AROUND);
	return SYNTAX.some(
		(syntax) =>
			(syntax.needsSign !== true || /[_.-]/.test(name)) &&
			syntax.before.test(before) &&
			syntax.after.test(after),
	);
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
	const { candidates } = readTextCalls(text);
	const complete = candidates.filter(({ problems }) => problems.length === 0);
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
	const isOther = (tool: string) => !isRepeated(tool);
	return (
		findUnreadCall(text, tools.filter(isOther)) ?? candidates.map(({ name }) => name).find(isOther)
	);
}

/** Whether a text has a mark of a call outside of code, or the end of an element of one. */
export function hasCallMark(text: string): boolean {
	const visible = blankOutCode(text);
	return CALL_MARK.test(visible) || ELEMENT_END.test(visible);
}
