/** Data of n8n's LangChain as ours, and ours as n8n's. */
import type { JsonRecord } from '../values/records';
import { isRecord, omitUndefined, asRecord, asRecords, asString } from '../values/records';
import { toPlainText } from '../values/safe-text';
import { truncate } from '../values/text';
import type { ToolCall } from '../chat/chat-message';
import type { ChatResult } from '../chat/chat-result';
import type { ToolChoice } from '../chat/tool-definition';
import type { InputMessage, InputToolCall } from '../chat/input-message';
import { MESSAGE_TYPES } from '../chat/input-message';
import { toMessageParts } from './message-parts';
import { getDraftAcceptanceRate, getTokensPerSecond } from '../chat/read/usage';

/** Converts LangChain's forms: `any` for "some tool", a tool's name, or OpenAI's object. */
export function toToolChoice(choice: unknown): ToolChoice | undefined {
	if (choice === 'any' || choice === true) return 'required';
	if (choice === 'auto' || choice === 'none' || choice === 'required') return choice;
	const { function: openAiFunction, name: ownName } = asRecord(choice);
	const openAiName = isRecord(openAiFunction) ? openAiFunction.name : ownName;
	const name = typeof choice === 'string' ? choice : openAiName;
	return typeof name === 'string' ? { name } : undefined;
}

type HostMessage = JsonRecord & {
	getType?: () => string;
	_getType?: () => string;
};

/**
 * Reads a message object of the host's LangChain, by its shape: an instance check would work with one copy of the
 * library only.
 */
export function toInputMessage(message: unknown): InputMessage {
	if (typeof message !== 'object' || message === null)
		return { type: 'human', content: toMessageParts('human', String(message)) };
	const source = message as HostMessage;
	const { reasoning_content: reasoningContent, reasoning } = asRecord(source.additional_kwargs);
	const type = getMessageType(source);
	return {
		type,
		content: toMessageParts(type, source.content),
		toolCalls: asRecords(source.tool_calls).map(toInputToolCall),
		invalidToolCalls: asRecords(source.invalid_tool_calls),
		toolCallId: asString(source.tool_call_id),
		name: asString(source.name),
		reasoning: asString(reasoningContent ?? reasoning),
	};
}

function getMessageType(message: HostMessage) {
	const hostType = message.getType?.() ?? message._getType?.();
	if (hostType === 'tool') return hostType;
	const type = MESSAGE_TYPES.get(hostType === 'generic' ? asString(message.role) : hostType);
	// Only LangChain's own tool messages have the ID of a call.
	return type === undefined || type === 'tool' ? 'human' : type;
}

function toInputToolCall({ id, name, args }: JsonRecord): InputToolCall {
	return { id: asString(id), name: String(name), args: asRecord(args) };
}

/** The token counts with LangChain's names. */
export function toUsageMetadata({ usage }: ChatResult): JsonRecord | undefined {
	if (!usage) return undefined;
	const { cachedTokens, reasoningTokens } = usage;
	return {
		input_tokens: usage.promptTokens,
		output_tokens: usage.completionTokens,
		total_tokens: usage.totalTokens,
		...omitUndefined({
			input_token_details: cachedTokens === undefined ? undefined : { cache_read: cachedTokens },
			output_token_details:
				reasoningTokens === undefined ? undefined : { reasoning: reasoningTokens },
		}),
	};
}

const MAX_LOGGED_REASONING = 2000;

/** Shorter load times mean that the model was already in memory. */
const COLD_START_MS = 1000;

/**
 * Execution log fields besides the text: n8n records nothing else (docs/protocols/n8n.md 2.7). Token counts are in
 * `usage_metadata`, and warnings in the hints that n8n stores with the log.
 */
export function toGenerationInfo(result: ChatResult): JsonRecord {
	const { usage, timings = {}, reasoning } = result;
	const { load_ms: loadMs = 0 } = timings;
	const acceptanceRate = getDraftAcceptanceRate(result.timings);
	return omitUndefined({
		finishReason: result.finishReason,
		modelName: toPlainText(result.model ?? '') || undefined,
		tokensPerSecond: round(getTokensPerSecond(result)),
		promptTokensPerSecond: round(timings.prompt_per_second),
		cachedTokens: usage?.cachedTokens ?? timings.cache_n,
		draftAcceptanceRate:
			acceptanceRate === undefined ? undefined : `${Math.floor(acceptanceRate * 100)} %`,
		usageEstimated: usage?.estimated,
		firstTokenMs: round(result.firstTokenMs || undefined),
		totalMs: round(result.totalMs),
		modelLoadMs: loadMs >= COLD_START_MS ? round(loadMs) : undefined,
		reasoning: truncate(reasoning, MAX_LOGGED_REASONING) || undefined,
		// The text of a turn that only calls tools is empty.
		toolCalls: result.toolCalls.length === 0 ? undefined : result.toolCalls.map(toLoggedCall),
		url: result.url,
		...result.logFields,
	});
}

/** Characters of the arguments of a call in the log. */
const MAX_LOGGED_ARGUMENTS = 1000;

function toLoggedCall({ name, arguments: args }: ToolCall): string {
	return `${name}(${truncate(args, MAX_LOGGED_ARGUMENTS)})`;
}

function round(value: number | undefined) {
	return value === undefined || !Number.isFinite(value) ? undefined : Math.round(value * 10) / 10;
}
