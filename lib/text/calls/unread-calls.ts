/** Finds markup that looks like a call of an offered tool, but that no reader reads. It only leads to a hint. */
import { normalizeLetters } from '../../values/text';
import { blankOutCode } from '../code-blocks';
import { CALL_MARK } from './marks';
import type { RawToolCall } from './types';

/** Characters compared on either side of a name. */
const MAX_BEFORE = 100;
const MAX_AFTER = 60;
/** Occurrences of names that are compared. */
const MAX_OCCURRENCES = 2_000;

/** The name follows a tag, with at most brackets and a key between them, or is in one. */
const AFTER_TAG =
	/(?:<[|｜/\w][^<>]{0,60}>|\[[A-Z][A-Z_]+\]) ?([{[(]* ?(?:["']?\w{1,30}["']? ?[:=] ?)?["']?)$/;
/** Words may follow the tokens of a chat template. */
const AFTER_TOKEN = /<[|｜][^<>]{1,60}>[^<>\n]{0,40}$/;
const IN_TAG = /<[|｜]?\w[^<>]{0,40}[=:] ?["']?$|\bto=functions\.$/;
const IN_BRACKETS = /[[{(] ?(?:["']?\w{1,30}["']? ?[:=] ?)?["']?$/;
/** The name is the value of a key, as in `{"name":"N"`, `{"action": "N"`. */
const AFTER_KEY = /[{,] ?["']?\w{1,30}["']? ?: ?["']$/;

/** Arguments follow the name. */
const ARGUMENTS =
	/^["']?(?:\(| ?\{| ?\n ?[{<]|(?::\d{1,3})?<(?:arg|param|[|｜]|\/(?:tool|func|name|call))|\[(?:ARGS|CALL_ID)\])/;
/** The key of arguments follows, whose value is not a schema. */
const ARGUMENTS_KEY =
	/^["'] ?, ?["'](?:\w{0,20}arg\w{0,10}|\w{0,20}input|\w{0,20}param\w{0,10}|\w{0,10}args)["'] ?: ?(?!\{ ?["'](?:type|properties|\$schema)["'])/i;
/** Arguments follow directly, without any mark: `N(a="b")`, `N{"a":…`, `functions.N:0{`. */
const BARE_ARGUMENTS = /^(?:\([A-Za-z_]\w{0,60} ?= ?["'\d[{TFN]|\(\{ ?["']|(?::\d{1,3})?\{ ?["'])/;
/** Functionary's header before JSON in the next line (its chat template, v3.2), and Gemma's without its marks. */
const HEADERS: ReadonlyArray<readonly [before: RegExp, after: RegExp]> = [
	[/(?:^|\n|>>>)$/, /^\n\{ ?["'}]/],
	[/\bcall:$/, /^\{/],
	// The complete response is `N()`.
	[/^$/, /^\(\)(?: ?<|$)/],
	// Directly after a mark that only calls have.
	[/<[^<>]{0,40}(?:tool|function)[_▁]?calls?[^<>]{0,20}> ?\n?$|\[TOOL_CALLS\] ?$/i, /^/],
];

const BLANKS = /[^\S\n]+/g;
/** After blanks were folded. */
const LINE_BREAKS = / ?\n[ \n]*/g;

/** The name of the first offered tool that a text seems to call outside of code; undefined if there is none. */
export function findUnreadCall(text: string, tools: readonly string[]): string | undefined {
	if (!/[<[{(]/.test(text)) return undefined;
	const prose = blankOutCode(text).replace(BLANKS, ' ').replace(LINE_BREAKS, '\n');
	let occurrences = 0;
	for (const name of tools) {
		for (let at = prose.indexOf(name); at >= 0; at = prose.indexOf(name, at + name.length)) {
			occurrences += 1;
			if (occurrences > MAX_OCCURRENCES) return undefined;
			if (isCalledAt(prose, at, name.length)) return name;
		}
	}
	return undefined;
}

function isCalledAt(text: string, at: number, length: number): boolean {
	// Blanks and line breaks were folded: a line break counts as a blank where the syntax allows either.
	const before = text.slice(Math.max(0, at - MAX_BEFORE), at);
	const after = text.slice(at + length, at + length + MAX_AFTER);
	if (/[\w-]$/.test(before) || /^[\w-]/.test(after)) return false;
	return (
		BARE_ARGUMENTS.test(after) ||
		HEADERS.some(([start, end]) => start.test(before) && end.test(after)) ||
		IN_TAG.test(before.replaceAll('\n', ' ')) ||
		hasCallSyntax(before.replaceAll('\n', ' '), after)
	);
}

/** Whether a tag, a token or brackets before a name, and what follows it, make a call. */
function hasCallSyntax(before: string, after: string): boolean {
	const hasArguments = ARGUMENTS.test(after);
	const opened = AFTER_TAG.exec(before)?.[1] ?? '';
	if (/[{[(:=]/.test(opened)) return true;
	if (hasArguments)
		return [AFTER_TAG, AFTER_TOKEN, IN_BRACKETS].some((pattern) => pattern.test(before));
	if (AFTER_TOKEN.test(before) && /^\s*```/.test(after)) return true;
	return AFTER_KEY.test(before) && ARGUMENTS_KEY.test(after.replaceAll('\n', ' '));
}

/** Whether a text has a mark of a call outside of code. */
export function hasCallMark(text: string): boolean {
	return CALL_MARK.test(blankOutCode(text));
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
	const isRepeated = (tool: string) =>
		parsedCalls.some(
			({ name, arguments: args }) => name === tool && letters.includes(normalizeLetters(args)),
		);
	return findUnreadCall(
		text,
		tools.filter((tool) => !isRepeated(tool)),
	);
}
