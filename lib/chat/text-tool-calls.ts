/** Calls that a server without a parser hands on in the text of an answer. */
import { parseJson } from '../json';
import { isRecord, type JsonRecord, minOf } from '../values';
import type { RawToolCall } from './tool-calls';

/** A way to write calls at the end of a text. */
interface TextCallFormat {
	/** Where it begins. */
	begin: RegExp;
	/** The calls in the rest of the text; undefined where that is anything else. */
	read(rest: string): unknown[] | undefined;
}

/** Each with the report that asks for it. */
const FORMATS: readonly TextCallFormat[] = [
	// Hermes, Qwen, most FastAPI servers (n8n issues 15862, 23548): one or several <tool_call>{…}</tool_call>
	{
		begin: /<tool_call>\s*\{/,
		read: (rest) => matchBlocks(rest, /^<tool_call>([^]*?)<\/tool_call>/)?.map(parseJson),
	},
	// Qwen3-Coder, which llama-server and Ollama let through (opencode 26162, ollama 16686)
	{
		begin: /(?:<tool_call>\s*)?<function=/,
		read: (rest) =>
			matchBlocks(
				rest,
				/^(?:<tool_call>)?\s*<function=([^]*?)<\/function>\s*(?:<\/tool_call>)?/,
			)?.map(functionTag),
	},
	// Mistral: [TOOL_CALLS][{…}]
	{
		begin: /\[TOOL_CALLS\]/,
		read: (rest) => listOf(parseJson(rest.replace('[TOOL_CALLS]', '').trim())),
	},
	// Llama 3: <|python_tag|>{…}
	{
		begin: /<\|python_tag\|>/,
		read: (rest) => listOf(parseJson(rest.replace('<|python_tag|>', '').trim())),
	},
	// The whole answer is JSON, perhaps in a code block (openclaude 1053)
	{
		begin: /^\s*(?:```(?:json)?\s*)?[{[]/,
		read: (rest) =>
			listOf(
				parseJson(
					rest
						.trim()
						.replace(/^```(?:json)?|```$/g, '')
						.trim(),
				),
			),
	},
];

/** Beginnings of calls inside of a text, which are not shown before the end tells what they are. */
const MARKERS = ['<tool_call>', '<function=', '[TOOL_CALLS]', '<|python_tag|>'];
const PARAMETER = '<parameter=';
const PARAMETER_END = '</parameter>';

/** Calls that were read from a text. */
interface TextToolCalls {
	/** What stands before them. */
	text: string;
	calls: RawToolCall[];
}

/** Why what looks like a call is none. */
export interface RejectedTextCall {
	name: string;
	reason:
		| 'no such tool is connected'
		| 'the same text appears in the input'
		| 'the response contains more than 100 calls';
}

/** A model that repeats itself writes thousands. */
const MAX_CALLS = 100;

/**
 * The calls that end a text, if all of them are complete and of offered tools.
 *
 * @param isQuoted whether a call also stands in what was sent: then it is a quotation, and nothing runs
 */
export function parseTextToolCalls(
	text: string,
	offered: readonly string[],
	isQuoted: (call: RawToolCall) => boolean,
): TextToolCalls | { unrun: RejectedTextCall } | undefined {
	let unrun: RejectedTextCall | undefined;
	for (const format of FORMATS) {
		const { at, calls } = parseWithFormat(text, format);
		if (calls.length === 0) continue;
		const reason = unrunIn(calls, offered, isQuoted);
		if (reason === undefined) return { text: text.slice(0, at).trimEnd(), calls };
		unrun ??= reason;
	}
	return unrun && { unrun };
}

function unrunIn(
	calls: readonly RawToolCall[],
	offered: readonly string[],
	isQuoted: (call: RawToolCall) => boolean,
): RejectedTextCall | undefined {
	if (calls.length > MAX_CALLS)
		return { name: calls[0]!.name, reason: 'the response contains more than 100 calls' };
	const unknown = calls.find(({ name }) => !offered.includes(name));
	if (unknown !== undefined) return { name: unknown.name, reason: 'no such tool is connected' };
	const quoted = calls.find(isQuoted);
	return quoted && { name: quoted.name, reason: 'the same text appears in the input' };
}

/** The calls in one format, and where they begin. None unless each of them is one. */
function parseWithFormat(
	text: string,
	{ begin, read }: TextCallFormat,
): { at: number; calls: RawToolCall[] } {
	const at = text.search(begin);
	const calls = at < 0 ? [] : (read(text.slice(at)) ?? []).map(callOf);
	return { at, calls: areCalls(calls) ? calls : [] };
}

function areCalls(calls: ReadonlyArray<RawToolCall | undefined>): calls is RawToolCall[] {
	return !calls.includes(undefined);
}

/** The contents of blocks that fill a text, of too many the first; undefined where anything else stands between or behind. */
function matchBlocks(text: string, block: RegExp): string[] | undefined {
	const contents: string[] = [];
	let rest = text.trimStart();
	while (rest !== '' && contents.length <= MAX_CALLS) {
		const match = block.exec(rest);
		if (match === null) return undefined;
		contents.push(match[1] ?? '');
		rest = rest.slice(match[0].length).trimStart();
	}
	return contents;
}

/** `NAME><parameter=KEY>value</parameter>…`. A value is JSON where it reads as such. */
function functionTag(content: string): JsonRecord {
	const name = /^[^>\s]*/.exec(content)?.[0] ?? '';
	const pieces = content.split(PARAMETER_END).slice(0, -1);
	return { name, arguments: Object.fromEntries(pieces.flatMap(parameterIn)) };
}

/** Name and value of a parameter, from its beginning to before its end. */
function parameterIn(piece: string): Array<[name: string, value: unknown]> {
	const begin = piece.indexOf(PARAMETER);
	const close = piece.indexOf('>', begin);
	if (begin < 0 || close < 0) return [];
	const value = piece
		.slice(close + 1)
		.replace(/^\n/, '')
		.replace(/\n$/, '');
	const isJson = /^[[{]/.test(value.trim());
	return [
		[
			piece.slice(begin + PARAMETER.length, close),
			isJson ? (parseJson(value.trim()) ?? value) : value,
		],
	];
}

function listOf(value: unknown): unknown[] | undefined {
	if (Array.isArray(value)) return value as unknown[];
	return isRecord(value) ? [value] : undefined;
}

/** A call from its JSON; undefined for anything else. */
function callOf(value: unknown): RawToolCall | undefined {
	if (!isRecord(value)) return undefined;
	const fn = isRecord(value.function) ? value.function : value;
	const args = fn.arguments ?? fn.parameters ?? {};
	if (typeof fn.name !== 'string' || !(isRecord(args) || typeof args === 'string'))
		return undefined;
	return { name: fn.name, arguments: typeof args === 'string' ? args : JSON.stringify(args) };
}

/** Up to so many characters, the beginning of an answer may not yet tell whether it is a call. */
export const MAX_UNDECIDED_LENGTH = 64;

/**
 * Up to where a text can be shown while more of it may come. What may become a call is held back.
 *
 * @param isFirst whether the answer begins with it
 */
export function getDisplayableLength(held: string, isFirst: boolean): number {
	if (isFirst && /^\s*(?:[{[]|`{0,2}$|`{3})/.test(held.slice(0, MAX_UNDECIDED_LENGTH))) return 0;
	const found = MARKERS.map((marker) => held.indexOf(marker)).filter((at) => at >= 0);
	if (found.length > 0) return minOf(found);
	const at = Math.max(held.lastIndexOf('<'), held.lastIndexOf('['));
	return at >= 0 && MARKERS.some((marker) => marker.startsWith(held.slice(at))) ? at : held.length;
}
