/** Parses tool calls that a server without a parser leaves in the text of a response. */
import { isRecord, JsonRecord, normalizeLetters, parseJson, parseJsonExactly } from '../values';
import { END_MARKS, withoutEnd } from './end-marks';
import { parseLiteralCalls, repairJson } from './literals';
import { getPartialMarkLength } from './marks';

/** A way to write calls at the end of a text. */
interface TextCallFormat {
	begin: RegExp;
	/** Mark after calls that begin a response, and that text may follow. */
	end?: string;
	/** The calls in the rest of the text; undefined if it contains anything else. */
	read(rest: string): unknown[] | undefined;
}

/** Marks that announce a call by their names. `<tool_call>` has its own rows, which require its end. */
const CALL_MARKS =
	/(?:<(?!tool_call>)[|/]?[\w:|-]{0,30}(?:tool|func|call|action|plugin|python)[\w:|-]{0,30}>\s*){1,3}/;
const LEADING_MARKS = new RegExp(`^(?:${CALL_MARKS.source}|functools)`, 'i');

/** Formats with their sources: issues that report them, or the model's documentation. */
const FORMATS: readonly TextCallFormat[] = [
	// Hermes, Qwen, most FastAPI servers (n8n issues 15862, 23548): one or several <tool_call>{…}</tool_call>
	{
		begin: /<tool_call>\s*[[{]/,
		read: (rest) =>
			matchBlocks(rest, /^<tool_call>([^]*?)<\/tool_call>/)?.flatMap((json) => parseList(json)),
	},
	// Qwen3-Coder, which llama-server and Ollama do not parse (opencode 26162, ollama 16686)
	{
		begin: /(?:<tool_call>\s*)?<function=/,
		read: (rest) =>
			matchBlocks(
				rest,
				/^(?:<tool_call>)?\s*<function=([^]*?)<\/function>\s*(?:<\/tool_call>)?/,
			)?.map(parseFunctionTag),
	},
	// GLM-4.5 to 4.7 (vLLM 32436): <tool_call>NAME <arg_key>…</arg_key><arg_value>…</arg_value></tool_call>
	{
		begin: /<tool_call>\s*[\w.-]{1,64}\s*<(?:arg_key|\/tool_call)>/,
		read: (rest) => matchBlocks(rest, /^<tool_call>([^]*?)<\/tool_call>/)?.map(parseArgumentTags),
	},
	// LFM2 and 2.5 (Liquid's model cards), which write text after their calls
	{
		begin: /<\|tool_call_start\|>/,
		end: '<|tool_call_end|>',
		read: (rest) => readLiterals(rest, /^<\|tool_call_start\|>([^]*?)<\|tool_call_end\|>/),
	},
	// gpt-oss (OpenAI's Harmony format; vLLM 22578): the end of a call is a stop token, which servers omit
	{
		begin:
			/<\|start\|>assistant(?:<\|channel\|>\w{1,20})? {0,4}to=functions\.|<\|channel\|>\w{1,20} {0,4}to=functions\./,
		read: (rest) => matchBlocks(rest, HARMONY_CALL, 0)?.map(parseHarmonyCall),
	},
	// Gemma 4 (llama.cpp 21316), perhaps with the beginning of the result
	{
		begin: /<\|tool_call>call:/,
		read: (rest) =>
			readLiterals(rest, /^<\|tool_call>call:([^]*?)<tool_call\|>(?:\s*<\|tool_response>)?/),
	},
	// Mistral: [TOOL_CALLS][{…}], and since Devstral [TOOL_CALLS]NAME[ARGS]{…}
	{
		begin: /\[TOOL_CALLS\]/,
		read: (rest) => rest.split('[TOOL_CALLS]').slice(1).flatMap(parseMistralCalls),
	},
	// JSON or Python between marks (vLLM's parsers of Llama 3 and 4, Granite, Nemotron, Hunyuan, InternLM, Olmo 3)
	{
		begin: new RegExp(`${CALL_MARKS.source}(?:[[{]|[\\w.-]{1,64}\\()|\\bfunctools\\[`, 'i'),
		read: (rest) =>
			parseCalls(withoutEnd(rest.replace(LEADING_MARKS, ''), /<[|/\w][\w:|/-]{0,40}>\s*$/)),
	},
	// The complete response is JSON, perhaps in a code block (openclaude 1053)
	{
		begin: /^\s*(?:```(?:json)?\s*)?[{[]/,
		read: (rest) => parseCalls(rest.trim().replace(/^```(?:json)?|```$/g, '')),
	},
];

/** The beginning of a call in a text. It is shown only at the end, if it is not a call. */
const MARKER =
	/<(?:[|｜]|\/?[\w:]{0,20}(?:tool|func|call|action|invoke))|\[TOOL_CALLS\]|\bfunctools\[/i;
/** A mark that has not arrived completely. */
const PARTIAL_MARK = /(?:<[^<>\s]{0,60}|\[[A-Z_|~e]{0,12}|\bf[a-z]{0,8})$/;

/** The channel may be before or after the name of the tool. */
const HARMONY_CALL =
	/^(?:<\|start\|>assistant)?(?:<\|channel\|>\w{1,20})? {0,4}to=functions\.[^]*?(?:<\|call\|>|<\|end\|>|$)/;
const HARMONY_PARTS =
	/to=functions\.([\w.-]{1,128}) {0,4}(?:<\|channel\|>\w{1,20} {0,4})?(?:<\|constrain\|>)?\w{0,20} {0,4}<\|message\|>([^]*)$/;
const PARAMETER = '<parameter=';
const PARAMETER_END = '</parameter>';

export interface TextToolCalls {
	/** Text before the calls; without calls, the complete text. */
	text: string;
	calls: RawToolCall[];
	/** A call that is not executed. */
	rejectedCall?: RejectedTextCall;
}

/** A call in text that is not executed, with the reason. */
export interface RejectedTextCall {
	name: string;
	/** Continues "It was not executed, because …". */
	reason: string;
}

/** A model that repeats itself writes thousands. */
const MAX_CALLS = 100;

/**
 * The calls that end a text, if all of them are complete and of offered tools.
 *
 * `isQuotation`: whether a call is quoted from the request: then no call is executed.
 */
export function parseTextToolCalls(
	text: string,
	offeredTools: readonly string[],
	isQuotation: (call: RawToolCall) => boolean,
): TextToolCalls {
	let rejectedCall: RejectedTextCall | undefined;
	for (const format of FORMATS) {
		const parsed = parseWithFormat(text, format);
		if (parsed.calls.length === 0) continue;
		const rejection = findRejectedCall(parsed.calls, offeredTools, isQuotation);
		if (!rejection) return parsed;
		rejectedCall ??= rejection;
	}
	const unsupported = rejectedCall ? undefined : findUnsupportedCall(text, offeredTools);
	if (unsupported !== undefined)
		rejectedCall = { name: unsupported, reason: 'its format is unknown or incomplete' };
	return { text, calls: [], rejectedCall };
}

/** Markup of a call next to the calls that the server parsed, unless it repeats one of them. */
export function findIgnoredCall(
	text: string,
	offeredTools: readonly string[],
	parsedCalls: readonly RawToolCall[],
): RejectedTextCall | undefined {
	const letters = normalizeLetters(text);
	const isRepeated = (tool: string) =>
		parsedCalls.some(
			({ name, arguments: args }) => name === tool && letters.includes(normalizeLetters(args)),
		);
	const name = findUnsupportedCall(
		text,
		offeredTools.filter((tool) => !isRepeated(tool)),
	);
	return name === undefined
		? undefined
		: { name, reason: 'the server sent other calls separately from the text' };
}

function findRejectedCall(
	calls: readonly RawToolCall[],
	offeredTools: readonly string[],
	isQuotation: (call: RawToolCall) => boolean,
): RejectedTextCall | undefined {
	if (calls.length > MAX_CALLS)
		return { name: calls[0]!.name, reason: 'the response contains more than 100 calls' };
	const unknown = calls.find(({ name }) => !offeredTools.includes(name));
	if (unknown) return { name: unknown.name, reason: 'no such tool is connected' };
	const quoted = calls.find(isQuotation);
	return quoted && { name: quoted.name, reason: 'the same text appears in the input' };
}

/** The calls in one format, and the text without them; no calls if any of them is invalid. */
function parseWithFormat(text: string, { begin, end, read }: TextCallFormat): TextToolCalls {
	const at = text.search(begin);
	if (at < 0 || isInFence(text, at)) return { text, calls: [] };
	const before = text.slice(0, at).trimEnd();
	const endsAt = end === undefined || before ? -1 : text.lastIndexOf(end) + end.length;
	const to = endsAt > at ? endsAt : text.length;
	const calls = (read(text.slice(at, to)) ?? []).map(toRawToolCall);
	if (!areCalls(calls)) return { text, calls: [] };
	return { text: before + text.slice(to).trim(), calls };
}

/** Whether a position is in a code block. */
export function isInFence(text: string, at: number) {
	return (text.slice(0, at).match(/^ {0,3}```/gm) ?? []).length % 2 === 1;
}

function areCalls(calls: ReadonlyArray<RawToolCall | undefined>): calls is RawToolCall[] {
	return !calls.includes(undefined);
}

/**
 * The contents of up to `MAX_CALLS` + 1 blocks that fill a text; undefined if it contains anything else.
 *
 * `group`: of the match with the content.
 */
function matchBlocks(text: string, block: RegExp, group = 1) {
	const contents: string[] = [];
	let rest = text.trimStart();
	while (rest && contents.length <= MAX_CALLS) {
		const match = block.exec(rest);
		if (match === null) return undefined;
		contents.push(match[group] ?? '');
		rest = rest.slice(match[0].length).trimStart();
	}
	return contents;
}

/** Calls written like Python or JavaScript, one or several in a block. */
function readLiterals(text: string, block: RegExp): unknown[] | undefined {
	const calls = matchBlocks(text, block)?.map((content) => parseLiteralCalls(content));
	return calls?.flatMap((list) => list ?? [undefined]);
}

/** `NAME <arg_key>KEY</arg_key><arg_value>value</arg_value>…`; undefined if it contains anything else. */
function parseArgumentTags(content: string): JsonRecord | undefined {
	const [name = '', ...parts] = content.split('<arg_key>');
	const entries = parts.map((part) =>
		/^([^<>]*)<\/arg_key>\s*<arg_value>([^]*)<\/arg_value>\s*$/.exec(part),
	);
	const values = entries.flatMap((entry) =>
		entry === null ? [] : [[entry[1]!.trim(), parseValue(entry[2]!)]],
	);
	if (values.length < entries.length) return undefined;
	return { name: name.trim(), arguments: Object.fromEntries(values) as JsonRecord };
}

/** A call of the Harmony format; undefined if its arguments are not a complete object. */
function parseHarmonyCall(block: string): JsonRecord | undefined {
	const [, name, json = ''] = HARMONY_PARTS.exec(block.replace(/<\|(?:call|end)\|>$/, '')) ?? [];
	return isRecord(parseJson(json)) ? { name, arguments: json.trim() } : undefined;
}

/** `NAME[ARGS]{…}`, perhaps with an ID, or a list. */
function parseMistralCalls(text: string) {
	const [, name, args] =
		/^\s*([\w.-]{1,128})(?:\[CALL_ID\]\w{1,40})?(?:\[ARGS\])?\s*(\{[^]*)$/.exec(text) ?? [];
	return name === undefined ? (parseList(text) ?? [undefined]) : [{ name, arguments: args }];
}

/** `NAME><parameter=KEY>value</parameter>…`, or `NAME>{…}`. A value that looks like JSON is parsed. */
function parseFunctionTag(content: string): unknown {
	const name = /^[^>\s]*/.exec(content)?.[0] ?? '';
	const parameters = content.split(PARAMETER_END).slice(0, -1);
	const body = content.slice(name.length + 1).trim();
	if (parameters.length === 0 && body !== '') return { name, arguments: parseList(body)?.[0] ?? 0 };
	return { name, arguments: Object.fromEntries(parameters.flatMap(parseParameter)) };
}

/** Name and value of a parameter without its end tag. */
function parseParameter(parameter: string): Array<[name: string, value: unknown]> {
	const begin = parameter.indexOf(PARAMETER);
	const close = parameter.indexOf('>', begin);
	if (begin < 0 || close < 0) return [];
	const value = parameter
		.slice(close + 1)
		.replace(/^\n/, '')
		.replace(/\n$/, '');
	return [[parameter.slice(begin + PARAMETER.length, close), parseValue(value)]];
}

/** A list or an object, otherwise a text, which is converted to the type that the tool's schema requires. */
function parseValue(value: string): unknown {
	return /^\s*[[{]/.test(value) ? (parseJsonExactly(value.trim()) ?? value) : value;
}

/** Calls as JSON, or like Python. */
function parseCalls(text: string) {
	return parseList(text) ?? parseLiteralCalls(text);
}

/** A JSON list, or one JSON object as a list. */
function parseList(json: string) {
	const value = parseJsonExactly(repairJson(json.trim()) ?? '');
	if (Array.isArray(value)) return value as unknown[];
	return isRecord(value) ? [value] : undefined;
}

/** A call from its JSON; undefined for anything else. */
function toRawToolCall(value: unknown): RawToolCall | undefined {
	if (!isRecord(value)) return undefined;
	const fn = isRecord(value.function) ? value.function : value;
	const args = fn.arguments ?? fn.parameters ?? {};
	if (typeof fn.name !== 'string' || !(isRecord(args) || typeof args === 'string'))
		return undefined;
	return { name: fn.name, arguments: typeof args === 'string' ? args : JSON.stringify(args) };
}

/** Up to this length, the start of a response may still become a call. */
export const MAX_UNDECIDED_LENGTH = 64;

/**
 * Length of the text that can be shown while more may arrive. Text that may become a call is pending.
 *
 * `isFirst`: whether the response begins with this text.
 * `hasTools`: whether it may contain calls.
 */
export function getDisplayableLength(pending: string, isFirst: boolean, hasTools: boolean) {
	const start = pending.slice(0, MAX_UNDECIDED_LENGTH);
	// The blanks leave room for the backticks: a start of only blanks would never be decided.
	if (hasTools && isFirst && /^\s{0,60}(?:[{[]|`{0,2}$|`{3})/.test(start)) return 0;
	const marker = hasTools ? pending.search(MARKER) : -1;
	if (marker >= 0) return marker;
	const end = withoutEnd(pending);
	if (end.length < pending.length) return end.length;
	const partial = PARTIAL_MARK.exec(pending)?.[0].length ?? 0;
	return pending.length - Math.max(partial, getPartialMarkLength(pending, END_MARKS));
}

/** A tool call as received. */
export interface RawToolCall {
	/** The server's ID. */
	id?: string;
	name: string;
	/** As the model wrote them. */
	arguments: string;
}

/** Characters compared on either side of a name. */
const MAX_BEFORE = 100;
const MAX_AFTER = 40;
/** Occurrences of names that are compared. */
const MAX_OCCURRENCES = 200;

/** The name follows a tag, with at most brackets and a key between them, or is in one. */
const AFTER_TAG =
	/(?:<[|｜/\w][^<>]{0,60}>|\[[A-Z][A-Z_]+\])\s{0,8}([{[(]*\s{0,8}(?:["']?\w{1,30}["']?\s{0,8}[:=]\s{0,8})?["']?)$/;
/** Words may follow the tokens of a chat template. */
const AFTER_TOKEN = /<[|｜][^<>]{1,60}>[^<>\n]{0,40}$/;
const IN_TAG = /<[|｜]?\w[^<>]{0,40}[=:]\s{0,8}["']?$|\bto=functions\.$/;
const IN_BRACKETS = /[[{(]\s{0,8}(?:["']?\w{1,30}["']?\s{0,8}[:=]\s{0,8})?["']?$/;
const AFTER_KEY = /\{[^{}]{0,60}:\s{0,8}["']$/;

/** Arguments follow the name. */
const ARGUMENTS =
	/^["']?(?:\(|\s{0,8}\{|\s{0,8}\n\s{0,8}[{<]|(?::\d{1,3})?<(?:arg|param|[|｜]|\/(?:tool|func|name|call))|\[(?:ARGS|CALL_ID)\])/;
const NEXT_KEY = /^["']\s{0,8},\s{0,8}["']\w{1,30}["']\s{0,8}:/;

/** Code, in which calls are examples. */
const CODE =
	/^ {0,3}```[^]*?(?:^ {0,3}```|(?![^]))|`[^`\n]{1,200}`|<(code|pre)>[^]{0,2000}?<\/\1>/gm;

/** The first offered tool that a text seems to call. */
function findUnsupportedCall(text: string, offeredTools: readonly string[]) {
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

function isCalledAt(text: string, at: number, length: number) {
	const before = text.slice(Math.max(0, at - MAX_BEFORE), at);
	const after = text.slice(at + length, at + length + MAX_AFTER);
	if (/\w$/.test(before) || /^\w/.test(after)) return false;
	return IN_TAG.test(before) || hasCallSyntax(before, after);
}

/** Whether a tag, a token or brackets before a name, and what follows it, make a call. */
function hasCallSyntax(before: string, after: string) {
	const hasArguments = ARGUMENTS.test(after);
	const opened = AFTER_TAG.exec(before)?.[1] ?? '';
	if (/[{[(:=]/.test(opened)) return true;
	if (!hasArguments)
		return (
			(AFTER_TOKEN.test(before) && /^\s*```/.test(after)) ||
			(AFTER_KEY.test(before) && NEXT_KEY.test(after))
		);
	return [AFTER_TAG, AFTER_TOKEN, IN_BRACKETS].some((pattern) => pattern.test(before));
}
