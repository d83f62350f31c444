import { contentPart } from './media';
import { withoutThinking } from './think-splitter';
import type { ChatMessage, ContentPart, ToolCall } from './types';

/** A message as LangChain has it, reduced to plain data. `lib/chat/langchain-message.ts` reads it off the host's objects. */
export interface SourceMessage {
	type: 'system' | 'human' | 'ai' | 'tool' | 'other';
	/** The role of a generic message. */
	role?: string;
	content: unknown;
	toolCalls?: Array<{ id?: string; name: string; args: Record<string, unknown> }>;
	/** Calls whose arguments did not parse. Never replayed. */
	invalidToolCalls?: Array<{ id?: string; name?: string }>;
	toolCallId?: string;
	name?: string;
	reasoning?: string;
}

/** What is remembered of a turn in which the model called tools: n8n hands it back in pieces and with changes. */
export interface RememberedCall {
	/** The same for all calls of one answer. */
	turn: string;
	/** Text the model wrote before its calls. */
	text: string;
	reasoning: string;
	name: string;
	/** The arguments exactly as the model wrote them. */
	arguments: string;
}

/** Whether thinking goes back to the server: never, in running tool turns, or with every message that has it. */
export type ReasoningEcho = 'off' | 'toolTurns' | 'always';

export interface ConversionOptions {
	reasoning: ReasoningEcho;
	/** Looks up a call of an earlier answer; the cache behind it may have forgotten it. */
	recall?: (callId: string) => RememberedCall | undefined;
}

interface AssistantDraft {
	role: 'assistant';
	content: string;
	reasoning: string;
	toolCalls: ToolCall[];
	turn?: string;
}
type Draft = AssistantDraft | Exclude<ChatMessage, { role: 'assistant' }>;

/**
 * Converts a conversation into messages for a model server. Pure: the same input gives the same output, byte for byte, since
 * every changed byte costs the server its prompt cache.
 *
 * It undoes what n8n's agent does to a turn with several tool calls (contract n8n-platform 2.4): calls torn into one message
 * each are joined again, the injected `id` argument and the text "Calling X with input: …" are taken out, `[]` becomes `''`.
 *
 * @throws {ServerError} of kind `invalidInput` for content that no model server can read
 */
export function convertMessages(source: readonly SourceMessage[], options: ConversionOptions): ChatMessage[] {
	const answered = new Set(source.filter(({ type }) => type === 'tool').map(({ toolCallId }) => toolCallId));
	const drafts = source.flatMap((message) => draftOf(message, answered, options));
	return withReasoning(withoutOrphans(joinTurns(drafts)), options.reasoning);
}

function draftOf(message: SourceMessage, answered: ReadonlySet<string | undefined>, { recall }: ConversionOptions): Draft[] {
	switch (message.type) {
		case 'tool':
			return [{ role: 'tool', toolCallId: message.toolCallId ?? '', name: message.name, content: textOf(message.content) }];
		case 'ai':
			return assistantDraft(message, answered, recall);
		default:
			return [{ role: roleOf(message), content: contentOf(message.content) }];
	}
}

function roleOf({ type, role }: SourceMessage): 'system' | 'user' {
	return type === 'system' || role === 'system' || role === 'developer' ? 'system' : 'user';
}

/** Text only as a string, otherwise all parts in one message: a picture belongs to its question. */
function contentOf(content: unknown): string | ContentPart[] {
	if (typeof content === 'string') return content;
	const parts = [content].flat().flatMap((block) => contentPart(block) ?? []);
	if (parts.every((part) => part.type === 'text')) return parts.map((part) => (part.type === 'text' ? part.text : '')).join('\n');
	return parts;
}

/** The text of a tool result or an assistant message; other blocks as JSON, so that nothing is lost. */
function textOf(content: unknown): string {
	if (typeof content === 'string') return content;
	if (!Array.isArray(content)) return content === null || content === undefined ? '' : JSON.stringify(content);
	return content
		.map((block: unknown) => {
			if (typeof block === 'string') return block;
			const part = typeof block === 'object' && block !== null && 'text' in block ? block.text : undefined;
			return typeof part === 'string' ? part : JSON.stringify(block);
		})
		.join('\n');
}

const NOT_TEXT = new Set(['tool_use', 'tool_call', 'thinking', 'redacted_thinking', 'reasoning', 'input_json_delta', 'non_standard']);

function assistantDraft(message: SourceMessage, answered: ReadonlySet<string | undefined>, recall: ConversionOptions['recall']): AssistantDraft[] {
	const blocks = typeof message.content === 'string' ? message.content : [message.content].flat().filter((block) => !isNonText(block));
	const split = withoutThinking(typeof blocks === 'string' ? blocks : textOf(blocks));
	// A call without a result was cut off by the memory's window, or belongs to a run that failed. Servers refuse both halves.
	const calls = (message.toolCalls ?? []).filter(({ id }) => answered.has(id));
	const memories = calls.map((call) => (call.id === undefined ? undefined : matching(call, recall?.(call.id))));
	const remembered = memories.find((memory) => memory !== undefined);
	const text = withoutCallingText(split.text, message.toolCalls ?? []);
	const content = text === '' && calls.length > 0 ? (remembered?.text ?? '') : text;
	const reasoning = message.reasoning || thinkingBlocks(message.content) || split.reasoning || remembered?.reasoning || '';
	if (content === '' && calls.length === 0) {
		// Nothing left of a message that held only broken or unanswered calls.
		return (message.toolCalls?.length ?? 0) + (message.invalidToolCalls?.length ?? 0) > 0 ? [] : [{ role: 'assistant', content, reasoning, toolCalls: [] }];
	}
	const toolCalls = calls.map((call, index) => ({
		id: call.id ?? '',
		name: call.name,
		arguments: memories[index]?.arguments ?? JSON.stringify(withoutInjected(call)),
	}));
	return [{ role: 'assistant', content, reasoning, toolCalls, ...(remembered === undefined ? {} : { turn: remembered.turn }) }];
}

function isNonText(block: unknown): boolean {
	return typeof block === 'object' && block !== null && 'type' in block && typeof block.type === 'string' && NOT_TEXT.has(block.type);
}

function thinkingBlocks(content: unknown): string {
	if (!Array.isArray(content)) return '';
	return content
		.map((block: unknown) => {
			if (typeof block !== 'object' || block === null) return '';
			const { thinking, reasoning } = block as { thinking?: unknown; reasoning?: unknown };
			return typeof thinking === 'string' ? thinking : typeof reasoning === 'string' ? reasoning : '';
		})
		.join('');
}

/** n8n's agent adds the call's id to the arguments (and `tool` for toolkits). Small models imitate it, and prompt caches miss. */
function withoutInjected({ id, args }: { id?: string; args: Record<string, unknown> }): Record<string, unknown> {
	if (id === undefined || args.id !== id) return args;
	return Object.fromEntries(Object.entries(args).filter(([key]) => key !== 'id'));
}

/** n8n 2.20's agent puts this text into every replayed call. It is taken out when it is exactly that, and left otherwise. */
function withoutCallingText(text: string, calls: NonNullable<SourceMessage['toolCalls']>): string {
	const isCallingText = calls.some(({ name, args }) => text.trim() === `Calling ${name} with input: ${JSON.stringify(args)}`);
	return isCallingText ? '' : text;
}

/** The memory of a call, if it is of the same call: servers that number their calls use the same id again and again. */
function matching(call: NonNullable<SourceMessage['toolCalls']>[number], memory: RememberedCall | undefined): RememberedCall | undefined {
	if (memory === undefined || memory.name !== call.name) return undefined;
	return canonical(parsed(memory.arguments)) === canonical(withoutInjected(call)) ? memory : undefined;
}

function parsed(json: string): unknown {
	try {
		return JSON.parse(json) as unknown;
	} catch {
		return undefined;
	}
}

function canonical(value: unknown): string {
	return JSON.stringify(value, (_key, inner: unknown) =>
		typeof inner === 'object' && inner !== null && !Array.isArray(inner)
			? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
			: inner,
	);
}

/**
 * Joins `call A, result A, call B, result B` into `calls A and B, result A, result B` where A and B are of one answer: by the
 * remembered turn, else by the same thinking, which n8n repeats on every call of a turn.
 */
function joinTurns(drafts: readonly Draft[]): Draft[] {
	const joined: Draft[] = [];
	let open: AssistantDraft | undefined;
	for (const draft of drafts) {
		if (draft.role === 'assistant') {
			if (open !== undefined && draft.toolCalls.length > 0 && isSameTurn(open, draft)) {
				open.toolCalls.push(...draft.toolCalls);
				continue;
			}
			open = draft.toolCalls.length > 0 ? { ...draft, toolCalls: [...draft.toolCalls] } : undefined;
			joined.push(open ?? draft);
			continue;
		}
		if (draft.role !== 'tool') open = undefined;
		joined.push(draft);
	}
	return joined;
}

function isSameTurn(open: AssistantDraft, next: AssistantDraft): boolean {
	if (open.turn !== undefined || next.turn !== undefined) return open.turn === next.turn;
	return open.reasoning !== '' && open.reasoning === next.reasoning && (next.content === '' || next.content === open.content);
}

/** Results whose call is gone (cut off by the memory's window) are dropped: templates refuse them. */
function withoutOrphans(drafts: readonly Draft[]): Draft[] {
	let callable = new Set<string>();
	return drafts.filter((draft) => {
		if (draft.role === 'assistant') callable = new Set(draft.toolCalls.map(({ id }) => id));
		else if (draft.role === 'tool') return callable.has(draft.toolCallId);
		return true;
	});
}

function withReasoning(drafts: readonly Draft[], echo: ReasoningEcho): ChatMessage[] {
	const lastUser = drafts.findLastIndex(({ role }) => role === 'user');
	return drafts.map((draft, index): ChatMessage => {
		if (draft.role !== 'assistant') return draft;
		const { content, reasoning, toolCalls } = draft;
		const send = reasoning !== '' && (echo === 'always' || (echo === 'toolTurns' && index > lastUser && toolCalls.length > 0));
		return { role: 'assistant', content, ...(send ? { reasoning } : {}), ...(toolCalls.length > 0 ? { toolCalls } : {}) };
	});
}
