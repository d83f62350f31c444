/** Parses tool calls that a server without a parser leaves in the text of a response. */
import { parseJson } from '../json';
import { isRecord, type JsonRecord, minOf } from '../values';

/** A way to write calls at the end of a text. */
interface TextCallFormat {
	begin: RegExp;
	/** The calls in the rest of the text; undefined if it contains anything else. */
	read(rest: string): unknown[] | undefined;
}

/** Formats with the issues that report them. */
const FORMATS: readonly TextCallFormat[] = [
	// Hermes, Qwen, most FastAPI servers (n8n issues 15862, 23548): one or several <tool_call>{…}</tool_call>
	{
		begin: /<tool_call>\s*\{/,
		read: (rest) => matchBlocks(rest, /^<tool_call>([^]*?)<\/tool_call>/)?.map(parseJson),
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
	// Mistral: [TOOL_CALLS][{…}]
	{
		begin: /\[TOOL_CALLS\]/,
		read: (rest) => parseList(rest.replace('[TOOL_CALLS]', '')),
	},
	// Llama 3: <|python_tag|>{…}
	{
		begin: /<\|python_tag\|>/,
		read: (rest) => parseList(rest.replace('<|python_tag|>', '')),
	},
	// The complete response is JSON, perhaps in a code block (openclaude 1053)
	{
		begin: /^\s*(?:```(?:json)?\s*)?[{[]/,
		read: (rest) => parseList(rest.trim().replace(/^```(?:json)?|```$/g, '')),
	},
];

/** Beginnings of calls in a text. They are shown only at the end, if they are not calls. */
const MARKERS = ['<tool_call>', '<function=', '[TOOL_CALLS]', '<|python_tag|>'];
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
 * @param isQuotation whether a call is quoted from the request: then no call is executed
 */
export function parseTextToolCalls(
	text: string,
	offeredTools: readonly string[],
	isQuotation: (call: RawToolCall) => boolean,
): TextToolCalls {
	let rejectedCall: RejectedTextCall | undefined;
	for (const format of FORMATS) {
		const { at, calls } = parseWithFormat(text, format);
		if (calls.length === 0) continue;
		const rejection = findRejectedCall(calls, offeredTools, isQuotation);
		if (rejection === undefined) return { text: text.slice(0, at).trimEnd(), calls };
		rejectedCall ??= rejection;
	}
	return { text, calls: [], rejectedCall };
}

function findRejectedCall(
	calls: readonly RawToolCall[],
	offeredTools: readonly string[],
	isQuotation: (call: RawToolCall) => boolean,
): RejectedTextCall | undefined {
	if (calls.length > MAX_CALLS)
		return { name: calls[0]!.name, reason: 'the response contains more than 100 calls' };
	const unknown = calls.find(({ name }) => !offeredTools.includes(name));
	if (unknown !== undefined) return { name: unknown.name, reason: 'no such tool is connected' };
	const quoted = calls.find(isQuotation);
	return quoted && { name: quoted.name, reason: 'the same text appears in the input' };
}

/** The calls in one format and their position; no calls if any of them is invalid. */
function parseWithFormat(
	text: string,
	{ begin, read }: TextCallFormat,
): { at: number; calls: RawToolCall[] } {
	const at = text.search(begin);
	const calls = at < 0 ? [] : (read(text.slice(at)) ?? []).map(toRawToolCall);
	return { at, calls: areCalls(calls) ? calls : [] };
}

function areCalls(calls: ReadonlyArray<RawToolCall | undefined>): calls is RawToolCall[] {
	return !calls.includes(undefined);
}

/** The contents of up to `MAX_CALLS` + 1 blocks that fill a text; undefined if it contains anything else. */
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

/** `NAME><parameter=KEY>value</parameter>…`. A value that looks like JSON is parsed. */
function parseFunctionTag(content: string): JsonRecord {
	const name = /^[^>\s]*/.exec(content)?.[0] ?? '';
	const parameters = content.split(PARAMETER_END).slice(0, -1);
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
	const isJson = /^[[{]/.test(value.trim());
	return [
		[
			parameter.slice(begin + PARAMETER.length, close),
			isJson ? (parseJson(value.trim()) ?? value) : value,
		],
	];
}

/** A JSON list, or one JSON object as a list. */
function parseList(json: string): unknown[] | undefined {
	const value = parseJson(json.trim());
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
 * @param isFirst whether the response begins with this text
 */
export function getDisplayableLength(pending: string, isFirst: boolean): number {
	if (isFirst && /^\s*(?:[{[]|`{0,2}$|`{3})/.test(pending.slice(0, MAX_UNDECIDED_LENGTH))) return 0;
	const positions = MARKERS.map((marker) => pending.indexOf(marker)).filter((at) => at >= 0);
	if (positions.length > 0) return minOf(positions);
	const at = Math.max(pending.lastIndexOf('<'), pending.lastIndexOf('['));
	return at >= 0 && MARKERS.some((marker) => marker.startsWith(pending.slice(at)))
		? at
		: pending.length;
}

/** A tool call as received. */
export interface RawToolCall {
	/** The server's ID. */
	id?: string;
	name: string;
	/** As the model wrote them. */
	arguments: string;
}
