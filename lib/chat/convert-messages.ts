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
import {
	getMedia,
	getText,
	blockToText,
	parseToolResult,
	stripAgentText,
	breakControlTokens,
	joinAdjacentTexts,
} from './content';
import { trimHistory } from './trim-history';
import { type CachedToolCall, toServerToolCallId, toolCallCache, getTurnKey } from './tool-calls';
import { parseContentPart, NOT_CONTENT } from './media';
import { splitReasoning } from './reasoning';
import type {
	ChatMessage,
	ChatSettings,
	ContentPart,
	ThinkingHistory,
	InputMessage,
	ToolCall,
} from './types';

export interface ConversionOptions {
	thinkingHistory: ThinkingHistory;
	/** Looks up a call of an earlier answer by its id from `ownToolCallIds`; undefined if it is not cached. */
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
	/** The pictures in these results. */
	images: ContentPart[];
	/** The key of the answer that the calls belong to, if their ids contain it. */
	turnKey?: string;
}
/** Put in front of pictures from tool results. */
const IMAGES_INTRO: ContentPart = { type: 'text', text: 'The images from the results above:' };
type MessageDraft = AssistantDraft | Extract<ChatMessage, { role: 'system' | 'user' }>;
type InputToolCall = NonNullable<InputMessage['toolCalls']>[number];
/** The result message of each tool call. */
type ToolResults = ReadonlyMap<InputToolCall, InputMessage>;

/**
 * The messages of a turn: those that fit into the budget of the history, with control tokens of models as words.
 *
 * @returns also notes on what was left out
 * @throws {ServerError} of kind `invalidInput` for content that no model server can read
 */
export function prepareMessages(
	source: readonly InputMessage[],
	{ thinkingHistory, historyBudget = 0 }: ChatSettings,
): { messages: ChatMessage[]; notes: string[] } {
	const getCachedCall = (id: string) => toolCallCache.get(id);
	const converted = convertMessages(source, { thinkingHistory, getCachedCall });
	const messages = converted.map(breakControlTokensIn);
	if (historyBudget === 0) return { messages, notes: [] };
	const fitted = trimHistory(messages, historyBudget);
	if (fitted.leftOut === 0) return { messages, notes: [] };
	const note = `Earlier turns exceed the History Budget of ${historyBudget} tokens, so the oldest ones were omitted: ${fitted.leftOut}.`;
	return { messages: fitted.messages, notes: [note] };
}

/** What the model wrote itself goes back as it wrote it. */
function breakControlTokensIn(message: ChatMessage): ChatMessage {
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
 * @throws {ServerError} of kind `invalidInput` for content that no model server can read
 */
export function convertMessages(
	messages: readonly InputMessage[],
	options: ConversionOptions,
): ChatMessage[] {
	const source = mergeFileMessages(messages);
	const results = matchToolResults(source);
	const drafts: MessageDraft[] = [];
	const recalled = (call: InputToolCall) =>
		call.id === undefined ? undefined : findOriginalCall(call, options.getCachedCall?.(call.id));
	for (const message of source) {
		if (message.type === 'tool') continue;
		if (isAssistant(message)) pushAll(drafts, assistantDraft(message, results, recalled));
		else drafts.push({ role: roleOf(message), content: contentOf(message.content) });
	}
	return withReasoning(mergeParallelCalls(mergeSystemMessages(drafts)), options.thinkingHistory);
}

/**
 * Joins the texts of the system at the beginning of a conversation: some templates refuse a second message of the
 * system (Mistral's, Gemma's), and some servers keep only the last one without a word (FastChat, seen: 0.2.36).
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
 * Matches tool calls and results. Either may be missing, because the memory's window cut it off or a run failed;
 * servers refuse both halves. Results come before the user's next message, and ids may be repeated.
 */
function matchToolResults(source: readonly InputMessage[]): ToolResults {
	const results = new Map<InputToolCall, InputMessage>();
	let open: InputMessage[] = [];
	for (const message of source) {
		if (isAssistant(message)) open.push(message);
		else if (message.type !== 'tool') open = [];
		else {
			const isAnswered = (call: InputToolCall) =>
				(call.id ?? '') === (message.toolCallId ?? '') && !results.has(call);
			const caller = open.findLast(({ toolCalls = [] }) => toolCalls.some(isAnswered));
			const call = caller?.toolCalls?.find(isAnswered);
			if (call !== undefined) results.set(call, message);
		}
	}
	return results;
}

/**
 * n8n's agent puts files into a separate user message after the question. The templates of some vision models refuse
 * two user messages in a row (Gemma's: "Conversation roles must alternate").
 */
function mergeFileMessages(source: readonly InputMessage[]): InputMessage[] {
	const joined: InputMessage[] = [];
	for (const message of source) {
		const before = joined.at(-1);
		const hasFile = [before, message].some((one) => Array.isArray(one?.content));
		if (before !== undefined && isUser(before) && isUser(message) && hasFile)
			joined[joined.length - 1] = {
				...before,
				content: [before, message].flatMap(({ content }) => content),
			};
		else joined.push(message);
	}
	return joined;
}

function isUser(message: InputMessage): boolean {
	return message.type !== 'tool' && !isAssistant(message) && roleOf(message) === 'user';
}

function isAssistant({ type, role }: InputMessage): boolean {
	return (
		type === 'ai' ||
		(type === 'generic' && (role === 'assistant' || role === 'ai' || role === 'model'))
	);
}

function roleOf({ type, role }: InputMessage): 'system' | 'user' {
	return type === 'system' || role === 'system' || role === 'developer' ? 'system' : 'user';
}

/** A string if there is only text, otherwise parts. */
function contentOf(content: unknown): string | ContentPart[] {
	if (typeof content === 'string') return content;
	const parts = [content].flat().flatMap((block) => parseContentPart(block) ?? []);
	return getMedia(parts).length === 0 ? getText(parts, '\n') : joinAdjacentTexts(parts);
}

/** A list of one; empty for a message that is dropped, because it has only broken or unanswered calls. */
function assistantDraft(
	message: InputMessage,
	results: ToolResults,
	recalled: (call: InputToolCall) => CachedToolCall | undefined,
): AssistantDraft[] {
	const { toolCalls: allCalls = [], invalidToolCalls = [] } = message;
	const calls = allCalls.filter((call) => results.has(call));
	const memories = calls.map(recalled);
	const firstMemory = memories.find((memory) => memory !== undefined);
	const split = splitReasoning(plainText(message.content));
	const ownText = stripAgentText(split.text, allCalls);
	// Memories belong to calls, so without calls there is none.
	const content = ownText || (firstMemory?.text ?? '');
	const hasLostCalls = allCalls.length + invalidToolCalls.length > 0;
	if (content === '' && calls.length === 0 && hasLostCalls) return [];
	const reasoning = firstFilled(
		message.reasoning,
		thinkingBlocks(message.content),
		split.reasoning,
		firstMemory?.reasoning,
	);
	const toolCalls = calls.map((call, index) => toolCall(call, memories[index]));
	return [
		{
			role: 'assistant',
			content,
			reasoning,
			toolCalls,
			...collectToolResults(calls, results),
			...omitUndefined({ turnKey: getTurnKey(calls[0]?.id ?? '') }),
		},
	];
}

function toolCall(call: InputToolCall, memory: CachedToolCall | undefined): ToolCall {
	return {
		id: toServerToolCallId(call.id ?? ''),
		name: call.name,
		arguments: memory?.arguments ?? JSON.stringify(stripInjectedArguments(call)),
	};
}

function firstFilled(...texts: Array<string | undefined>): string {
	return texts.map(asNonEmptyString).find((one) => one !== undefined) ?? '';
}

/** The text of a message, without blocks that are sent elsewhere. */
function plainText(content: unknown): string {
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
			// A result from the memory has a name of its own, and one of the running turn none.
			name: call.name,
			content: contents[index]!.text,
		})),
		images: contents.flatMap(({ images }) => images),
	};
}

function isNonText(block: unknown): boolean {
	return NOT_CONTENT.has(String(asRecord(block).type));
}

function thinkingBlocks(content: unknown): string {
	return asRecords(content)
		.map(({ thinking, reasoning }) => asString(thinking) ?? asString(reasoning) ?? '')
		.join('');
}

/**
 * Removes what n8n's agent adds to the arguments: the call's `id`, and the tool's name for tools of a toolkit. Small
 * models would imitate it, and prompt caches would miss.
 */
function stripInjectedArguments(call: InputToolCall, args: JsonRecord = call.args): JsonRecord {
	if (!hasInjected(call)) return args;
	const hasName = call.args.tool === call.name;
	return Object.fromEntries(
		Object.entries(args).filter(([key]) => key !== 'id' && !(hasName && key === 'tool')),
	);
}

function hasInjected({ id, args }: InputToolCall): boolean {
	return id !== undefined && args.id === id;
}

/**
 * A tool that needs approval is called with `toolParameters`, often with `hitlParameters`. n8n runs it with the first;
 * after a rejection, the second stand beside them (`createEngineRequests`).
 */
function argumentsAfterApproval({ hitlParameters, ...args }: JsonRecord): JsonRecord[] {
	const { toolParameters } = args;
	if (!isRecord(toolParameters)) return [];
	return [toolParameters, { ...args, ...asRecord(hitlParameters), toolParameters }];
}

/** The cached original of a call, if it really is the same call. Arguments that n8n overwrote are not compared. */
function findOriginalCall(
	call: InputToolCall,
	memory: CachedToolCall | undefined,
): CachedToolCall | undefined {
	if (memory?.name !== call.name) return undefined;
	const args = parseObject(memory.arguments);
	if (args === undefined) return undefined;
	const current = stringifyCanonical(stripInjectedArguments(call));
	const isSame = [args, ...argumentsAfterApproval(args)].some(
		(known) => stringifyCanonical(stripInjectedArguments(call, known)) === current,
	);
	return isSame ? memory : undefined;
}

/**
 * Joins `call A, result A, call B, result B` into `calls A and B, result A, result B` if A and B are from one answer:
 * by their ids, or for calls of other nodes by equal thinking, which n8n repeats for every call of a turn.
 */
function mergeParallelCalls(drafts: readonly MessageDraft[]): MessageDraft[] {
	const joined: MessageDraft[] = [];
	for (const draft of drafts) {
		const open = joined.at(-1);
		if (draft.role !== 'assistant') joined.push(draft);
		else if (open?.role === 'assistant' && isSameTurn(open, draft)) {
			pushAll(open.toolCalls, draft.toolCalls);
			pushAll(open.results, draft.results);
			pushAll(open.images, draft.images);
		} else joined.push(copyOf(draft));
	}
	return joined;
}

/** A draft with lists of its own, to which those of others are added. */
function copyOf(draft: AssistantDraft): AssistantDraft {
	const { toolCalls, results, images } = draft;
	return {
		...draft,
		toolCalls: [...toolCalls],
		results: [...results],
		images: [...images],
	};
}

function isSameTurn(open: AssistantDraft, next: AssistantDraft): boolean {
	if (open.toolCalls.length === 0 || next.toolCalls.length === 0) return false;
	if (open.turnKey !== undefined || next.turnKey !== undefined)
		return open.turnKey === next.turnKey;
	return (
		open.reasoning !== '' &&
		open.reasoning === next.reasoning &&
		(next.content === '' || next.content === open.content)
	);
}

function withReasoning(drafts: readonly MessageDraft[], echo: ThinkingHistory): ChatMessage[] {
	const lastUser = drafts.findLastIndex(({ role }) => role === 'user');
	return drafts.flatMap((draft, index): ChatMessage[] => {
		if (draft.role !== 'assistant') return [draft];
		const { content, reasoning, toolCalls, results, images } = draft;
		const isRunningTurn = index > lastUser && toolCalls.length > 0;
		const isEchoed = echo === 'always' || (echo === 'toolTurns' && isRunningTurn);
		const message: ChatMessage = { role: 'assistant', content };
		if (isEchoed && reasoning !== '') message.reasoning = reasoning;
		if (toolCalls.length > 0) message.toolCalls = toolCalls;
		if (images.length === 0) return [message, ...results];
		return [message, ...results, { role: 'user', content: [IMAGES_INTRO, ...images] }];
	});
}
