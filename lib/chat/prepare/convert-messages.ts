/** Converts the history that n8n has to the messages of a chat. */
import type { JsonRecord } from '../../values/records';
import { asRecord, asString, isRecord, omitEmpty } from '../../values/records';
import { stringifyCanonical, parseObject } from '../../values/json';
import { pushAll } from '../../values/lists';
import {
	blockToText,
	getMedia,
	mergeAdjacent,
	parseToolResult,
	parseContentPart,
	NON_CONTENT_TYPES,
} from '../content';
import type { CachedToolCall } from '../tools/tool-call-cache';
import { toServerToolCallId, getResponseKey } from '../tools/tool-call-ids';
import type { ContentPart, TextPart } from '../../files/read-file';
import type { Origin } from '../../origin';
import { splitReasoning } from '../../text/reasoning';
import type { InputMessage, InputPart, InputToolCall } from '../input-message';
import type { ChatMessage, ToolCall } from '../chat-message';
import type { ThinkingHistory } from '../settings';
import { stripAgentText } from './agent-text';

/** Looks up a call of an earlier response by its ID from `createToolCallIds`; undefined if it is not cached. */
export type CallLookup = (callId: string) => CachedToolCall | undefined;

interface AssistantDraft {
	role: 'assistant';
	content: string;
	/** Who wrote the content. */
	origin: Origin;
	reasoning: string;
	toolCalls: ToolCall[];
	/** The results, in the order of the calls. */
	results: ChatMessage[];
	/** The images in these results. */
	images: ContentPart[];
	/** The key of the turn that the calls belong to, if their IDs contain it. */
	responseKey: string | undefined;
}

/** Precedes images from tool results. */
const IMAGES_INTRO: TextPart = {
	type: 'text',
	text: 'The images from the results above:',
	origin: 'node',
};

/** Servers get it between two texts as an empty line. */
const EMPTY_LINE: TextPart = { type: 'text', text: '', origin: 'node' };

type MessageDraft = AssistantDraft | Extract<ChatMessage, { role: 'system' | 'user' }>;

/** The result message of each tool call. */
type ToolResults = ReadonlyMap<InputToolCall, InputMessage>;

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
	thinkingHistory: ThinkingHistory,
	getCachedCall?: CallLookup,
): ChatMessage[] {
	const source = mergeFileMessages(messages);
	const results = matchToolResults(source);
	const drafts = source.flatMap((message): MessageDraft[] => {
		if (message.type === 'tool') return [];
		if (message.type === 'ai') return toAssistantDraft(message, results, getCachedCall);
		const role = message.type === 'system' ? 'system' : 'user';
		return [{ role, content: toContent(message) }];
	});
	return withReasoning(mergeParallelCalls(mergeSystemMessages(drafts)), thinkingHistory);
}

/**
 * Joins the system messages at the beginning of a conversation: some templates reject a second one (Mistral's, Gemma's),
 * and some servers silently keep only the last one.
 */
function mergeSystemMessages(drafts: readonly MessageDraft[]): MessageDraft[] {
	const contents: Array<readonly ContentPart[]> = [];
	for (const draft of drafts) {
		if (draft.role !== 'system' || getMedia(draft.content).length > 0) break;
		contents.push(draft.content);
	}
	if (contents.length < 2) return [...drafts];
	const content = contents.flatMap((parts, index) =>
		index === 0 ? parts : [EMPTY_LINE, ...parts],
	);
	return [{ role: 'system', content }, ...drafts.slice(contents.length)];
}

/**
 * Matches tool calls and results. Either may be missing, because the memory window truncated it or a run failed, and
 * servers reject both halves. Results come before the user's next message, and IDs may be repeated.
 */
function matchToolResults(source: readonly InputMessage[]): ToolResults {
	const results = new Map<InputToolCall, InputMessage>();
	let callLists: InputToolCall[][] = [];
	for (const message of source) {
		const { type, toolCalls = [], toolCallId = '' } = message;
		if (type === 'ai') callLists.push(toolCalls);
		else if (type !== 'tool') callLists = [];
		else {
			const isMatch = (toolCall: InputToolCall) =>
				(toolCall.id ?? '') === toolCallId && !results.has(toolCall);
			const toolCall = callLists.findLast((calls) => calls.some(isMatch))?.find(isMatch);
			if (toolCall) results.set(toolCall, message);
		}
	}
	return results;
}

/**
 * n8n's agent puts files into a separate user message after the question. The templates of some vision models reject
 * two user messages in a row (Gemma's: "Conversation roles must alternate").
 */
function mergeFileMessages(source: readonly InputMessage[]) {
	return mergeAdjacent(source, (previous, message) => {
		const hasFile = [previous, message].some(
			({ content, files }) => !isPlainText(content) || files !== undefined,
		);
		if (previous.type !== 'human' || message.type !== 'human' || !hasFile) return undefined;
		const content = [...previous.content, ...message.content];
		return { ...previous, ...message, content };
	});
}

function isPlainText([first, ...others]: readonly InputPart[]): boolean {
	return typeof first?.block === 'string' && others.length === 0;
}

function toContent({ content, files = [] }: InputMessage): ContentPart[] {
	// A file needs no text beside it.
	const isEmpty = files.length > 0 && content.every(({ block }) => block === '');
	const parts = isEmpty ? [] : content.flatMap((part) => parseContentPart(part) ?? []);
	return [...parts, ...files];
}

/** No draft for a message that is empty or has only invalid calls or calls without results: strict servers reject it. */
function toAssistantDraft(
	message: InputMessage,
	results: ToolResults,
	getCachedCall: CallLookup | undefined,
): AssistantDraft[] {
	const { toolCalls: allCalls = [] } = message;
	const calls = allCalls.filter((call) => results.has(call));
	const cachedCalls = calls.map((call) => findOriginalCall(call, getCachedCall));
	const firstCached = cachedCalls.find((cached) => cached !== undefined);
	const split = splitReasoning(getPlainText(message.content));
	// Only calls are cached, so there is no cached text without calls.
	const content = stripAgentText(split.text, allCalls) || (firstCached?.text ?? '');
	if (!content && calls.length === 0) return [];
	const reasonings = [
		message.reasoning,
		getThinkingText(message.content),
		split.reasoning,
		firstCached?.reasoning,
	];
	const toolResults = calls.map((call) => parseToolResult(results.get(call)!.content[0]?.block));
	const toolCalls = calls.map((call, index) => ({
		id: toServerToolCallId({ id: call.id ?? '', name: call.name }),
		name: call.name,
		arguments: cachedCalls[index]?.arguments ?? JSON.stringify(stripInjectedArguments(call)),
	}));
	return [
		{
			role: 'assistant',
			content,
			origin: message.content[0]?.origin ?? 'model',
			reasoning: reasonings.find((text) => text !== undefined && text !== '') ?? '',
			toolCalls,
			results: toolCalls.map(({ id, name }, index) => ({
				role: 'tool',
				toolCallId: id,
				// Results from the memory have another name, and those of the running turn have none.
				name,
				content: toolResults[index]!.text,
				origin: 'foreign',
			})),
			images: toolResults.flatMap(({ images }) => images),
			responseKey: getResponseKey(calls[0]?.id ?? ''),
		},
	];
}

/** The text of a message, without blocks that are sent elsewhere. */
function getPlainText(content: readonly InputPart[]) {
	const isText = ({ block }: InputPart) => !NON_CONTENT_TYPES.has(String(asRecord(block).type));
	return content
		.filter(isText)
		.map(({ block }) => blockToText(block))
		.join('\n');
}

function getThinkingText(content: readonly InputPart[]) {
	return content
		.map(({ block }) => asRecord(block))
		.map(({ thinking, reasoning }) => asString(thinking) ?? asString(reasoning) ?? '')
		.join('');
}

/**
 * Removes what n8n's agent adds to the arguments: the call's `id`, and the tool's name for tools of a toolkit. Small
 * models would imitate it, and prompt caches would miss.
 */
function stripInjectedArguments({ id, name, args: ownArgs }: InputToolCall, args = ownArgs) {
	if (id === undefined || ownArgs.id !== id) return args;
	const injected = ownArgs.tool === name ? ['id', 'tool'] : ['id'];
	return Object.fromEntries(Object.entries(args).filter(([key]) => !injected.includes(key)));
}

/**
 * A tool that needs approval is called with `toolParameters`, often with `hitlParameters`. n8n runs it with the first;
 * after a rejection, it adds the second to the arguments (`createEngineRequests`).
 */
function argumentsAfterApproval({ hitlParameters, ...args }: JsonRecord) {
	const { toolParameters } = args;
	if (!isRecord(toolParameters)) return [];
	return [toolParameters, { ...args, ...asRecord(hitlParameters), toolParameters }];
}

/** The cached original of a call, if both are the same call. Arguments that n8n overwrote are not compared. */
function findOriginalCall(call: InputToolCall, getCachedCall: CallLookup = () => undefined) {
	const cached = getCachedCall(call.id ?? '');
	if (cached?.name !== call.name) return undefined;
	const args = parseObject(cached.arguments);
	if (!args) return undefined;
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
function mergeParallelCalls(drafts: readonly MessageDraft[]) {
	return mergeAdjacent(drafts, (previous, draft) => {
		const areAnswers = previous.role === 'assistant' && draft.role === 'assistant';
		if (!areAnswers || !isSameResponse(previous, draft)) return undefined;
		pushAll(previous.toolCalls, draft.toolCalls);
		pushAll(previous.results, draft.results);
		pushAll(previous.images, draft.images);
		return previous;
	});
}

function isSameResponse(previous: AssistantDraft, next: AssistantDraft) {
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
		const { role, content, origin, toolCalls, results, images } = draft;
		const isAfterLastQuestion = index > lastUser && toolCalls.length > 0;
		const includesReasoning =
			history === 'always' || (history === 'toolTurns' && isAfterLastQuestion);
		const reasoning = includesReasoning ? draft.reasoning : '';
		const messages = [
			{ role, content, origin, ...omitEmpty({ reasoning, toolCalls }) },
			...results,
		];
		if (images.length === 0) return messages;
		return [...messages, { role: 'user', content: [IMAGES_INTRO, ...images] }];
	});
}
