/** Finds the calls of a text. What may run is decided elsewhere. */
import { pushAll } from '../../values/lists';
import { BEGINNING } from './call-marks';
import {
	blankOutCode,
	blankOutQuotedLines,
	isInOpenElement,
	unwrapCodeBlock,
} from '../code-blocks';
import { TextCursor } from './cursor';
import { readFunctoolsCalls, readHarmonyCall, readMistralCalls } from './header-calls';
import { MAX_CALLS } from './limits';
import { readMarkedBlock } from './marked-blocks';
import { readNamedCall } from './named-arguments';
import type { CallBlock, CallCandidate, TextRange } from './types';
import type { CallProblem } from '../../rejected-call';
import { isRecord } from '../../values/records';
import { parseJson } from '../../values/json';
import { splitJson } from '../json-members';
import { readLiteralCalls } from './literal-calls';
import { toCandidates } from './marked-json';

/** What was read of a text. */
export interface TextCallReading {
	/** In the order of the text, at most one more than may run. The last one may have a problem: reading ends there. */
	candidates: readonly CallCandidate[];
	/** The text that was read: without the fences of a response that is one code block. */
	text: string;
	/** From the first call to the end of the last one. */
	range: TextRange;
	/** Whether the syntax of the last call allows text after it. */
	allowsTextAfter: boolean;
	/** Whether a mark that ends a block is missing, so that only the end of a complete response ends it. Default: false. */
	isOpen?: true;
}

/** Marks without a call before the first one: a text with more is about them, and none of its calls is read. */
const MAX_FAILED_BEGINNINGS = 100;

/** Reads all calls from the first one on. */
export function readTextCalls(response: string): TextCallReading {
	const text = unwrapCodeBlock(response) ?? response;
	const complete = readCompleteJson(text);
	if (complete !== undefined) {
		const range = { from: 0, to: text.length };
		return { candidates: complete, text, range, allowsTextAfter: false };
	}
	const visible = hasBeginning(text) ? blankOutQuotedLines(blankOutCode(text)) : '';
	return readBlocks({ text, visible, isExcluded: (at) => isInOpenElement(text, at) });
}

/**
 * Reads all calls of a text, also those in code and quotations, from the first one on.
 *
 * @param isInCode whether those in code count, or only those in quotations and lists
 */
export function readQuotedCalls(text: string, isInCode: boolean): readonly CallCandidate[] {
	if (!hasBeginning(text)) return [];
	return readBlocks({ text, visible: isInCode ? text : blankOutCode(text) }).candidates;
}

/** A text, and where calls may begin in it. */
interface SearchedText {
	text: string;
	/** The text, with blanks where no call begins. */
	visible: string;
	/** Whether no call begins at a place. Default: at none. */
	isExcluded?(at: number): boolean;
}

function readBlocks({ text, visible, isExcluded = () => false }: SearchedText): TextCallReading {
	const cursor = new TextCursor(text);
	let failedBeginnings = 0;
	for (const { index: from } of visible.matchAll(BEGINNING)) {
		if (isExcluded(from)) continue;
		cursor.at = from;
		const block = readBlock(cursor);
		if (block !== undefined)
			return { ...readFollowingBlocks({ cursor, visible, first: block, from }), text };
		failedBeginnings += 1;
		if (cursor.isExhausted || failedBeginnings > MAX_FAILED_BEGINNINGS) break;
	}
	const range = { from: text.length, to: text.length };
	return { candidates: [], text, range, allowsTextAfter: false };
}

/** Whether a call may begin anywhere in a text. */
export function hasBeginning(text: string): boolean {
	return text.search(BEGINNING) >= 0;
}

/** Where calls may begin outside of code. */
export function findBeginnings(text: string): Iterable<{ index: number }> {
	return hasBeginning(text) ? blankOutCode(text).matchAll(BEGINNING) : [];
}

/** Reads the calls that begin at the cursor, in any shape with marks. */
export function readBlock(cursor: TextCursor): CallBlock | undefined {
	const block =
		readMistralCalls(cursor) ??
		readMarkedBlock(cursor) ??
		readHarmonyCall(cursor) ??
		readFunctoolsCalls(cursor);
	if (block !== undefined) return block;
	const candidates = readNamedCall(cursor, '');
	return candidates && { candidates, to: cursor.at, allowsTextAfter: false };
}

interface FirstBlock {
	cursor: TextCursor;
	/** The text, with blanks where no call begins. */
	visible: string;
	first: CallBlock;
	/** Where it begins. */
	from: number;
}

/** Reads the blocks that follow the first one with nothing but blanks between them. */
function readFollowingBlocks({
	cursor,
	visible,
	first,
	from,
}: FirstBlock): Omit<TextCallReading, 'text'> {
	const candidates = [...first.candidates];
	let last = first;
	let isOpen = first.isOpen;
	while (candidates.length <= MAX_CALLS && candidates.at(-1)!.problems.length === 0) {
		cursor.at = last.to;
		cursor.skipBlanks();
		const isVisible = visible.at(cursor.at) === cursor.text.at(cursor.at);
		const next = isVisible ? readBlock(cursor) : undefined;
		if (next === undefined) break;
		pushAll(candidates, next.candidates);
		last = next;
		isOpen ??= next.isOpen;
	}
	const { allowsTextAfter } = last;
	return { candidates, range: { from, to: last.to }, allowsTextAfter, ...(isOpen && { isOpen }) };
}

/** Llama 3 puts a semicolon between its calls (vllm-project/vllm, `llama_tool_parser.py`). */
const SEPARATOR = /[\s\u200B]*;?[\s\u200B]*/y;

/** What makes JSON a text about a tool: then it is no call, not even a broken one. */
const ABOUT: ReadonlySet<CallProblem> = new Set(['noArguments', 'notOnlyACall']);

/**
 * Shape (e): a complete response that is the JSON of calls, or a list of calls that are written like Python.
 *
 * @returns undefined if it is anything else than calls
 */
function readCompleteJson(text: string): CallCandidate[] | undefined {
	const cursor = new TextCursor(text);
	cursor.skipBlanks();
	const candidates: CallCandidate[] = [];
	while (!cursor.isAtEnd) {
		const calls = readJsonCalls(cursor) ?? (candidates.length === 0 ? readList(cursor) : undefined);
		if (calls === undefined) return undefined;
		pushAll(candidates, calls);
		// None of so many runs, whatever follows them.
		if (candidates.length > MAX_CALLS) return candidates;
		cursor.match(SEPARATOR);
	}
	return candidates.length === 0 ? undefined : candidates;
}

function readJsonCalls(cursor: TextCursor): CallCandidate[] | undefined {
	const from = cursor.at;
	const json = cursor.readJson();
	const calls =
		json === undefined ? undefined : toCandidates(json, 'completeJson', { from, to: cursor.at });
	const isAbout = calls?.some(
		({ problems, arguments: args }) =>
			problems.some((problem) => ABOUT.has(problem)) || listsTypes(args),
	);
	if (calls !== undefined && isAbout === false && !definesTools(json!)) return calls;
	cursor.at = from;
	return undefined;
}

/**
 * Whether a list has a tool with `"parameters":{}`. That defines a tool without parameters as well as it calls one; models
 * that write `parameters` in calls do not write lists.
 */
function definesTools(json: string): boolean {
	if (!json.startsWith('[')) return false;
	return splitJson(json).some(({ value }) =>
		splitJson(value).some(
			(member) => member.key === 'parameters' && /^\{\s*\}$/.test(member.value),
		),
	);
}

/** Llama 4 and Olmo: `[N(a=1), N(a=2)]` without marks (vllm-project/vllm, `pythonic_tool_parser.py`). */
function readList(cursor: TextCursor): CallCandidate[] | undefined {
	return cursor.startsWith('[') ? readLiteralCalls(cursor) : undefined;
}

const TYPE_NAME =
	/^(?:string|str|text|number|float|integer|int|boolean|bool|array|list|object|dict)(?:\[\])?\??(?:\s?\([^()]{0,60}\))?$/i;

/** Whether arguments name types instead of values: `{"city":"string"}`, `{"city":{"type":"string"}}`. */
function listsTypes(args: string | undefined): boolean {
	const value = args === undefined ? undefined : parseJson(args);
	const fields = isRecord(value) ? Object.values(value) : [];
	return fields.length > 0 && fields.every(isTypeName);
}

function isTypeName(field: unknown): boolean {
	const type = isRecord(field) ? field.type : field;
	return typeof type === 'string' && TYPE_NAME.test(type);
}
