/** Splits reasoning from the text of a response, without the marks of its channels. */
import type { Stage } from '../stage';
import { toAlternatives } from './mark-patterns';
import {
	CLOSING_TAG,
	getPartialClosingTagLength,
	OPENING_TAG,
	PARTIAL_CLOSING_TAG,
	PARTIAL_OPENING_TAG,
	RESPONSE_TOKEN,
	toEndTag,
} from './thinking-tags';
import type { PartialMarkFinder } from './partial-marks';
import { createPartialMarkFinder } from './partial-marks';

const OPENING_TAG_AT_START = new RegExp(`^${OPENING_TAG}`);
const RESPONSE_TOKEN_AT_START = new RegExp(`^${RESPONSE_TOKEN}`);
const CLOSING_TAG_AT_START = new RegExp(`^${CLOSING_TAG}`);
const ONLY_CLOSING_TAG = new RegExp(`^\\s*${CLOSING_TAG}\\s*$`);
const CLOSING_TAGS: Ends = {
	pattern: new RegExp(CLOSING_TAG),
	getPartialLength: getPartialClosingTagLength,
};

/** Gemma 4, if the server does not parse it (llama.cpp 21338). It may write its mark twice (test-chat.cpp). */
const GEMMA_MARK = '<|channel>';
const GEMMA_START = '<|channel>thought';
const GEMMA_OPEN = /^<\|channel>(?:thought|(?=\s))/;
const GEMMA_REPEATED = /^(?:<\|channel>){1,9}(?=<\|channel>)/;
const GEMMA_ENDS = toEnds(['<channel|>']);

/** Headers of gpt-oss (OpenAI's Harmony format), if the server does not parse it (vLLM 22578). Servers may remove the first token. */
const HARMONY_STARTS = ['<|start|>', '<|channel|>'];
const HARMONY_HEADER =
	/^(?:<\|start\|>assistant)?(?:<\|channel\|>)?(?:(analysis)|commentary|final)(?: ?<\|constrain\|>\w{1,20})?<\|message\|>/;
/** Headers without the first token, complete. */
const BARE_HARMONY_STARTS = ['analysis', 'commentary', 'final'].map((word) => `${word}<|message|>`);
const HARMONY_MESSAGE = '<|message|>';
const HARMONY_ENDS = toEnds(['<|end|>', '<|return|>']);
const MAX_HEADER_LENGTH = 160;

/**
 * Headers of gpt-oss whose special tokens a server removed: `analysisUser greets.assistantfinalHello!` (vLLM and Ollama
 * with another template). Only the second one shows that the first one was a header.
 */
const BARE_HEADER = /^analysis(?=[A-Z"'“(\n])/;
const BARE_START = 'analysis';
const BARE_ENDS = toEnds(['assistantfinal']);

/** The sentences around the thinking of Granite 3.2 (vllm-project/vllm, test_granite_reasoning_parser.py). The second one shows that the first one was a mark. */
const SENTENCE_MARKS = ['Here is my thought process:', "Here's my thought process:"];
const SENTENCE_ENDS = toEnds(['Here is my response:', "Here's my response:"]);

/** Beginnings of marks, at which the response is not yet decided. */
const STARTS = [GEMMA_START, ...HARMONY_STARTS, ...BARE_HARMONY_STARTS, ...SENTENCE_MARKS];

/** Models whose templates open the thinking in the prompt, so that the response contains only its end. */
const OPENS_IN_PROMPT = /deepseek[-_.]?r1|\bqwq\b|thinking/i;

/** Whether a response may begin inside the thinking, by the model name. */
export function opensReasoningInPrompt(model: string): boolean {
	return OPENS_IN_PROMPT.test(model);
}

/**
 * Splits a complete response.
 *
 * @param mayBeInside whether the prompt may contain the opening tag
 */
export function splitReasoning(response: string, mayBeInside = false): TextAndReasoning {
	const [first, state] = SPLIT_REASONING.step(startInReasoning(mayBeInside), response);
	const last = SPLIT_REASONING.end(state);
	return { text: first.text + last.text, reasoning: first.reasoning + last.reasoning };
}

export interface TextAndReasoning {
	text: string;
	reasoning: string;
}

/** Marks that end a part. */
export interface Ends {
	/** Matches the first of them: a search for each of them would read to the end of the text in every part. */
	pattern: RegExp;
	getPartialLength: PartialMarkFinder;
}

function toEnds(marks: readonly string[]): Ends {
	return {
		pattern: new RegExp(toAlternatives(marks)),
		getPartialLength: createPartialMarkFinder(marks),
	};
}

/** Which parts may follow another one: any, or only text. */
export type FollowingPart = 'any' | 'text';

/** A part of a response that a mark opens. */
export interface Part {
	/** Length of the mark. */
	length: number;
	isReasoning: boolean;
	ends: Ends;
	next: FollowingPart;
	/** Whether it is thinking only if its end arrives. Then its mark is read with it. */
	isAssumed?: true;
	/** Length of the mark of an assumed part. */
	headerLength?: number;
}

/** The part that begins with a text; `undecided` if more of the text is required. */
function parsePart(text: string): Part | 'undecided' | undefined {
	const tag = OPENING_TAG_AT_START.exec(text)?.[0];
	if (tag !== undefined)
		return {
			length: tag.length,
			isReasoning: true,
			ends: getEndsOfTag(tag),
			// A token may begin the response, too.
			next: tag.startsWith('<|') ? 'any' : 'text',
		};
	const responseToken = RESPONSE_TOKEN_AT_START.exec(text)?.[0];
	if (responseToken !== undefined)
		return {
			length: responseToken.length,
			isReasoning: false,
			ends: toEnds([toEndTag(responseToken)]),
			next: 'text',
		};
	const sentence = SENTENCE_MARKS.find((mark) => text.startsWith(mark));
	if (sentence !== undefined) return toSentencePart(sentence);
	const gemmaPart = parseGemmaPart(text);
	if (gemmaPart !== undefined && gemmaPart !== 'undecided') return gemmaPart;
	const header = HARMONY_HEADER.exec(text);
	if (header !== null) {
		const isReasoning = header[1] !== undefined;
		return { length: header[0].length, isReasoning, ends: HARMONY_ENDS, next: 'any' };
	}
	if (BARE_HEADER.test(text)) return BARE;
	const isHeader = HARMONY_STARTS.some((start) => text.startsWith(start));
	const mayBeHeader =
		isHeader && text.length < MAX_HEADER_LENGTH && !text.includes(HARMONY_MESSAGE);
	const isPartial =
		PARTIAL_OPENING_TAG.test(text) ||
		isPartialClosingTag(text) ||
		STARTS.some((start) => start.startsWith(text));
	return mayBeHeader || isPartial ? 'undecided' : gemmaPart;
}

/** Thinking between sentences. */
function toSentencePart(sentence: string): Part {
	return {
		length: 0,
		isReasoning: true,
		ends: SENTENCE_ENDS,
		next: 'text',
		isAssumed: true,
		headerLength: sentence.length,
	};
}

/** The ends of thinking by its tag. A token may also end as Harmony's messages do. */
function getEndsOfTag(tag: string): Ends {
	return toEnds(tag.startsWith('<|') ? [toEndTag(tag), '<|end|>'] : [toEndTag(tag)]);
}

/** Whether a text is the beginning of a tag that ends thinking, and nothing else. */
function isPartialClosingTag(text: string): boolean {
	return text !== '' && PARTIAL_CLOSING_TAG.exec(text)?.index === 0;
}

/** The same for thinking of Gemma 4. */
function parseGemmaPart(text: string): Part | 'undecided' | undefined {
	const repeated = GEMMA_REPEATED.exec(text)?.[0].length ?? 0;
	const rest = text.slice(repeated);
	if (!rest.startsWith(GEMMA_MARK)) return undefined;
	const open = GEMMA_OPEN.exec(rest)?.[0];
	if (open !== undefined)
		return { length: repeated + open.length, isReasoning: true, ends: GEMMA_ENDS, next: 'any' };
	const isPartial =
		GEMMA_START.startsWith(rest) || GEMMA_MARK.startsWith(rest.slice(GEMMA_MARK.length));
	return isPartial ? 'undecided' : undefined;
}

/** Thinking whose tag is in the prompt. */
const ASSUMED: Part = {
	length: 0,
	isReasoning: true,
	ends: CLOSING_TAGS,
	next: 'text',
	isAssumed: true,
};
const BARE: Part = {
	length: 0,
	isReasoning: true,
	ends: BARE_ENDS,
	next: 'text',
	isAssumed: true,
	headerLength: BARE_START.length,
};
const PLAIN: Part = { length: 0, isReasoning: false, ends: toEnds([]), next: 'text' };

const FENCE = /^ {0,3}```/;
const MAX_FENCE_LENGTH = 6;

/** JSON is not thinking, and may contain a tag. */
const JSON_START = /^(?:\{|\[\s*[[{"\d\]])/;
/** What follows a tag that a sentence mentions. */
const SENTENCE_AFTER = /[ .,;:?!)]/;
/** How a response begins after its thinking. */
const SENTENCE_START = /[\p{Lu}\p{Lo}\p{N}\n*#]/u;
/** A text with more mentions of the closing tag is about it. */
const MAX_MENTIONS = 20;
/** The end of thinking that a server split too early arrives within so many characters. */
const MAX_SPLIT_LENGTH = 120;

/** What is known of a response whose thinking is split from its text. */
export interface SplitState {
	/** Undefined until the start of the response, or of its next part, is decided. */
	readonly part: Part | undefined;
	/** What may begin where the next part is not decided. */
	readonly next: FollowingPart;
	/** Whether the last part was thinking: blanks after it belong to nothing. */
	readonly isAfterReasoning: boolean;
	/** Text already searched: leading spaces, or thinking that may be the response. Only its end is read again. */
	readonly searched: string;
	/** Text that may be the beginning of a mark. */
	readonly pending: string;
	/** How often the part mentions its end. */
	readonly mentions: number;
	/** Start of the line up to which code blocks were counted. */
	readonly fencesReadTo: number;
	readonly isFenceOpen: boolean;
	/** Characters of thinking that no tag opened, after which it is text. */
	readonly maxAssumed: number;
	/** Whether the server splits the thinking: then tags are plain text, except an early end of the thinking. */
	readonly isSplitByServer: boolean;
	/** Whether the prompt may contain the opening tag. */
	readonly mayBeInside: boolean;
	/** Whether the response began with the end of thinking, whose beginning is in the prompt. */
	readonly hasEmptyReasoning: boolean;
}

/** A state while a step works on its copy. */
type Draft = { -readonly [Field in keyof SplitState]: SplitState[Field] };

/**
 * Splits text as it arrives, each character once. Marks count only at the start of the response and at the end of its parts.
 * Other marks are plain text.
 */
export const SPLIT_REASONING: Stage<string, TextAndReasoning, SplitState> = {
	start: {
		part: undefined,
		next: 'any',
		isAfterReasoning: false,
		searched: '',
		pending: '',
		mentions: 0,
		fencesReadTo: 0,
		isFenceOpen: false,
		maxAssumed: Infinity,
		isSplitByServer: false,
		mayBeInside: false,
		hasEmptyReasoning: false,
	},

	step(state, delta) {
		// Most deltas.
		if (isPlainText(state)) return [{ text: delta, reasoning: '' }, state];
		const draft = { ...state, pending: state.pending + delta };
		const output = { text: '', reasoning: '' };
		for (;;) {
			draft.part ??= parseStart(draft);
			const { part } = draft;
			if (!part) return [output, draft];
			const content = readPart(draft, part);
			output[part.isReasoning ? 'reasoning' : 'text'] += content;
			if (draft.part === part) return [output, draft];
		}
	},

	/** Thinking that never ended is the response, if no tag opened it. */
	end({ part, searched, pending }) {
		const rest = searched + pending;
		if (!part && ONLY_CLOSING_TAG.test(rest)) return { text: '', reasoning: '' };
		const isThinking = part?.isReasoning === true && part.isAssumed !== true;
		return isThinking ? { text: '', reasoning: rest } : { text: rest, reasoning: '' };
	},
};

/** Whether all that follows is text: no mark counts any more. */
export function isPlainText({ part, searched, pending }: SplitState): boolean {
	return part === PLAIN && searched === '' && pending === '';
}

/** Before a response whose prompt may contain the opening tag. */
export function startInReasoning(mayBeInside: boolean): SplitState {
	return { ...SPLIT_REASONING.start, mayBeInside };
}

/** For a response in which marks are plain text. */
export function ignoreTags(state: SplitState): SplitState {
	return state.part ? state : { ...state, part: PLAIN };
}

/** For servers that split the thinking: tags are plain text, except an early end of the thinking. */
export function expectSplit(state: SplitState): SplitState {
	if (state.part || state.isSplitByServer) return state;
	return { ...state, isSplitByServer: true, mayBeInside: true, maxAssumed: MAX_SPLIT_LENGTH };
}

/** Consumes the mark that opens a part. Undefined if more text is required. */
function parseStart(draft: Draft): Part | undefined {
	const trimmed = draft.pending.trimStart();
	if (draft.isAfterReasoning) draft.pending = trimmed;
	const mayBeEmpty = !draft.isSplitByServer && draft.next === 'any';
	const emptyEnd = mayBeEmpty ? findEmptyEnd(trimmed) : undefined;
	if (emptyEnd === 'undecided') return undefined;
	if (emptyEnd !== undefined) {
		draft.searched = '';
		draft.pending = trimmed.slice(emptyEnd);
		draft.hasEmptyReasoning = true;
		draft.isAfterReasoning = true;
		draft.mayBeInside = false;
		draft.next = 'text';
		return parseStart(draft);
	}
	const part = draft.next === 'any' ? parsePart(trimmed) : undefined;
	if (part === undefined || part === 'undecided') {
		keep(draft, draft.pending.length - trimmed.length);
		if (part === 'undecided' || !trimmed) return undefined;
	} else if (!draft.isSplitByServer) {
		draft.searched = '';
		draft.pending = trimmed.slice(part.length);
		return part;
	}
	const isAssumed = draft.mayBeInside && part === undefined && !JSON_START.test(trimmed);
	return isAssumed ? ASSUMED : PLAIN;
}

/** Reads to the end of the part, at which another one begins. */
function readPart(draft: Draft, part: Part) {
	if (part === PLAIN) return take(draft);
	const end = part.isAssumed ? findAssumedEnd(draft, part) : findEnd(draft.pending, part.ends);
	if (end.length === 0 && part.isAssumed && draft.part === part) {
		keep(draft, end.at);
		if (draft.searched.length > draft.maxAssumed) draft.part = PLAIN;
		return '';
	}
	if (draft.part !== part) return '';
	keep(draft, end.at);
	const content = draft.searched.slice(part.headerLength ?? 0);
	draft.searched = '';
	if (end.length === 0) return content;
	draft.pending = draft.pending.slice(end.length);
	draft.isAfterReasoning = part.isReasoning;
	draft.mayBeInside = false;
	draft.part = undefined;
	draft.next = part.next;
	draft.mentions = draft.fencesReadTo = 0;
	draft.isFenceOpen = false;
	return content;
}

/** The end of thinking that no tag opened. A tag that the text only mentions is not the end. */
function findAssumedEnd(draft: Draft, { ends }: Part): PartEnd {
	for (;;) {
		const end = findEnd(draft.pending, ends);
		if (end.length === 0) return end;
		const isMentioned = isMention(draft, end);
		if (isMentioned === undefined) return { at: end.at, length: 0 };
		if (!isMentioned) return end;
		keep(draft, end.at + end.length);
		draft.mentions += 1;
		if (draft.mentions > MAX_MENTIONS) {
			draft.part = PLAIN;
			return { at: 0, length: 0 };
		}
	}
}

/** Whether the tag is quoted, in a code block or a word of a sentence; undefined if the next character is missing. */
function isMention(draft: Draft, { at, length }: PartEnd) {
	const before = at > 0 ? draft.pending[at - 1]! : (draft.searched.at(-1) ?? '');
	const after = draft.pending[at + length];
	const isQuoted = /[`'"“‘«(]/.test(before);
	if (isQuoted || isInFence(draft, at)) return true;
	if (before !== ' ') return false;
	return after === undefined ? undefined : SENTENCE_AFTER.test(after);
}

/** Whether a position of the pending text is in a code block. Lines before the last position are not read again. */
function isInFence(draft: Draft, at: number) {
	const text = draft.searched + draft.pending.slice(0, at);
	const lineStart = text.lastIndexOf('\n') + 1;
	const fences = text.slice(draft.fencesReadTo, lineStart).match(/^ {0,3}```/gm) ?? [];
	if (fences.length % 2 === 1) draft.isFenceOpen = !draft.isFenceOpen;
	draft.fencesReadTo = lineStart;
	const isFenceLine = FENCE.test(text.slice(lineStart, lineStart + MAX_FENCE_LENGTH));
	return draft.isFenceOpen !== isFenceLine;
}

/** Takes all text. */
function take(draft: Draft) {
	const all = draft.searched + draft.pending;
	draft.searched = draft.pending = '';
	return all;
}

/** Moves text to what was searched. */
function keep(draft: Draft, length: number) {
	draft.searched += draft.pending.slice(0, length);
	draft.pending = draft.pending.slice(length);
}

/** The end of a part; the length of its mark is 0 if it has not arrived. */
interface PartEnd {
	at: number;
	length: number;
}

function findEnd(text: string, { pattern, getPartialLength }: Ends): PartEnd {
	const match = pattern.exec(text);
	if (match !== null) return { at: match.index, length: match[0].length };
	return { at: text.length - getPartialLength(text), length: 0 };
}

/**
 * The length of an end tag at the start of a response, whose thinking was empty; `undecided` before the next character,
 * undefined if there is none, or a sentence is about it.
 */
function findEmptyEnd(text: string): number | 'undecided' | undefined {
	const tag = CLOSING_TAG_AT_START.exec(text)?.[0];
	if (tag === undefined) return undefined;
	const rest = text.slice(tag.length);
	const [blanks = ''] = /^ {0,8}/.exec(rest) ?? [];
	const after = rest[blanks.length];
	if (after === undefined) return 'undecided';
	// A sentence about the tag goes on in small letters.
	const isMention = blanks === '' ? SENTENCE_AFTER.test(after) : !SENTENCE_START.test(after);
	return isMention ? undefined : tag.length;
}

/** Whether a response ends thinking that it did not begin. */
export function hasUnopenedReasoning(response: string): boolean {
	const { reasoning } = splitReasoning(response, true);
	const isOpened = /[^`'"“(]<think>/i.test(reasoning);
	return !isOpened && reasoning.trim() !== '' && response.trimStart().startsWith(reasoning.trim());
}
