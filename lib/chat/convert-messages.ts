import { stringifyCanonical, parseObject } from '../json';
import {
	pushAll,
	isRecord,
	type JsonRecord,
	asNonEmptyString,
	omitUndefined,
	asRecord,
	asRecords,
	asString,
} from '../values';
import { getMedia, getText, blockToText, breakControlTokens, joinAdjacentTexts } from './content';
import { stripAgentText } from './agent-text';
import { parseToolResult } from './tool-result';
import { trimHistory } from './trim-history';
import {
	type CachedToolCall,
	toServerToolCallId,
	toolCallCache,
	getResponseKey,
} from './tool-calls';
import { parseContentPart, NON_CONTENT_TYPES } from './parse-content-part';
import type { ContentPart } from '../files/read-file';
import { splitReasoning } from './reasoning';
import type { ChatMessage, ChatSettings, ThinkingHistory, InputMessage, ToolCall } from './types';

export interface ConversionOptions {
	thinkingHistory: ThinkingHistory;
	/** Looks up a call of an earlier response by its ID from `createToolCallIds`; undefined if it is not cached. */
	getCachedCall?: (callId: string) => CachedToolCall | undefined;
}

type ToolMessage = Extract<ChatMessage, { role: 'tool' }>;

interface AssistantDraft {
	role: 'assistant';
	content: string;
	reasoning: string;
	toolCalls: ToolCall[];
	/** The results, in the order of the calls. */
	results: ToolMessage[];
	/** The images in these results. */
	images: ContentPart[];
	/** The key of the turn that the calls belong to, if their IDs contain it. */
	responseKey?: string;
}
/** Precedes images from tool results. */
const IMAGES_INTRO: ContentPart = { type: 'text', text: 'The images from the results above:' };
type MessageDraft = AssistantDraft | Extract<ChatMessage, { role: 'system' | 'user' }>;
type InputToolCall = NonNullable<InputMessage['toolCalls']>[number];
/** The result message of each tool call. */
type ToolResults = ReadonlyMap<InputToolCall, InputMessage>;

/**
 * The messages of a turn that fit into the history budget, with control tokens broken up.
 *
 * @returns also warnings about omitted turns
 * @throws {ServerError} of type `invalidInput` for content that model servers cannot read
 */
export function prepareMessages(
	source: readonly InputMessage[],
	{ thinkingHistory, historyBudget = 0 }: ChatSettings,
): { messages: ChatMessage[]; warnings: string[] } {
	const getCachedCall = (id: string) => toolCallCache.get(id);
	const converted = convertMessages(source, { thinkingHistory, getCachedCall });
	const messages = converted.map(withBrokenControlTokens);
	if (historyBudget === 0) return { messages, warnings: [] };
	const trimmed = trimHistory(messages, historyBudget);
	if (trimmed.omittedTurns === 0) return { messages, warnings: [] };
	const warning = `Earlier turns exceed the History Budget of ${historyBudget} tokens, so the oldest ones were omitted: ${trimmed.omittedTurns}.`;
	return { messages: trimmed.messages, warnings: [warning] };
}

/** The model's own text is sent back unchanged. */
function withBrokenControlTokens(message: ChatMessage): ChatMessage {
	if (message.role === 'assistant') return message;
	const { content } = message;
	if (typeof content === 'string')
		return { ...message, content: breakControlTokens(content) } as ChatMessage;
	const parts = content.map((part) =>
		part.type === 'text' ? { ...part, text: breakControlTokens(part.text) } : part,
	);
	return { ...message, content: parts } as ChatMessage;
}

/**
 * Converts a conversation into messages for a model server. The same input always gives the same bytes, because any
 * change would invalidate the server's prompt cache.
 *
 * It undoes n8n's agent's changes to a turn with several tool calls (docs/protocols/n8n.md 2.4): calls that were split
 * into messages are joined, the injected `id` argument and the text "Calling X with input: …" are removed, `[]` becomes
 * `''`, and files are put into the question that they belong to.
 *
 * @throws {ServerError} of type `invalidInput` for content that model servers cannot read
 */
export function convertMessages(
	messages: readonly InputMessage[],
	options: ConversionOptions,
): ChatMessage[] {
	const source = mergeFileMessages(messages);
	const results = matchToolResults(source);
	const drafts: MessageDraft[] = [];
	const findCached = (toolCall: InputToolCall) =>
		toolCall.id === undefined
			? undefined
			: findOriginalCall(toolCall, options.getCachedCall?.(toolCall.id));
	for (const message of source) {
		if (message.type === 'tool') continue;
		if (isAssistant(message)) pushAll(drafts, toAssistantDrafts(message, results, findCached));
		else drafts.push({ role: toRole(message), content: toContent(message) });
	}
	return withReasoning(mergeParallelCalls(mergeSystemMessages(drafts)), options.thinkingHistory);
}

/**
 * Joins the system messages at the beginning of a conversation: some templates reject a second one (Mistral's, Gemma's),
 * and some servers silently keep only the last one (FastChat, seen: 0.2.36).
 */
function mergeSystemMessages(drafts: readonly MessageDraft[]): MessageDraft[] {
	const isSystemText = ({ role, content }: MessageDraft) =>
		role === 'system' && typeof content === 'string';
	const end = drafts.findIndex((draft) => !isSystemText(draft));
	const texts = end === -1 ? drafts : drafts.slice(0, end);
	if (texts.length < 2) return [...drafts];
	const content = texts.map((draft) => String(draft.content)).join('\n\n');
	return [{ role: 'system', content }, ...drafts.slice(texts.length)];
}

/**
 * Matches tool calls and results. Either may be missing, because the memory window truncated it or a run failed, and
 * servers reject both halves. Results come before the user's next message, and IDs may be repeated.
 */
function matchToolResults(source: readonly InputMessage[]): ToolResults {
	const results = new Map<InputToolCall, InputMessage>();
	let callers: InputMessage[] = [];
	for (const message of source) {
		if (isAssistant(message)) callers.push(message);
		else if (message.type !== 'tool') callers = [];
		else {
			const isMatch = (toolCall: InputToolCall) =>
				(toolCall.id ?? '') === (message.toolCallId ?? '') && !results.has(toolCall);
			const caller = callers.findLast(({ toolCalls = [] }) => toolCalls.some(isMatch));
			const toolCall = caller?.toolCalls?.find(isMatch);
			if (toolCall !== undefined) results.set(toolCall, message);
		}
	}
	return results;
}

/**
 * n8n's agent puts files into a separate user message after the question. The templates of some vision models reject
 * two user messages in a row (Gemma's: "Conversation roles must alternate").
 */
function mergeFileMessages(source: readonly InputMessage[]): InputMessage[] {
	const joined: InputMessage[] = [];
	for (const message of source) {
		const previous = joined.at(-1);
		const hasFile = [previous, message].some(
			(candidate) => Array.isArray(candidate?.content) || candidate?.files !== undefined,
		);
		if (previous !== undefined && isUser(previous) && isUser(message) && hasFile)
			joined[joined.length - 1] = {
				...previous,
				...message,
				content: [previous, message].flatMap(({ content }) => content),
			};
		else joined.push(message);
	}
	return joined;
}

function isUser(message: InputMessage): boolean {
	return message.type !== 'tool' && !isAssistant(message) && toRole(message) === 'user';
}

function isAssistant({ type, role }: InputMessage): boolean {
	return (
		type === 'ai' ||
		(type === 'generic' && (role === 'assistant' || role === 'ai' || role === 'model'))
	);
}

function toRole({ type, role }: InputMessage): 'system' | 'user' {
	return type === 'system' || role === 'system' || role === 'developer' ? 'system' : 'user';
}

/** A string if there is only text, otherwise parts. */
function toContent({ content, files = [] }: InputMessage): string | ContentPart[] {
	if (typeof content === 'string' && files.length === 0) return content;
	const blocks = content === '' ? [] : [content].flat();
	const parts = [...blocks.flatMap((block) => parseContentPart(block) ?? []), ...files];
	return getMedia(parts).length === 0 ? getText(parts, '\n') : joinAdjacentTexts(parts);
}

/** Returns no draft for a message that has only invalid calls or calls without results. */
function toAssistantDrafts(
	message: InputMessage,
	results: ToolResults,
	findCached: (call: InputToolCall) => CachedToolCall | undefined,
): AssistantDraft[] {
	const { toolCalls: allCalls = [], invalidToolCalls = [] } = message;
	const calls = allCalls.filter((call) => results.has(call));
	const cachedCalls = calls.map(findCached);
	const firstCached = cachedCalls.find((cached) => cached !== undefined);
	const split = splitReasoning(getPlainText(message.content));
	const modelText = stripAgentText(split.text, allCalls);
	// Only calls are cached, so there is no cached text without calls.
	const content = modelText || (firstCached?.text ?? '');
	const hasUnmatchedCalls = allCalls.length + invalidToolCalls.length > 0;
	if (content === '' && calls.length === 0 && hasUnmatchedCalls) return [];
	const reasoning = findNonEmpty(
		message.reasoning,
		getThinkingText(message.content),
		split.reasoning,
		firstCached?.reasoning,
	);
	const toolCalls = calls.map((call, index) => toToolCall(call, cachedCalls[index]));
	return [
		{
			role: 'assistant',
			content,
			reasoning,
			toolCalls,
			...collectToolResults(calls, results),
			...omitUndefined({ responseKey: getResponseKey(calls[0]?.id ?? '') }),
		},
	];
}

function toToolCall(call: InputToolCall, cached: CachedToolCall | undefined): ToolCall {
	return {
		id: toServerToolCallId(call.id ?? ''),
		name: call.name,
		arguments: cached?.arguments ?? JSON.stringify(stripInjectedArguments(call)),
	};
}

function findNonEmpty(...texts: Array<string | undefined>): string {
	return texts.map(asNonEmptyString).find((text) => text !== undefined) ?? '';
}

/** The text of a message, without blocks that are sent elsewhere. */
function getPlainText(content: unknown): string {
	if (typeof content === 'string') return content;
	const blocks = [content ?? []].flat().filter((block) => !isNonText(block));
	return blocks.map(blockToText).join('\n');
}

function collectToolResults(
	calls: readonly InputToolCall[],
	results: ToolResults,
): Pick<AssistantDraft, 'results' | 'images'> {
	const contents = calls.map((call) => parseToolResult(results.get(call)!.content));
	return {
		results: calls.map((call, index) => ({
			role: 'tool',
			toolCallId: toServerToolCallId(call.id ?? ''),
			// Results from the memory have another name, and those of the running turn have none.
			name: call.name,
			content: contents[index]!.text,
		})),
		images: contents.flatMap(({ images }) => images),
	};
}

function isNonText(block: unknown): boolean {
	return NON_CONTENT_TYPES.has(String(asRecord(block).type));
}

function getThinkingText(content: unknown): string {
	return asRecords(content)
		.map(({ thinking, reasoning }) => asString(thinking) ?? asString(reasoning) ?? '')
		.join('');
}

/**
 * Removes what n8n's agent adds to the arguments: the call's `id`, and the tool's name for tools of a toolkit. Small
 * models would imitate it, and prompt caches would miss.
 */
function stripInjectedArguments(call: InputToolCall, args: JsonRecord = call.args): JsonRecord {
	if (!hasInjectedArguments(call)) return args;
	const hasName = call.args.tool === call.name;
	return Object.fromEntries(
		Object.entries(args).filter(([key]) => key !== 'id' && !(hasName && key === 'tool')),
	);
}

function hasInjectedArguments({ id, args }: InputToolCall): boolean {
	return id !== undefined && args.id === id;
}

/**
 * A tool that needs approval is called with `toolParameters`, often with `hitlParameters`. n8n runs it with the first;
 * after a rejection, it adds the second to the arguments (`createEngineRequests`).
 */
function argumentsAfterApproval({ hitlParameters, ...args }: JsonRecord): JsonRecord[] {
	const { toolParameters } = args;
	if (!isRecord(toolParameters)) return [];
	return [toolParameters, { ...args, ...asRecord(hitlParameters), toolParameters }];
}

/** The cached original of a call, if both are the same call. Arguments that n8n overwrote are not compared. */
function findOriginalCall(
	call: InputToolCall,
	cached: CachedToolCall | undefined,
): CachedToolCall | undefined {
	if (cached?.name !== call.name) return undefined;
	const args = parseObject(cached.arguments);
	if (args === undefined) return undefined;
	const current = stringifyCanonical(stripInjectedArguments(call));
	const isSame = [args, ...argumentsAfterApproval(args)].some(
		(candidate) => stringifyCanonical(stripInjectedArguments(call, candidate)) === current,
	);
	return isSame ? cached : undefined;
}

/**
 * Joins `call A, result A, call B, result B` into `calls A and B, result A, result B` if A and B are from one response:
 * by their IDs, or for calls of other nodes by equal thinking, which n8n repeats for every call of a turn.
 */
function mergeParallelCalls(drafts: readonly MessageDraft[]): MessageDraft[] {
	const joined: MessageDraft[] = [];
	for (const draft of drafts) {
		const previous = joined.at(-1);
		if (draft.role !== 'assistant') joined.push(draft);
		else if (previous?.role === 'assistant' && isSameResponse(previous, draft)) {
			pushAll(previous.toolCalls, draft.toolCalls);
			pushAll(previous.results, draft.results);
			pushAll(previous.images, draft.images);
		} else joined.push(copyDraft(draft));
	}
	return joined;
}

/** Copies a draft with its lists, to which those of other drafts are added. */
function copyDraft(draft: AssistantDraft): AssistantDraft {
	const { toolCalls, results, images } = draft;
	return {
		...draft,
		toolCalls: [...toolCalls],
		results: [...results],
		images: [...images],
	};
}

function isSameResponse(previous: AssistantDraft, next: AssistantDraft): boolean {
	if (previous.toolCalls.length === 0 || next.toolCalls.length === 0) return false;
	if (previous.responseKey !== undefined || next.responseKey !== undefined)
		return previous.responseKey === next.responseKey;
	return (
		previous.reasoning !== '' &&
		previous.reasoning === next.reasoning &&
		(next.content === '' || next.content === previous.content)
	);
}

function withReasoning(drafts: readonly MessageDraft[], history: ThinkingHistory): ChatMessage[] {
	const lastUser = drafts.findLastIndex(({ role }) => role === 'user');
	return drafts.flatMap((draft, index): ChatMessage[] => {
		if (draft.role !== 'assistant') return [draft];
		const { content, reasoning, toolCalls, results, images } = draft;
		const isAfterLastQuestion = index > lastUser && toolCalls.length > 0;
		const includesReasoning =
			history === 'always' || (history === 'toolTurns' && isAfterLastQuestion);
		const message: ChatMessage = { role: 'assistant', content };
		if (includesReasoning && reasoning !== '') message.reasoning = reasoning;
		if (toolCalls.length > 0) message.toolCalls = toolCalls;
		if (images.length === 0) return [message, ...results];
		return [message, ...results, { role: 'user', content: [IMAGES_INTRO, ...images] }];
	});
}
