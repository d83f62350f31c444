/** Detects text that looks like a tool call in a format that nothing reads. */

/** Characters compared on either side of a name. */
const MAX_BEFORE = 100;
const MAX_AFTER = 40;
/** Occurrences of names that are compared. */
const MAX_OCCURRENCES = 200;

/** The name follows a tag, with at most brackets and a key between them, or is in one. */
const AFTER_TAG =
	/(?:<[|/\w][^<>]{0,60}>|\[[A-Z][A-Z_]+\])\s{0,8}([{[(]*\s{0,8}(?:["']?\w{1,30}["']?\s{0,8}[:=]\s{0,8})?["']?)$/;
/** Words may follow the tokens of a chat template. */
const AFTER_TOKEN = /<[|｜][^<>]{1,60}>[^<>\n]{0,40}$/;
const IN_TAG = /<[|]?\w[^<>]{0,40}[=:]\s{0,8}["']?$/;
const IN_BRACKETS = /[[{(]\s{0,8}(?:["']?\w{1,30}["']?\s{0,8}[:=]\s{0,8})?["']?$/;
const AFTER_KEY = /\{[^{}]{0,60}:\s{0,8}["']$/;
/** Arguments follow the name. */
const ARGUMENTS = /^["']?(?:\(|\s{0,8}\{|\s{0,8}\n\s{0,8}[{<]|<(?:arg|param|\|))/;
const NEXT_KEY = /^["']\s{0,8},\s{0,8}["']\w{1,30}["']\s{0,8}:/;
/** Code, in which calls are examples. */
const CODE =
	/^ {0,3}```[^]*?(?:^ {0,3}```|(?![^]))|`[^`\n]{1,200}`|<(code|pre)>[^]{0,2000}?<\/\1>/gm;

/** The first offered tool that a text seems to call. */
export function findUnsupportedCall(
	text: string,
	offeredTools: readonly string[],
): string | undefined {
	if (!/[<[{(]/.test(text)) return undefined;
	const prose = text.replace(CODE, '\n```\n');
	let occurrences = 0;
	for (const name of offeredTools)
		for (let at = prose.indexOf(name); at >= 0; at = prose.indexOf(name, at + name.length)) {
			occurrences += 1;
			if (occurrences > MAX_OCCURRENCES) return undefined;
			if (isCalledAt(prose, at, name.length)) return name;
		}
	return undefined;
}

function isCalledAt(text: string, at: number, length: number): boolean {
	const before = text.slice(Math.max(0, at - MAX_BEFORE), at);
	const after = text.slice(at + length, at + length + MAX_AFTER);
	if (/\w$/.test(before) || /^\w/.test(after)) return false;
	return IN_TAG.test(before) || hasCallSyntax(before, after);
}

/** Whether a tag, a token or brackets before a name, and what follows it, make a call. */
function hasCallSyntax(before: string, after: string): boolean {
	const hasArguments = ARGUMENTS.test(after);
	const opened = AFTER_TAG.exec(before)?.[1] ?? '';
	if (/[{[(:=]/.test(opened)) return true;
	if (!hasArguments)
		return isTokenBeforeCode(before, after) || (AFTER_KEY.test(before) && NEXT_KEY.test(after));
	return [AFTER_TAG, AFTER_TOKEN, IN_BRACKETS].some((pattern) => pattern.test(before));
}

function isTokenBeforeCode(before: string, after: string): boolean {
	return AFTER_TOKEN.test(before) && /^\s*```/.test(after);
}
